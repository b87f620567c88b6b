//! A program of ours that runs in Node: it tells one JSON object a line, takes lines, and ends when its input does, and so
//! with whoever started it.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Longest that one is waited for to start, or to tell what it was asked.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// A running program. Dropping it ends it.
#[derive(Debug)]
pub struct Node {
    lines: Receiver<String>,
    process: Child,
    stdin: Option<ChildStdin>,
}

impl Node {
    /// Starts `node ARGUMENTS` in a folder under `tests/`, or `None` where Node or the folder's packages are missing.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(folder: &str, arguments: &[&str]) -> Result<Option<Self>> {
        let folder = Self::folder(folder);
        if !folder.join("node_modules/.package-lock.json").is_file() {
            return Ok(None);
        }
        let started = Command::new("node")
            .current_dir(&folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("starting Node"),
        };
        let stdout = process.stdout.take().context("the output of Node")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Some(Self {
            lines,
            stdin: process.stdin.take(),
            process,
        }))
    }

    /// In the checkout that this runs in, which need not be the one it was compiled in.
    fn folder(name: &str) -> PathBuf {
        let here = std::env::current_dir().unwrap_or_default();
        let mut folders = here.ancestors().map(|above| above.join("tests").join(name));
        folders
            .find(|folder| folder.is_dir())
            .unwrap_or_else(|| Path::new("tests").join(name))
    }

    /// What it tells next.
    ///
    /// # Errors
    /// When it tells nothing any more.
    pub fn next_line(&self) -> Result<String> {
        match self.lines.recv_timeout(ANSWERS_WITHIN) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => bail!("a program in Node told nothing within {ANSWERS_WITHIN:?}"),
            Err(RecvTimeoutError::Disconnected) => bail!("a program in Node has ended"),
        }
    }

    /// Whether it has nothing to tell for a moment.
    pub fn is_silent(&self) -> bool {
        self.lines.recv_timeout(Duration::from_millis(300)).is_err()
    }

    /// Gives it a line.
    ///
    /// # Errors
    /// When it has ended.
    pub fn say(&mut self, line: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("the input of Node")?;
        writeln!(stdin, "{line}").context("telling a program in Node")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.process.wait();
    }
}

/// One whom the sign-in server talks to: a kind of `tests/sign-in-peers`, which tells its port first.
#[derive(Debug)]
pub struct Peer {
    pub port: u16,
    node: Node,
}

impl Peer {
    /// Starts one with options in JSON, or `None` where Node or the packages are missing.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(kind: &str, options: &str) -> Result<Option<Self>> {
        let Some(node) = Node::start("sign-in-peers", &["peer.mjs", kind, options])? else {
            return Ok(None);
        };
        let first = node.next_line().with_context(|| format!("starting the peer {kind}"))?;
        let digits: String = first.chars().filter(char::is_ascii_digit).collect();
        let port = digits
            .parse()
            .with_context(|| format!("the port of the peer {kind}: {first}"))?;
        Ok(Some(Self { port, node }))
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it tells next, in JSON.
    ///
    /// # Errors
    /// When it tells nothing.
    pub fn next_line(&self) -> Result<String> {
        self.node.next_line()
    }

    /// Whether it has nothing to tell for a moment.
    pub fn is_silent(&self) -> bool {
        self.node.is_silent()
    }
}
