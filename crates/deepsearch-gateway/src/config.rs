//! Config: everything an administrator decides, read once from file and environment, and checked before anything starts.
//!
//! All that is wrong is said at once, each in a sentence that names the setting; a value is never repeated, because it
//! may be a secret.

mod raw;
mod section;
mod sources;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use ipnet::IpNet;
use lettre::message::Mailbox;
use secrecy::SecretString;
use thiserror::Error;
use url::Url;

/// The one app that signs in here: a public client, which can keep no secret.
pub const CLIENT_ID: &str = "deepsearch-desktop";

/// Why the configuration cannot be used: a sentence for each thing to be mended.
#[derive(Debug, Error)]
#[error("{}", problems.join("\n"))]
pub struct ConfigError {
    pub problems: Vec<String>,
}

#[derive(Debug)]
pub struct Config {
    /// Where browsers and apps find this gateway; also what it is called in answers (`iss`).
    pub public_url: Url,
    pub listen: SocketAddr,
    pub metrics_listen: Option<SocketAddr>,
    /// The proxies whose word on a caller's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Seals cookies; the same on every gateway of a team.
    pub cookie_key: SecretString,
    pub database: Database,
    pub redis: Option<Redis>,
    pub email: Option<Email>,
    /// In the order of the file.
    pub providers: Vec<Provider>,
    pub limits: Limits,
}

#[derive(Debug)]
pub struct Database {
    /// As whom the gateway itself connects.
    pub url: SecretString,
    pub devices: DeviceDatabase,
}

/// What a device is told about the way to the database.
#[derive(Debug, Clone)]
pub struct DeviceDatabase {
    pub host: String,
    pub port: u16,
    pub name: String,
    pub sslmode: String,
    /// A certificate in PEM, for a database whose own authority signs its certificates.
    pub sslrootcert: Option<String>,
    /// Whether a pooler is there that gives each transaction another connection.
    pub pooled: bool,
}

/// A search cache in Redis, in which each device gets a user of its own.
#[derive(Debug)]
pub struct Redis {
    /// Where devices find it.
    pub url: Url,
    /// How this server reaches it, where that is another way.
    pub admin_url: Option<Url>,
    /// As whom this server makes and removes the devices' users.
    pub user: Option<String>,
    pub password: Option<SecretString>,
    /// Whether the team's devices share their entries; otherwise each person has their own.
    pub shared: bool,
}

#[derive(Debug)]
pub struct Email {
    pub server: String,
    pub port: u16,
    pub security: MailSecurity,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub from: Mailbox,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    Tls,
    StartTls,
    /// Only for a server on this machine.
    None,
}

/// A way to sign in through somebody else.
#[derive(Debug)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub kind: ProviderKind,
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    /// A user with the same address is the same person, where the provider has verified the address. Off, as in Auth.js.
    pub link_verified_email: bool,
    /// The addresses that this provider states are verified, though it does not say so with each.
    pub vouches_for_email: bool,
}

#[derive(Debug)]
pub enum ProviderKind {
    Discord { authorize: Url, api: Url },
    GitHub { site: Url, api: Url },
    OpenId { issuer: Url, scopes: Vec<String> },
}

/// How much one network address may ask for in a minute.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Pages, and requests with a session.
    pub requests_per_minute: u32,
    /// What tries a secret or costs something: codes, tokens, mails.
    pub attempts_per_minute: u32,
    pub connections: usize,
}

impl Config {
    /// Reads `file`, where there is one, and lays the environment over it.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let table = sources::read(file, environment)?;
        raw::check(table)
    }

    /// Every secret that this process holds, for the logs to leave out.
    pub fn secrets(&self) -> Vec<SecretString> {
        let mut secrets = vec![self.cookie_key.clone(), self.database.url.clone()];
        secrets.extend(sources::password_of(&self.database.url));
        secrets.extend(self.redis.iter().filter_map(|redis| redis.password.clone()));
        secrets.extend(self.email.iter().filter_map(|email| email.password.clone()));
        secrets.extend(
            self.providers
                .iter()
                .filter_map(|provider| provider.client_secret.clone()),
        );
        secrets
    }

    /// An address of this gateway.
    pub fn address(&self, path: &str) -> Url {
        let mut url = self.public_url.clone();
        url.set_path(path);
        url
    }

    /// What this gateway is called in answers (RFC 9207): its address without a slash at the end.
    pub fn issuer(&self) -> String {
        self.public_url.as_str().trim_end_matches('/').to_owned()
    }
}
