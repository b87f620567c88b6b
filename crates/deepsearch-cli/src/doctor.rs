//! `deepsearch doctor`.

use std::process::ExitCode;

use deepsearch_app::{App, Finding, Grade};
use serde::Serialize;

use crate::outcome::Outcome;
use crate::print;

/// A finding with its words.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    says: String,
    advice: Option<String>,
}

pub(crate) async fn run(app: &App, json: bool) -> Outcome {
    let findings = app.examine().await;
    if json {
        let told = findings.iter().map(|finding| Told {
            finding,
            says: finding.found.says(),
            advice: finding.found.advice(),
        });
        print::json(&told.collect::<Vec<_>>());
    } else {
        for finding in &findings {
            let mark = match finding.grade {
                Grade::Good => "ok",
                Grade::Warning => "note",
                Grade::Bad => "PROBLEM",
            };
            let says = finding.found.says();
            print::line(&print::safe(&format!("{mark:8}{}: {says}", finding.part)));
            if let Some(advice) = finding.found.advice() {
                print::line(&format!("        {}", print::safe(&advice)));
            }
        }
    }
    let bad = findings.iter().any(|finding| finding.grade == Grade::Bad);
    Ok(if bad { ExitCode::from(4) } else { ExitCode::SUCCESS })
}
