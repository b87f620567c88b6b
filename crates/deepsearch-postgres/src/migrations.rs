//! Migrations: which version of the schema the shared database has, and the way to ours and back.
//!
//! Each migration is one transaction with the note that it ran, so one that was killed is run again as if nothing had
//! been. Within it nobody else takes a step, which a lock of that transaction sees to: one of the connection would be
//! worth nothing behind a pooler. What a migration does not understand it says in a sentence and leaves alone.

mod loss;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::error::DatabaseError as DatabaseSaid;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator};
use sqlx::{PgConnection, Postgres, Transaction};
use thiserror::Error;

use crate::database::SharedDatabase;
use crate::error::DatabaseError;
pub use loss::Lost;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How often a step is tried that met somebody: another database of the cluster at the roles they share, or whoever holds
/// the tables.
const TRIES: u32 = 5;
/// Between two tries those pass who wait behind a step that waits for a table.
const LET_PASS: Duration = Duration::from_secs(1);

/// What is wrong with the schema of the shared database, or with the way to it.
#[derive(Debug, Error)]
pub enum SchemaError {
    /// The database holds something that is not understood; nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// Going back would throw this away; nothing was changed.
    #[error("going back would throw away {}", loss::in_words(.0))]
    Loses(Vec<Lost>),
    /// Some steps were taken, and then one could not be.
    #[error("{source}; the steps before were taken, and the shared database is at migration {at} now")]
    Stopped {
        at: i64,
        #[source]
        source: Box<SchemaError>,
    },
    #[error("the shared database has migration {version}, which this version of DeepSearch does not know")]
    Newer { version: i64 },
    #[error("migration {version} of the shared database was another one than that of this version of DeepSearch")]
    Changed { version: i64 },
    #[error("{pending} migrations of the shared database are still to run")]
    Behind { pending: usize },
    #[error("somebody else is migrating the shared database")]
    Locked,
    /// A web app with a transaction that lasts, or a forgotten one.
    #[error("somebody else uses the tables of the shared database, so it could not {action}")]
    InUse {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    /// A right that the role lacks, in the database's words.
    #[error("the role may not {action}: {detail}")]
    Denied { action: &'static str, detail: String },
    #[error(transparent)]
    Database(#[from] DatabaseError),
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
        const ACTION: &str = "read its migrations";
        let applied = self.owned(async |tx| {
            if !is_begun(tx).await? {
                return Ok(Vec::new());
            }
            sqlx::query_as("select version, description, installed_on from deepsearch.migration order by version")
                .fetch_all(tx)
                .await
        });
        let applied: Vec<(i64, String, DateTime<Utc>)> =
            applied.await.map_err(|error| SchemaError::of(error, ACTION))?;
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
    /// [`SchemaError`]. The migration that failed has changed nothing; where others ran before,
    /// [`Stopped`](SchemaError::Stopped) says how far they came.
    pub async fn migrate(&self, mut tell: impl FnMut(Step<'_>)) -> Result<Vec<i64>, SchemaError> {
        let failed = |error| understand(error, MIGRATE);
        let done = self.known_versions().await.map_err(|error| failed(error.into()))?;
        let mut ran = Vec::new();
        let mut at = None;
        for migration in ways_up() {
            let version = migration.version;
            if done.contains(&version) {
                continue;
            }
            if ran.is_empty() {
                self.refuse_without_rights().await?;
            }
            tell(Step::Started {
                version,
                description: &migration.description,
            });
            let started = Instant::now();
            let was_to_run = patiently(|| self.up(migration))
                .await
                .map_err(|error| stopped(at, failed(error)))?;
            at = Some(version);
            ran.extend(was_to_run.then_some(version));
            let took = started.elapsed();
            tell(Step::Finished { version, took });
        }
        Ok(ran)
    }

    /// Takes back every migration after `target`, the newest first, and says which. What people or devices would lose by
    /// that is lost only by `force`, and tables that the web app made never.
    ///
    /// # Errors
    /// [`SchemaError::Loses`] before anything is changed. The migration that failed has changed nothing; where others
    /// were taken back before, [`Stopped`](SchemaError::Stopped) says how far.
    pub async fn rollback(
        &self,
        target: i64,
        force: bool,
        mut tell: impl FnMut(Step<'_>),
    ) -> Result<Vec<i64>, SchemaError> {
        let failed = |error| understand(error, ROLL_BACK);
        let mut going = self.known_versions().await.map_err(|error| failed(error.into()))?;
        going.retain(|version| *version > target);
        if !force {
            let lost = self.would_lose(&going).await;
            let lost = lost.map_err(|error| SchemaError::of(error, ROLL_BACK))?;
            if !lost.is_empty() {
                return Err(SchemaError::Loses(lost));
            }
        }
        let mut ran = Vec::new();
        while let Some(version) = going.pop() {
            let description = ways_up().find(|migration| migration.version == version);
            tell(Step::Started {
                version,
                description: description.map_or("", |migration| &migration.description),
            });
            let started = Instant::now();
            let at = (!ran.is_empty()).then_some(version);
            let was_there = patiently(|| self.down(version, force)).await;
            let was_there = was_there.map_err(|error| stopped(at, failed(error)))?;
            ran.extend(was_there.then_some(version));
            let took = started.elapsed();
            tell(Step::Finished { version, took });
        }
        Ok(ran)
    }

    /// A transaction in which nobody else migrates, and the versions that the database has. It waits a minute for others
    /// who migrate; from then on shortly for who uses the tables, for everybody else waits behind a step that does.
    async fn begin_step(&self) -> Result<(Transaction<'static, Postgres>, Vec<i64>), Stop> {
        let begun = self.wait_for_others().await;
        begun.map_err(|error| match is_of(&error, LOCK_NOT_AVAILABLE) {
            true => Stop::Locked,
            false => error.into(),
        })
    }

    async fn wait_for_others(&self) -> Result<(Transaction<'static, Postgres>, Vec<i64>), MigrateError> {
        let mut tx = self.begin().await?;
        sqlx::raw_sql(
            "set local lock_timeout = '60s'; set local statement_timeout = 0; set local client_min_messages = warning",
        )
        .execute(&mut *tx)
        .await?;
        if !is_begun(&mut tx).await? {
            for schema in &*MIGRATIONS.create_schemas {
                tx.create_schema_if_not_exists(schema).await?;
            }
            tx.ensure_migrations_table(&MIGRATIONS.table_name).await?;
        }
        // Who only reads it is not held up.
        sqlx::raw_sql("lock table deepsearch.migration in exclusive mode; set local lock_timeout = '5s'")
            .execute(&mut *tx)
            .await?;
        let applied = tx.list_applied_migrations(&MIGRATIONS.table_name).await?;
        Ok((tx, applied.iter().map(|one| one.version).collect()))
    }

    /// Runs a migration, and says whether it was still to run: somebody else may have been faster.
    async fn up(&self, migration: &Migration) -> Result<bool, Stop> {
        let (mut tx, applied) = self.begin_step().await?;
        let is_to_run = !applied.contains(&migration.version);
        // A step rests on all before it. One that was there a moment ago was taken back by somebody.
        if ways_up().any(|earlier| earlier.version < migration.version && !applied.contains(&earlier.version)) {
            return Err(Stop::Locked);
        }
        if is_to_run {
            tx.apply(&MIGRATIONS.table_name, migration).await?;
        }
        tx.commit().await?;
        Ok(is_to_run)
    }

    /// Takes a migration back, and says whether it was still there.
    async fn down(&self, version: i64, force: bool) -> Result<bool, Stop> {
        let back = MIGRATIONS
            .iter()
            .find(|migration| migration.version == version && migration.migration_type.is_down_migration());
        let back = back.ok_or(MigrateError::VersionMissing(version))?;
        let (mut tx, applied) = self.begin_step().await?;
        let is_there = applied.contains(&version);
        // What rests on it would be left without it: somebody takes these steps forward again.
        if applied.iter().any(|later| *later > version) {
            return Err(Stop::Locked);
        }
        if is_there {
            if force {
                sqlx::raw_sql("set local deepsearch.force_rollback = 'on'")
                    .execute(&mut *tx)
                    .await?;
            }
            tx.revert(&MIGRATIONS.table_name, back).await?;
        }
        if applied.iter().all(|one| *one == version) {
            // Without a migration there is nothing to note; what else lies in the schema keeps it.
            sqlx::raw_sql("drop table deepsearch.migration; drop schema deepsearch")
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(is_there)
    }

    /// The versions that the database has, in order, if they are all ones that we know.
    async fn known_versions(&self) -> Result<Vec<i64>, MigrateError> {
        let mut tx = self.begin_owned().await?;
        let applied = match is_begun(&mut tx).await? {
            true => tx.list_applied_migrations(&MIGRATIONS.table_name).await?,
            false => Vec::new(),
        };
        tx.commit().await?;
        let known = |one: &AppliedMigration| ways_up().find(|migration| migration.version == one.version);
        if let Some(newer) = applied.iter().rev().find(|one| known(one).is_none()) {
            return Err(MigrateError::VersionMissing(newer.version));
        }
        let is_other = |one: &&AppliedMigration| known(one).is_some_and(|ours| ours.checksum != one.checksum);
        match applied.iter().find(is_other) {
            Some(other) => Err(MigrateError::VersionMismatch(other.version)),
            None => Ok(applied.iter().map(|one| one.version).collect()),
        }
    }

    /// Says at once, and in a sentence, what would otherwise fail at the first statement.
    async fn refuse_without_rights(&self) -> Result<(), SchemaError> {
        let found = self.owned(async |tx| {
            sqlx::query_as(
                "select has_database_privilege(current_database(), 'create')
                    or to_regnamespace('deepsearch') is not null,
                    quote_ident(current_user), quote_ident(current_database())",
            )
            .fetch_one(tx)
            .await
        });
        let (may, user, name): (bool, String, String) = found.await.map_err(|error| SchemaError::of(error, MIGRATE))?;
        if may {
            return Ok(());
        }
        Err(SchemaError::Refused(format!(
            "the role {user} may not create a schema in this database: its owner has to say \
             `grant create on database {name} to {user}`, or migrate"
        )))
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

/// Whether the database knows of migrations at all.
async fn is_begun(tx: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select to_regclass('deepsearch.migration') is not null")
        .fetch_one(tx)
        .await
}

/// How far the steps before came, if there were any.
fn stopped(at: Option<i64>, error: SchemaError) -> SchemaError {
    match at {
        Some(at) => SchemaError::Stopped {
            at,
            source: error.into(),
        },
        None => error,
    }
}

fn ways_up() -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
}

/// Why a step was not taken.
enum Stop {
    /// Somebody else takes one.
    Locked,
    Failed(MigrateError),
}

impl From<MigrateError> for Stop {
    fn from(error: MigrateError) -> Self {
        Self::Failed(error)
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Takes a step, again where it met somebody who may soon be gone.
async fn patiently<F>(step: impl Fn() -> F) -> Result<bool, Stop>
where
    F: Future<Output = Result<bool, Stop>>,
{
    let mut tries = 1;
    loop {
        let wait = match step().await {
            Err(Stop::Failed(error)) if tries < TRIES && is_race(&error) => Duration::from_millis(100) * tries,
            Err(Stop::Failed(error)) if tries < TRIES && is_of(&error, LOCK_NOT_AVAILABLE) => LET_PASS,
            done => return done,
        };
        tokio::time::sleep(wait).await;
        tries += 1;
    }
}

const LOCK_NOT_AVAILABLE: &str = "55P03";
const DEADLOCK: &str = "40P01";

/// Roles belong to the cluster: two databases of it that are migrated at once may meet there, though each holds a lock.
fn is_race(error: &MigrateError) -> bool {
    is_of(error, DEADLOCK)
        || said(error).is_some_and(|said| {
            said.constraint().is_some_and(|name| name.starts_with("pg_"))
                || said.message().starts_with("tuple concurrently")
        })
}

fn is_of(error: &MigrateError, code: &str) -> bool {
    said(error).is_some_and(|said| said.code().as_deref() == Some(code))
}

fn said(error: &MigrateError) -> Option<&dyn DatabaseSaid> {
    match error {
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => source.as_database_error(),
        _ => None,
    }
}

fn understand(stop: Stop, action: &'static str) -> SchemaError {
    let error = match stop {
        Stop::Locked => return SchemaError::Locked,
        Stop::Failed(error) => error,
    };
    let source = match error {
        MigrateError::VersionMissing(version) => return SchemaError::Newer { version },
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => {
            return SchemaError::Changed { version };
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => source,
        error => sqlx::Error::Migrate(Box::new(error)),
    };
    SchemaError::of(source, action)
}

impl SchemaError {
    /// What the database said while it was looked after.
    pub(crate) fn of(source: sqlx::Error, action: &'static str) -> Self {
        let Some(said) = source.as_database_error() else {
            return DatabaseError::of(action, source).into();
        };
        match said.code().as_deref() {
            Some("DS001") => Self::Refused(said.message().to_owned()),
            Some(LOCK_NOT_AVAILABLE) => Self::InUse { action, source },
            Some("42501") => Self::Denied {
                action,
                detail: said.message().to_owned(),
            },
            // Rows that a key or check does not allow; something that refers to what is to go.
            Some("23502" | "23503" | "23505" | "23514" | "2BP01") => Self::Refused(said.message().to_owned()),
            _ => DatabaseError::of(action, source).into(),
        }
    }
}
