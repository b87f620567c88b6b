//! A server that counts its connections and answers each request with one body.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) struct Server {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start(body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut heard: Vec<u8> = Vec::new();
                    let mut piece = [0; 4096];
                    while let Ok(1..) = stream
                        .read(&mut piece)
                        .await
                        .inspect(|read| heard.extend(&piece[..*read]))
                    {
                        if !heard.windows(4).any(|end| end == b"\r\n\r\n") {
                            continue;
                        }
                        heard.clear();
                        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self, host: &str, path: &str) -> url::Url {
        format!("http://{host}:{}{path}", self.port).parse().unwrap()
    }
}
