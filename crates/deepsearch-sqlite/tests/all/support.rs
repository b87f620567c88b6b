//! A store in a folder of its own, a clock that stands still until it is moved, and short ways to make rows.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::{Clock, MediaType, MessageId, MessageState, Page, PageId, Source, text};
use deepsearch_sqlite::{FinishedAnswer, NewTurn, Store, StoreOptions, Turn};
use sqlx::SqliteConnection;
use tempfile::TempDir;
use url::Url;

#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A folder that goes when it is dropped; any number of stores may open its database.
pub(crate) struct Home {
    folder: TempDir,
    pub(crate) clock: Arc<TestClock>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            clock: Arc::new(TestClock(AtomicI64::new(1_700_000_000_000))),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("deepsearch.sqlite")
    }

    pub(crate) async fn open(&self) -> Store {
        let options = StoreOptions {
            clock: self.clock.clone(),
            ..StoreOptions::default()
        };
        Store::open(self.path(), options).await.unwrap()
    }

    /// A connection that goes round the store, to look at rows and to damage them.
    pub(crate) async fn raw(&self) -> SqliteConnection {
        use sqlx::ConnectOptions;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.path());
        options.connect().await.unwrap()
    }
}

pub(crate) async fn home() -> (Home, Store) {
    let home = Home::new();
    let store = home.open().await;
    (home, store)
}

pub(crate) async fn ask(store: &Store, question: &str) -> Turn {
    let turn = NewTurn {
        question: question.into(),
        ..NewTurn::default()
    };
    store.begin_answer(turn).await.unwrap()
}

/// Asks and answers at once.
pub(crate) async fn answered(store: &Store, question: &str, answer: &str) -> Turn {
    let mut turn = ask(store, question).await;
    turn.answer = store.finish_answer(&turn.answer.id, complete(answer)).await.unwrap();
    turn
}

pub(crate) async fn follow_up(store: &Store, turn: &Turn, question: &str, answer: &str) -> Turn {
    let next = NewTurn {
        chat: Some(turn.chat.id.clone()),
        question: question.into(),
        ..NewTurn::default()
    };
    let mut next = store.begin_answer(next).await.unwrap();
    next.answer = store.finish_answer(&next.answer.id, complete(answer)).await.unwrap();
    next
}

pub(crate) fn complete(content: &str) -> FinishedAnswer {
    FinishedAnswer {
        content: content.into(),
        metadata: None,
        citations: Vec::new(),
        checks: Vec::new(),
        follow_ups: Vec::new(),
        state: MessageState::Complete,
    }
}

pub(crate) fn interrupted(content: &str) -> FinishedAnswer {
    FinishedAnswer {
        state: MessageState::Interrupted,
        ..complete(content)
    }
}

pub(crate) fn page(url: &str, content: &str) -> Page {
    Page {
        id: PageId::new(),
        url: Url::parse(url).unwrap(),
        title: format!("About {url}"),
        author: Some("Ada".into()),
        site_name: None,
        published_at: DateTime::from_timestamp_millis(1_600_000_000_000),
        favicon: Url::parse("https://example.com/favicon.ico").ok(),
        picture: None,
        language: Some("en".into()),
        media_type: MediaType::Html,
        text: content.into(),
        sentences: text::sentences(content),
        html: Some(format!("<p>{content}</p>")),
        fetched_at: DateTime::from_timestamp_millis(1_700_000_000_000).unwrap(),
        content_hash: format!("hash of {content}"),
    }
}

pub(crate) fn source(page: &Page) -> Source {
    Source {
        title: page.title.clone(),
        url: page.url.to_string(),
        snippet: String::new(),
        favicon: None,
    }
}

pub(crate) async fn journal_pages(store: &Store, answer: &MessageId, pages: &[Page]) -> Vec<PageId> {
    let sources: Vec<Source> = pages.iter().map(source).collect();
    store.journal_sources(answer, &sources, pages).await.unwrap()
}

/// A campaign's size: `few` in every run, `many` with `DEEPSEARCH_LONG=1`.
pub(crate) fn long_or(few: u64, many: u64) -> u64 {
    if std::env::var_os("DEEPSEARCH_LONG").is_some() {
        many
    } else {
        few
    }
}

/// A campaign's figures, for whoever runs it with `--nocapture`; and a child's word to its parent.
pub(crate) fn report(line: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}
