//! SharedDatabase: the connections to the shared PostgreSQL, and as whom they are used.

use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use deepsearch_core::{Clock, SystemClock};
use secrecy::{ExposeSecret, SecretString};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{Connection, Executor, PgConnection, PgPool, Postgres, Transaction};
use thiserror::Error;
use tokio::runtime::Handle;
use url::Url;

const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(10);
/// How long a connection that was not in use may take to say that it is still one.
const WAIT_FOR_SIGN: Duration = Duration::from_secs(3);

/// Why there is no connection to the shared database.
#[derive(Debug, Error)]
pub enum ConnectError {
    #[error("the address of the database is not valid; it looks like `postgres://user:password@host/database`")]
    Address(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("connecting to the database at `{host}`")]
    Connect {
        host: String,
        #[source]
        source: sqlx::Error,
    },
}

/// The shared database. Cloning it gives another handle on the same connections.
#[derive(Debug, Clone)]
pub struct SharedDatabase {
    pool: PgPool,
    /// By which a device's connections, or its transactions, prove whose they are; an owner, or the web app's role, has
    /// nothing to prove.
    session_token: Option<SecretString>,
    clock: Arc<dyn Clock>,
    /// Connections from before this are not used again.
    fresh_since: Arc<Mutex<Instant>>,
    /// Where to knock before the pool does, which would do so until its time is up and say only that.
    door: Option<Box<PgConnectOptions>>,
    /// Whether each transaction may meet another connection of the server (PgBouncer's transaction mode).
    is_pooled: bool,
}

/// Where the shared database is, and as which role a device enters it.
#[derive(Debug, Clone)]
pub struct DeviceAddress {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub role: String,
    pub password: SecretString,
    /// As libpq names it. One that is not known is taken for the strictest.
    pub ssl_mode: String,
    /// PEM of the authority that the server's certificate is held against, where it is not one the system knows.
    pub root_certificate: Option<String>,
    /// A pooler is between that gives each transaction another connection (PgBouncer's transaction mode).
    pub is_pooled: bool,
}

impl DeviceAddress {
    fn options(&self) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .database(&self.database)
            .username(&self.role)
            .password(self.password.expose_secret())
            .ssl_mode(PgSslMode::from_str(&self.ssl_mode).unwrap_or(PgSslMode::VerifyFull))
            .application_name("DeepSearch");
        let options = match self.is_pooled {
            true => options.statement_cache_capacity(0),
            false => options,
        };
        match &self.root_certificate {
            Some(pem) => options.ssl_root_cert_from_pem(pem.clone().into_bytes()),
            None => options,
        }
    }
}

impl SharedDatabase {
    /// Connects as the role that `url` names: an owner of the tables, or the gateway.
    ///
    /// Traffic to a host that is not this machine is encrypted and the host's certificate verified, unless the address
    /// itself asks for something else (`sslmode=…`). With `statement-cache-capacity=0` a pooler may be between that
    /// gives each transaction another connection and knows nothing of prepared statements.
    ///
    /// # Errors
    /// [`ConnectError`] when the address is not valid or nobody answers there.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Self::open(url, None).await
    }

    /// Connects as a device, which sees the rows of the user whose session this is.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_device(url: &str, session_token: SecretString) -> Result<Self, ConnectError> {
        Self::open(url, Some(session_token)).await
    }

    /// As [`connect`](Self::connect), but connects with the first use: for what the app can do without. Must be called
    /// within a Tokio runtime.
    ///
    /// # Errors
    /// [`ConnectError::Address`] when the address is not valid.
    pub fn connect_later(url: &str) -> Result<Self, ConnectError> {
        Ok(Self::on(connect_options(url)?, None, is_pooled(url)))
    }

    /// As [`connect_device`](Self::connect_device), but connects with the first use, and again whenever the server is
    /// back. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`ConnectError::Address`] when the address is not valid.
    pub fn connect_device_later(url: &str, session_token: SecretString) -> Result<Self, ConnectError> {
        Ok(Self::device_on(connect_options(url)?, session_token, is_pooled(url)))
    }

    /// As [`connect_device_later`](Self::connect_device_later), at an address that a gateway gave.
    pub fn device(address: &DeviceAddress, session_token: SecretString) -> Self {
        Self::device_on(address.options(), session_token, address.is_pooled)
    }

    fn device_on(options: PgConnectOptions, session_token: SecretString, is_pooled: bool) -> Self {
        let options = entering(options, is_pooled);
        let mut device = Self::on(options.clone(), Some(session_token), is_pooled);
        device.door = Some(Box::new(options));
        device
    }

    async fn open(url: &str, session_token: Option<SecretString>) -> Result<Self, ConnectError> {
        let is_pooled = is_pooled(url);
        let mut options = connect_options(url)?;
        if session_token.is_some() {
            options = entering(options, is_pooled);
        }
        // One by itself first: a pool would knock at a closed door until its time is up, and say only that.
        knock(&options).await.map_err(|source| ConnectError::Connect {
            host: options.get_host().to_owned(),
            source,
        })?;
        Ok(Self::on(options, session_token, is_pooled))
    }

    fn on(options: PgConnectOptions, session_token: Option<SecretString>, is_pooled: bool) -> Self {
        let fresh_since = Arc::new(Mutex::new(Instant::now()));
        let mut pool = pool(&fresh_since);
        if let (Some(token), false) = (&session_token, is_pooled) {
            let token = token.clone();
            pool = pool.after_connect(move |connection, _| {
                let token = token.clone();
                Box::pin(async move { sign_in(connection, &token, false).await })
            });
        }
        Self {
            pool: pool.connect_lazy_with(options),
            session_token,
            clock: Arc::new(SystemClock),
            fresh_since,
            door: None,
            is_pooled,
        }
    }

    /// Takes the time of what is written from this clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// For what a device can do without, beside all else that it does: with two of the eight connections that its role may
    /// have, and no knock, which would be one more for a reason that nobody is told. Must be called before it is used.
    #[must_use]
    pub fn sparing(self) -> Self {
        const MOST: u32 = 2;
        let few = self.pool.options().clone().max_connections(MOST);
        Self {
            pool: few.connect_lazy_with((*self.pool.connect_options()).clone()),
            door: None,
            ..self
        }
    }

    /// The time, in the whole milliseconds that both programs on the tables keep (seed R11).
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }

    /// Begins a transaction, as whom this handle is for. Every read and write goes through one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.knock_first().await?;
        let mut tx = self.pool.begin().await?;
        self.enter(&mut tx).await?;
        Ok(tx)
    }

    /// As [`begin`](Self::begin), for one who gives up when a slow line does not carry in time what was asked for.
    pub(crate) async fn begin_on_line(&self) -> Result<Line, sqlx::Error> {
        let mut line = self.line().await?;
        line.execute("begin").await?;
        self.enter(&mut line).await?;
        Ok(line)
    }

    /// A session of this device's own, for as long as it is held: not behind a pooler.
    pub(crate) async fn line(&self) -> Result<Line, sqlx::Error> {
        self.knock_first().await?;
        Ok(Line(Some(self.pool.acquire().await?)))
    }

    pub(crate) fn is_pooled(&self) -> bool {
        self.is_pooled
    }

    async fn knock_first(&self) -> Result<(), sqlx::Error> {
        match &self.door {
            Some(door) if self.pool.size() == 0 => knock(door).await,
            _ => Ok(()),
        }
    }

    /// What a transaction behind a pooler begins with.
    async fn enter(&self, tx: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.is_pooled {
            return Ok(());
        }
        // Another's may bear the names that ours will.
        sqlx::raw_sql("deallocate all").execute(&mut *tx).await?;
        match &self.session_token {
            Some(token) => sign_in(tx, token, true).await,
            None => Ok(()),
        }
    }

    /// What one does in a transaction who looks after the database. A server that has fallen silent is not waited for; a
    /// statement of [`begin_owned`](Self::begin_owned) has ended before.
    pub(crate) async fn owned<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        const WAIT: Duration = Duration::from_secs(45);
        let doing = async {
            let mut tx = self.begin_owned().await?;
            let done = work(&mut tx).await?;
            tx.commit().await?;
            Ok(done)
        };
        let done = tokio::time::timeout(WAIT, doing).await;
        done.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// As [`begin`](Self::begin), for who looks after the database and would rather be told than wait.
    pub(crate) async fn begin_owned(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut tx = self.begin().await?;
        tx.execute("set local statement_timeout = '20s'").await?;
        Ok(tx)
    }

    /// Uses no connection again that there is now: the machine was asleep, and nobody is at the other end.
    pub(crate) fn forget_connections(&self) {
        *self.fresh_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether this handle is a device's, which reaches what its user may and no table.
    pub(crate) fn is_device(&self) -> bool {
        self.session_token.is_some()
    }

    /// Finishes what runs and closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection whose user may give up at any moment. Given up, it goes back only if it is free soon: what is still on its
/// way would keep a slow line from carrying anything else.
pub(crate) struct Line(Option<PoolConnection<Postgres>>);

impl Line {
    /// Ends the transaction, and gives the connection back.
    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.execute("commit").await?;
        self.0 = None;
        Ok(())
    }

    /// Ends the connection, and with it the session.
    pub(crate) fn hang_up(mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

impl Deref for Line {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_deref().expect("a connection until it is given back")
    }
}

impl DerefMut for Line {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_deref_mut().expect("a connection until it is given back")
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            drop(connection.detach());
            return;
        };
        runtime.spawn(async move {
            let free = tokio::time::timeout(WAIT_FOR_SIGN, connection.execute("rollback")).await;
            if !matches!(free, Ok(Ok(_))) {
                drop(connection.detach());
            }
        });
    }
}

/// Says whose the device is, for as long as the connection is this handle's: all of it, or where a pooler (PgBouncer)
/// gives each transaction another one, this transaction. The database asks anew with each statement whether that holds.
async fn sign_in(connection: &mut PgConnection, token: &SecretString, is_transaction: bool) -> Result<(), sqlx::Error> {
    sqlx::query("select set_config('deepsearch.session_token', $1, $2), set_config('search_path', 'deepsearch', $2)")
        .bind(token.expose_secret())
        .bind(is_transaction)
        .execute(connection)
        .await?;
    Ok(())
}

/// Connects once and goes away again, for the reason when it cannot be done.
async fn knock(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let connection = tokio::time::timeout(WAIT_FOR_CONNECTION, PgConnection::connect_with(options)).await;
    connection.map_err(|_| sqlx::Error::PoolTimedOut)??.close().await
}

/// A device's names lead to the views. A pooler that keeps no prepared statements does not take this either, and says
/// so at the door, where the mixing up of statements would begin.
fn entering(options: PgConnectOptions, is_pooled: bool) -> PgConnectOptions {
    if is_pooled {
        options
    } else {
        options.options([("search_path", "deepsearch")])
    }
}

fn is_pooled(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        url.query_pairs()
            .any(|(name, value)| name == "statement-cache-capacity" && value == "0")
    })
}

fn pool(fresh_since: &Arc<Mutex<Instant>>) -> PgPoolOptions {
    let fresh_since = Arc::clone(fresh_since);
    PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(WAIT_FOR_CONNECTION)
        // The pool's own test waits for a dead connection for as long as for a new one.
        .test_before_acquire(false)
        .before_acquire(move |connection, known| {
            let since = *fresh_since.lock().unwrap_or_else(PoisonError::into_inner);
            let is_from_before = known.age > since.elapsed();
            Box::pin(async move {
                if is_from_before {
                    return Ok(false);
                }
                let sign = tokio::time::timeout(WAIT_FOR_SIGN, connection.ping()).await;
                Ok(matches!(sign, Ok(Ok(()))))
            })
        })
}

fn connect_options(url: &str) -> Result<PgConnectOptions, ConnectError> {
    let parsed = Url::parse(url).map_err(|error| ConnectError::Address(error.into()))?;
    let mut options = PgConnectOptions::from_str(url).map_err(|error| ConnectError::Address(error.into()))?;
    if let Some(address) = options
        .get_host()
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        // An IPv6 address has its brackets in a URL only; nobody resolves it with them.
        let address = address.to_owned();
        options = options.host(&address);
    }
    let chosen = parsed
        .query_pairs()
        .any(|(name, _)| name == "sslmode" || name == "ssl-mode");
    Ok(if chosen || is_this_machine(&options) {
        options
    } else {
        options.ssl_mode(PgSslMode::VerifyFull)
    }
    .application_name("DeepSearch"))
}

fn is_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
