//! The built programs that journeys run as processes: the command, and the sign-in server.
//!
//! A variable names each where it has been built already; otherwise it is built now, since one that lies about from an
//! earlier build would be tested in vain.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A program and where it may have been built.
struct Program {
    variable: &'static str,
    package: &'static str,
    name: &'static str,
    found: OnceLock<Result<PathBuf, String>>,
}

static COMMAND: Program = Program::new("DEEPSEARCH_TEST_BIN", "deepsearch-cli", "deepsearch");
static GATEWAY: Program = Program::new("DEEPSEARCH_TEST_GATEWAY", "deepsearch-gateway", "deepsearch-gateway");

/// The `deepsearch` command.
///
/// # Errors
/// When it does not build.
pub fn command() -> Result<PathBuf> {
    COMMAND.path()
}

/// The sign-in server.
///
/// # Errors
/// When it does not build.
pub fn gateway() -> Result<PathBuf> {
    GATEWAY.path()
}

impl Program {
    const fn new(variable: &'static str, package: &'static str, name: &'static str) -> Self {
        Self {
            variable,
            package,
            name,
            found: OnceLock::new(),
        }
    }

    fn path(&self) -> Result<PathBuf> {
        let found = self
            .found
            .get_or_init(|| self.find().map_err(|error| format!("{error:#}")));
        found.clone().map_err(anyhow::Error::msg)
    }

    fn find(&self) -> Result<PathBuf> {
        if let Some(path) = std::env::var_os(self.variable) {
            return Ok(path.into());
        }
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args([
                "build",
                "--package",
                self.package,
                "--bins",
                "--message-format=json-render-diagnostics",
            ])
            // Tests run in the folder of their package; where that was compiled says nothing, for checkouts may share it.
            .current_dir("..")
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("building {}", self.name))?;
        ensure!(built.status.success(), "{} does not build", self.name);
        String::from_utf8_lossy(&built.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["target"]["name"] == self.name)
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .with_context(|| format!("finding the built {}", self.name))
    }
}
