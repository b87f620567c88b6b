//! Link: the shared database that this device is let into, by a gateway's session or by `deepsearch share init`.

use std::sync::Arc;

use deepsearch_auth::Session;
use deepsearch_core::{RemoteError, SyncRemote, UserId};
use deepsearch_net::Place;
use deepsearch_postgres::{DeviceAddress, SharedDatabase, SharedSync};
use deepsearch_sqlite::SyncAccount;
use deepsearch_sync::SyncError;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::app::App;
use crate::config::Resolved;
use crate::error::AppError;
use crate::share::{DEVICE_URL, SESSION};

/// Where to sync with, and how. Two that are equal need not be connected anew.
#[derive(Clone, PartialEq)]
pub(crate) struct Link {
    door: Door,
    /// Whether saved pages travel.
    pub(crate) pages: bool,
}

#[derive(Clone)]
enum Door {
    Gateway(Box<Session>),
    Shared { url: SecretString, token: SecretString },
}

impl PartialEq for Door {
    fn eq(&self, other: &Self) -> bool {
        let same = |one: &SecretString, other: &SecretString| one.expose_secret() == other.expose_secret();
        match (self, other) {
            (Self::Gateway(one), Self::Gateway(other)) => {
                one.about.database == other.about.database
                    && same(&one.token, &other.token)
                    && same(&one.database_password, &other.database_password)
            }
            (
                Self::Shared { url, token },
                Self::Shared {
                    url: other_url,
                    token: other_token,
                },
            ) => same(url, other_url) && same(token, other_token),
            _ => false,
        }
    }
}

impl App {
    /// What sync connects with now; `None` while nobody is signed in, and where private mode holds it back.
    ///
    /// # Errors
    /// As [`App::own_link`].
    pub(crate) fn sync_link(&self) -> Result<Option<Link>, AppError> {
        let link = self.own_link()?;
        Ok(link.filter(|link| self.inner.network.check_place(&link.place()).is_ok()))
    }

    /// What sync connects with when it may; `None` while nobody is signed in.
    ///
    /// # Errors
    /// [`AppError::NoHost`] when the shared database's address names no place.
    pub(crate) fn own_link(&self) -> Result<Option<Link>, AppError> {
        Link::of(&self.wired().settings, self.session().as_ref())
    }

    /// The store is this person's from the moment they sign in: what is asked from now on is sent, also if the first run
    /// of sync comes much later; what was there before is offered.
    pub(crate) async fn belong_to(&self, user: UserId) -> Result<(), AppError> {
        if let Some(link) = self.sync_link()? {
            self.store().bind_sync_account(&link.account(user)).await?;
        }
        Ok(())
    }
}

impl Link {
    /// What lets this device in: the session of a gateway, or what `deepsearch share init` kept.
    ///
    /// # Errors
    /// [`AppError::NoHost`] when the shared database's address names no place.
    pub(crate) fn of(settings: &Resolved, session: Option<&Session>) -> Result<Option<Self>, AppError> {
        let door = match session {
            Some(session) => Door::Gateway(Box::new(session.clone())),
            None => match (settings.secret(DEVICE_URL), settings.secret(SESSION)) {
                (Some(url), Some(token)) => Door::Shared { url, token },
                _ => return Ok(None),
            },
        };
        if let Door::Shared { url, .. } = &door
            && Url::parse(url.expose_secret()).is_err()
        {
            return Err(AppError::NoHost);
        }
        let pages = settings.flag(super::PAGES, true);
        Ok(Some(Self { door, pages }))
    }

    pub(crate) fn is_of_gateway(&self) -> bool {
        matches!(self.door, Door::Gateway(_))
    }

    pub(crate) fn place(&self) -> Place {
        match &self.door {
            Door::Gateway(session) => Place::named(&session.about.database.host),
            Door::Shared { url, .. } => Place::of(url.expose_secret()),
        }
    }

    /// Names device and server without a secret.
    pub(crate) fn name(&self) -> String {
        match &self.door {
            Door::Gateway(session) => format!("{} {}", session.about.device_id, self.server()),
            Door::Shared { url, .. } => {
                let role = Url::parse(url.expose_secret()).map(|url| url.username().to_owned());
                format!("{} {}", role.unwrap_or_default(), self.server())
            }
        }
    }

    /// The server as the store knows it. A database that moves keeps its contents and its epoch, so the name of the
    /// database is enough where a gateway stands for it.
    fn server(&self) -> String {
        match &self.door {
            Door::Gateway(session) => format!("{}/{}", session.about.gateway, session.about.database.name),
            Door::Shared { url, .. } => Url::parse(url.expose_secret())
                .map(|url| {
                    let port = url.port().unwrap_or(5432);
                    format!("{}:{port}{}", url.host_str().unwrap_or_default(), url.path())
                })
                .unwrap_or_default(),
        }
    }

    /// The server, which is connected to with its first use, and whose rows are exchanged. A device that was let in
    /// without a gateway asks the database whose it is.
    ///
    /// # Errors
    /// [`SyncError::Remote`] when that is not known and cannot be asked.
    pub(crate) async fn connect(&self, app: &App) -> Result<(Arc<dyn SyncRemote>, SyncAccount), SyncError> {
        let database = self.database()?.with_clock(app.inner.clock.clone());
        let user = match &self.door {
            Door::Gateway(session) => UserId::from_stored(session.about.user.id.clone()),
            Door::Shared { .. } => match app.store().lookup_sync_account().await? {
                // Known since it joined, so that it may begin offline.
                Some(known) if known.server == self.server() => known.user,
                _ => whose(&database).await?,
            },
        };
        let account = self.account(user);
        Ok((Arc::new(SharedSync::new(database)), account))
    }

    fn account(&self, user: UserId) -> SyncAccount {
        let server = self.server();
        SyncAccount { user, server }
    }

    /// The server as this device enters it, which is connected to with its first use.
    ///
    /// # Errors
    /// [`RemoteError::Failed`] when the address is not valid.
    pub(crate) fn database(&self) -> Result<SharedDatabase, RemoteError> {
        match &self.door {
            Door::Gateway(session) => {
                let place = &session.about.database;
                let address = DeviceAddress {
                    host: place.host.clone(),
                    port: place.port,
                    database: place.name.clone(),
                    role: place.role.clone(),
                    password: session.database_password.clone(),
                    ssl_mode: place.sslmode.clone(),
                    root_certificate: place.sslrootcert.clone(),
                    is_pooled: place.pooled,
                };
                Ok(SharedDatabase::device(&address, session.token.clone()))
            }
            Door::Shared { url, token } => SharedDatabase::connect_device_later(url.expose_secret(), token.clone())
                .map_err(|error| RemoteError::Failed {
                    action: "understand its address",
                    source: error.into(),
                }),
        }
    }
}

async fn whose(database: &SharedDatabase) -> Result<UserId, RemoteError> {
    SharedSync::new(database.clone())
        .signed_in_user()
        .await?
        .ok_or(RemoteError::SignedOut)
}
