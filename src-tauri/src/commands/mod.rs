//! What the windows may call: each command is one use case of the app, named as the feature that calls it.

mod ask;
mod chats;
mod folders;
mod history;
mod pages;
mod recheck;
mod research;

mod account;
mod carry;
mod data;
mod database;
mod engines;
mod models;
mod settings;
mod sync;

mod opening;
mod shell;
mod sorting;

use std::future::Future;
use std::panic::AssertUnwindSafe;

use deepsearch_core::{ErrorCode, Failure};
use futures::FutureExt;
use tauri_specta::{Commands, collect_commands};

pub(crate) use account::AccountChanged;
pub(crate) use carry::Carrying;
pub(crate) use folders::{FilesDropped, FoldersDropped, Offered, take_drops};
pub(crate) use shell::{LibraryChanged, Navigate, QuickAskShown, SettingsChanged, Start, WindowKind, session};
pub(crate) use sync::SyncChanged;

pub(crate) fn all() -> Commands<tauri::Wry> {
    collect_commands![
        ask::ask,
        ask::watch_answer,
        ask::stop_answer,
        ask::running_answers,
        research::find_research,
        research::edit_plan,
        recheck::recheck_answer,
        recheck::watch_recheck,
        recheck::stop_recheck,
        recheck::list_rechecks,
        recheck::recheck_ledger,
        recheck::schedule_recheck,
        recheck::scheduled_rechecks,
        chats::list_chats,
        chats::open_chat,
        chats::open_message,
        chats::answer_ledger,
        chats::show_branch,
        chats::rename_chat,
        chats::pin_chat,
        chats::archive_chat,
        chats::delete_chat,
        chats::restore_chat,
        chats::delete_chat_forever,
        chats::empty_trash,
        sorting::sorting,
        sorting::list_sorted_chats,
        sorting::list_labels,
        sorting::add_collection,
        sorting::rename_collection,
        sorting::order_collection,
        sorting::delete_collection,
        sorting::change_chats,
        sorting::undo_change,
        sorting::save_search,
        sorting::delete_saved_search,
        history::search_history,
        history::search_web,
        pages::open_page,
        pages::read_page,
        pages::favicon,
        pages::answer_pictures,
        pages::open_link,
        pages::copy_text,
        folders::list_folders,
        folders::add_folder,
        folders::remove_folder,
        folders::pause_folders,
        folders::add_dropped_folders,
        folders::folder_problems,
        folders::choose_files,
        folders::open_file,
        settings::list_settings,
        settings::update_setting,
        engines::list_engines,
        engines::try_engines,
        engines::engine_history,
        models::list_models,
        models::default_model,
        models::list_providers,
        models::reranking,
        models::usage,
        data::examine,
        data::data_folder,
        data::open_data_folder,
        data::list_backups,
        data::create_backup,
        data::restore_backup,
        carry::choose_archive,
        carry::preview_import,
        carry::import_chats,
        carry::export_chats,
        carry::stop_carrying,
        carry::show_exported,
        database::list_tables,
        database::list_rows,
        database::search_statistics,
        database::list_sessions,
        database::end_session,
        account::account_state,
        account::look_at_gateway,
        account::start_sign_in,
        account::open_sign_in,
        account::cancel_sign_in,
        account::recall_session,
        account::lookup_account,
        account::revoke_device,
        account::sign_out,
        account::sign_out_everywhere,
        account::export_account,
        account::delete_account,
        sync::sync_status,
        sync::sync_now,
        sync::list_conflicts,
        sync::forget_conflict,
        sync::decide_chat_offers,
        opening::current_opening,
        opening::open_again,
        opening::show_data_folder,
        shell::info,
        shell::arrive,
        shell::shortcut,
        shell::update_shortcut,
        shell::starts_at_login,
        shell::update_starts_at_login,
        shell::new_window,
        shell::show_quick_ask,
        shell::hide_quick_ask,
        shell::fit_quick_ask,
        shell::carry_on,
        shell::close_window,
    ]
}

/// A command's answer. A panic in an async command would leave its promise waiting for ever, so it becomes a failure.
async fn told<T, E: Into<Failure>>(work: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(
            Failure::new(ErrorCode::Internal, "Something went wrong inside DeepSearch.")
                .hint("Try again; what was saved is kept."),
        ),
    }
}
