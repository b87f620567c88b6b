//! `cargo xtask prepare`: the committed data (`.sqlx`) that lets the compile-time checked queries build without a
//! database, made anew from the migrations.
//!
//! The local store only; the shared one needs a running PostgreSQL and joins with its crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::setup::Consent;
use crate::{python, shell};

const PACKAGE: &str = "deepsearch-sqlite";
const MIGRATIONS: &str = "migrations/sqlite";
const COMMITTED: &str = "crates/deepsearch-sqlite/.sqlx";
/// Named in the crate's `sqlx.toml`.
const URL_VARIABLE: &str = "SQLITE_DATABASE_URL";

const MIGRATE: &str = "import apsw, sys
store = apsw.Connection(sys.argv[1])
for migration in sys.argv[2:]:
    store.execute(open(migration, encoding='utf-8').read())
";

/// Writes the data anew, or with `check` only says whether it is current.
///
/// # Errors
/// When a migration or a query is wrong, or with `check` when the data is not current.
pub(crate) fn prepare(consent: Consent, check: bool) -> Result<()> {
    let python = python::ensure(consent)?;
    let work = std::env::temp_dir().join(format!("deepsearch-prepare-{}", std::process::id()));
    fs::create_dir_all(&work).with_context(|| format!("creating `{}`", work.display()))?;
    let made = describe(&python, &work);
    fs::remove_dir_all(&work).with_context(|| format!("removing `{}`", work.display()))?;
    let made = made?;
    let committed = shell::root().join(COMMITTED);
    if check {
        return compare(&made, &read(&committed)?);
    }
    write(&made, &committed)?;
    println!("    {} queries described in {COMMITTED}", made.len());
    Ok(())
}

/// Migrates an empty database and lets the macros describe every query against it.
fn describe(python: &Path, work: &Path) -> Result<BTreeMap<String, String>> {
    let store = work.join("empty.sqlite");
    let described = work.join("described");
    fs::create_dir(&described).context("making room for the descriptions")?;
    shell::output(shell::command(python, &["-c", MIGRATE]).arg(&store).args(migrations()?))
        .context("migrating an empty database; the newest migration is probably wrong")?;
    shell::run(
        shell::cargo("check --quiet --locked --all-targets --package")
            .arg(PACKAGE)
            .env(URL_VARIABLE, format!("sqlite://{}", store.display()))
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", &described),
    )
    .context("checking the queries against the migrations")?;
    let made = read(&described)?;
    if made.is_empty() {
        bail!("no query was described; does `crates/{PACKAGE}/build.rs` still watch {URL_VARIABLE}?");
    }
    Ok(made)
}

fn migrations() -> Result<Vec<PathBuf>> {
    let folder = shell::root().join(MIGRATIONS);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("listing `{}`", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".up.sql"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// File names and contents; nothing where there is no such folder.
fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
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

fn write(made: &BTreeMap<String, String>, committed: &Path) -> Result<()> {
    if committed.is_dir() {
        fs::remove_dir_all(committed).context("removing the old descriptions")?;
    }
    fs::create_dir_all(committed).context("making room for the descriptions")?;
    for (name, content) in made {
        fs::write(committed.join(name), content).with_context(|| format!("writing `{name}`"))?;
    }
    Ok(())
}

fn compare(made: &BTreeMap<String, String>, committed: &BTreeMap<String, String>) -> Result<()> {
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
        "{COMMITTED} is not current ({}); run `cargo xtask prepare` and commit it",
        names.join(", ")
    )
}
