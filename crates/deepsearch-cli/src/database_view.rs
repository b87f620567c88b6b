//! `deepsearch db stats | tables | rows | sessions | end-session`: looking into the shared database.

use std::process::ExitCode;

use deepsearch_app::{AppError, DatabaseView, RowKey, SearchStatistics, SessionCursor, SessionSummary, TableRows};
use serde_json::json;

use crate::args::DatabaseLook;
use crate::outcome::{NOTHING, Outcome};
use crate::print;

pub(crate) async fn run(view: &DatabaseView, look: DatabaseLook, as_json: bool) -> Outcome {
    match look {
        DatabaseLook::Stats { days, most, .. } => {
            let statistics = view.search_statistics(days.into(), most.into()).await?;
            show(as_json, &statistics, show_statistics);
        }
        DatabaseLook::Tables { .. } => {
            let tables = view.tables().await?;
            show(as_json, &tables, |tables| {
                for summary in tables {
                    let about = if summary.is_estimate { "about " } else { "" };
                    print::line(&format!("{}  {about}{}", summary.table.name(), summary.rows));
                }
            });
        }
        DatabaseLook::Rows {
            table, limit, after, ..
        } => {
            let after = after.as_deref().map(cursor::<RowKey>).transpose()?;
            let rows = view.rows(&table, after.as_ref(), limit.into()).await?;
            if rows.rows.is_empty() && !as_json {
                return Ok(ExitCode::from(NOTHING));
            }
            show(as_json, &rows, show_rows);
        }
        DatabaseLook::Sessions { limit, after, .. } => {
            let after = after.as_deref().map(cursor::<SessionCursor>).transpose()?;
            let page = view.sessions(after.as_ref(), limit.into()).await?;
            show(as_json, &page, |page| {
                page.sessions.iter().for_each(show_session);
                tell_more(page.next.as_ref());
            });
        }
        DatabaseLook::EndSession { id, .. } => {
            view.end_session(&id).await?;
            show(as_json, &json!({ "ended": id }), |_| {
                print::line("The session is ended.")
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show<T: serde::Serialize>(as_json: bool, value: &T, in_words: impl FnOnce(&T)) {
    if as_json {
        print::json(value);
    } else {
        in_words(value);
    }
}

/// A cursor as the page before printed it.
fn cursor<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, AppError> {
    serde_json::from_str(text).map_err(|_| {
        AppError::Invalid(deepsearch_core::Invalid::Malformed {
            field: "--after",
            value: text.to_owned(),
            expected: "end of a page, as the page before names it",
        })
    })
}

fn tell_more(next: Option<&impl serde::Serialize>) {
    if let Some(next) = next.and_then(|next| serde_json::to_string(next).ok()) {
        print::note(&format!("There are more: --after '{next}'"));
    }
}

fn show_statistics(statistics: &SearchStatistics) {
    print::line(&format!(
        "{} searches since {}, {} of them answered by the cache{}",
        statistics.searches,
        statistics.since,
        statistics.cached,
        share(statistics.cached, statistics.searches)
    ));
    print::line("\nMost asked");
    for query in &statistics.queries {
        let share = share(query.cached, query.searches);
        print::line(&format!("{:>6}  {}{share}", query.searches, one_line(&query.query)));
    }
    print::line("\nBy day");
    for day in &statistics.days {
        print::line(&format!(
            "{}  {:>6}{}",
            day.day,
            day.searches,
            share(day.cached, day.searches)
        ));
    }
    print::line("\nBy engine: answers, of the cache, failures");
    for engine in &statistics.engines {
        let name = one_line(&engine.engine);
        print::line(&format!(
            "{name}  {}  {}  {}",
            engine.answers, engine.cached, engine.failures
        ));
    }
}

/// How many of them the cache knew.
fn share(cached: i64, all: i64) -> String {
    if all == 0 {
        return String::new();
    }
    format!("  ({} %)", cached * 100 / all)
}

fn show_rows(rows: &TableRows) {
    let names: Vec<&str> = rows.columns.iter().map(|column| column.name).collect();
    print::line(&names.join("\t"));
    for row in &rows.rows {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| cell.as_deref().map_or_else(String::new, one_line))
            .collect();
        print::line(&cells.join("\t"));
    }
    tell_more(rows.next.as_ref());
}

fn show_session(session: &SessionSummary) {
    let of = if session.is_device { "DeepSearch" } else { "web app" };
    let until = print::when(session.expires);
    print::line(&format!(
        "{}  {}  {of}  until {until}",
        session.id,
        one_line(&session.email)
    ));
}

/// What strangers wrote, as one cell.
fn one_line(text: &str) -> String {
    print::safe(text).replace(['\n', '\t'], " ")
}
