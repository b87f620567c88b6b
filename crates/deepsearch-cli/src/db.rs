//! `deepsearch db`: the shared database, for who looks after it.

use std::path::Path;
use std::process::ExitCode;

use deepsearch_app::{AppError, Config, Difference, MigrationStatus, OwnedDatabase, Problem, Step, add_migration};
use serde_json::json;

use crate::args::{Address, Db, Switch};
use crate::database_view;
use crate::outcome::Outcome;
use crate::print::{self, note};
use crate::settings::first_line;

/// What differs has to be mended by somebody, as what `doctor` finds has.
const DIFFERS: u8 = 4;

pub(crate) async fn run(config: &Config, command: Db, as_json: bool) -> Outcome {
    let address = match &command {
        Db::New { name, folder } => return new(folder, name, as_json),
        Db::Migrate { address }
        | Db::Status { address }
        | Db::Rollback { address, .. }
        | Db::Check { address }
        | Db::Clean { address }
        | Db::Restored { address }
        | Db::ShareSearches { address, .. } => address,
        Db::Look(look) => look.address(),
    };
    let database = OwnedDatabase::open(config, url(address)?, address.pooled).await?;
    let outcome = match command {
        Db::Migrate { .. } => migrate(&database, as_json).await,
        Db::Status { .. } => status(&database, as_json).await,
        Db::Rollback { to, force, .. } => rollback(&database, to, force, as_json).await,
        Db::Check { .. } => check(&database, as_json).await,
        Db::Clean { .. } => clean(&database, as_json).await,
        Db::Restored { .. } => restored(&database, as_json).await,
        Db::ShareSearches { shared, .. } => share_searches(&database, shared, as_json).await,
        Db::Look(look) => database_view::run(&database.view(), look, as_json).await,
        Db::New { .. } => Ok(ExitCode::SUCCESS),
    };
    database.close().await;
    outcome
}

/// The address that was given, if one was.
pub(crate) fn url(address: &Address) -> Result<Option<deepsearch_app::SecretString>, AppError> {
    let text = match address.url.as_deref() {
        Some("-") => Some(first_line()?),
        given => given.map(str::to_owned),
    };
    Ok(text.map(Into::into))
}

/// Each step as it is taken: on standard error, so that what is piped on is the result.
pub(crate) fn tell(step: Step<'_>) {
    match step {
        Step::Started { version, description } => note(&format!("{version:04} {description} …")),
        Step::Finished { version, took } => note(&format!("{version:04} done in {:.1} s", took.as_secs_f64())),
    }
}

async fn migrate(database: &OwnedDatabase, as_json: bool) -> Outcome {
    let ran = database.migrate(tell).await?;
    if as_json {
        print::json(&json!({ "migrated": ran }));
    } else if ran.is_empty() {
        print::line("The shared database is up to date.");
    } else {
        print::line(&format!(
            "{} migrations have run; the shared database is up to date.",
            ran.len()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn rollback(database: &OwnedDatabase, to: Option<i64>, force: bool, as_json: bool) -> Outcome {
    let ran = database.rollback(to, force, tell).await?;
    if as_json {
        print::json(&json!({ "rolled_back": ran }));
    } else if ran.is_empty() {
        print::line("There is no migration to take back.");
    } else {
        print::line(&format!("{} migrations were taken back.", ran.len()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(database: &OwnedDatabase, as_json: bool) -> Outcome {
    let all = database.migrations().await?;
    if as_json {
        print::json(&all);
    } else {
        all.iter().for_each(show_migration);
    }
    Ok(ExitCode::SUCCESS)
}

fn show_migration(migration: &MigrationStatus) {
    let when = match (migration.applied_at, migration.known) {
        (None, _) => "to run".to_owned(),
        (Some(at), true) => print::when(at),
        (Some(_), false) => "of a newer version of DeepSearch".to_owned(),
    };
    print::line(&print::safe(&format!(
        "{:04}  {:24}  {when}",
        migration.version, migration.description
    )));
}

async fn check(database: &OwnedDatabase, as_json: bool) -> Outcome {
    let differences = database.check().await?;
    if as_json {
        print::json(&differences);
    } else if differences.is_empty() {
        print::line("The shared database is as it should be.");
    } else {
        differences.iter().for_each(show_difference);
    }
    let is_well = differences.iter().all(|difference| difference.is_advice);
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(DIFFERS)
    })
}

/// What differs is a comment, so that the whole can be read through and given to `psql`.
fn show_difference(difference: &Difference) {
    let what = format!("{} {}", difference.kind, difference.name);
    let says = match &difference.problem {
        Problem::Missing => format!("{what} is missing"),
        Problem::Unexpected if difference.is_advice => format!("{what}; a superuser can take that away"),
        Problem::Unexpected => format!("{what} should not be there"),
        Problem::Different { expected, found } => format!("{what} is `{found}` and should be `{expected}`"),
    };
    print::line(&format!("-- {}", print::safe(&says).replace('\n', "\n-- ")));
    print::line(&format!(
        "{};",
        print::safe(&difference.statement).trim_end_matches(';')
    ));
}

async fn restored(database: &OwnedDatabase, as_json: bool) -> Outcome {
    database.note_restored().await?;
    if as_json {
        print::json(&json!({ "restored": true }));
    } else {
        print::line("Every device compares everything with the database again when it next syncs.");
    }
    Ok(ExitCode::SUCCESS)
}

async fn clean(database: &OwnedDatabase, as_json: bool) -> Outcome {
    let cleaned = database.clean().await?;
    if as_json {
        print::json(&cleaned);
    } else {
        print::line(&format!(
            "Removed {} sessions, {} verification tokens, {} cached searches, {} counts of searches, {} devices ({} of them \
             unused for 180 days) and {} tombstones.",
            cleaned.sessions,
            cleaned.verification_tokens,
            cleaned.searches,
            cleaned.search_counts,
            cleaned.devices,
            cleaned.idle_devices,
            cleaned.tombstones
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn share_searches(database: &OwnedDatabase, shared: Option<Switch>, as_json: bool) -> Outcome {
    if let Some(shared) = shared {
        database.share_searches(shared == Switch::On).await?;
    }
    let is_shared = database.shares_searches().await?;
    if as_json {
        print::json(&json!({ "share_searches": is_shared }));
    } else if is_shared {
        print::line("Devices share what they search for, and searches are counted.");
    } else {
        print::line("Each person's searches are their own.");
    }
    Ok(ExitCode::SUCCESS)
}

fn new(folder: &Path, name: &str, as_json: bool) -> Outcome {
    let files = add_migration(folder, name)?;
    if as_json {
        print::json(&json!({ "files": files }));
    } else {
        files.iter().for_each(|file| print::line(&file.display().to_string()));
    }
    Ok(ExitCode::SUCCESS)
}
