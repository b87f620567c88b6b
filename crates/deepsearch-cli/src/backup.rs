//! `deepsearch backup`. Listing and restoring work on a store that cannot be opened, so they come before opening it.

use std::process::ExitCode;

use deepsearch_app::{App, AppError, Backup, Config, Replaced};
use serde_json::json;

use crate::outcome::Outcome;
use crate::print::{self, note};

pub(crate) async fn create(app: &App, json: bool) -> Outcome {
    let backup = app.create_backup().await?;
    if json {
        print::json(&backup)
    } else {
        show(&backup)
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn list(config: &Config, json: bool) -> Outcome {
    let backups = deepsearch_app::list_backups(config)?;
    if json {
        print::json(&backups);
    } else if backups.is_empty() {
        note("There are no backups yet: deepsearch backup create");
    } else {
        backups.iter().for_each(show);
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn restore(config: &Config, name: &str, json: bool) -> Result<ExitCode, AppError> {
    let replaced = deepsearch_app::restore_backup(config, name).await?;
    if json {
        print::json(&json!({ "restored": name, "replaced": replaced }));
    } else {
        print::line(&format!("Restored {}.", print::safe(name)));
        match replaced {
            Replaced::Nothing => {}
            Replaced::BackedUp(backup) => note(&format!("What was there is kept as {}.", backup.path.display())),
            Replaced::SetAside(path) => note(&format!(
                "What was there could not be read and is kept as {}.",
                path.display()
            )),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(backup: &Backup) {
    let name = backup.path.file_name().unwrap_or_default().to_string_lossy();
    let made = print::when(backup.created_at);
    print::line(&format!("{name}  {made}  {:.1} MB", backup.bytes as f64 / 1e6));
}
