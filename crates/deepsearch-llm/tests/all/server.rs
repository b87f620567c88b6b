//! A provider on this machine that sends, byte for byte, what a test tells it to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The body ends as HTTP says it should.
    Proper,
    /// The connection is closed without the end of the body.
    Cut,
    /// Nothing more comes, and the connection stays open.
    Silence,
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Each is a TCP packet of its own.
    pub(crate) packets: Vec<Vec<u8>>,
    pub(crate) end: End,
}

impl Reply {
    pub(crate) fn stream(content_type: &str, body: &str) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", content_type.into())],
            packets: vec![body.as_bytes().to_vec()],
            end: End::Proper,
        }
    }

    pub(crate) fn sse(body: &str) -> Self {
        Self::stream("text/event-stream", body)
    }

    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self {
            status,
            ..Self::stream("application/json", body)
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn end(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// Cut into packets of `size` bytes, wherever that falls.
    pub(crate) fn in_packets_of(mut self, size: usize) -> Self {
        let body = self.packets.concat();
        self.packets = body.chunks(size).map(<[u8]>::to_vec).collect();
        self
    }

    pub(crate) fn first_bytes(mut self, count: usize) -> Self {
        let body = self.packets.concat();
        self.packets = vec![body[..count].to_vec()];
        self
    }
}

pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    questions_only: bool,
}

impl Server {
    /// Answers the n-th request (from 0) as `script` says. Ends with the test's runtime.
    pub(crate) async fn start(script: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (record, script) = (asked.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (record, script) = (record.clone(), script.clone());
                tokio::spawn(async move {
                    let _gone = serve(socket, &record, script.as_ref()).await;
                });
            }
        });
        Self {
            url,
            asked,
            questions_only: false,
        }
    }

    /// As [`Server::start`], for questions only: it has no list of models, and does not record who asks for one.
    pub(crate) async fn answering(script: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let questions = std::sync::atomic::AtomicUsize::new(0);
        let mut server = Self::start(move |asked, _| {
            let is_question = asked.head.starts_with("POST") && !asked.head.contains("/api/show");
            if is_question {
                script(asked, questions.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
            } else {
                Reply::json(404, "{}")
            }
        })
        .await;
        server.questions_only = true;
        server
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        let mut asked = self.asked.lock().expect("no test panics while it holds this").clone();
        asked.retain(|asked| {
            !self.questions_only || (asked.head.starts_with("POST") && !asked.head.contains("/api/show"))
        });
        asked
    }
}

async fn serve(
    mut socket: TcpStream,
    record: &Mutex<Vec<Asked>>,
    script: &(dyn Fn(&Asked, usize) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let asked = read(&mut socket).await?;
    let count = {
        let mut record = record.lock().expect("no test panics while it holds this");
        record.push(asked.clone());
        record.len() - 1
    };
    let reply = script(&asked, count);
    let mut head = format!(
        "HTTP/1.1 {} Scripted\r\ntransfer-encoding: chunked\r\nconnection: close\r\n",
        reply.status
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    socket.write_all(format!("{head}\r\n").as_bytes()).await?;
    for packet in reply.packets.iter().filter(|packet| !packet.is_empty()) {
        let mut chunk = format!("{:x}\r\n", packet.len()).into_bytes();
        chunk.extend_from_slice(packet);
        chunk.extend_from_slice(b"\r\n");
        socket.write_all(&chunk).await?;
        socket.flush().await?;
        if reply.packets.len() > 1 {
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
    }
    match reply.end {
        End::Proper => socket.write_all(b"0\r\n\r\n").await,
        End::Cut => Ok(()),
        End::Silence => std::future::pending().await,
    }
}

async fn read(socket: &mut TcpStream) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 8192];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                let body = serde_json::from_str(body).unwrap_or(Value::Null);
                return Ok(Asked {
                    head: head.to_owned(),
                    body,
                });
            }
        }
        let count = socket.read(&mut buffer).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
}
