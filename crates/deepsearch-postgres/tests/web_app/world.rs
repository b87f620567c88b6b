//! One PostgreSQL that DeepSearch and the web app share, and the web app's tests as a process.
//!
//! Without PostgreSQL, Node or the web app's packages a test says so and passes by; under `cargo xtask test` that is a
//! failure.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use deepsearch_postgres::SharedDatabase;
use deepsearch_servers::Postgres;
use serde::Serialize;
use sqlx::{Connection, Executor, PgConnection};
use tokio::process::Command;

const ENDS_WITHIN: Duration = Duration::from_secs(300);

/// A server with a database that DeepSearch migrated, in the role of a web app: its owner and no superuser, so that row
/// security would bind it if anything forced it on owners.
pub(crate) struct World {
    pub(crate) url: String,
    /// The database through DeepSearch's repositories.
    pub(crate) ours: SharedDatabase,
    _server: Postgres,
}

impl World {
    /// Starts one, or `None` where something is missing. Call it on the thread of the test: the server ends with it.
    pub(crate) async fn start() -> Result<Option<Self>> {
        if !folder().join("node_modules/.package-lock.json").is_file() {
            missing("tests/webapp/node_modules");
            return Ok(None);
        }
        if !has_node().await? {
            missing("Node");
            return Ok(None);
        }
        let Some(server) = Postgres::start()? else {
            missing("PostgreSQL");
            return Ok(None);
        };
        let mut administrator = PgConnection::connect(&server.url("postgres")).await?;
        administrator.execute("create role web_app login createrole").await?;
        administrator.execute("create database shared owner web_app").await?;
        administrator.close().await?;
        let url = format!("postgres://web_app@127.0.0.1:{}/shared", server.port());
        let ours = SharedDatabase::connect(&url).await?;
        ensure!(!ours.migrate(|_| {}).await?.is_empty(), "no migration ran");
        Ok(Some(Self {
            url,
            ours,
            _server: server,
        }))
    }

    /// A connection that goes round our repositories.
    pub(crate) async fn raw(&self) -> Result<PgConnection> {
        PgConnection::connect(&self.url).await.context("connecting to the rows")
    }

    /// Runs one file of the web app's tests.
    pub(crate) async fn web_app_tests(&self, file: &str) -> Result<()> {
        self.tests(file, None).await
    }

    /// Runs one file of the web app's tests, which find `facts` to compare with.
    pub(crate) async fn web_app_tests_with(&self, file: &str, facts: &impl Serialize) -> Result<()> {
        let folder = tempfile::tempdir().context("making a folder for the facts")?;
        let path = folder.path().join("facts.json");
        std::fs::write(&path, serde_json::to_vec(facts)?).context("writing the facts")?;
        self.tests(file, Some(&path)).await
    }

    /// Runs one program of the web app and gives what it printed.
    pub(crate) async fn web_app_program(&self, file: &str) -> Result<String> {
        self.node(&[file], None).await
    }

    /// That no test was run is a failure.
    async fn tests(&self, file: &str, facts: Option<&Path>) -> Result<()> {
        let printed = self.node(&["--test", "--test-reporter=tap", file], facts).await?;
        let passed = printed.lines().find_map(|line| line.strip_prefix("# pass "));
        ensure!(passed.is_some_and(|passed| passed != "0"), "no test ran:\n{printed}");
        Ok(())
    }

    async fn node(&self, args: &[&str], facts: Option<&Path>) -> Result<String> {
        let mut node = node();
        node.args(["--import", "tsx"])
            .args(args)
            .env("DEEPSEARCH_WEB_APP_DATABASE", &self.url)
            .env_remove("DEEPSEARCH_WEB_APP_FACTS");
        if let Some(facts) = facts {
            node.env("DEEPSEARCH_WEB_APP_FACTS", facts);
        }
        let Output { status, stdout, stderr } = tokio::time::timeout(ENDS_WITHIN, node.output())
            .await
            .with_context(|| format!("node {args:?} did not end within {ENDS_WITHIN:?}"))?
            .context("running node")?;
        let printed = String::from_utf8_lossy(&stdout).into_owned();
        if !status.success() {
            let errors = String::from_utf8_lossy(&stderr);
            bail!("node {args:?} ended with {status}:\n{printed}\n{errors}");
        }
        Ok(printed)
    }
}

fn node() -> Command {
    let mut node = Command::new("node");
    node.current_dir(folder()).stdin(Stdio::null()).kill_on_drop(true);
    node
}

async fn has_node() -> Result<bool> {
    match node().arg("--version").output().await {
        Ok(output) => Ok(output.status.success()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context("asking for the version of Node"),
    }
}

fn folder() -> PathBuf {
    std::path::absolute("../../tests/webapp").expect("a folder to run in")
}

#[expect(clippy::print_stderr, reason = "a test that passes by says so")]
fn missing(what: &str) {
    let complete = std::env::var_os("DEEPSEARCH_TEST_COMPLETE").is_some();
    assert!(
        !complete,
        "{what} is missing, and `cargo xtask test` should have brought it"
    );
    eprintln!("passed by: {what} is missing; `cargo xtask test` brings it");
}
