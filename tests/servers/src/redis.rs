//! A real Redis of a test's own: a free port, a folder that goes with it, no trace afterwards. One that is guarded speaks
//! TLS alone and knows its users by a file, which outlives a restart.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
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
    is_guarded: bool,
    folder: TempDir,
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
        Self::start_in(folder, port, false)
    }

    /// Starts one that speaks TLS alone, as `localhost` with this certificate and key (PEM), and lets in the users of this
    /// list of rules, one a line.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_guarded(certificate: &str, key: &str, users: &str) -> Result<Option<Self>> {
        let folder = tempfile::tempdir().context("making a folder for Redis")?;
        for (name, text) in [("server.crt", certificate), ("server.key", key), ("users.acl", users)] {
            std::fs::write(folder.path().join(name), text).with_context(|| format!("writing {name} for Redis"))?;
        }
        Self::start_in(folder, free_port()?, true)
    }

    fn start_in(folder: TempDir, port: u16, is_guarded: bool) -> Result<Option<Self>> {
        let Some(process) = spawn(folder.path(), port, is_guarded)? else {
            return Ok(None);
        };
        let redis = Self {
            process,
            port,
            is_guarded,
            folder,
        };
        redis.wait_until_it_answers()?;
        Ok(Some(redis))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        if self.is_guarded {
            format!("rediss://localhost:{}", self.port)
        } else {
            format!("redis://127.0.0.1:{}", self.port)
        }
    }

    /// What a command says, by `redis-cli`; an error of Redis is a text that begins with its code.
    ///
    /// # Errors
    /// When `redis-cli` cannot be run.
    pub fn ask(&self, user: Option<(&str, &str)>, command: &[&str]) -> Result<String> {
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", &self.port.to_string(), "--no-auth-warning"]);
        if self.is_guarded {
            // Who it is, is for the product to verify.
            cli.args(["--tls", "--insecure"]);
        }
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
        self.process = spawn(self.folder.path(), self.port, self.is_guarded)?.context("redis-server is gone")?;
        self.wait_until_it_answers()
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

fn spawn(folder: &Path, port: u16, is_guarded: bool) -> Result<Option<Child>> {
    let port = port.to_string();
    // Not as a daemon: as our child it can be ended by its id, and waited for.
    let mut server = Command::new("redis-server");
    server
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
        .arg(folder);
    if is_guarded {
        server.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
        for (option, file) in [
            ("--tls-cert-file", "server.crt"),
            ("--tls-key-file", "server.key"),
            ("--aclfile", "users.acl"),
        ] {
            server.arg(option).arg(folder.join(file));
        }
    } else {
        server.args(["--port", &port]);
    }
    let spawned = server
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match spawned {
        Ok(process) => Ok(Some(process)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("starting redis-server"),
    }
}
