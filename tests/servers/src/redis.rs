//! A real Redis of a test's own: a free port, a folder that goes with it, no trace afterwards.

use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::free_port;
use crate::postgres::signal;

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Redis {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    /// Starts one, or `None` where `redis-server` is not installed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> Result<Option<Self>> {
        let port = free_port()?;
        Self::start_on(port)
    }

    /// Starts one on a port where another was before, as after a restart.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_on(port: u16) -> Result<Option<Self>> {
        let folder = tempfile::tempdir().context("making a folder for Redis")?;
        // Not as a daemon: as our child it can be ended by its id, and waited for.
        let spawned = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match spawned {
            Ok(process) => process,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("starting redis-server"),
        };
        let redis = Self {
            process,
            port,
            _folder: folder,
        };
        redis.wait_until_it_answers()?;
        Ok(Some(redis))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What a command says, by `redis-cli`; an error of Redis is a text that begins with its code.
    ///
    /// # Errors
    /// When `redis-cli` cannot be run.
    pub fn ask(&self, user: Option<(&str, &str)>, command: &[&str]) -> Result<String> {
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", &self.port.to_string(), "--no-auth-warning"]);
        if let Some((name, password)) = user {
            cli.args(["--user", name, "--pass", password]);
        }
        let output = cli.args(command).output().context("running redis-cli")?;
        let text = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&text).trim().to_owned())
    }

    /// Sends the process a signal by name, such as `STOP`.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn signal(&self, name: &str) -> Result<()> {
        signal(name, &self.process)
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill().context("ending redis-server")?;
        self.process.wait().context("waiting for redis-server to end")?;
        Ok(())
    }

    /// Starts it again after [`kill`](Self::kill), empty, on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        *self = Self::start_on(self.port)?.context("redis-server is gone")?;
        Ok(())
    }

    fn wait_until_it_answers(&self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if started.elapsed() > Duration::from_secs(10) {
                bail!("redis-server did not answer on port {} within 10 s", self.port);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Both fail only where it has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
