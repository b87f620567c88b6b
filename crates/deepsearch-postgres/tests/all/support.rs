//! A database of a test's own, on one real server for all tests that run at the same time.
//!
//! Without PostgreSQL a test says so and passes by; under `cargo xtask test` that is a failure.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::{Chat, ChatId, Clock, Message, MessageId, MessageState, Role, User, UserId};
use deepsearch_postgres::SharedDatabase;
use deepsearch_servers::Postgres;
use sqlx::PgConnection;

use crate::cluster::{connect, pass_by, run};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        at(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

pub(crate) const NOON: i64 = 1_700_000_000_000;

/// A migrated, empty database.
pub(crate) struct Home {
    pub(crate) database: SharedDatabase,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) url: String,
    _server: Arc<Server>,
}

impl Home {
    /// A connection that goes round the crate: the web app, or whoever damages rows.
    pub(crate) async fn raw(&self) -> PgConnection {
        connect(&self.url).await
    }

    /// Another handle with connections of its own, as another device has.
    pub(crate) async fn another(&self) -> SharedDatabase {
        let database = SharedDatabase::connect(&self.url).await.unwrap();
        database.with_clock(self.clock.clone())
    }

    pub(crate) async fn user(&self) -> UserId {
        let user = user(&format!("{}@example.com", UserId::new()));
        self.database.add_user(&user).await.unwrap();
        user.id
    }

    pub(crate) async fn chat(&self, user: &UserId) -> ChatId {
        let chat = chat("A chat", NOON);
        self.database.add_chat(user, &chat).await.unwrap();
        chat.id
    }
}

/// `None` where there is no PostgreSQL; the test passes by then.
pub(crate) async fn home() -> Option<Home> {
    home_made("template migrated").await
}

/// A database whose team shares what it searches for.
pub(crate) async fn sharing_home() -> Option<Home> {
    let home = home().await?;
    home.database.share_searches(true).await.unwrap();
    Some(home)
}

/// A database whose texts are in the order of a dictionary.
pub(crate) async fn home_that_sorts_as_german() -> Option<Home> {
    let home = home_made("template template0 locale_provider icu icu_locale 'de-DE' encoding utf8").await?;
    home.database.migrate(|_| {}).await.unwrap();
    Some(home)
}

async fn home_made(how: &str) -> Option<Home> {
    let server = tokio::task::spawn_blocking(Server::shared).await.unwrap()?;
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::SeqCst));
    let mut admin = connect(&server.url("postgres")).await;
    run(&mut admin, &format!("create database {name} {how}")).await;
    let url = server.url(&name);
    let clock = Arc::new(TestClock(AtomicI64::new(NOON)));
    let database = SharedDatabase::connect(&url).await.unwrap().with_clock(clock.clone());
    Some(Home {
        database,
        clock,
        url,
        _server: server,
    })
}

static NEXT: AtomicU32 = AtomicU32::new(1);
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// The server, which ends with the last test that uses it. A thread of its own keeps it: the server hears when the
/// thread that started it is gone, and a test's thread is gone when the test is.
pub(crate) struct Server {
    port: u16,
    stop: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl Server {
    fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    fn start() -> Option<Self> {
        let (started, port) = channel();
        let (stop, stopped) = channel::<()>();
        let keeper = std::thread::spawn(move || {
            let server = Postgres::start_with(&["max_connections=300"]).expect("PostgreSQL starts");
            if let Some(server) = &server {
                migrate(server);
            }
            let _ = started.send(server.as_ref().map(Postgres::port));
            // Ends when the sender is dropped.
            let _ = stopped.recv();
        });
        let port = port.recv().expect("PostgreSQL starts");
        if port.is_none() {
            pass_by("PostgreSQL");
        }
        Some(Self {
            port: port?,
            stop: Some(stop),
            keeper: Some(keeper),
        })
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}

/// Makes the database that each test's is a copy of.
fn migrate(server: &Postgres) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        run(&mut connect(&server.url("postgres")).await, "create database migrated").await;
        let database = SharedDatabase::connect(&server.url("migrated")).await.unwrap();
        database.migrate(|_| {}).await.unwrap();
        database.close().await;
    });
}

pub(crate) fn user(email: &str) -> User {
    User {
        id: UserId::new(),
        name: Some("Ada".into()),
        email: email.into(),
        email_verified: None,
        image: None,
        is_admin: false,
    }
}

pub(crate) fn chat(title: &str, millis: i64) -> Chat {
    Chat {
        id: ChatId::new(),
        title: title.into(),
        created_at: at(millis),
        updated_at: at(millis),
        deleted_at: None,
        pinned: false,
        archived: false,
        leaf: None,
    }
}

pub(crate) fn message(chat: &ChatId, content: &str, millis: i64) -> Message {
    Message {
        id: MessageId::new(),
        chat_id: chat.clone(),
        parent: None,
        role: Role::User,
        content: content.into(),
        sources: None,
        metadata: None,
        created_at: at(millis),
        state: MessageState::Complete,
    }
}
