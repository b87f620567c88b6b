//! `deepsearch backup`.

use crate::args::Backup;
use crate::outcome::Outcome;
use deepsearch_app::App;

pub(crate) async fn run(_app: &App, _command: Backup, _json: bool) -> Outcome {
    Ok(std::process::ExitCode::SUCCESS)
}
