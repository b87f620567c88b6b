//! A scripted web on loopback: servers that say exactly these bytes at this pace, and count who came.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::{FetchError, Page, PageFetcher, SystemClock};
use deepsearch_crawl::{AddressRules, CrawlOptions, Crawler, Limits, Manners, ParserCommand, ParserOptions, Reader};
use deepsearch_net::{Lookup, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// What a server does with a connection, in order; then it closes it.
#[derive(Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Sends the bytes for ever, with a pause after each time.
    Drip(Vec<u8>, Duration),
}

/// A server on loopback. Dropping it closes it.
pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Web {
    /// Answers each path by what `script` says for it.
    pub(crate) async fn start(script: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, script) = (Arc::clone(&requests), Arc::new(script));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&script)));
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    /// A server that gives every path the same answer.
    pub(crate) async fn saying(steps: Vec<Step>) -> Self {
        Self::start(move |_| steps.clone()).await
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// The paths asked for so far; connections without a request are there as empty paths.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<String>>>,
    script: Arc<impl Fn(&str) -> Vec<Step>>,
) -> io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await? {
            0 => break,
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(path.clone());
    for step in script(&path) {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes).await?,
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Drip(bytes, pause) => loop {
                stream.write_all(&bytes).await?;
                tokio::time::sleep(pause).await;
            },
        }
    }
    stream.shutdown().await
}

/// A whole answer with its length.
pub(crate) fn answer(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let mut bytes = head(status, headers);
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

/// The headers of an answer whose body ends with its connection.
pub(crate) fn head(status: &str, headers: &[&str]) -> Vec<u8> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n").into_bytes()
}

pub(crate) fn html(body: impl AsRef<[u8]>) -> Vec<Step> {
    answer("200 OK", &["content-type: text/html; charset=utf-8"], body)
}

pub(crate) fn redirect(to: &str) -> Vec<Step> {
    answer("302 Found", &[&format!("location: {to}")], "")
}

/// A page that any extractor takes for an article, with `mark` in its text.
pub(crate) fn article(mark: &str) -> String {
    let paragraph = "The lighthouse keeper wrote down the weather every morning, and the book was later printed. \
        It tells of forty winters, of ships that passed, and of the one that did not; readers still return to it.";
    let paragraphs: String = (1..=6).map(|n| format!("<p>Chapter {n}. {paragraph}</p>")).collect();
    format!(
        "<!doctype html><html lang=en><head><title>The keeper's book</title></head><body><main><article>\
         <h1>The keeper's book</h1><p>{mark} is what this page is about, and {mark} is written here.</p>{paragraphs}\
         </article></main></body></html>"
    )
}

/// Options for the scripted web: loopback is open, servers are asked without pauses, the parser is this crate's own.
pub(crate) fn options() -> CrawlOptions {
    CrawlOptions {
        addresses: AddressRules {
            allow_private: true,
            ..AddressRules::default()
        },
        limits: Limits::default(),
        manners: Manners {
            pause: Duration::ZERO,
            robots: false,
            ..Manners::default()
        },
        parser: parser(),
        network: Network::default(),
    }
}

/// Parser children of this crate's own binary. Time is generous: tests run unoptimised on busy machines.
pub(crate) fn parser() -> ParserOptions {
    ParserOptions {
        command: ParserCommand {
            program: PathBuf::from(env!("CARGO_BIN_EXE_deepsearch-parse")),
            args: Vec::new(),
        },
        children: 1,
        time: Duration::from_secs(30),
        ..ParserOptions::default()
    }
}

pub(crate) fn reader() -> Reader {
    Reader::new(parser(), Arc::new(SystemClock))
}

pub(crate) fn crawler(options: CrawlOptions) -> Crawler {
    install_tls();
    Crawler::new(options, Arc::new(SystemClock)).unwrap()
}

pub(crate) fn crawler_with(options: CrawlOptions, lookup: impl Lookup + 'static) -> Crawler {
    install_tls();
    Crawler::with_lookup(options, Arc::new(SystemClock), Arc::new(lookup)).unwrap()
}

fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::aws_lc_rs::default_provider().install_default()));
}

/// Fetches one page of a scripted server with these options.
pub(crate) async fn fetch(options: CrawlOptions, url: &Url) -> Result<Page, FetchError> {
    crawler(options).fetch(url).await
}

/// Every name has these addresses.
pub(crate) struct Always(pub(crate) Vec<IpAddr>);

#[async_trait]
impl Lookup for Always {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.clone())
    }
}
