//! Running other programs: each is announced as it could be typed, and its failure says what was being done.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

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

/// So many of the lines that name a failure are said again.
const MAX_FAILURES: usize = 20;

/// How long what a command has left running may hold its output, when it has ended itself.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Runs to the end with our own terminal. Where there is none, as in CI, the error repeats the lines that name a failure:
/// of a long log often only the end is kept.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    println!("    $ {line}");
    let starting = || format!("starting `{line}`");
    if std::io::stdout().is_terminal() {
        let status = command.status().with_context(starting)?;
        ensure!(status.success(), "`{line}` ended with {status}");
        return Ok(());
    }
    let (reader, writer) = std::io::pipe().with_context(starting)?;
    let spawned = command.stdout(writer.try_clone()?).stderr(writer).spawn();
    // Our own ends of the pipe would keep it open.
    command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let mut child = spawned.with_context(starting)?;
    let (failed, failures) = mpsc::channel();
    std::thread::spawn(move || {
        for said in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
            let said = String::from_utf8_lossy(&said);
            println!("{said}");
            if let Some(failure) = failure(&said) {
                let _ = failed.send(failure);
            }
        }
    });
    let status = child.wait().with_context(|| format!("waiting for `{line}`"))?;
    let mut named: Vec<String> = Vec::new();
    let patience = Instant::now() + LAST_WORDS;
    // Ends when the output does.
    while let Ok(failure) = failures.recv_timeout(patience.saturating_duration_since(Instant::now())) {
        if named.len() < MAX_FAILURES && !named.contains(&failure) {
            named.push(failure);
        }
    }
    ensure!(
        status.success(),
        "`{line}` ended with {status}{}",
        named.iter().map(|said| format!("\n    {said}")).collect::<String>()
    );
    Ok(())
}

/// The line without its colours, if it names what failed: as Vitest, nextest, Cargo and the compilers write it.
fn failure(said: &str) -> Option<String> {
    let mut plain = String::with_capacity(said.len());
    let mut rest = said;
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = escape
            .split_once(|end: char| end.is_ascii_alphabetic())
            .map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let plain = plain.trim();
    ["FAIL ", "TIMEOUT ", "SIGNAL ", "error", "Error:", "AssertionError:"]
        .iter()
        .any(|start| plain.starts_with(start))
        .then(|| plain.chars().take(300).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_from_the_rest_of_a_log() {
        for (said, named) in [
            (
                "\u{1b}[41m\u{1b}[1m FAIL \u{1b}[22m\u{1b}[49m tests/browser/reader.test.ts > from a citation",
                Some("FAIL  tests/browser/reader.test.ts > from a citation"),
            ),
            (
                "        FAIL [   0.004s] xtask shell::tests::one",
                Some("FAIL [   0.004s] xtask shell::tests::one"),
            ),
            (
                "error[E0425]: cannot find value",
                Some("error[E0425]: cannot find value"),
            ),
            ("        PASS [   0.004s] xtask shell::tests::one", None),
            ("what failed is told", None),
            ("\u{1b}[", None),
        ] {
            assert_eq!(failure(said).as_deref(), named, "{said:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_error_of_a_command_names_what_failed() {
        let mut failing = command(
            "sh",
            &["-c", "echo ' FAIL  one'; echo fine; echo ' FAIL  one' >&2; exit 3"],
        );
        let error = run(&mut failing).unwrap_err().to_string();
        // In a terminal it is there to be read already.
        if !std::io::stdout().is_terminal() {
            assert!(error.ends_with("\n    FAIL  one"), "{error}");
        }
    }
}
