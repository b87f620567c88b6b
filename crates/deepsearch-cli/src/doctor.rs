//! `deepsearch doctor`.

use std::process::ExitCode;

use deepsearch_app::{App, Grade};

use crate::outcome::Outcome;
use crate::print;

pub(crate) async fn run(app: &App, json: bool) -> Outcome {
    let findings = app.examine().await;
    if json {
        print::json(&findings);
    } else {
        for finding in &findings {
            let mark = match finding.grade {
                Grade::Good => "ok",
                Grade::Warning => "note",
                Grade::Bad => "PROBLEM",
            };
            print::line(&print::safe(&format!("{mark:8}{}: {}", finding.part, finding.says)));
            if let Some(advice) = &finding.advice {
                print::line(&format!("        {}", print::safe(advice)));
            }
        }
    }
    let bad = findings.iter().any(|finding| finding.grade == Grade::Bad);
    Ok(if bad { ExitCode::from(4) } else { ExitCode::SUCCESS })
}
