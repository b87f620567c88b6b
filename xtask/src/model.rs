//! The small real language model of the journeys: served on free ports, where it answers and where it embeds, and ended
//! with us.
//!
//! It is often wrong: it proves the wiring, not the wit.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;

const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running model server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct ModelServer {
    process: Child,
    port: u16,
    embedding_port: u16,
}

impl ModelServer {
    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// With the place of its log, when it does not answer in time.
    pub(crate) fn start(python: &Path) -> Result<Self> {
        shell::say("Starting the small language model, one thread, on free ports of this machine");
        let (port, embedding_port) = (free_port()?, free_port()?);
        let log = shell::cache()?.join("model.log");
        let process = shell::command(python, &[])
            .arg(shell::root().join("xtask/src/model_server.py"))
            .arg(port.to_string())
            .arg(embedding_port.to_string())
            // Held open as long as we live: the script ends when it closes.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&log).with_context(|| format!("creating `{}`", log.display()))?)
            .spawn()
            .context("starting the model server")?;
        let mut server = Self {
            process,
            port,
            embedding_port,
        };
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

    /// The same of the server that embeds.
    pub(crate) fn embedding_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.embedding_port)
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
