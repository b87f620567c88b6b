//! Migrations: which version of the schema the shared database has, and the way to ours and back.
//!
//! Each migration is one transaction with the note that it ran, so one that was killed is run again as if nothing had
//! been. Two who migrate at once wait for each other. What a migration does not understand it says in a sentence and
//! leaves alone.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};
use sqlx::{Connection, PgConnection};
use thiserror::Error;

use crate::database::SharedDatabase;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How often a step is tried that met another database of the cluster at the roles they share.
const TRIES: u32 = 5;

/// What is wrong with the schema of the shared database, or with the way to it.
#[derive(Debug, Error)]
pub enum SchemaError {
    /// The database holds something that is not understood; nothing was changed.
    #[error("{0}")]
    Refused(String),
    #[error("the shared database has migration {version}, which this version of DeepSearch does not know")]
    Newer { version: i64 },
    #[error("migration {version} of the shared database was another one than that of this version of DeepSearch")]
    Changed { version: i64 },
    #[error("{pending} migrations of the shared database are still to run")]
    Behind { pending: usize },
    #[error("somebody else is migrating the shared database")]
    Locked,
    /// A right that the role lacks, in the database's words.
    #[error("the role may not {action}: {detail}")]
    Denied { action: &'static str, detail: String },
    #[error("the database could not {action}")]
    Database {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("`{path}` cannot be written")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{name}` is no name for a migration: use small letters, digits and _")]
    Name { name: String },
}

/// A migration, and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationStatus {
    pub version: i64,
    pub description: String,
    /// `None` for one that is still to run.
    pub applied_at: Option<DateTime<Utc>>,
    /// `false` for one of a newer version of the app.
    pub known: bool,
}

/// A step of the way, as it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    Started { version: i64, description: &'a str },
    Finished { version: i64, took: Duration },
}

impl SharedDatabase {
    /// Every migration, applied or not, in order.
    ///
    /// # Errors
    /// [`SchemaError`] when the database does not answer.
    pub async fn list_migrations(&self) -> Result<Vec<MigrationStatus>, SchemaError> {
        let mut connection = self.alone("read its migrations").await?;
        let applied = applied(&mut connection).await?;
        close(connection).await;
        let mut all: Vec<MigrationStatus> = ways_up()
            .map(|migration| MigrationStatus {
                version: migration.version,
                description: migration.description.to_string(),
                applied_at: None,
                known: true,
            })
            .collect();
        for (version, description, at) in applied {
            match all.iter_mut().find(|one| one.version == version) {
                Some(one) => one.applied_at = Some(at),
                None => all.push(MigrationStatus {
                    version,
                    description,
                    applied_at: Some(at),
                    known: false,
                }),
            }
        }
        all.sort_by_key(|one| one.version);
        Ok(all)
    }

    /// Brings the schema to ours, and says which migrations ran.
    ///
    /// # Errors
    /// [`SchemaError`]. The migrations before the one that failed have run; that one has changed nothing.
    pub async fn migrate(&self, mut tell: impl FnMut(Step<'_>)) -> Result<Vec<i64>, SchemaError> {
        let mut connection = self.alone(MIGRATE).await?;
        let result = migrate(&mut connection, &mut tell).await;
        // Closed in any case: the lock that keeps two apart ends with the connection.
        close(connection).await;
        result
    }

    /// Takes back every migration after `target`, the newest first, and says which. Tables that hold rows are dropped
    /// only by `force`, and those that the web app made never.
    ///
    /// # Errors
    /// [`SchemaError`]. What was taken back before the one that failed stays so; that one has changed nothing.
    pub async fn rollback(
        &self,
        target: i64,
        force: bool,
        mut tell: impl FnMut(Step<'_>),
    ) -> Result<Vec<i64>, SchemaError> {
        let mut connection = self.alone(ROLL_BACK).await?;
        let result = rollback(&mut connection, target, force, &mut tell).await;
        close(connection).await;
        result
    }

    /// A connection of its own, which waits for locks no longer than a minute.
    async fn alone(&self, action: &'static str) -> Result<PgConnection, SchemaError> {
        let connection = self.pool().acquire().await;
        let mut connection = connection
            .map_err(|source| SchemaError::Database { action, source })?
            .detach();
        sqlx::raw_sql("set lock_timeout = '60s'; set statement_timeout = 0; set client_min_messages = warning")
            .execute(&mut connection)
            .await
            .map_err(|source| SchemaError::Database { action, source })?;
        Ok(connection)
    }
}

const MIGRATE: &str = "migrate";
const ROLL_BACK: &str = "take a migration back";

/// Writes an empty pair of migrations, numbered after the last one in the folder.
///
/// # Errors
/// [`SchemaError::Name`], or [`SchemaError::File`] when the folder cannot be used.
pub fn add_migration(folder: &Path, name: &str) -> Result<[PathBuf; 2], SchemaError> {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.is_empty() || name.len() > 60 || !name.bytes().all(is_letter) {
        return Err(SchemaError::Name { name: name.to_owned() });
    }
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |source| SchemaError::File { path, source }
    };
    let entries = std::fs::read_dir(folder).map_err(unusable(folder))?;
    let last = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.split_once('_')?.0.parse::<u32>().ok())
        .max();
    let number = last.unwrap_or_default() + 1;
    let pair = ["up", "down"].map(|way| folder.join(format!("{number:04}_{name}.{way}.sql")));
    for path in &pair {
        let text = "-- Say why, not only what.\n";
        let file = std::fs::File::create_new(path);
        file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .map_err(unusable(path))?;
    }
    Ok(pair)
}

async fn migrate(connection: &mut PgConnection, tell: &mut impl FnMut(Step<'_>)) -> Result<Vec<i64>, SchemaError> {
    refuse_without_rights(connection).await?;
    // Held until the connection ends, so that what is done is known.
    connection.lock().await.map_err(|error| understand(error, MIGRATE))?;
    let done = refuse_unknown(connection).await?;
    let mut ran = Vec::new();
    for migration in ways_up().filter(|migration| !done.contains(&migration.version)) {
        let version = migration.version;
        tell(Step::Started {
            version,
            description: &migration.description,
        });
        let started = Instant::now();
        let mut tries = 1;
        while let Err(error) = MIGRATIONS.run_direct(Some(version), connection, false).await {
            if tries == TRIES || !is_race(&error) {
                return Err(understand(error, MIGRATE));
            }
            tokio::time::sleep(Duration::from_millis(100) * tries).await;
            tries += 1;
        }
        ran.push(version);
        let took = started.elapsed();
        tell(Step::Finished { version, took });
    }
    if ran.is_empty() {
        // Looks whether what ran is what we know.
        let known = MIGRATIONS.run_direct(None, connection, false).await;
        known.map_err(|error| understand(error, MIGRATE))?;
    }
    Ok(ran)
}

async fn rollback(
    connection: &mut PgConnection,
    target: i64,
    force: bool,
    tell: &mut impl FnMut(Step<'_>),
) -> Result<Vec<i64>, SchemaError> {
    let database = |source| SchemaError::Database {
        action: ROLL_BACK,
        source,
    };
    if force {
        sqlx::raw_sql("set deepsearch.force_rollback = 'on'")
            .execute(&mut *connection)
            .await
            .map_err(database)?;
    }
    let mut done = refuse_unknown(connection).await?;
    let mut ran = Vec::new();
    while let Some(version) = done.pop().filter(|version| *version > target) {
        let description = ways_up().find(|migration| migration.version == version);
        tell(Step::Started {
            version,
            description: description.map_or("", |migration| &migration.description),
        });
        let started = Instant::now();
        let undone = undo(connection, version).await;
        undone.map_err(|error| understand(error, ROLL_BACK))?;
        ran.push(version);
        let took = started.elapsed();
        tell(Step::Finished { version, took });
    }
    if done.is_empty() && !ran.is_empty() && target < 1 {
        // Without a migration there is nothing to note; what else lies in the schema keeps it.
        sqlx::raw_sql("drop table deepsearch.migration; drop schema deepsearch")
            .execute(connection)
            .await
            .map_err(database)?;
    }
    Ok(ran)
}

/// Takes one migration back, under the lock of those that go forward.
async fn undo(connection: &mut PgConnection, version: i64) -> Result<(), MigrateError> {
    let back = MIGRATIONS
        .iter()
        .find(|migration| migration.version == version && migration.migration_type.is_down_migration());
    let back = back.ok_or(MigrateError::VersionMissing(version))?;
    connection.lock().await?;
    // Somebody else may have been faster.
    let applied = connection.list_applied_migrations(&MIGRATIONS.table_name).await?;
    if applied.iter().any(|one| one.version == version) {
        connection.revert(&MIGRATIONS.table_name, back).await?;
    }
    connection.unlock().await
}

/// Says at once, and in a sentence, what would otherwise fail at the first statement.
async fn refuse_without_rights(connection: &mut PgConnection) -> Result<(), SchemaError> {
    let (may, user, name): (bool, String, String) = sqlx::query_as(
        "select has_database_privilege(current_database(), 'create')
            or to_regnamespace('deepsearch') is not null, current_user::text, current_database()::text",
    )
    .fetch_one(connection)
    .await
    .map_err(|source| SchemaError::Database {
        action: MIGRATE,
        source,
    })?;
    if may {
        return Ok(());
    }
    Err(SchemaError::Refused(format!(
        "the role {user} may not create a schema in this database: its owner has to say \
         `grant create on database {name} to {user}`, or migrate"
    )))
}

/// The versions that are applied, in order, if we know all of them.
async fn refuse_unknown(connection: &mut PgConnection) -> Result<Vec<i64>, SchemaError> {
    let applied = applied(connection).await?;
    let known: Vec<i64> = ways_up().map(|migration| migration.version).collect();
    let versions: Vec<i64> = applied.into_iter().map(|(version, ..)| version).collect();
    match versions.iter().rev().find(|version| !known.contains(version)) {
        Some(&version) => Err(SchemaError::Newer { version }),
        None => Ok(versions),
    }
}

type Applied = (i64, String, DateTime<Utc>);

async fn applied(connection: &mut PgConnection) -> Result<Vec<Applied>, SchemaError> {
    let unread = |source| SchemaError::Database {
        action: "read its migrations",
        source,
    };
    let is_there: bool = sqlx::query_scalar("select to_regclass('deepsearch.migration') is not null")
        .fetch_one(&mut *connection)
        .await
        .map_err(unread)?;
    if !is_there {
        return Ok(Vec::new());
    }
    sqlx::query_as("select version, description, installed_on from deepsearch.migration order by version")
        .fetch_all(connection)
        .await
        .map_err(unread)
}

fn ways_up() -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
}

/// Roles belong to the cluster: two databases of it that are migrated at once may meet there, though each holds a lock.
fn is_race(error: &MigrateError) -> bool {
    let (MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)) = error else {
        return false;
    };
    source.as_database_error().is_some_and(|error| {
        error.constraint().is_some_and(|name| name.starts_with("pg_"))
            || error.code().as_deref() == Some("40P01")
            || error.message().starts_with("tuple concurrently")
    })
}

fn understand(error: MigrateError, action: &'static str) -> SchemaError {
    let source = match error {
        MigrateError::VersionMissing(version) => return SchemaError::Newer { version },
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => {
            return SchemaError::Changed { version };
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => source,
        error => sqlx::Error::Migrate(Box::new(error)),
    };
    let Some(said) = source.as_database_error() else {
        return SchemaError::Database { action, source };
    };
    match said.code().as_deref() {
        Some("DS001") => SchemaError::Refused(said.message().to_owned()),
        Some("55P03") => SchemaError::Locked,
        Some("42501") => SchemaError::Denied {
            action,
            detail: said.message().to_owned(),
        },
        // Rows that a key or check does not allow; something that refers to what is to go.
        Some("23502" | "23503" | "23505" | "23514" | "2BP01") => SchemaError::Refused(said.message().to_owned()),
        _ => SchemaError::Database { action, source },
    }
}

async fn close(connection: PgConnection) {
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a connection did not end politely");
    }
}
