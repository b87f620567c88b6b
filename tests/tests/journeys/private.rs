//! Private mode on a canary network: servers that count who connects, and a resolver that counts what it is asked. All
//! that the app can do is done there, and nobody notices. Then private mode is turned off, and the canaries sing: so the
//! silence before says something.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use deepsearch_app::{App, AppOptions, AskRequest, Config, Depth, ResearchOptions, Scope, SyncState};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::recheck::Every;
use deepsearch_core::{ErrorCode, Failure, MessageId, MessageState, SearchQuery};
use deepsearch_net::Lookup;
use deepsearch_tests::cli::{Home, Ran};
use deepsearch_tests::engines::{FakeEngine, Mood};
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::programs;
use tokio::net::TcpListener;

use crate::world::searching;

/// A server that takes connections, counts them and says nothing.
struct Canary {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Canary {
    async fn on(ip: IpAddr) -> Result<Self> {
        let listener = TcpListener::bind((ip, 0)).await?;
        let address = listener.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                drop(stream);
            }
        });
        Ok(Self { address, connections })
    }

    fn heard(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Knows every name to be on this machine, and remembers which it was asked for.
#[derive(Default)]
struct Noticing(Mutex<Vec<String>>);

impl Noticing {
    fn asked(&self) -> Vec<String> {
        self.0.lock().expect("no panic while noting").clone()
    }
}

#[async_trait]
impl Lookup for Noticing {
    async fn lookup(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        self.0.lock().expect("no panic while noting").push(host.to_owned());
        Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])
    }
}

/// An address of this machine that is not loopback, as any other computer's would be.
pub(crate) fn outward() -> IpAddr {
    let found = || {
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        socket.connect("192.0.2.1:9").ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
    };
    found().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Places that have engines of their own.
const KINDS: [Scope; 3] = [Scope::Academic, Scope::Discussions, Scope::News];

struct World {
    folder: tempfile::TempDir,
    app: App,
    /// Reached by names.
    web: Canary,
    /// Reached by its address in digits: what brings its own sockets.
    redis: Canary,
    database: Canary,
    lookup: Arc<Noticing>,
}

impl World {
    async fn open() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (web, redis, database) = (
            Canary::on(Ipv4Addr::LOCALHOST.into()).await?,
            Canary::on(outward()).await?,
            Canary::on(outward()).await?,
        );
        let at = |name: &str| format!("http://{name}.canary.test:{}/", web.address.port());
        let environment = [
            ("HOME", folder.path().to_string_lossy().into_owned()),
            ("SECRETS__KEYCHAIN", "false".into()),
            ("CRAWL__ALLOW_PRIVATE", "true".into()),
            ("ENGINES__SEARXNG__URL", at("searxng")),
            ("ENGINES__WIKIPEDIA__URL", at("wikipedia")),
            ("ENGINES__DUCKDUCKGO__URL", at("duckduckgo")),
            ("ENGINES__OPENALEX__URL", at("openalex")),
            ("ENGINES__ARXIV__URL", at("arxiv")),
            ("ENGINES__HACKERNEWS__URL", at("hackernews")),
            ("ENGINES__STACKEXCHANGE__URL", at("stackexchange")),
            ("ENGINES__REDDIT__URL", at("reddit")),
            ("ENGINES__GDELT__URL", at("gdelt")),
            ("MODELS__DISCOVER_LOCAL", "false".into()),
            ("MODELS__OPENAI__URL", at("openai")),
            ("MODELS__OPENAI__KEY", "k3y".into()),
            ("DEFAULT_MODEL", "openai/gpt-5-mini".into()),
            ("REDIS__URL", format!("redis://{}", redis.address)),
            (
                "SHARED__URL",
                format!("postgres://owner:p@{}/db?sslmode=disable", database.address),
            ),
            ("SHARED__SEARCH_CACHE", "true".into()),
            (
                "SHARED__DEVICE_URL",
                format!("postgres://device:p@{}/db?sslmode=disable", database.address),
            ),
            ("SHARED__SESSION", "token".into()),
        ];
        let environment = environment.map(|(name, value)| (format!("DEEPSEARCH_{name}"), value));
        let lookup = Arc::new(Noticing::default());
        let mut options = AppOptions::new(Config::load(environment)?);
        options.lookup = lookup.clone();
        options.crawl.parser.command.program = programs::command()?;
        let app = App::open(options).await?;
        Ok(Self {
            folder,
            app,
            web,
            redis,
            database,
            lookup,
        })
    }

    /// All that reaches out, one after the other; what comes of it is not looked at here.
    async fn do_everything(&self) {
        let app = &self.app;
        let page = format!("http://page.canary.test:{}/story.html", self.web.address.port());
        let query = SearchQuery {
            text: "lighthouse".into(),
            locale: None,
            time_range: None,
            limit: 5,
        };
        let _ = app.search(None, &query).await;
        for engine in ["searxng", "wikipedia", "duckduckgo"] {
            let _ = app.search(Some(engine), &query).await;
        }
        let _ = app.search_web("lighthouse").await;
        let _ = app.read(&page.parse().expect("an address")).await;
        let _ = app.favicon(&page).await;
        let _ = app.models().await;
        let _ = app.default_model().await;
        let _ = app.examine().await;
        let _ = app.sync_now().await;
        if let Ok(view) = app.database_view() {
            let _ = view.tables().await;
        }
        let gateway = format!("http://localhost.gateway.canary.test:{}", self.web.address.port());
        let _ = app
            .update_setting("gateway.url", Some(&gateway.replace("http:", "https:")))
            .await;
        let _ = app.look_at_gateway().await;
        for scope in [None, Some(Scope::Web), Some(Scope::None)] {
            let request = AskRequest {
                question: format!("What does {page} say about lighthouses?"),
                scope,
                ..AskRequest::default()
            };
            let _ = app.ask(request, |_| {}).await;
        }
        for scope in KINDS {
            self.ask_in(scope).await;
        }
        self.research().await;
        if let Some(answer) = self.answer().await {
            let _ = app.recheck(&answer, |_| {}).await;
            self.check_what_is_due(&answer).await;
        }
    }

    async fn ask_in(&self, scope: Scope) {
        let request = AskRequest {
            question: "How bright is the lighthouse?".into(),
            scope: Some(scope),
            ..AskRequest::default()
        };
        let _ = self.app.ask(request, |_| {}).await;
    }

    async fn research(&self) {
        let request = AskRequest {
            question: "How was the lighthouse built, and how does it work?".into(),
            scope: Some(Scope::Web),
            depth: Depth::Deep,
            research: ResearchOptions {
                steps: Some(2),
                minutes: Some(1),
                ..ResearchOptions::default()
            },
            ..AskRequest::default()
        };
        let _ = self.app.ask(request, |_| {}).await;
    }

    /// A whole answer, of the guide where the web says nothing, that looks in the web when it is checked again.
    async fn answer(&self) -> Option<MessageId> {
        let request = AskRequest {
            question: "how do I use my own SearXNG?".into(),
            model: Some("extractive".into()),
            ..AskRequest::default()
        };
        let message = self.app.ask(request, |_| {}).await.ok()?;
        (message.state == MessageState::Complete).then_some(message.id)
    }

    async fn check_what_is_due(&self, answer: &MessageId) {
        let _ = self.app.schedule_recheck(answer, Some(Every::Daily)).await;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("deepsearch.sqlite"));
        if let Ok(pool) = sqlx::SqlitePool::connect_with(options).await {
            let _ = sqlx::query("update recheck_schedule set next_at = 1, tried_at = null")
                .execute(&pool)
                .await;
            pool.close().await;
        }
        let _ = self.app.recheck_due().await;
    }

    /// Another program with the same data folder turns private mode on or off.
    async fn set_elsewhere(&self, mode: &str) -> Result<()> {
        let mut other = tokio::process::Command::new(programs::command()?);
        other
            .args(["settings", "set", "privacy.mode", mode])
            .env("DEEPSEARCH_HOME", self.folder.path())
            .env("DEEPSEARCH_SECRETS__KEYCHAIN", "false")
            .stdout(std::process::Stdio::null());
        ensure!(other.status().await?.success(), "the other program could not set it");
        Ok(())
    }

    /// Waits until what another program set is in use here.
    async fn until_private(&self, is_private: bool) -> Result<()> {
        let noticed = async {
            while self.app.engines().iter().any(|engine| engine.held_back != is_private) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let noticed = tokio::time::timeout(Duration::from_secs(30), noticed).await;
        noticed.context("what another program set was never noticed")
    }

    fn heard(&self) -> [usize; 4] {
        [
            self.web.heard(),
            self.redis.heard(),
            self.database.heard(),
            self.lookup.asked().len(),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_private_mode_nothing_leaves_and_no_name_is_looked_up() -> Result<()> {
    let world = World::open().await?;
    let app = &world.app;
    app.update_setting("privacy.mode", Some("private")).await?;
    let before = world.heard();
    app.start_sync();
    world.do_everything().await;
    // What was started in passing, a probe or a sync, has had its time too.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.heard(), before, "asked for: {:?}", world.lookup.asked());
    assert_eq!(app.sync_status().await?.state, SyncState::Private);

    app.update_setting("privacy.mode", Some("off")).await?;
    world.do_everything().await;
    let now = world.heard();
    let is_outward = !outward().is_loopback();
    assert!(now[0] > before[0] && now[3] > before[3], "{now:?}");
    assert!(!is_outward || (now[1] > before[1] && now[2] > before[2]), "{now:?}");
    for name in [
        "searxng",
        "openai",
        "page",
        "gateway",
        "openalex",
        "hackernews",
        "gdelt",
    ] {
        let asked = world.lookup.asked();
        assert!(
            asked.iter().any(|host| host.contains(name)),
            "{name} is not among {asked:?}"
        );
    }
    Ok(())
}

/// The silence of a research, a recheck and a place says something only if each of them alone can be heard.
#[tokio::test(flavor = "multi_thread")]
async fn a_research_a_recheck_and_every_kind_of_page_are_silent_in_private_mode_and_heard_without() -> Result<()> {
    let world = World::open().await?;
    let app = &world.app;
    app.update_setting("privacy.mode", Some("private")).await?;
    let before = world.heard();
    let answer = world.answer().await.context("a whole answer from the guide")?;
    world.research().await;
    let refused = app
        .recheck(&answer, |_| {})
        .await
        .map_err(|error| Failure::from(&error).code);
    assert_eq!(refused.err(), Some(ErrorCode::Private));
    world.check_what_is_due(&answer).await;
    for scope in KINDS {
        world.ask_in(scope).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.heard(), before, "asked for: {:?}", world.lookup.asked());

    // Each alone, in an app that has not yet learnt that nobody answers.
    for heard in [
        Alone::Recheck,
        Alone::Due,
        Alone::Research,
        Alone::In(KINDS[0]),
        Alone::In(KINDS[1]),
        Alone::In(KINDS[2]),
    ] {
        for mode in ["private", "off"] {
            app.update_setting("privacy.mode", Some(mode)).await?;
        }
        let before = world.heard();
        match heard {
            Alone::Recheck => drop(app.recheck(&answer, |_| {}).await),
            Alone::Due => world.check_what_is_due(&answer).await,
            Alone::Research => world.research().await,
            Alone::In(scope) => world.ask_in(scope).await,
        }
        let now = world.heard();
        assert!(now[0] > before[0], "{heard:?} reached nobody: {now:?} after {before:?}");
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Alone {
    Recheck,
    Due,
    Research,
    In(Scope),
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_from_this_computer_and_what_was_held_back_says_so() -> Result<()> {
    let world = World::open().await?;
    let app = &world.app;
    app.update_setting("privacy.mode", Some("private")).await?;
    let mut events = Vec::new();
    let request = AskRequest {
        question: "how do I use my own SearXNG?".into(),
        ..AskRequest::default()
    };
    let message = app.ask(request, |event| events.push(event)).await?;
    assert_eq!(message.state, MessageState::Complete);
    assert!(message.content.contains("[1]"), "{}", message.content);
    let is_web = |event: &&AnswerEvent| matches!(event, AnswerEvent::SearchFailed { .. });
    assert_eq!(events.iter().filter(is_web).count(), 0, "{events:#?}");
    let ledger = app.ledger(&message.id).await?.context("a ledger")?;
    assert!(ledger.private);
    assert_eq!(ledger.ledger.contacts, Vec::new());

    let named = AskRequest {
        question: "how high?".into(),
        model: Some("openai/gpt-5-mini".into()),
        ..AskRequest::default()
    };
    let refused = Failure::from(&app.ask(named, |_| {}).await.unwrap_err());
    assert_eq!(refused.code, ErrorCode::Private);
    assert!(refused.hint.is_some_and(|hint| hint.contains("privacy.mode off")));
    assert!(app.engines().iter().all(|engine| engine.held_back && !engine.used));
    assert!(
        app.providers()
            .iter()
            .all(|provider| provider.held_back != provider.local)
    );
    assert!(app.models().await.iter().all(|model| model.local));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn private_mode_can_be_had_for_one_command() -> Result<()> {
    let home = Home::new()?.set("models.discover_local", "false");
    let engines = home.run(["engines", "--private"])?.succeeded()?;
    assert!(
        engines
            .stdout
            .lines()
            .all(|line| line.contains("held back by private mode")),
        "{}",
        engines.stdout
    );
    let read = home.run(["read", "--private", "http://example.org/"])?;
    assert_eq!(read.code, Some(4));
    assert!(read.stderr.contains("private mode is on"), "{}", read.stderr);
    let search = home.run(["search", "--private", "lighthouse"])?;
    assert_eq!(search.code, Some(4));
    assert!(search.stderr.contains("no web engine is asked"), "{}", search.stderr);
    let answer = home.run(["--private", "ask", "how do I make a backup?"])?.succeeded()?;
    assert!(answer.stdout.contains("[1]"), "{}", answer.stdout);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn private_mode_that_another_program_turns_on_holds_here_too() -> Result<()> {
    let world = World::open().await?;
    world.app.attend_others();
    world.set_elsewhere("private").await?;
    world.until_private(true).await?;
    let before = world.heard();
    world.do_everything().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.heard(), before, "asked for: {:?}", world.lookup.asked());

    world.set_elsewhere("off").await?;
    world.until_private(false).await?;
    world.do_everything().await;
    assert!(world.heard()[3] > before[3], "{:?}", world.heard());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_heeds_what_another_program_set_though_nobody_attends() -> Result<()> {
    let world = World::open().await?;
    world.set_elsewhere("private").await?;
    let before = world.heard();
    let request = AskRequest {
        question: format!("What does http://page.canary.test:{}/ say?", world.web.address.port()),
        ..AskRequest::default()
    };
    let _ = world.app.ask(request, |_| {}).await;
    assert_eq!(world.heard(), before, "asked for: {:?}", world.lookup.asked());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_answering_reads_no_page_once_private_mode_is_turned_on_elsewhere() -> Result<()> {
    let mut index = LocalIndex::default();
    let html = "<title>The lighthouse</title><p>The lighthouse of Zorvane is 41 metres high.</p>";
    index.add("http://page.canary.test/lighthouse".parse()?, html);
    let engine = FakeEngine::start("searxng", Arc::new(index)).await?;
    engine.be(Mood::Slow(Duration::from_secs(6)));
    let home = searching(&engine)?;

    let asking = home.spawn(["ask", "--json", "--in", "web", "How high is the lighthouse of Zorvane?"])?;
    let asked = async {
        while engine.asked().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asked)
        .await
        .context("the search")?;
    home.run(["settings", "set", "privacy.mode", "private"])?.succeeded()?;

    let asking = tokio::task::spawn_blocking(move || asking.wait_with_output());
    let ran = Ran::from(asking.await??);
    let failed = ran.events_of("source_failed")?;
    assert!(!failed.is_empty(), "{}", ran.stdout);
    for event in failed {
        assert_eq!(event["failure"]["code"], "private", "{event}");
    }
    Ok(())
}
