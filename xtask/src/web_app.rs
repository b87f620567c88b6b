//! The web app that shares a database with DeepSearch (`tests/webapp`): its packages, its checks, and its tests on
//! tables that DeepSearch's migrations made.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use deepsearch_servers::Postgres;

use crate::npm::{self, npm};
use crate::prepare::{BOOKKEEPING, SHARED};
use crate::{shell, ui};

/// What has run in a database before DeepSearch's migrations: nothing, or a web app's own first migration.
const BEFORE: [Option<&str>; 5] = [
    None,
    Some("full.sql"),
    Some("without_future.sql"),
    Some("appendix_names.sql"),
    Some("sign_in.sql"),
];

fn folder() -> PathBuf {
    shell::root().join("tests/webapp")
}

/// Brings its packages.
///
/// # Errors
/// When npm fails, which it does without a network.
pub(crate) fn ensure() -> Result<()> {
    npm::packages(&folder(), "the test web app's")
}

/// Its types, and its style by the interface's formatter.
///
/// # Errors
/// When a check fails.
pub(crate) fn check() -> Result<()> {
    shell::run(&mut npm(&folder(), &["run", "check"]))?;
    shell::run(&mut ui::npm(&["exec", "--", "prettier", "--check", "../tests/webapp"]))
}

/// drizzle-kit and Auth.js on a real PostgreSQL, each on a database of its own.
///
/// # Errors
/// When a test fails, or the migrations do.
pub(crate) fn test() -> Result<()> {
    let server = Postgres::start()?.context("PostgreSQL is not installed")?;
    // The owner of the tables, and no superuser: row security would bind it if anything forced it on owners.
    psql(
        &server,
        "postgres@127.0.0.1",
        "postgres",
        &["create role web_app login createrole createdb"],
        &[],
    )?;
    for before in BEFORE {
        let database = migrated(&server, before)?;
        let url = url(&server, "web_app@127.0.0.1", &database);
        if before.is_none() {
            node(&url, &["tests/drizzle_kit.test.ts"])?;
            node(&url, &["tests/reading.test.ts"])?;
            node(&url, &["tests/sign_in.test.ts"])?;
        } else {
            node(
                &url,
                &[
                    "--test-name-pattern=^(push wants|pull takes)",
                    "tests/drizzle_kit.test.ts",
                ],
            )?;
        }
    }
    Ok(())
}

/// A database of the web app's in which DeepSearch's migrations ran after `before`.
fn migrated(server: &Postgres, before: Option<&str>) -> Result<String> {
    let name = before.map_or("empty", |file| file.trim_end_matches(".sql"));
    let owner = "web_app@127.0.0.1";
    let first = shell::root().join("crates/deepsearch-postgres/tests/web_app");
    psql(
        server,
        owner,
        "postgres",
        &[&format!("create database \"{name}\"")],
        &[],
    )?;
    let theirs: Vec<PathBuf> = before.map(|file| first.join(file)).into_iter().collect();
    psql(server, owner, name, &[], &theirs)?;
    psql(server, owner, name, &["create schema deepsearch", BOOKKEEPING], &[])?;
    psql(server, owner, name, &[], &SHARED.migrations()?)?;
    Ok(name.to_owned())
}

fn url(server: &Postgres, who: &str, database: &str) -> String {
    format!("postgres://{who}:{}/{database}", server.port())
}

/// Runs statements, then files, each of them in a transaction.
fn psql(server: &Postgres, who: &str, database: &str, statements: &[&str], files: &[PathBuf]) -> Result<()> {
    let mut psql = shell::command(server.programs().join("psql"), &["--no-psqlrc", "--quiet", "--dbname"]);
    psql.arg(url(server, who, database))
        .args(["--set", "ON_ERROR_STOP=1"])
        .args(statements.iter().flat_map(|statement| ["--command", statement]))
        .env("PGOPTIONS", "-c client_min_messages=warning");
    if statements.is_empty() {
        psql.arg("--single-transaction");
        if files.is_empty() {
            return Ok(());
        }
    }
    for file in files {
        psql.arg("--file").arg(file);
    }
    shell::output(&mut psql).map(drop)
}

/// Runs some of the web app's tests. That none was run is a failure.
fn node(database: &str, tests: &[&str]) -> Result<()> {
    let mut node = shell::command("node", &["--import", "tsx", "--test", "--test-reporter=tap"]);
    node.args(tests)
        .current_dir(folder())
        .env("DEEPSEARCH_WEB_APP_DATABASE", database);
    let printed = shell::output(&mut node)?;
    let passed = printed.lines().find_map(|line| line.strip_prefix("# pass "));
    ensure!(
        passed.is_some_and(|passed| passed != "0"),
        "no test of {tests:?} ran:\n{printed}"
    );
    println!("    {} passed: {}", passed.unwrap_or_default(), tests.join(" "));
    Ok(())
}
