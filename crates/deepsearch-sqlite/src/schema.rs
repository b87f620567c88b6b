//! Schema: which version of the tables a file has, and how it comes to ours.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection, SqlitePool};

use crate::backups::{self, BackupKind};
use crate::error::{Doing, StoreError};
use crate::store::{OpeningStep, StoreOptions};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

const ACTION: &str = "bring its tables up to date";

/// How a file's tables stand to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// There are no tables yet.
    None,
    Older,
    Same,
    /// A newer version of the app wrote it: what its tables mean by now is not known here.
    Newer,
}

impl Schema {
    pub(crate) async fn of(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let has_tables: bool =
            sqlx::query_scalar("select exists (select 1 from sqlite_schema where name = '_sqlx_migrations')")
                .fetch_one(&mut *connection)
                .await?;
        if !has_tables {
            return Ok(Self::None);
        }
        let version: Option<i64> = sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
            .fetch_one(connection)
            .await?;
        let ours = MIGRATIONS.iter().map(|migration| migration.version).max();
        Ok(match version.cmp(&ours) {
            _ if version.is_none() => Self::None,
            std::cmp::Ordering::Less => Self::Older,
            std::cmp::Ordering::Equal => Self::Same,
            std::cmp::Ordering::Greater => Self::Newer,
        })
    }

    /// Looks at a file; `None` for one that is empty.
    pub(crate) async fn of_file(path: &Path) -> Result<Self, StoreError> {
        let mut connection = crate::store::connect_once(path).await.doing(ACTION)?;
        let schema = Self::of(&mut connection).await.doing(ACTION)?;
        connection.close().await.doing(ACTION)?;
        Ok(schema)
    }
}

/// Runs the migrations that are missing, each in a transaction of its own: one that was killed runs again. A store
/// that holds anything is backed up before.
pub(crate) async fn migrate(
    writer: &SqlitePool,
    path: &Path,
    schema: Schema,
    options: &StoreOptions,
) -> Result<(), StoreError> {
    if schema == Schema::Same {
        return Ok(());
    }
    if schema == Schema::Older {
        options.opening.send_replace(OpeningStep::BackingUp);
        let backup = backups::create(path, BackupKind::Migration, options.clock.now()).await?;
        tracing::info!(backup = %backup.path.display(), "the store is backed up before its tables change");
        options.opening.send_replace(OpeningStep::Upgrading);
    }
    run(writer).await
}

pub(crate) async fn run(writer: &SqlitePool) -> Result<(), StoreError> {
    MIGRATIONS.run(writer).await.map_err(sqlx::Error::from).doing(ACTION)
}
