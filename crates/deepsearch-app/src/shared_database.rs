//! The shared database as its owner looks after it: migrations, the check, cleaning up.
//!
//! Needs no store of the user's own: it works for an administrator who never asks a question.

use std::path::{Path, PathBuf};

use deepsearch_auth::Vault;
use deepsearch_net::{Leaves, Place};
use deepsearch_postgres::{Cleaned, Difference, MigrationStatus, SharedDatabase, Step};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::Config;
use crate::database::DatabaseView;
use crate::error::AppError;
use crate::secrets;

/// The setting that holds the owner's address.
pub(crate) const URL: &str = "shared.url";

/// The owner's handle on the shared database.
#[derive(Debug, Clone)]
pub struct OwnedDatabase {
    pub(crate) database: SharedDatabase,
    pub(crate) url: SecretString,
}

impl OwnedDatabase {
    /// Connects to the database at `url`, or at that of the configuration. `is_pooled` says that a pooler is between which
    /// gives each transaction another connection, as `statement-cache-capacity=0` in the address does.
    ///
    /// # Errors
    /// [`AppError::NoDatabase`] without an address, [`AppError::Connect`] when nobody answers there.
    pub async fn open(config: &Config, url: Option<SecretString>, is_pooled: bool) -> Result<Self, AppError> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut url = match url {
            Some(url) => url,
            None => configured(config).await?.ok_or(AppError::NoDatabase)?,
        };
        if is_pooled {
            url = pooled(url);
        }
        let place = Place::of(url.expose_secret());
        if config.is_private() && !place.local {
            return Err(Leaves { host: place.host }.into());
        }
        let database = SharedDatabase::connect(url.expose_secret()).await?;
        Ok(Self { database, url })
    }

    /// # Errors
    /// [`AppError::Schema`] when the database does not answer.
    pub async fn migrations(&self) -> Result<Vec<MigrationStatus>, AppError> {
        Ok(self.database.list_migrations().await?)
    }

    /// Brings the schema to that of this version, and says which migrations ran.
    ///
    /// # Errors
    /// [`AppError::Schema`]; the migration that failed has changed nothing.
    pub async fn migrate(&self, tell: impl FnMut(Step<'_>)) -> Result<Vec<i64>, AppError> {
        Ok(self.database.migrate(tell).await?)
    }

    /// Takes migrations back: the newest one, or every one after `target`. Says which.
    ///
    /// # Errors
    /// [`AppError::Schema`], also where rows would be lost and `force` is not set.
    pub async fn rollback(
        &self,
        target: Option<i64>,
        force: bool,
        tell: impl FnMut(Step<'_>),
    ) -> Result<Vec<i64>, AppError> {
        let target = match target {
            Some(target) => target,
            None => {
                let all = self.database.list_migrations().await?;
                let applied = all.iter().filter(|migration| migration.applied_at.is_some());
                applied.rev().nth(1).map_or(0, |migration| migration.version)
            }
        };
        Ok(self.database.rollback(target, force, tell).await?)
    }

    /// What the live schema has otherwise than ours, and what mends it.
    ///
    /// # Errors
    /// [`AppError::Schema`] when migrations are missing.
    pub async fn check(&self) -> Result<Vec<Difference>, AppError> {
        Ok(self.database.check().await?)
    }

    /// Removes what has run out.
    ///
    /// # Errors
    /// [`AppError::Schema`] when the database does not answer.
    pub async fn clean(&self) -> Result<Cleaned, AppError> {
        Ok(self.database.clean().await?)
    }

    /// Says to the team's devices that the server was put back to an earlier state.
    ///
    /// # Errors
    /// [`AppError::Schema`] when the database does not answer.
    pub async fn note_restored(&self) -> Result<(), AppError> {
        Ok(self.database.note_restored().await?)
    }

    /// Whether the team's devices share what they search for.
    ///
    /// # Errors
    /// [`AppError::Database`].
    pub async fn shares_searches(&self) -> Result<bool, AppError> {
        Ok(self.database.shares_searches().await?)
    }

    /// Lets the team's devices share what they search for, or not any more.
    ///
    /// # Errors
    /// [`AppError::Database`].
    pub async fn share_searches(&self, shared: bool) -> Result<(), AppError> {
        Ok(self.database.share_searches(shared).await?)
    }

    /// What is in it, to be looked at.
    pub fn view(&self) -> DatabaseView {
        DatabaseView::of(self.database.clone())
    }

    pub async fn close(&self) {
        self.database.close().await;
    }
}

fn pooled(url: SecretString) -> SecretString {
    const MARK: (&str, &str) = ("statement-cache-capacity", "0");
    // What is no address is told where it is connected to.
    let Ok(mut parsed) = Url::parse(url.expose_secret()) else {
        return url;
    };
    if !parsed.query_pairs().any(|pair| pair == (MARK.0.into(), MARK.1.into())) {
        parsed.query_pairs_mut().append_pair(MARK.0, MARK.1);
    }
    String::from(parsed).into()
}

/// Writes an empty pair of migrations into a checkout, for who develops DeepSearch.
///
/// # Errors
/// [`AppError::Schema`] when the folder or the name cannot be used.
pub fn add_migration(folder: &Path, name: &str) -> Result<[PathBuf; 2], AppError> {
    Ok(deepsearch_postgres::add_migration(folder, name)?)
}

async fn configured(config: &Config) -> Result<Option<SecretString>, AppError> {
    let text = match config.over(URL) {
        Some((value, _)) => value.as_str().map(str::to_owned),
        None => secrets::read(&Vault::new(&config.home))
            .await?
            .get(URL)
            .and_then(|value| value.as_str().map(str::to_owned)),
    };
    Ok(text.map(SecretString::from))
}
