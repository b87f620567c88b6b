//! `cargo xtask package [--check]`: the packages that a person installs, and whether they hold what they should.
//!
//! What the unpacked programs do is looked at by the journeys of `tests/tests/desktop/packaged.rs`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::setup::{self, Consent};
use crate::{shell, ui};

/// What a person should have to download.
const AIM: f64 = 15e6;
/// What a package has at most: more than that has come in unseen.
const MOST_BYTES: u64 = 19_000_000;

/// In `usr/bin`.
const PROGRAMS: [&str; 2] = ["deepsearch", "deepsearch-desktop"];

/// What each Linux package brings, beside the rest.
const BRINGS: [&str; 5] = [
    "usr/bin/deepsearch",
    "usr/bin/deepsearch-desktop",
    "usr/share/applications/DeepSearch.desktop",
    "usr/share/icons/hicolor/32x32/apps/deepsearch-desktop.png",
    "usr/share/icons/hicolor/128x128/apps/deepsearch-desktop.png",
];

/// The journeys that a package is held to.
const MANY: &str = "packaged:: first_start:: quick_ask:: links::";

/// Only here: a build of the window alone would ask for the command too.
const BUNDLED: &str = r#"{"bundle":{"externalBin":["binaries/deepsearch"]}}"#;

/// Builds `.deb` and `.rpm` on Linux, `.dmg` on macOS, an installer on Windows; with `check`, looks at those of Linux.
///
/// # Errors
/// When a part cannot be built, or a package is not what it should be.
pub(crate) fn package(consent: Consent, check: bool) -> Result<()> {
    setup::ensure(consent, setup::BUILD)?;
    setup::ensure(consent, setup::DESKTOP)?;
    setup::ensure(consent, setup::PACKAGE)?;
    ui::build()?;
    let built = programs()?;
    // The command goes into the packages too. Tauri wants it named for the machine it runs on.
    let shell_folder = shell::root().join("src-tauri");
    let suffix = std::env::consts::EXE_SUFFIX;
    let beside = shell_folder.join("binaries");
    std::fs::create_dir_all(&beside).context("making `src-tauri/binaries`")?;
    std::fs::copy(
        built.join(format!("deepsearch{suffix}")),
        beside.join(format!("deepsearch-{}{suffix}", target()?)),
    )
    .context("copying the `deepsearch` command beside the shell")?;
    let bundle = built.join("bundle");
    if bundle.exists() {
        std::fs::remove_dir_all(&bundle).context("clearing earlier packages")?;
    }
    let name = if cfg!(windows) { "tauri.cmd" } else { "tauri" };
    let tauri = ui::folder().join("node_modules").join(".bin").join(name);
    shell::run(shell::command(tauri, &["bundle", "--config", BUNDLED]).current_dir(shell_folder))?;
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    pack_tightly(&bundle)?;
    if check {
        setup::ensure(consent, setup::PACKAGE_CHECK)?;
        setup::ensure(consent, setup::WINDOW_TESTS)?;
        examine(consent, &bundle)?;
    }
    Ok(())
}

/// Builds the programs of the packages as they are shipped, and gives their folder. In one go, so that both have the
/// same features and nothing is built twice; with the empty window that the benchmark holds the app against.
///
/// # Errors
/// When they cannot be built.
pub(crate) fn programs() -> Result<PathBuf> {
    shell::run(&mut shell::cargo(
        "build --locked --release --package deepsearch-cli --package deepsearch-desktop --bins --example empty",
    ))?;
    // xtask itself lies in a folder beside it.
    let xtask = std::env::current_exe().context("finding the folder of built programs")?;
    let folder = xtask.parent().and_then(Path::parent);
    Ok(folder.context("finding the folder of built programs")?.join("release"))
}

/// The machine we build for, as Rust names it.
fn target() -> Result<String> {
    let version = shell::output(&mut shell::command("rustc", &["-vV"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("asking rustc which machine this is")
}

/// Packs the `.deb` as Debian packs its own, and the `.rpm` from the same content: each in one stream, for Tauri's
/// packages do not see that the two programs are largely the same.
fn pack_tightly(bundle: &Path) -> Result<()> {
    let deb = only(&bundle.join("deb"), "deb")?;
    let content = deb.with_extension("");
    if content.exists() {
        std::fs::remove_dir_all(&content).context("clearing what Tauri packed")?;
    }
    shell::run(shell::command("dpkg-deb", &["--raw-extract"]).arg(&deb).arg(&content))?;
    let mut pack = shell::command(
        "dpkg-deb",
        &["-Zxz", "-z9", "-Sextreme", "--root-owner-group", "--build"],
    );
    shell::run(pack.arg(&content).arg(&deb))?;
    let control =
        std::fs::read_to_string(content.join("DEBIAN/control")).context("reading what Tauri says of the app")?;
    let (_, description) = control
        .split_once("\nDescription: ")
        .context("finding the app's description")?;
    let (summary, description) = description.split_once('\n').context("finding the app's description")?;
    let rpm = bundle.join("rpm");
    let mut build = shell::command("rpmbuild", &["-bb", "src-tauri/linux/deepsearch.spec"]);
    for (name, value) in [
        ("_topdir", &*rpm.join("build").to_string_lossy()),
        ("_rpmdir", &*rpm.to_string_lossy()),
        ("_rpmfilename", "DeepSearch-%{VERSION}-%{RELEASE}.%{ARCH}.rpm"),
        ("content", &*content.to_string_lossy()),
        ("app_version", env!("CARGO_PKG_VERSION")),
        ("app_summary", summary),
        ("app_description", description.trim()),
    ] {
        build.arg("--define").arg(format!("{name} {value}"));
    }
    shell::run(&mut build)
}

/// Unpacks both packages, looks at what is in them, and lets the journeys of a package start from each: from the `.deb` as
/// it is installed, where this machine may be changed for that.
fn examine(consent: Consent, bundle: &Path) -> Result<()> {
    let (deb, rpm) = (only(&bundle.join("deb"), "deb")?, only(&bundle.join("rpm"), "rpm")?);
    let (from_deb, from_rpm) = (bundle.join("check/deb"), bundle.join("check/rpm"));
    for into in [&from_deb, &from_rpm] {
        std::fs::create_dir_all(into).context("making a folder to unpack into")?;
    }
    shell::run(shell::command("dpkg-deb", &["--extract"]).arg(&deb).arg(&from_deb))?;
    let mut unpack = shell::command("bsdtar", &["-x", "-f"]);
    shell::run(unpack.arg(&rpm).arg("-C").arg(&from_rpm))?;
    let (in_deb, in_rpm) = (files(&from_deb)?, files(&from_rpm)?);
    for expected in BRINGS {
        ensure!(in_deb.contains(expected), "the .deb lacks `{expected}`");
    }
    ensure!(in_deb == in_rpm, "the packages differ: {:?}", &in_deb ^ &in_rpm);
    for name in PROGRAMS {
        let program = |root: &Path| std::fs::read(root.join("usr/bin").join(name)).context("reading a packed program");
        ensure!(
            program(&from_deb)? == program(&from_rpm)?,
            "the packages differ in `{name}`"
        );
    }
    let entry = from_deb.join("usr/share/applications/DeepSearch.desktop");
    shell::run(shell::command("desktop-file-validate", &[]).arg(&entry))?;
    says(&entry, "Exec=deepsearch-desktop %u")?;
    says(&entry, "MimeType=x-scheme-handler/deepsearch;")?;
    says(&entry, "Icon=deepsearch-desktop")?;
    match install(consent, &deb)? {
        Some(name) => {
            let walked = is_installed().and_then(|()| journeys(Path::new("/"), MANY));
            // However they went, the machine is left as it was.
            let removed = remove(&name);
            walked.and(removed)?;
        }
        None => journeys(&from_deb, MANY)?,
    }
    journeys(&from_rpm, "packaged::")?;
    // Last, for it says least of whether they work.
    for package in [&deb, &rpm] {
        let bytes = std::fs::metadata(package).context("weighing a package")?.len();
        println!(
            "{}: {:.2} MB (ratio {:.2} of the {:.0} MB aimed at)",
            package.display(),
            bytes as f64 / 1e6,
            bytes as f64 / AIM,
            AIM / 1e6
        );
        ensure!(bytes < MOST_BYTES, "`{}` has {bytes} bytes", package.display());
    }
    Ok(())
}

/// Installs the `.deb` and gives its name. `None` where this machine may not be changed: there apt-get only says that what
/// the package asks for can be had.
fn install(consent: Consent, deb: &Path) -> Result<Option<String>> {
    let apt = |action: &[&str]| {
        let mut apt = shell::command("apt-get", &["install", "--no-install-recommends"]);
        apt.args(action).arg(deb).env("DEBIAN_FRONTEND", "noninteractive");
        shell::run(&mut apt)
    };
    // Whoever has the app already has a use for it.
    let is_there = PROGRAMS.iter().any(|name| Path::new("/usr/bin").join(name).exists());
    if is_there
        || !setup::is_root()
        || !consent.given_for_a_trial("Install the .deb with apt-get, try it, and remove it again?")?
    {
        shell::say(
            "The .deb is not installed here: that wants root, a machine without the app, and a yes, CI or a container",
        );
        apt(&["--simulate"])?;
        return Ok(None);
    }
    let name = shell::output(shell::command("dpkg-deb", &["--field"]).arg(deb).arg("Package"))?;
    apt(&["--yes"])?;
    Ok(Some(name.trim().to_owned()))
}

fn is_installed() -> Result<()> {
    for brought in BRINGS {
        ensure!(
            Path::new("/").join(brought).is_file(),
            "installing the .deb brings no `{brought}`"
        );
    }
    Ok(())
}

fn remove(name: &str) -> Result<()> {
    let mut apt = shell::command("apt-get", &["purge", "--yes", name]);
    shell::run(apt.env("DEBIAN_FRONTEND", "noninteractive"))?;
    for brought in BRINGS {
        ensure!(
            !Path::new("/").join(brought).exists(),
            "removing the .deb leaves `{brought}`"
        );
    }
    Ok(())
}

/// Starts the command below `root`, and walks these journeys with its programs.
fn journeys(root: &Path, which: &str) -> Result<()> {
    let program = |name: &str| root.join("usr/bin").join(name);
    let version = shell::output(&mut shell::command(program("deepsearch"), &["--version"]))?;
    let expected = env!("CARGO_PKG_VERSION");
    ensure!(
        version.trim().ends_with(expected),
        "version {expected} says that it is {version}"
    );
    let mut journeys = shell::cargo(&format!(
        "test --workspace --locked --test desktop -- --include-ignored {which}"
    ));
    shell::run(
        journeys
            .env("DEEPSEARCH_TEST_PACKAGE", root)
            .env("DEEPSEARCH_TEST_DESKTOP", program("deepsearch-desktop"))
            .env("DEEPSEARCH_TEST_BIN", program("deepsearch"))
            .env("DEEPSEARCH_TEST_COMPLETE", "1"),
    )
}

/// The one package of a kind.
fn only(folder: &Path, kind: &str) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("listing `{}`", folder.display()))?;
    let mut packages = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == kind));
    let package = packages.next();
    ensure!(packages.next().is_none(), "several packages in `{}`", folder.display());
    package.with_context(|| format!("no .{kind} in `{}`", folder.display()))
}

/// All files below a folder, as they are named in the package.
fn files(folder: &Path) -> Result<BTreeSet<String>> {
    let list = shell::output(shell::command("find", &[".", "-type", "f", "-printf", "%P\n"]).current_dir(folder))?;
    Ok(list
        .lines()
        .filter(|file| !file.starts_with("usr/share/doc/"))
        .map(str::to_owned)
        .collect())
}

fn says(file: &Path, line: &str) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading `{}`", file.display()))?;
    ensure!(
        text.lines().any(|said| said == line),
        "`{}` does not say `{line}`",
        file.display()
    );
    Ok(())
}
