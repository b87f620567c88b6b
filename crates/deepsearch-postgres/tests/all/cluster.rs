//! A real server of a test's own, because roles belong to the whole of one; databases in it, and devices of people.
//!
//! Without PostgreSQL a test says so and passes by; under `cargo xtask test` that is a failure.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use deepsearch_core::UserId;
use deepsearch_postgres::{Admission, DeviceId, SharedDatabase, scram_verifier, session_token_hash};
use deepsearch_servers::Postgres;
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// The server and one database in it. Start it on the thread of the test: it ends with that thread.
pub(crate) struct Cluster {
    pub(crate) server: Postgres,
    next: AtomicU32,
}

impl Cluster {
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(settings: &[&str]) -> Option<Self> {
        let settings = [&["max_connections=200"], settings].concat();
        let server = Postgres::start_with(&settings).expect("PostgreSQL starts");
        if server.is_none() {
            pass_by("PostgreSQL");
        }
        Some(Self {
            server: server?,
            next: AtomicU32::new(0),
        })
    }

    /// An empty database; its address for the superuser.
    pub(crate) async fn empty(&self) -> String {
        let name = format!("db{}", self.next.fetch_add(1, Ordering::SeqCst));
        let mut admin = connect(&self.server.url("postgres")).await;
        run(&mut admin, &format!("create database {name}")).await;
        self.server.url(&name)
    }

    /// A migrated database.
    pub(crate) async fn migrated(&self) -> (String, SharedDatabase) {
        let url = self.empty().await;
        let database = SharedDatabase::connect(&url).await.unwrap();
        database.migrate(|_| {}).await.unwrap();
        (url, database)
    }

    /// The whole schema as text, rights included. What differs from run to run is left out.
    pub(crate) fn dump(&self, url: &str) -> String {
        let output = Command::new(self.server.programs().join("pg_dump"))
            .args(["--schema-only", "--create", "--dbname", url])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let name = url.rsplit('/').next().unwrap();
        text.lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .map(|line| line.replace(name, "DATABASE") + "\n")
            .collect()
    }
}

#[expect(clippy::print_stderr, reason = "a test that passes by says so")]
pub(crate) fn pass_by(what: &str) {
    let complete = std::env::var_os("DEEPSEARCH_TEST_COMPLETE").is_some();
    assert!(
        !complete,
        "{what} is missing, and `cargo xtask test` should have brought it"
    );
    eprintln!("passed by: {what} is missing; `cargo xtask test` brings it");
}

pub(crate) async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

pub(crate) async fn run(connection: &mut PgConnection, sql: &str) {
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// One text of one row.
pub(crate) async fn text(connection: &mut PgConnection, sql: &str) -> String {
    let told: Result<Option<String>, _> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await;
    told.unwrap_or_else(|error| panic!("{sql}: {error}"))
        .unwrap_or_default()
}

/// A person's device.
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) role: String,
    pub(crate) token: String,
    pub(crate) url: String,
}

/// Lets a device of a user in, whose password is `pw-` and its id.
pub(crate) async fn admit(database: &SharedDatabase, url: &str, user: &str) -> Device {
    let id = DeviceId::from_u128(u128::from(NEXT.fetch_add(1, Ordering::SeqCst)));
    let token = format!("token-of-{user}-{id}");
    let admission = admission(id, user, &format!("pw-{id}"), &token);
    let role = database.mint_device(&admission).await.unwrap();
    let url = url.replace("postgres://postgres@", &format!("postgres://{role}:pw-{id}@"));
    Device { id, role, token, url }
}

pub(crate) fn admission(device: DeviceId, user: &str, password: &str, token: &str) -> Admission {
    Admission {
        device,
        user: UserId::from_stored(user.to_owned()),
        name: "laptop".into(),
        scram_verifier: scram_verifier(&SecretString::from(password.to_owned()), [9; 16]),
        token_hash: session_token_hash(token),
        lasts: TimeDelta::days(1),
    }
}

static NEXT: AtomicU32 = AtomicU32::new(1);

impl Device {
    /// A connection that says for good whose it is.
    pub(crate) async fn connect(&self) -> PgConnection {
        let mut connection = connect(&self.url).await;
        sqlx::query("select set_config('deepsearch.session_token', $1, false)")
            .bind(&self.token)
            .execute(&mut connection)
            .await
            .unwrap();
        connection
    }
}
