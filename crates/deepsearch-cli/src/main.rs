//! The `deepsearch` command: a thin face of `deepsearch-app`. Arguments in, one use case, words or JSON out.

mod args;

mod account;
mod ask;
mod backup;
mod carry;
mod chats;
mod citations;
mod database_view;
mod db;
mod doctor;
mod engines;
mod folders;
mod ledger;
mod manual;
mod mcp;
mod models;
mod pictures;
mod read;
mod recheck;
mod research;
mod search;
mod settings;
mod share;
mod sign_in;
mod sorting;
mod sync;
mod usage;
mod window;

mod outcome;
mod print;

use std::process::ExitCode;

use clap::Parser;
use deepsearch_app::{App, AppOptions, Config};

use crate::args::{Args, Backup, Command};
use crate::outcome::{Outcome, report};

fn main() -> ExitCode {
    // The app starts this very program again to parse pages in a process that may die.
    if std::env::args_os().nth(1).is_some_and(|first| first == "__parse") {
        return deepsearch_app::run_parser();
    }
    let args = Args::parse();
    let Some(command) = args.command else {
        return window::quick_ask();
    };
    log_to_stderr();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Err(deepsearch_app::AppError::Network(error.into())), args.json),
    };
    let json = args.json;
    let outcome = runtime.block_on(run(command, args.private, json));
    let code = report(&outcome, json);
    // A blocking read of standard input must not hold the end of the program.
    runtime.shutdown_background();
    code
}

async fn run(command: Command, private: bool, json: bool) -> Outcome {
    match command {
        Command::Completions { shell } => return manual::completions(shell),
        Command::Man => return manual::man(),
        _ => {}
    }
    let mut config = Config::load(
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )?;
    if private {
        config = config.private();
    }
    // What is read from a file needs no store.
    if let Command::Read(read) = &command
        && read.is_local()
    {
        return read::run_local(read, json).await;
    }
    // Who looks after a shared database needs no store either.
    if let Command::Db(command) = command {
        return db::run(&config, command, json).await;
    }
    match &command {
        Command::Backup(Backup::List) => return backup::list(&config, json),
        Command::Backup(Backup::Restore { name }) => return backup::restore(&config, name, json).await,
        _ => {}
    }
    let app = App::open(AppOptions::new(config)).await?;
    tell_recovery(&app);
    app.attend_others();
    let outcome = dispatch(&app, command, json).await;
    app.close().await;
    outcome
}

async fn dispatch(app: &App, command: Command, json: bool) -> Outcome {
    match command {
        Command::Ask(ask) => ask::run(app, ask, json).await,
        Command::Recheck(recheck) => recheck::run(app, recheck, json).await,
        Command::Research(command) => research::run(app, command, json).await,
        Command::Read(read) => read::run(app, read, json).await,
        Command::Search(search) => search::run(app, search, json).await,
        Command::Chats(chats) => chats::run(app, chats, json).await,
        Command::Ledger(ledger) => ledger::run(app, ledger, json).await,
        Command::Citations(citations) => citations::run(app, citations, json).await,
        Command::Pictures(pictures) => pictures::run(app, pictures, json).await,
        Command::Usage(usage) => usage::run(app, usage, json).await,
        Command::Export(export) => carry::export(app, export, json).await,
        Command::Import { file, preview } => carry::import(app, &file, preview, json).await,
        Command::Settings(settings) => settings::run(app, settings, json).await,
        Command::Folders(folders) => folders::run(app, folders, json).await,
        Command::Models => models::run(app, json).await,
        Command::Engines {
            history: Some(engine),
            limit,
            ..
        } => engines::history(app, &engine, limit, json).await,
        Command::Engines { check, .. } => engines::run(app, check, json).await,
        Command::SignIn(sign_in) => sign_in::run(app, sign_in, json).await,
        Command::SignOut {
            remove,
            discard,
            everywhere,
        } => {
            if remove && !discard {
                app.hold_what_is_only_here().await?;
            }
            account::sign_out(app, remove, everywhere, json).await
        }
        Command::Whoami => account::whoami(app, json),
        Command::Devices { command } => account::devices(app, command, json).await,
        Command::Backup(_) => backup::create(app, json).await,
        Command::Sync(command) => sync::run(app, command, json).await,
        Command::Share(share) => share::run(app, share, json).await,
        Command::Doctor => doctor::run(app, json).await,
        Command::Mcp => mcp::run(app).await,
        Command::Completions { .. } | Command::Man | Command::Db(_) => Ok(ExitCode::SUCCESS),
    }
}

/// A store that was damaged is told of, whatever the command was.
fn tell_recovery(app: &App) {
    if let Some(recovery) = app.store().recovery() {
        print::note(&deepsearch_app::tell(recovery));
    }
    if app.store().is_read_only() {
        print::note("The data was written by a newer version of DeepSearch and is open for reading only.");
    }
}

/// Warnings go to standard error, so that standard output is only what was asked for. `DEEPSEARCH_LOG` sets the level.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("DEEPSEARCH_LOG").unwrap_or_else(|_| "off".into());
    // This library logs what providers answer, keys that they repeat included.
    let filter = filter.add_directive("genai=off".parse().expect("a fixed directive"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
