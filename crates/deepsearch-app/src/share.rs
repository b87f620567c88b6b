//! Sharing with oneself: a database of one's own, prepared and joined with its owner's credentials, once.
//!
//! Those are not kept. What this device keeps is a login role of its own and a session, in the keychain where there is
//! one; with a team, a gateway admits devices instead.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use deepsearch_core::UserId;
use deepsearch_postgres::{Admission, DeviceId, SharedDatabase, Step, scram_verifier, session_token_hash};
use rustls::crypto::aws_lc_rs;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use crate::app::App;
use crate::error::AppError;
use crate::secrets;
use crate::shared_database::OwnedDatabase;
use crate::sign_in::device_name;

/// The settings that hold what this device got.
pub(crate) const DEVICE_URL: &str = "shared.device_url";
pub(crate) const SESSION: &str = "shared.session";
/// Use moves it on.
const SESSION_DAYS: i64 = 90;

/// Whom this device was admitted for.
#[derive(Debug, Clone, Serialize)]
pub struct Admitted {
    pub user_id: UserId,
    pub device_id: DeviceId,
    pub device_name: String,
    /// The migrations that ran.
    pub migrated: Vec<i64>,
}

impl App {
    /// Prepares the database and admits this device: for the user with the address `email`, who is made where there is
    /// none, or for the only user there is. A device that this data folder was before is revoked. `is_pooled` says that
    /// there is a pooler in transaction mode at the address.
    ///
    /// # Errors
    /// [`AppError`]; where this device's secrets cannot be kept, it is not admitted.
    pub async fn init_share(
        &self,
        url: Option<SecretString>,
        is_pooled: bool,
        email: Option<&str>,
        name: Option<&str>,
        tell: impl FnMut(Step<'_>),
    ) -> Result<Admitted, AppError> {
        let owned = OwnedDatabase::open(self.config(), url, is_pooled).await?;
        let admitted = self.admit(&owned, email, name, tell).await;
        owned.close().await;
        self.rewire().await?;
        let admitted = admitted?;
        self.belong_to(admitted.user_id.clone()).await?;
        Ok(admitted)
    }

    async fn admit(
        &self,
        owned: &OwnedDatabase,
        email: Option<&str>,
        name: Option<&str>,
        tell: impl FnMut(Step<'_>),
    ) -> Result<Admitted, AppError> {
        let database = &owned.database;
        let migrated = database.migrate(tell).await?;
        let user_id = database.find_or_add_person(email, name).await?;
        let (password, token) = (random_text()?, random_text()?);
        let device_name = device_name();
        let admission = Admission {
            device: DeviceId::new_v4(),
            user: user_id.clone(),
            name: device_name.clone(),
            scram_verifier: scram_verifier(&password, random_bytes()?),
            token_hash: session_token_hash(token.expose_secret()),
            lasts: TimeDelta::days(SESSION_DAYS),
        };
        let role = database.mint_device(&admission).await?;
        let before = match self.keep(owned, &role, &password, token).await {
            Ok(before) => before,
            Err(error) => {
                // Nobody could use it any more.
                database.revoke_device(admission.device).await?;
                return Err(error);
            }
        };
        if let Some(before) = before
            && let Some(device) = database.find_device_by_role(&before).await?
        {
            database.revoke_device(device).await?;
        }
        Ok(Admitted {
            user_id,
            device_id: admission.device,
            device_name,
            migrated,
        })
    }

    /// Keeps what the device needs, once it is seen to work. Returns the role that this data folder had before.
    async fn keep(
        &self,
        owned: &OwnedDatabase,
        role: &str,
        password: &SecretString,
        token: SecretString,
    ) -> Result<Option<String>, AppError> {
        let url = device_url(owned.url.expose_secret(), role, password)?;
        let device = SharedDatabase::connect_device(url.expose_secret(), token.clone()).await?;
        let signed_in = device.signed_in_user().await;
        device.close().await;
        if signed_in?.is_none() {
            return Err(AppError::NotAdmitted);
        }
        let vault = &self.inner.vault;
        let before = secrets::read(vault).await?;
        let before = before.get(DEVICE_URL).and_then(|url| Url::parse(url.as_str()?).ok());
        let in_keychain = self.wired().settings.flag("secrets.keychain", true);
        let both = [(DEVICE_URL, url.expose_secret()), (SESSION, token.expose_secret())];
        secrets::add(vault, &both, in_keychain).await?;
        Ok(before.map(|url| url.username().to_owned()))
    }
}

/// The owner's address with the device's role and password in the place of the owner's.
fn device_url(owner: &str, role: &str, password: &SecretString) -> Result<SecretString, AppError> {
    let unsuitable = || AppError::NoHost;
    let mut url = Url::parse(owner).map_err(|_| unsuitable())?;
    // An owner may be let in by the system where a device is not.
    if url.host_str().is_none_or(str::is_empty) {
        return Err(unsuitable());
    }
    url.set_username(role).map_err(|()| unsuitable())?;
    url.set_password(Some(password.expose_secret()))
        .map_err(|()| unsuitable())?;
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !matches!(name.as_ref(), "user" | "password"))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !others.is_empty() {
        url.query_pairs_mut().extend_pairs(others);
    }
    Ok(SecretString::from(String::from(url)))
}

fn random_text() -> Result<SecretString, AppError> {
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?)))
}

fn random_bytes<const N: usize>() -> Result<[u8; N], AppError> {
    let mut bytes = [0; N];
    let random = aws_lc_rs::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| AppError::NoRandom)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owners_password_is_not_in_the_devices_address() {
        let owner =
            "postgres://boss:p%40ss@db.example.com:6432/team?sslmode=verify-full&sslrootcert=%2Fca.pem&password=p";
        let url = device_url(owner, "deepsearch_device_1", &SecretString::from("secret-1")).unwrap();
        assert_eq!(
            url.expose_secret(),
            "postgres://deepsearch_device_1:secret-1@db.example.com:6432/team?sslmode=verify-full&sslrootcert=%2Fca.pem"
        );
        assert!(device_url("postgres:///team", "d", &SecretString::from("x")).is_err());
    }

    #[test]
    fn secrets_are_not_the_same_twice() {
        let [one, other] = [random_text().unwrap(), random_text().unwrap()];
        assert!(one.expose_secret().len() >= 43 && one.expose_secret() != other.expose_secret());
    }
}
