//! `cargo xtask bench [NAME]`: the figures the project holds itself to, each as a line with its aim.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::setup::{self, Consent};
use crate::{corpus, shell};

/// Runs one benchmark of `tests/benches`, or all of them.
///
/// # Errors
/// When there is none of that name, or one fails.
pub(crate) fn bench(consent: Consent, name: Option<&str>) -> Result<()> {
    let all = names()?;
    let chosen: Vec<&str> = match name {
        None => all.iter().map(String::as_str).collect(),
        Some(name) if all.iter().any(|known| known == name) => vec![name],
        Some(name) => bail!("there is no benchmark `{name}`; there are: {}", all.join(", ")),
    };
    setup::ensure(consent, setup::BUILD)?;
    let documents = corpus::ensure(consent)?;
    for name in chosen {
        shell::say(&format!("benchmark {name}"));
        let mut cargo = shell::cargo("bench --locked --package deepsearch-tests --bench");
        shell::run(cargo.arg(name).env("DEEPSEARCH_TEST_CORPUS", &documents))?;
    }
    Ok(())
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
