//! Signing in by the command: what waits, and how it is brought its answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout};

use anyhow::{Context, Result};
use serde_json::Value;
use url::Url;

use crate::cli::Home;

/// A sign-in that waits: the command, and what it says of how to go on.
#[derive(Debug)]
pub struct Waiting {
    child: Child,
    output: BufReader<ChildStdout>,
    pub says: Value,
}

impl Waiting {
    /// # Errors
    /// When the command does not start, or says nothing.
    pub fn begin(home: &Home, args: &[&str]) -> Result<Self> {
        Self::of(home.spawn(["sign-in", "--json"].iter().chain(args))?)
    }

    /// A command that was started with `--json` and its output piped.
    ///
    /// # Errors
    /// When it says nothing.
    pub fn of(mut child: Child) -> Result<Self> {
        let mut output = BufReader::new(child.stdout.take().context("its output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let says = serde_json::from_str(&line).with_context(|| format!("it says `{line}`"))?;
        Ok(Self { child, output, says })
    }

    /// The address that a browser is to open.
    ///
    /// # Errors
    /// When it names none.
    pub fn open(&self) -> Result<&str> {
        let open = self.says["open"].as_str();
        open.with_context(|| format!("no address to open in {}", self.says))
    }

    /// Its exit code, and what it says at its end.
    ///
    /// # Errors
    /// When it says nothing.
    pub async fn end(mut self) -> Result<(Option<i32>, Value)> {
        let ending = tokio::task::spawn_blocking(move || {
            let mut rest = String::new();
            self.output.read_to_string(&mut rest)?;
            let code = self.child.wait()?.code();
            let said = serde_json::from_str(&rest).with_context(|| format!("it says `{rest}`"))?;
            Ok((code, said))
        });
        ending.await?
    }
}

/// What a browser does with the answer for a listener on this machine. Gives the page that it is shown.
///
/// # Errors
/// When nobody listens there.
pub async fn bring(link: &str) -> Result<String> {
    let url: Url = link.parse()?;
    let bringing = tokio::task::spawn_blocking(move || {
        let place = format!("127.0.0.1:{}", url.port().context("a port")?);
        let mut stream = std::net::TcpStream::connect(&place)?;
        let target = &url[url::Position::BeforePath..];
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {place}\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(page)
    });
    bringing.await?
}
