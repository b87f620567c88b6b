//! The `deepsearch` command as a person runs it: a process of its own, a data folder of its own.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::programs;

/// A data folder and the settings, given through the environment, that each command in it is run with.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

/// What a command left behind.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    /// An empty data folder, as on the first start. Pages of this machine may be read, since the local web is there.
    ///
    /// # Errors
    /// When no folder can be made.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("making a data folder")?;
        let home = Self {
            folder,
            settings: Vec::new(),
        };
        // The developer's own keychain is nobody's place for a test's keys.
        Ok(home.set("crawl.allow_private", "true").set("secrets.keychain", "false"))
    }

    /// Gives each later command a setting, by its name: `engines.searxng.url`.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Self {
        let variable = format!("DEEPSEARCH_{}", name.to_uppercase().replace('.', "__"));
        self.variable(&variable, value)
    }

    /// Gives each later command a variable of the environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What tells a program of DeepSearch its data folder and the settings.
    pub fn environment(&self) -> impl Iterator<Item = (OsString, OsString)> {
        let settings = self.settings.iter().map(|(name, value)| (name.into(), value.into()));
        settings.chain([("DEEPSEARCH_HOME".into(), self.path().into())])
    }

    /// The command, ready to be started; nothing of the developer's own settings reaches it.
    ///
    /// # Errors
    /// When the command cannot be built.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Command> {
        let mut command = Command::new(programs::command()?);
        let foreign = std::env::vars_os().map(|(name, _)| name).filter(|name| {
            name.to_string_lossy().starts_with("DEEPSEARCH_") || is_a_model_key(&name.to_string_lossy())
        });
        for name in foreign {
            command.env_remove(name);
        }
        command.args(args).envs(self.environment()).stdin(Stdio::null());
        Ok(command)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Ran> {
        Ok(Ran::from(self.command(args)?.output().context("running `deepsearch`")?))
    }

    /// Starts a command and leaves it running, its output in pipes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Child> {
        self.command(args)?
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting `deepsearch`")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// Goes on only if it succeeded.
    ///
    /// # Errors
    /// With what it printed.
    pub fn succeeded(self) -> Result<Self> {
        ensure!(
            self.code == Some(0),
            "ended with {:?}\n{}\n{}",
            self.code,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }

    /// Standard output as one JSON document.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout)
            .with_context(|| format!("reading JSON from\n{}\n{}", self.stdout, self.stderr))
    }

    /// Standard output as a JSON document a line: the events of `ask --json`.
    ///
    /// # Errors
    /// With the first line that is none.
    pub fn events(&self) -> Result<Vec<Value>> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("reading JSON from the line {line}")))
            .collect()
    }

    /// The events of one type, in order.
    ///
    /// # Errors
    /// With the first line that is no event.
    pub fn events_of(&self, kind: &str) -> Result<Vec<Value>> {
        Ok(self
            .events()?
            .into_iter()
            .filter(|event| event["type"] == kind)
            .collect())
    }
}

/// Providers' own variables would turn a keyless journey into one with a key.
fn is_a_model_key(name: &str) -> bool {
    name.ends_with("_API_KEY") || name.ends_with("_API_TOKEN")
}
