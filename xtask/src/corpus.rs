//! Real documents for the local web of tests and benchmarks: the HTML manuals of six Debian packages.
//!
//! They are unpacked into the cache folder, not installed, so that neither root nor space on the system is needed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::setup::Consent;
use crate::shell;

struct Manual {
    /// The folder's name in the corpus.
    name: &'static str,
    /// Package names as `apt-cache search --names-only` takes them; the greatest one that exists is used.
    package: &'static str,
    /// Folders inside the package that may hold the HTML, `*` for any run of characters.
    html: &'static str,
}

const MANUALS: &[Manual] = &[
    Manual {
        name: "python",
        package: r"^python3\.[0-9]+-doc$",
        html: "usr/share/doc/python3.*/html",
    },
    Manual {
        name: "postgresql",
        package: "^postgresql-doc-[0-9]+$",
        html: "usr/share/doc/postgresql-doc-*/html",
    },
    Manual {
        name: "sqlite",
        package: "^sqlite3-doc$",
        html: "usr/share/doc/sqlite3",
    },
    Manual {
        name: "django",
        package: "^python-django-doc$",
        html: "usr/share/doc/python-django-doc/html",
    },
    Manual {
        name: "git",
        package: "^git-doc$",
        html: "usr/share/doc/git-doc",
    },
    Manual {
        name: "apache",
        package: "^apache2-doc$",
        html: "usr/share/doc/apache2-doc/manual",
    },
];

/// Brings the manuals and returns their folder, one sub-folder each.
///
/// # Errors
/// Where this is no Debian, or the packages cannot be had.
pub(crate) fn ensure(consent: Consent) -> Result<PathBuf> {
    let corpus = shell::cache()?.join("corpus");
    let missing: Vec<&Manual> = MANUALS
        .iter()
        .filter(|manual| !corpus.join(manual.name).is_dir())
        .collect();
    if missing.is_empty() {
        return Ok(corpus);
    }
    shell::say(
        "The journeys read real documents: six manuals from Debian packages (32 MB to download, 180 MB unpacked).",
    );
    if shell::which("apt-get").is_none() || shell::which("dpkg-deb").is_none() {
        bail!("this system has no apt-get; run `cargo xtask test --bare` to leave out what needs the documents");
    }
    if !consent.given("Download them into the cache folder?")? {
        bail!("nothing was downloaded; run `cargo xtask test --bare` to leave out what needs the documents");
    }
    fs::create_dir_all(&corpus).with_context(|| format!("creating `{}`", corpus.display()))?;
    for manual in missing {
        bring(manual, &corpus).with_context(|| {
            format!(
                "bringing the {} manual; is the network there, and has `apt-get update` been run?",
                manual.name
            )
        })?;
    }
    Ok(corpus)
}

fn bring(manual: &Manual, corpus: &Path) -> Result<()> {
    let work = corpus.join(format!(".{}", manual.name));
    if work.exists() {
        fs::remove_dir_all(&work).context("removing what an earlier run left half done")?;
    }
    let unpacked = work.join("unpacked");
    fs::create_dir_all(&unpacked).context("making room")?;
    shell::run(
        shell::command(
            "apt-get",
            &["-o", "APT::Sandbox::User=root", "download", &package(manual.package)?],
        )
        .current_dir(&work),
    )?;
    let deb = files(&work)?
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("finding the downloaded package")?;
    shell::run(shell::command("dpkg-deb", &["-x"]).arg(deb).arg(&unpacked))?;
    let html = folder(&unpacked, manual.html).with_context(|| format!("finding `{}` in the package", manual.html))?;
    // The rename comes last: a folder of this name is always whole.
    fs::rename(html, corpus.join(manual.name)).context("putting the manual in its place")?;
    fs::remove_dir_all(&work).context("tidying up")
}

fn package(pattern: &str) -> Result<String> {
    let found = shell::output(&mut shell::command("apt-cache", &["search", "--names-only", pattern]))?;
    found
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .max_by_key(|name| (name.len(), name.to_string()))
        .map(str::to_owned)
        .with_context(|| format!("apt knows no package `{pattern}`; run `apt-get update`"))
}

/// The one real folder that fits, step by step; links are passed by.
fn folder(root: &Path, pattern: &str) -> Option<PathBuf> {
    pattern.split('/').try_fold(root.to_path_buf(), |folder, step| {
        let Some((start, end)) = step.split_once('*') else {
            return Some(folder.join(step)).filter(|path| path.is_dir());
        };
        files(&folder).ok()?.into_iter().find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(start) && name.ends_with(end) && holds_html(path)
        })
    })
}

fn holds_html(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join("html")).is_ok_and(|html| html.is_dir())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .with_context(|| format!("listing `{}`", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect()
}
