//! The interface: its packages, its build, its checks, and the bindings that are generated for it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::setup::{self, Consent};
use crate::{npm, shell};

fn folder() -> PathBuf {
    shell::root().join("ui")
}

/// `npm` in the interface's folder.
pub(crate) fn npm(args: &[&str]) -> Command {
    npm::npm(&folder(), args)
}

/// Brings the packages that the lock file names, unless they are there.
///
/// # Errors
/// When npm fails, which it does without a network.
pub(crate) fn packages() -> Result<()> {
    npm::packages(&folder(), "the interface's")
}

/// Builds what the window shows; the desktop shell carries it.
///
/// # Errors
/// When a package is missing or the build fails.
pub(crate) fn build() -> Result<()> {
    packages()?;
    shell::run(&mut npm(&["run", "build"]))
}

/// The interface on the fake platform in a real browser, with axe.
///
/// # Errors
/// When a test fails, or there is no browser.
pub(crate) fn browser_tests() -> Result<()> {
    let chromium = setup::chromium().context("there is no Chromium; name one in DEEPSEARCH_CHROMIUM")?;
    shell::run(npm(&["run", "test:browser"]).env("DEEPSEARCH_CHROMIUM", chromium))
}

/// Writes the TypeScript that the interface knows Rust by.
///
/// # Errors
/// When the shell cannot be built, or a type has no form in TypeScript.
pub(crate) fn bindings(consent: Consent) -> Result<()> {
    setup::ensure(consent, setup::BUILD)?;
    setup::ensure(consent, setup::DESKTOP)?;
    // Tauri embeds the interface also in the program that writes its bindings; the old one will do.
    std::fs::create_dir_all(folder().join("dist")).context("making `ui/dist`")?;
    let mut cargo = shell::cargo("test --locked --package deepsearch-desktop --test all bindings");
    shell::run(cargo.env("DEEPSEARCH_UPDATE_BINDINGS", "1"))
}

/// Builds the packages that a person installs: `.deb` and `.rpm` on Linux, `.dmg` on macOS, an installer on Windows.
///
/// # Errors
/// When a part cannot be built.
pub(crate) fn package(consent: Consent) -> Result<()> {
    setup::ensure(consent, setup::BUILD)?;
    setup::ensure(consent, setup::DESKTOP)?;
    build()?;
    // The command goes into the packages too. Tauri wants it named for the machine it runs on.
    shell::run(&mut shell::cargo("build --locked --release --package deepsearch-cli"))?;
    let shell_folder = shell::root().join("src-tauri");
    let target = target()?;
    let suffix = std::env::consts::EXE_SUFFIX;
    std::fs::create_dir_all(shell_folder.join("binaries")).context("making `src-tauri/binaries`")?;
    std::fs::copy(
        target_folder()?.join("release").join(format!("deepsearch{suffix}")),
        shell_folder
            .join("binaries")
            .join(format!("deepsearch-{target}{suffix}")),
    )
    .context("copying the `deepsearch` command beside the shell")?;
    let name = if cfg!(windows) { "tauri.cmd" } else { "tauri" };
    let tauri = folder().join("node_modules").join(".bin").join(name);
    shell::run(shell::command(tauri, &["build", "--config", PACKAGED]).current_dir(shell_folder))?;
    if cfg!(target_os = "linux") {
        pack_tightly()
    } else {
        Ok(())
    }
}

/// Packs the `.deb` as Debian packs its own: Tauri only knows gzip, which does not see that the two programs are largely
/// the same.
fn pack_tightly() -> Result<()> {
    let folder = target_folder()?.join("release/bundle/deb");
    for entry in std::fs::read_dir(&folder).with_context(|| format!("listing `{}`", folder.display()))? {
        let package = entry?.path();
        if package.extension().is_none_or(|extension| extension != "deb") {
            continue;
        }
        let content = package.with_extension("");
        if content.exists() {
            std::fs::remove_dir_all(&content).context("clearing what an earlier package held")?;
        }
        let mut unpack = shell::command("dpkg-deb", &["--raw-extract"]);
        shell::run(unpack.arg(&package).arg(&content))?;
        let mut pack = shell::command("dpkg-deb", &["-Zxz", "-z9", "--root-owner-group", "--build"]);
        shell::run(pack.arg(&content).arg(&package))?;
    }
    Ok(())
}

/// The machine we build for, as Rust names it.
fn target() -> Result<String> {
    let version = shell::output(&mut shell::command("rustc", &["-vV"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("asking rustc which machine this is")
}

/// The folder of built programs, in which xtask itself lies.
fn target_folder() -> Result<PathBuf> {
    let xtask = std::env::current_exe().context("finding the folder of built programs")?;
    let folder = xtask.parent().and_then(std::path::Path::parent);
    folder
        .map(PathBuf::from)
        .context("finding the folder of built programs")
}

// The interface was built just now.
const PACKAGED: &str = r#"{"build":{"beforeBuildCommand":""},"bundle":{"externalBin":["binaries/deepsearch"]}}"#;
