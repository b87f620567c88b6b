//! One PostgreSQL that DeepSearch and the web app share, and the web app's tests as a process.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use deepsearch_servers::Postgres;
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use tokio::process::Command;

const ENDS_WITHIN: Duration = Duration::from_secs(300);

/// A database that DeepSearch migrated, as the role of a web app: the owner of the database, no superuser, so that row
/// security would bind it if anything forced it on owners.
pub(crate) struct SharedDatabase {
    pub(crate) url: String,
    web_app: PathBuf,
    _server: Postgres,
}

impl SharedDatabase {
    /// Starts one, or `None` where PostgreSQL or the web app's packages are missing.
    pub(crate) async fn start() -> Result<Option<Self>> {
        Self::start_after("").await
    }

    /// Starts one in which a web app's own migration has run before DeepSearch's.
    pub(crate) async fn start_after(web_apps_migration: &str) -> Result<Option<Self>> {
        let Some(web_app) = web_app() else {
            return Ok(None);
        };
        let Some(server) = Postgres::start()? else {
            missing("PostgreSQL");
            return Ok(None);
        };
        // sqlx wants one to be chosen before it connects.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut administrator = PgConnection::connect(&server.url("postgres")).await?;
        for statement in [
            "create role web_app login createrole createdb",
            "create database shared owner web_app",
        ] {
            sqlx::query(statement).execute(&mut administrator).await?;
        }
        administrator.close().await?;
        let url = format!("postgres://web_app@127.0.0.1:{}/shared", server.port());
        let mut owner = PgConnection::connect(&url).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(web_apps_migration))
            .execute(&mut owner)
            .await?;
        sqlx::migrate!("../../migrations/postgres").run(&mut owner).await?;
        owner.close().await?;
        Ok(Some(Self {
            url,
            web_app,
            _server: server,
        }))
    }

    /// Runs the tests in one file of the web app whose names begin so.
    pub(crate) async fn web_app_tests_named(&self, names: &str, file: &str) -> Result<()> {
        let pattern = format!("--test-name-pattern=^({names})");
        self.tests(&[&pattern, file], None).await
    }

    /// Runs one file of the web app's tests.
    pub(crate) async fn web_app_tests(&self, file: &str) -> Result<()> {
        self.tests(&[file], None).await
    }

    /// Runs one file of the web app's tests, which find `facts` to compare with.
    pub(crate) async fn web_app_tests_with(&self, file: &str, facts: &impl Serialize) -> Result<()> {
        let folder = tempfile::tempdir().context("making a folder for the facts")?;
        let path = folder.path().join("facts.json");
        std::fs::write(&path, serde_json::to_vec(facts)?).context("writing the facts")?;
        self.tests(&[file], Some(path)).await
    }

    /// Runs one program of the web app and gives what it printed.
    pub(crate) async fn web_app_program(&self, file: &str) -> Result<String> {
        self.node(&[file], None).await
    }

    async fn tests(&self, args: &[&str], facts: Option<PathBuf>) -> Result<()> {
        let printed = self
            .node(&[&["--test", "--test-reporter=tap"], args].concat(), facts)
            .await?;
        let passed = printed.lines().find_map(|line| line.strip_prefix("# pass "));
        ensure!(passed.is_some_and(|passed| passed != "0"), "no test ran:\n{printed}");
        Ok(())
    }

    async fn node(&self, args: &[&str], facts: Option<PathBuf>) -> Result<String> {
        let mut node = Command::new("node");
        node.args(["--import", "tsx"])
            .args(args)
            .current_dir(&self.web_app)
            .env("DEEPSEARCH_WEB_APP_DATABASE", &self.url)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(facts) = facts {
            node.env("DEEPSEARCH_WEB_APP_FACTS", facts);
        }
        let output = tokio::time::timeout(ENDS_WITHIN, node.output())
            .await
            .with_context(|| format!("node {args:?} did not end within {ENDS_WITHIN:?}"))?
            .context("running node")?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("node {args:?} ended with {}:\n{printed}\n{errors}", output.status);
        }
        Ok(printed)
    }
}

/// The folder of the web app with its packages, or `None` where `cargo xtask test` has not brought it.
fn web_app() -> Option<PathBuf> {
    let folder = std::env::var_os("DEEPSEARCH_TEST_WEB_APP").filter(|folder| !folder.is_empty());
    if folder.is_none() {
        missing("DEEPSEARCH_TEST_WEB_APP");
    }
    folder.map(PathBuf::from)
}

#[expect(
    clippy::print_stderr,
    reason = "the one who runs the tests should know what was left out"
)]
fn missing(what: &str) {
    assert!(
        std::env::var_os("DEEPSEARCH_TEST_COMPLETE").is_none(),
        "{what} is missing, and `cargo xtask test` should have brought it"
    );
    eprintln!("passed by: {what} is missing; `cargo xtask test` brings it");
}
