//! Running other programs: each is announced as it could be typed, and its failure says what was being done.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};

/// The checkout this is run from; every command runs there. Asked of Cargo at run time: checkouts that share a target
/// folder share this program too, and the one it was built from may be another.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let xtask =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = xtask.parent().expect("xtask lies in a folder of the workspace");
        root.to_owned()
    });
    &ROOT
}

/// The folder for what is downloaded for the tests. Safe to delete: it is filled again.
pub(crate) fn cache() -> Result<PathBuf> {
    let folder = match std::env::var_os("DEEPSEARCH_DEV_CACHE") {
        Some(folder) => PathBuf::from(folder),
        None => dirs::cache_dir()
            .context("finding a cache folder; set DEEPSEARCH_DEV_CACHE to one you can write to")?
            .join("deepsearch-dev"),
    };
    std::fs::create_dir_all(&folder).with_context(|| {
        format!(
            "creating `{}`; set DEEPSEARCH_DEV_CACHE to a folder you can write to",
            folder.display()
        )
    })?;
    Ok(folder)
}

/// A command in the checkout.
pub(crate) fn command(program: impl AsRef<OsStr>, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// `cargo`, the one that started us, with the arguments of a line such as `test --workspace`.
pub(crate) fn cargo(line: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command(cargo, &line.split_whitespace().collect::<Vec<_>>())
}

/// Says what is done and why, before it is done.
pub(crate) fn say(sentence: &str) {
    println!("==> {sentence}");
}

/// Runs to the end with our own terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    println!("    $ {line}");
    let status = command.status().with_context(|| format!("starting `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs quietly and brings what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command.output().with_context(|| format!("starting `{line}`"))?;
    if !output.status.success() {
        bail!(
            "`{line}` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether it starts and succeeds; nothing is printed.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The first file of this name in `PATH`.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy()
        .into_owned();
    command
        .get_args()
        .map(OsStr::to_string_lossy)
        .fold(program, |line, arg| format!("{line} {arg}"))
}
