//! A team's whole installation as an administrator sets it up: PostgreSQL and Redis that speak TLS, the real gateway as a
//! process of its own, a certified OpenID provider and a mail server. Nothing in it is a double of anything.

mod people;

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use deepsearch_servers::{Peer, PgBouncer, Postgres, Redis, free_port};
use serde_json::json;
use tempfile::TempDir;

pub use people::Proof;

use crate::certificates::Certificates;
use crate::cli::Home;
use crate::{needs, programs};

const OWNER: &str = "password-of-the-owner";
const GATEWAY: &str = "password-of-the-gateway";
const REDIS: &str = "password-of-the-gateway-in-redis";
const MAIL: &str = "password-of-the-mail-server";
const CLIENT: &str = "secret-of-the-client-at-the-provider";
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Who may come into Redis before any device does: the gateway, to make users, and a test that looks.
const REDIS_USERS: &str = "user default off\nuser gateway on >password-of-the-gateway-in-redis resetkeys -@all +acl\n\
    user test on >password-of-the-test-in-redis ~* +@all\n";

/// Dropping it ends everything.
#[derive(Debug)]
pub struct Team {
    // Ends first: it uses all others.
    gateway: Option<Child>,
    pub postgres: Postgres,
    pub redis: Redis,
    /// Where the devices find the database, if they do not reach it themselves.
    pooler: Option<PgBouncer>,
    mail: Peer,
    openid: Peer,
    port: u16,
    certificates: Certificates,
    folder: TempDir,
}

/// How a team differs from the usual one.
#[derive(Debug, Clone, Copy, Default)]
pub struct TeamOptions {
    /// Whether what one searched for is there for all.
    pub shares_searches: bool,
    /// Whether PgBouncer in transaction mode is between the devices and the database.
    pub is_pooled: bool,
}

impl Team {
    /// # Errors
    /// When a part does not start.
    pub fn start() -> Result<Option<Self>> {
        Self::start_as(TeamOptions::default())
    }

    /// `None` where a part is not installed (which fails under `cargo xtask test`).
    ///
    /// # Errors
    /// When a part does not start.
    pub fn start_as(options: TeamOptions) -> Result<Option<Self>> {
        let certificates = Certificates::make()?;
        let (certificate, key) = certificates.server()?;
        let Some(postgres) = Postgres::start_guarded(OWNER, &certificate, &key)? else {
            return missing("PostgreSQL");
        };
        let Some(redis) = Redis::start_guarded(&certificate, &key, REDIS_USERS)? else {
            return missing("redis-server");
        };
        let pooler = match options.is_pooled {
            false => None,
            true => match PgBouncer::start_guarded(postgres.port(), OWNER, &certificate, &key)? {
                None => return missing("PgBouncer"),
                started => started,
            },
        };
        let port = free_port()?;
        let client = json!({ "clients": [{
            "client_id": "deepsearch", "client_secret": CLIENT,
            "redirect_uris": [format!("http://127.0.0.1:{port}/callback/company")],
        }] });
        let Some(openid) = Peer::start("openid", &client.to_string())? else {
            return missing("Node, or the packages of tests/sign-in-peers");
        };
        let mail = json!({ "user": "gateway", "password": MAIL });
        let mail = Peer::start("mail", &mail.to_string())?.context("Node was there a moment ago")?;
        let mut team = Self {
            gateway: None,
            postgres,
            redis,
            pooler,
            mail,
            openid,
            port,
            certificates,
            folder: tempfile::tempdir().context("making a folder for the gateway")?,
        };
        team.migrate()?;
        team.configure(options)?;
        team.start_gateway()?;
        Ok(Some(team))
    }

    /// The gateway's address, as a person is told it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A device that knows the gateway and has never signed in.
    ///
    /// # Errors
    /// When no folder can be made.
    pub fn device(&self) -> Result<Home> {
        Ok(self.join(crate::small_web::offline()?))
    }

    /// Makes a device one that knows the gateway, and trusts the team's authority as its system would.
    #[must_use]
    pub fn join(&self, home: Home) -> Home {
        let authority = self.certificates.authority();
        home.set("gateway.url", &self.url())
            .variable("SSL_CERT_FILE", &authority.to_string_lossy())
    }

    /// The database as its owner reaches it.
    pub fn owner_url(&self) -> String {
        self.database("postgres", OWNER)
    }

    fn database(&self, role: &str, password: &str) -> String {
        format!(
            "postgres://{role}:{password}@localhost:{}/postgres?sslmode=verify-full&sslrootcert={}",
            self.postgres.port(),
            self.certificates.authority().display()
        )
    }

    /// What a statement gives, as the owner of everything: rows by lines, columns by `|`.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn sql(&self, statement: &str) -> Result<String> {
        let output = Command::new(self.postgres.programs().join("psql"))
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set",
                "ON_ERROR_STOP=1",
            ])
            .args(["--dbname", &self.owner_url(), "--command", statement])
            .output()
            .context("running psql")?;
        ensure!(
            output.status.success(),
            "{statement}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// What Redis says to a command of the test.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn ask_redis(&self, command: &[&str]) -> Result<String> {
        self.redis.ask(Some(("test", "password-of-the-test-in-redis")), command)
    }

    /// Ends the gateway as a power cut would.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn kill_gateway(&mut self) -> Result<()> {
        if let Some(mut gateway) = self.gateway.take() {
            gateway.kill().context("ending the gateway")?;
            gateway.wait().context("waiting for the gateway to end")?;
        }
        Ok(())
    }

    /// Starts the gateway, again after [`kill_gateway`](Self::kill_gateway).
    ///
    /// # Errors
    /// When it does not open.
    pub fn start_gateway(&mut self) -> Result<()> {
        let log = self.folder.path().join("gateway.log");
        let output = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = Command::new(programs::gateway()?);
        command
            .env_clear()
            .env("SSL_CERT_FILE", self.certificates.authority())
            .arg("--config")
            .arg(self.folder.path().join("gateway.toml"))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let gateway = self.gateway.insert(command.spawn().context("starting the gateway")?);
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let has_ended = gateway.try_wait()?.is_some();
            ensure!(
                !has_ended && started.elapsed() < READY_WITHIN,
                "the gateway does not open: {}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// All that the gateway has written.
    pub fn gateway_log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("gateway.log")).unwrap_or_default()
    }

    /// As the guide tells an administrator.
    fn migrate(&self) -> Result<()> {
        let administrator = Home::new()?;
        administrator
            .run(["db", "migrate", "--url", &self.owner_url()])?
            .succeeded()?;
        self.sql(&format!("alter role deepsearch_gateway password '{GATEWAY}'"))
            .map(drop)
    }

    fn configure(&self, options: TeamOptions) -> Result<()> {
        let (url, port, shares) = (self.url(), self.port, options.shares_searches);
        let pooled = self.pooler.is_some();
        let devices_port = self.pooler.as_ref().map_or(self.postgres.port(), PgBouncer::port);
        let configuration = format!(
            r#"public_url = "{url}"
listen = "127.0.0.1:{port}"
cookie_key = "a key for cookies in journeys, long enough for all"
[database]
url = "{database}"
[database.devices]
host = "localhost"
port = {devices_port}
pooled = {pooled}
sslmode = "verify-full"
sslrootcert_file = "{authority}"
[redis]
url = "{redis}"
user = "gateway"
password = "{REDIS}"
shared = {shares}
[email]
server = "127.0.0.1"
port = {mail}
security = "none"
user = "gateway"
password = "{MAIL}"
from = "DeepSearch <sign-in@example.org>"
[providers.company]
name = "The Company"
issuer = "{issuer}"
client_id = "deepsearch"
client_secret = "{CLIENT}"
link_verified_email = true
"#,
            database = self.database("deepsearch_gateway", GATEWAY),
            authority = self.certificates.authority().display(),
            redis = self.redis.url(),
            mail = self.mail.port,
            issuer = self.openid.url(""),
        );
        write(&self.folder.path().join("gateway.toml"), &configuration)
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        // Fails only where it has already ended.
        let _ = self.kill_gateway();
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing `{}`", path.display()))
}

fn missing(what: &str) -> Result<Option<Team>> {
    needs::missing(what);
    Ok(None)
}
