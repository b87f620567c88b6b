//! Session: what a sign-in brings. Its secrets are apart from what may be shown, and are kept only with the secrets.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::AuthError;
use crate::vault::{Place, Secrets, Slot, Vault};

/// Who is signed in, as the gateway tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct SessionUser {
    pub id: String,
    pub name: Option<String>,
    pub email: String,
    pub image: Option<String>,
    #[serde(default)]
    pub is_admin: bool,
}

/// Where the shared database is, and as which role this device enters it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseAddress {
    pub host: String,
    pub port: u16,
    pub name: String,
    pub role: String,
    pub sslmode: String,
    /// PEM of the authority that the server's certificate is held against, where it is not one the system knows.
    pub sslrootcert: Option<String>,
    /// Whether a pooler is there that gives each transaction another connection. Sessions of before do not say.
    #[serde(default)]
    pub pooled: bool,
}

/// Where the shared search cache is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisAddress {
    pub url: String,
    pub user: Option<String>,
    pub prefix: String,
    /// Whether the team shares entries; otherwise each person has their own.
    #[serde(default)]
    pub shared: bool,
}

/// What may be shown of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAbout {
    /// The gateway's address.
    pub gateway: String,
    pub user: SessionUser,
    pub device_id: Uuid,
    pub device_name: String,
    pub database: DatabaseAddress,
    pub redis: Option<RedisAddress>,
    pub signed_in_at: DateTime<Utc>,
    /// Moved on by use.
    pub expires_at: DateTime<Utc>,
}

/// A signed-in device: what it needs to reach the gateway, the shared database and the shared cache.
#[derive(Clone)]
pub struct Session {
    pub about: SessionAbout,
    pub token: SecretString,
    /// Made on this device; the database knows only its verifier.
    pub database_password: SecretString,
    pub redis_password: Option<SecretString>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("gateway", &self.about.gateway)
            .field("device_id", &self.about.device_id)
            .finish_non_exhaustive()
    }
}

const ABOUT: &str = "about";
const TOKEN: &str = "token";
const DATABASE: &str = "database.password";
const REDIS: &str = "redis.password";

impl Session {
    /// The session that is kept in a data folder, and where.
    ///
    /// # Errors
    /// [`AuthError::Vault`] when there is one that cannot be brought from where it lies.
    pub async fn lookup(vault: &Vault) -> Result<Option<(Self, Place)>, AuthError> {
        let kept = vault.read(Slot::Session).await?;
        let place = match kept.place {
            None => return Ok(None),
            Some(place) => place,
        };
        match (Self::of(&kept.secrets), kept.missing) {
            (Some(session), _) => Ok(Some((session, place))),
            (None, Some(why)) => Err(why.into()),
            (None, None) => Ok(None),
        }
    }

    fn of(kept: &Secrets) -> Option<Self> {
        let secret = |name: &str| kept.get(name).map(|secret| SecretString::from(secret.as_str()));
        Some(Self {
            about: serde_json::from_str(kept.get(ABOUT)?).ok()?,
            token: secret(TOKEN)?,
            database_password: secret(DATABASE)?,
            redis_password: secret(REDIS),
        })
    }

    /// Keeps the session in the place of the one before.
    pub(crate) async fn keep(&self, vault: &Vault, in_keychain: bool) -> Result<(), AuthError> {
        let about = serde_json::to_string(&self.about).unwrap_or_default();
        let text = |secret: &SecretString| secret.expose_secret().to_owned();
        let redis = self.redis_password.as_ref().map(text);
        let secrets = [
            (ABOUT, about),
            (TOKEN, text(&self.token)),
            (DATABASE, text(&self.database_password)),
        ];
        let secrets = secrets.into_iter().chain(redis.map(|redis| (REDIS, redis)));
        let secrets: Secrets = secrets.map(|(name, secret)| (name.to_owned(), secret)).collect();
        vault.change(Slot::Session, in_keychain, |kept| *kept = secrets).await?;
        Ok(())
    }

    /// Forgets the session that is kept, also where the keychain that holds it cannot be reached now.
    ///
    /// # Errors
    /// [`AuthError::Vault`] when it cannot be taken out.
    pub async fn forget(vault: &Vault, in_keychain: bool) -> Result<(), AuthError> {
        if vault.read(Slot::Session).await?.place.is_none() {
            return Ok(());
        }
        for name in [TOKEN, DATABASE, REDIS, ABOUT] {
            vault.update(Slot::Session, name, None, in_keychain).await?;
        }
        Ok(())
    }
}
