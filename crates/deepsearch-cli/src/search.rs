//! `deepsearch search`: results as an engine gives them.

use std::process::ExitCode;

use deepsearch_app::App;
use deepsearch_core::{Failure, SearchQuery};
use serde_json::json;

use crate::args;
use crate::outcome::{NOTHING, Outcome, code};
use crate::print::{self, note, safe};

pub(crate) async fn run(app: &App, args: args::Search, json: bool) -> Outcome {
    let locale = app.setting("language")?.value.as_str().map(str::to_owned);
    let query = SearchQuery {
        text: args.query,
        locale,
        time_range: args.since.map(Into::into),
        limit: args.limit.into(),
    };
    deepsearch_core::validate::chars_between("the query", query.text.trim(), 1, 2_000)?;
    let outcome = app.search(args.engine.as_deref(), &query).await?;
    let failures: Vec<Failure> = outcome
        .attempts
        .iter()
        .map(|attempt| Failure::from(&attempt.error))
        .collect();
    if json {
        let failed: Vec<_> = outcome
            .attempts
            .iter()
            .zip(&failures)
            .map(|(attempt, failure)| json!({ "engine": attempt.engine, "failure": failure }))
            .collect();
        print::json(
            &json!({ "results": outcome.results, "failed": failed, "cached": outcome.cached, "stale": outcome.stale }),
        );
    } else {
        failures.iter().for_each(|failure| note(&failure.to_string()));
        for hit in outcome.results.iter().flat_map(|results| &results.hits) {
            print::line(&safe(&hit.title));
            print::line(&format!("  {}", safe(&hit.url)));
            if !hit.snippet.is_empty() {
                print::line(&format!("  {}", safe(&hit.snippet)));
            }
        }
    }
    Ok(match failures.last() {
        _ if !outcome.results.is_empty() => ExitCode::SUCCESS,
        Some(failure) => ExitCode::from(code(failure.code)),
        None => ExitCode::from(NOTHING),
    })
}
