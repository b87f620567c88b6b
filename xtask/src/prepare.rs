//! `cargo xtask prepare`: the committed data (`.sqlx`) that lets the compile-time checked queries build without a
//! database, and the schema that `deepsearch db check` expects; made anew from the migrations.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use deepsearch_servers::Postgres;

use crate::setup::{self, Consent};
use crate::{python, shell};

/// File names and contents.
type Queries = BTreeMap<String, String>;

/// A crate whose queries are checked, and the database they are checked against.
pub(crate) struct Checked {
    package: &'static str,
    migrations: &'static str,
    /// Named in the crate's `sqlx.toml`.
    url_variable: &'static str,
    /// As a description names it.
    database: &'static str,
}

const LOCAL: Checked = Checked {
    package: "deepsearch-sqlite",
    migrations: "migrations/sqlite",
    url_variable: "SQLITE_DATABASE_URL",
    database: "SQLite",
};
pub(crate) const SHARED: Checked = Checked {
    package: "deepsearch-postgres",
    migrations: "migrations/postgres",
    url_variable: "POSTGRES_DATABASE_URL",
    database: "PostgreSQL",
};

const MIGRATE: &str = "import apsw, sys
store = apsw.Connection(sys.argv[1])
for migration in sys.argv[2:]:
    store.execute(open(migration, encoding='utf-8').read())
";
/// What sqlx makes before the first migration.
pub(crate) const BOOKKEEPING: &str = "create table deepsearch.migration (
    version bigint primary key, description text not null, installed_on timestamptz not null default now(),
    success boolean not null, checksum bytea not null, execution_time bigint not null)";
const SCHEMA: &str = "crates/deepsearch-postgres/schema.jsonl";
const WRONG_MIGRATION: &str = "migrating an empty database; the newest migration is probably wrong";

/// Writes the data anew, or with `check` only says whether it is current.
///
/// # Errors
/// When a migration or a query is wrong, or with `check` when the data is not current.
pub(crate) fn prepare(consent: Consent, check: bool) -> Result<()> {
    setup::ensure(consent, setup::PREPARE)?;
    let python = python::ensure(consent)?;
    let work = std::env::temp_dir().join(format!("deepsearch-prepare-{}", std::process::id()));
    fs::create_dir_all(&work).with_context(|| format!("creating `{}`", work.display()))?;
    let made = describe(&python, &work);
    fs::remove_dir_all(&work).with_context(|| format!("removing `{}`", work.display()))?;
    let (schema, made) = made?;
    keep_schema(&schema, check)?;
    for (checked, made) in [LOCAL, SHARED].into_iter().zip(made) {
        let committed = shell::root().join(checked.committed());
        if check {
            checked.compare(&made, &read(&committed)?)?;
        } else {
            write(&made, &committed)?;
            println!("    {} queries described in {}", made.len(), checked.committed());
        }
    }
    Ok(())
}

/// The schema that the migrations make of the shared database, as `deepsearch db check` compares it, and the queries of
/// both: the macros describe each against a migrated, empty database. The whole workspace is checked, with the features
/// that everything else is built with, so that no library is compiled for this alone.
fn describe(python: &Path, work: &Path) -> Result<(String, [Queries; 2])> {
    let store = work.join("empty.sqlite");
    shell::output(
        shell::command(python, &["-c", MIGRATE])
            .arg(&store)
            .args(LOCAL.migrations()?),
    )
    .context(WRONG_MIGRATION)?;
    let server = Postgres::start()?.context("PostgreSQL is not installed")?;
    let url = server.url("postgres");
    let mut psql = shell::command(
        server.programs().join("psql"),
        &["--no-psqlrc", "--quiet", "--dbname", &url],
    );
    psql.args([
        "--set",
        "ON_ERROR_STOP=1",
        "--command",
        "create schema deepsearch",
        "--command",
        BOOKKEEPING,
    ]);
    for migration in SHARED.migrations()? {
        psql.arg("--file").arg(migration);
    }
    shell::output(psql.env("PGOPTIONS", "-c client_min_messages=warning")).context(WRONG_MIGRATION)?;
    let mut describe = shell::command(
        server.programs().join("psql"),
        &[
            "--no-psqlrc",
            "--quiet",
            "--no-align",
            "--tuples-only",
            "--dbname",
            &url,
            "--file",
        ],
    );
    describe
        .arg(shell::root().join("crates/deepsearch-postgres/src/check.sql"))
        // Names are written whole.
        .env("PGOPTIONS", "-c search_path= -c client_min_messages=warning");
    let schema = shell::output(&mut describe).context("describing the schema of the shared database")?;
    // The crate is built with it.
    let schema = format!("{}\n", schema.trim_end());
    let described = work.join("queries");
    fs::create_dir(&described).context("making room for the descriptions")?;
    shell::run(
        shell::cargo("check --quiet --locked --workspace --all-targets")
            .env(LOCAL.url_variable, format!("sqlite://{}", store.display()))
            .env(SHARED.url_variable, &url)
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", &described),
    )
    .context("checking the queries against the migrations")?;
    let all = read(&described)?;
    Ok((schema, [LOCAL.own(&all)?, SHARED.own(&all)?]))
}

fn keep_schema(made: &str, check: bool) -> Result<()> {
    let path = shell::root().join(SCHEMA);
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if committed.replace('\r', "") == made {
        return Ok(());
    }
    if check {
        bail!("{SCHEMA} is not current; run `cargo xtask prepare` and commit it");
    }
    fs::write(&path, made).with_context(|| format!("writing `{SCHEMA}`"))?;
    println!("    the schema described in {SCHEMA}");
    Ok(())
}

impl Checked {
    fn committed(&self) -> String {
        format!("crates/{}/.sqlx", self.package)
    }

    /// Those of all descriptions that are this crate's, by the kind of database that each names.
    fn own(&self, all: &Queries) -> Result<Queries> {
        let kind = format!("\"db_name\": \"{}\"", self.database);
        let made: Queries = all
            .iter()
            .filter(|(_, content)| content.contains(&kind))
            .map(|(name, content)| (name.clone(), content.clone()))
            .collect();
        if made.is_empty() {
            bail!(
                "no query was described; does `crates/{}/build.rs` still watch {}?",
                self.package,
                self.url_variable
            );
        }
        Ok(made)
    }

    pub(crate) fn migrations(&self) -> Result<Vec<PathBuf>> {
        let folder = shell::root().join(self.migrations);
        let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
            .with_context(|| format!("listing `{}`", folder.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.to_string_lossy().ends_with(".up.sql"))
            .collect();
        paths.sort();
        Ok(paths)
    }

    fn compare(&self, made: &Queries, committed: &Queries) -> Result<()> {
        if made == committed {
            return Ok(());
        }
        let stale = made
            .iter()
            .filter(|(name, content)| committed.get(*name) != Some(content))
            .map(|(name, _)| name)
            .chain(committed.keys().filter(|name| !made.contains_key(*name)));
        let names: Vec<_> = stale.cloned().collect();
        bail!(
            "{} is not current ({}); run `cargo xtask prepare` and commit it",
            self.committed(),
            names.join(", ")
        )
    }
}

/// File names and contents; nothing where there is no such folder.
fn read(folder: &Path) -> Result<Queries> {
    if !folder.is_dir() {
        return Ok(BTreeMap::new());
    }
    fs::read_dir(folder)
        .with_context(|| format!("listing `{}`", folder.display()))?
        .map(|entry| {
            let entry = entry?;
            Ok((
                entry.file_name().to_string_lossy().into_owned(),
                fs::read_to_string(entry.path())?,
            ))
        })
        .collect()
}

fn write(made: &Queries, committed: &Path) -> Result<()> {
    if committed.is_dir() {
        fs::remove_dir_all(committed).context("removing the old descriptions")?;
    }
    fs::create_dir_all(committed).context("making room for the descriptions")?;
    for (name, content) in made {
        fs::write(committed.join(name), content).with_context(|| format!("writing `{name}`"))?;
    }
    Ok(())
}
