//! A server that misbehaves on purpose: it follows a script of delays, statuses, drops and trickles, byte by byte.
//!
//! Written on bare TCP, because a well-behaved HTTP library refuses to do most of this.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

/// What one request is answered with.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Waits this long before the first byte.
    delay: Duration,
    /// Sends so many bytes at a time, and waits between them.
    trickle: Option<(usize, Duration)>,
    /// Closes the connection after so many bytes, head included.
    cut_at: Option<usize>,
    /// Never closes and never ends; for clients that must give up by themselves.
    hang: bool,
}

impl Reply {
    pub fn html(body: impl Into<String>) -> Self {
        Self::new(200, "text/html; charset=utf-8", body.into().into_bytes())
    }

    pub fn json(body: &serde_json::Value) -> Self {
        Self::new(200, "application/json", body.to_string().into_bytes())
    }

    pub fn status(status: u16) -> Self {
        Self::new(status, "text/plain", Vec::new())
    }

    pub fn new(status: u16, media_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), media_type.into())],
            body,
            delay: Duration::ZERO,
            trickle: None,
            cut_at: None,
            hang: false,
        }
    }

    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("location", to)
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    #[must_use]
    pub fn trickle(mut self, bytes: usize, pause: Duration) -> Self {
        self.trickle = Some((bytes.max(1), pause));
        self
    }

    #[must_use]
    pub fn cut_at(mut self, byte: usize) -> Self {
        self.cut_at = Some(byte);
        self
    }

    #[must_use]
    pub fn then_hang(mut self) -> Self {
        self.hang = true;
        self
    }

    /// The whole answer, as it goes over the wire when nothing cuts it.
    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\nconnection: close\r\n", self.status);
        let tells_length = self.headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
        });
        if !tells_length {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// A running server. Dropping it ends it and all its connections.
#[derive(Debug)]
pub struct ScriptedServer {
    base: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    server: JoinHandle<()>,
}

impl ScriptedServer {
    /// Gives the replies in turn, whatever is asked; the last one again and again.
    ///
    /// # Errors
    /// When no port is free.
    ///
    /// # Panics
    /// When the script is empty.
    pub async fn in_turn(replies: Vec<Reply>) -> Result<Self> {
        assert!(!replies.is_empty(), "a script has at least one reply");
        let turn = Mutex::new(0);
        Self::start(move |_: &Asked| {
            let mut turn = turn.lock().expect("no panic while counting");
            let reply = replies[(*turn).min(replies.len() - 1)].clone();
            *turn += 1;
            reply
        })
        .await
    }

    /// Answers each request as `script` says.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("finding a free port")?;
        let base =
            Url::parse(&format!("http://{}/", listener.local_addr()?)).expect("an address and a port make a URL");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = tokio::spawn(accept(listener, Arc::new(script), Arc::clone(&asked)));
        Ok(Self { base, asked, server })
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    /// # Panics
    /// When `path` is no relative path of a URL.
    pub fn url(&self, path: &str) -> Url {
        self.base.join(path).expect("a relative path")
    }

    /// Everything that was asked so far, in order.
    ///
    /// # Panics
    /// When a server task has panicked.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic while noting").clone()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Script = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

async fn accept(listener: TcpListener, script: Script, asked: Arc<Mutex<Vec<Asked>>>) {
    // The set goes with this task, and the connections with the set.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (script, asked) = (Arc::clone(&script), Arc::clone(&asked));
        connections.spawn(async move {
            // A client that goes away in the midst is part of what is tested.
            let _ = converse(stream, script, asked).await;
        });
    }
}

async fn converse(mut stream: TcpStream, script: Script, asked: Arc<Mutex<Vec<Asked>>>) -> std::io::Result<()> {
    let Some(request) = read_request(&mut stream).await? else {
        return Ok(());
    };
    asked.lock().expect("no panic while noting").push(request.clone());
    let reply = script(&request);
    tokio::time::sleep(reply.delay).await;
    let mut bytes = reply.bytes();
    bytes.truncate(reply.cut_at.unwrap_or(bytes.len()));
    let (size, pause) = reply.trickle.unwrap_or((bytes.len().max(1), Duration::ZERO));
    for (index, piece) in bytes.chunks(size).enumerate() {
        if index > 0 {
            tokio::time::sleep(pause).await;
        }
        stream.write_all(piece).await?;
        stream.flush().await?;
    }
    if reply.hang {
        std::future::pending::<()>().await;
    }
    stream.shutdown().await
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    while bytes.len() < head_end + length && stream.read_buf(&mut bytes).await? > 0 {}
    Ok(Some(Asked {
        method: method.into(),
        target: target.into(),
        headers,
        body: String::from_utf8_lossy(&bytes[head_end..]).into_owned(),
    }))
}
