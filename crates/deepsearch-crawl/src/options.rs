//! What a crawler is given: its limits, its manners and its parser. Resolved once, where the app is wired.

use std::path::PathBuf;
use std::time::Duration;

use deepsearch_net::{BodyLimits, Network};

use crate::address::AddressRules;

/// How the crawler names itself to servers.
pub const USER_AGENT: &str = "DeepSearch/0.1 (+https://deepsearch.app/crawler)";
/// The name that robots.txt rules address us by.
pub const ROBOTS_NAME: &str = "DeepSearch";

/// Everything a [`Crawler`](crate::Crawler) is told.
#[derive(Debug, Clone, Default)]
pub struct CrawlOptions {
    pub addresses: AddressRules,
    pub limits: Limits,
    pub manners: Manners,
    pub parser: ParserOptions,
    pub network: Network,
}

/// What one page may cost. Sizes in bytes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Body as it comes over the wire, still compressed.
    pub wire: usize,
    /// Body once decompressed.
    pub decoded: usize,
    /// Decompressed bytes allowed for each byte of the wire (past the first MiB, which any small page may reach).
    pub ratio: usize,
    pub redirects: usize,
    pub connect: Duration,
    /// From the request to the answer's headers, connecting included.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// The whole page, redirects and robots.txt included, once it is its turn.
    pub total: Duration,
    /// Waiting for its turn behind other pages.
    pub queue: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wire: 5 << 20,
            decoded: 20 << 20,
            ratio: 100,
            redirects: 5,
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            idle: Duration::from_secs(5),
            total: Duration::from_secs(20),
            queue: Duration::from_secs(60),
        }
    }
}

impl From<&Limits> for BodyLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            wire: limits.wire,
            decoded: limits.decoded,
            ratio: limits.ratio,
        }
    }
}

/// How the crawler treats servers.
#[derive(Debug, Clone)]
pub struct Manners {
    /// Requests under way at once, over all hosts.
    pub at_once: usize,
    /// Requests under way at once to one host.
    pub per_host: usize,
    /// Between the starts of two requests to one host.
    pub pause: Duration,
    /// The longest `Crawl-delay` of a robots.txt that is kept; a longer one is cut to this, because a person waits.
    pub longest_pause: Duration,
    /// Whether robots.txt is asked for and obeyed.
    pub robots: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            at_once: 32,
            per_host: 4,
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(3),
            robots: true,
        }
    }
}

/// The child processes that parse pages.
#[derive(Debug, Clone)]
pub struct ParserOptions {
    pub command: ParserCommand,
    /// Children at once; each handles one page at a time.
    pub children: usize,
    /// For one page, from handing it over to its text.
    pub time: Duration,
    /// Address space of one child, in bytes, where the system can limit it.
    pub memory: u64,
    /// Pages after which a child is replaced, so that a parser's leaks stay small.
    pub pages: usize,
    /// How long a child waits for its next page before it is let go.
    pub idle: Duration,
}

impl Default for ParserOptions {
    fn default() -> Self {
        Self {
            command: ParserCommand::default(),
            children: std::thread::available_parallelism().map_or(2, usize::from),
            time: Duration::from_secs(5),
            memory: 1 << 30,
            pages: 1000,
            idle: Duration::from_secs(60),
        }
    }
}

/// How a parser child is started: by default this very program, told to parse by its hidden first argument. A program that
/// does not heed that argument names another one that does.
#[derive(Debug, Clone)]
pub struct ParserCommand {
    pub program: PathBuf,
    pub args: Vec<String>,
}

impl Default for ParserCommand {
    fn default() -> Self {
        Self {
            // An empty program fails to start with a clear error, when the system cannot say what it is running.
            program: std::env::current_exe().unwrap_or_default(),
            args: vec!["__parse".into()],
        }
    }
}
