//! `cargo xtask bench [NAME]`: the figures the project holds itself to, each as a line with its aim.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{self, Consent};
use crate::{corpus, package, shell, ui};

/// The benchmark that measures the window.
const WINDOW: &str = "desktop";

/// The benchmark of the person's folders.
const FILES: &str = "files";

/// Runs one benchmark of `tests/benches`, or all of them. What follows in
/// `measures` is for the benchmark: what of the window is to be measured, or another size.
///
/// # Errors
/// When there is none of that name, or one fails.
pub(crate) fn bench(consent: Consent, name: Option<&str>, measures: &[String]) -> Result<()> {
    let all = names()?;
    let chosen: Vec<&str> = match name {
        None => all.iter().map(String::as_str).collect(),
        Some(name) if all.iter().any(|known| known == name) => vec![name],
        Some(name) => bail!("there is no benchmark `{name}`; there are: {}", all.join(", ")),
    };
    setup::ensure(consent, setup::BUILD)?;
    if chosen.contains(&FILES) {
        setup::ensure(consent, setup::FILES)?;
    }
    let documents = corpus::ensure(consent)?;
    let (window, others): (Vec<&str>, Vec<&str>) = chosen.into_iter().partition(|name| *name == WINDOW);
    if !others.is_empty() {
        let built = build(&others)?;
        for name in others {
            shell::say(&format!("benchmark {name}"));
            let mut cargo = shell::cargo("bench --locked --bench");
            cargo
                .arg(name)
                .arg("--")
                .args(measures)
                .env("DEEPSEARCH_TEST_CORPUS", &documents)
                .env("DEEPSEARCH_TEST_BIN", built.join(program("deepsearch")));
            shell::run(&mut cargo)?;
        }
    }
    if cfg!(target_os = "linux") && !window.is_empty() {
        bench_window(consent, measures)?;
    }
    Ok(())
}

/// The window is measured as it is shipped: with the programs of the packages. Only who holds the watch is not.
fn bench_window(consent: Consent, measures: &[String]) -> Result<()> {
    setup::ensure(consent, setup::DESKTOP)?;
    setup::ensure(consent, setup::WINDOW_TESTS)?;
    ui::build()?;
    let built = package::programs()?;
    shell::say(&format!("benchmark {WINDOW}"));
    let mut cargo = shell::cargo("bench --workspace --locked --profile dev --bench");
    cargo
        .arg(WINDOW)
        .arg("--")
        .args(measures)
        .env("DEEPSEARCH_TEST_BIN", built.join(program("deepsearch")))
        .env("DEEPSEARCH_TEST_DESKTOP", built.join(program("deepsearch-desktop")))
        .env(
            "DEEPSEARCH_TEST_EMPTY_WINDOW",
            built.join("examples").join(program("empty")),
        );
    shell::run(&mut cargo)
}

fn program(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Builds the benchmarks, and with them the programs that they start: in one go, so that all have the same features and
/// nothing is built twice. The folder of the programs.
fn build(names: &[&str]) -> Result<PathBuf> {
    let mut cargo = shell::cargo("build --locked --profile bench --bin deepsearch");
    for name in names {
        cargo.args(["--bench", name]);
    }
    shell::run(&mut cargo)?;
    // The benchmarks' profile is built where the release is.
    let xtask = std::env::current_exe().context("finding the folder of built programs")?;
    let folder = xtask
        .parent()
        .and_then(Path::parent)
        .context("finding the folder of built programs")?
        .join("release");
    let command = folder.join(program("deepsearch"));
    ensure!(
        command.is_file(),
        "no build of deepsearch-cli has left `{}`",
        command.display()
    );
    Ok(folder)
}

fn names() -> Result<Vec<String>> {
    let folder = shell::root().join("tests/benches");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .with_context(|| format!("listing `{}`", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| {
            path.file_stem()
                .and_then(|stem| Path::new(stem).to_str().map(str::to_owned))
        })
        .collect();
    names.sort();
    Ok(names)
}
