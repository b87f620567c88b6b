//! Search cache: each device that is signed in has a user of the team's Redis, which reaches its person's entries alone,
//! or the team's where that shares.
//!
//! A device's password is made from its session and a key of this server, so that nothing has to be kept and any gateway
//! can make the user anew: after Redis has forgotten it, or was away when the device came. Redis being away is never in
//! the way of a sign-in or of a sign-out; the next round of housekeeping makes up for it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use deepsearch_cache::{RedisUser, RedisUsers, key_prefix};
use deepsearch_core::{CacheError, UserId};
use deepsearch_postgres::DeviceKey;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use url::Url;
use uuid::Uuid;

use crate::config::Config;
use crate::gateway::{Parts, chain};

/// How the users begin that are ours.
const OURS: &str = "deepsearch-";
/// What a team's shared entries lie under; no id of a user is this.
const TEAM: &str = "\u{0}team";

pub(crate) struct SearchCache {
    users: RedisUsers,
    url: Url,
    is_shared: bool,
    key: SecretString,
}

impl SearchCache {
    pub(crate) fn new(config: &Config) -> Option<Result<Self, CacheError>> {
        let redis = config.redis.as_ref()?;
        let password = redis.password.as_ref().map(ExposeSecret::expose_secret);
        let url = redis.admin_url.as_ref().unwrap_or(&redis.url);
        let users = RedisUsers::new(url.as_str(), redis.user.as_deref(), password);
        Some(users.map(|users| Self {
            users,
            url: redis.url.clone(),
            is_shared: redis.shared,
            key: config.cookie_key.clone(),
        }))
    }

    /// Lets a device in that was just signed in, and says what it is to know.
    pub(crate) async fn let_in(&self, device: &DeviceKey) -> Value {
        let user = self.user(device);
        if let Err(error) = self.users.allow(std::slice::from_ref(&user)).await {
            tracing::warn!(
                error = chain(&error),
                "a device's way to the search cache is made later"
            );
        }
        json!({
            "url": self.url, "user": user.name, "password": user.password, "prefix": user.prefix,
            "shared": self.is_shared,
        })
    }

    pub(crate) async fn probe(&self) -> Result<(), CacheError> {
        self.users.probe().await
    }

    fn user(&self, device: &DeviceKey) -> RedisUser {
        RedisUser {
            name: user_name(device.device_id),
            password: self.password(device),
            prefix: key_prefix(if self.is_shared { TEAM } else { device.user_id.as_str() }),
        }
    }

    /// Whoever knows neither the key nor this password learns it from nothing else; a new session has a new one.
    fn password(&self, device: &DeviceKey) -> String {
        let mut hash = Sha512::new();
        hash.update(b"deepsearch-gateway search cache 1\0");
        hash.update(self.key.expose_secret().as_bytes());
        hash.update(b"\0");
        hash.update(device.device_id.as_bytes());
        hash.update(device.token_hash.as_bytes());
        // A part of the hash, which cannot be gone on from.
        URL_SAFE_NO_PAD.encode(&hash.finalize()[..32])
    }
}

fn user_name(device: Uuid) -> String {
    format!("{OURS}{}", device.simple())
}

impl Parts {
    /// Lets devices in no more that were just signed out.
    pub(crate) async fn leave_search_cache(&self, devices: &[Uuid]) {
        let Some(cache) = &self.search_cache else { return };
        let names: Vec<String> = devices.iter().copied().map(user_name).collect();
        if let Err(error) = cache.users.forbid(&names).await {
            tracing::warn!(
                error = chain(&error),
                "a device's way to the search cache is closed later"
            );
        }
    }

    /// The ids of a person's devices, where somebody has to be told when they end.
    pub(crate) async fn devices_in_search_cache(
        &self,
        user: &UserId,
    ) -> Result<Vec<Uuid>, deepsearch_postgres::DatabaseError> {
        if self.search_cache.is_none() {
            return Ok(Vec::new());
        }
        let devices = self.database.list_devices_of(user).await?;
        Ok(devices.into_iter().map(|device| device.id).collect())
    }

    /// Makes Redis let in those devices that are signed in now, and no others.
    pub(crate) async fn level_search_cache(&self) -> Result<(), deepsearch_postgres::DatabaseError> {
        let Some(cache) = &self.search_cache else {
            return Ok(());
        };
        let listed = match cache.users.list(OURS).await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(error = chain(&error), "the search cache does not answer");
                return Ok(());
            }
        };
        let devices = self.database.list_device_keys().await?;
        let wanted: Vec<RedisUser> = devices.iter().map(|device| cache.user(device)).collect();
        match cache.users.level(&listed, &wanted).await {
            Ok(done) if done.added + done.removed > 0 => {
                tracing::info!(
                    added = done.added,
                    removed = done.removed,
                    "the search cache knows its devices again"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = chain(&error), "the search cache does not answer"),
        }
        Ok(())
    }
}
