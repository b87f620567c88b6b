//! A device whose clock is a year off at a real server, or a server that is so for all its devices: what they write gets the
//! server's times, none wins for ever nor loses for ever, and a person is told.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_app::{App, AppOptions, AskRequest, ChatFilter, Config, Scope, SyncState};
use deepsearch_core::{Chat, Clock, SystemClock};
use deepsearch_servers::Postgres;
use deepsearch_tests::needs;
use tempfile::TempDir;

/// This machine's clock, so much ahead.
#[derive(Debug)]
struct Off(TimeDelta);

impl Clock for Off {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

async fn open(home: &TempDir, off: TimeDelta) -> Result<App> {
    let path = home.path().to_string_lossy();
    let settings = [
        ("HOME", path.as_ref()),
        ("MODELS__DISCOVER_LOCAL", "false"),
        ("SECRETS__KEYCHAIN", "false"),
    ];
    let config = Config::load(settings.map(|(name, value)| (format!("DEEPSEARCH_{name}"), value.to_owned())))?;
    let options = AppOptions {
        clock: Arc::new(Off(off)),
        ..AppOptions::new(config)
    };
    Ok(App::open(options).await?)
}

/// A device that joined with a right clock, which then went wrong.
pub(crate) async fn device(server: &Postgres, off: TimeDelta) -> Result<(App, TempDir)> {
    let home = tempfile::tempdir()?;
    let app = open(&home, TimeDelta::zero()).await?;
    let url = server.url("postgres");
    app.init_share(Some(url.into()), false, Some("ada@example.com"), Some("Ada"), |_| {})
        .await?;
    app.close().await;
    Ok((open(&home, off).await?, home))
}

pub(crate) async fn ask(app: &App) -> Result<()> {
    let request = AskRequest {
        question: "How do I make a backup?".into(),
        scope: Some(Scope::Guide),
        model: Some("extractive".into()),
        ..AskRequest::default()
    };
    app.ask(request, |_| {}).await?;
    Ok(())
}

/// The chats that are not in the trash, the latest activity first.
pub(crate) async fn chats(app: &App) -> Result<Vec<Chat>> {
    Ok(app.store().list_chats(ChatFilter::default(), None, 10).await?)
}

pub(crate) async fn sync(app: &App) -> Result<()> {
    let status = app.sync_now().await?;
    assert_eq!((status.state, status.counts.outbox), (SyncState::Idle, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_a_year_off_neither_wins_nor_loses_for_ever() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let (right, year) = (TimeDelta::zero(), TimeDelta::days(365));
    // Where both are off by the same, it is the server that is.
    for (off, other) in [(year, right), (-year, right), (year, year), (-year, -year)] {
        let (wrong, _wrong_home) = device(&server, off).await?;
        let (right, _right_home) = device(&server, other).await?;
        sync(&right).await?;
        let before = chats(&right).await?.len();
        ask(&wrong).await?;
        sync(&wrong).await?;
        let behind = i64::from(wrong.sync_status().await?.clock_behind);
        assert!((behind + off.num_seconds()).abs() < 60, "a person is told: {behind}");

        // From the second chat on it knows the server's time.
        ask(&wrong).await?;
        sync(&wrong).await?;
        sync(&right).await?;
        let shown = chats(&right).await?;
        assert_eq!(shown.len(), before + 2);
        let newest = shown.first().context("a chat")?;
        let away = (newest.updated_at - SystemClock.now()).num_seconds().abs();
        assert!(away < 120, "{off}: {newest:?}");

        right.store().rename_chat(&newest.id, "By the right clock").await?;
        sync(&right).await?;
        sync(&wrong).await?;
        let title = async |app: &App| {
            let chat = app.store().lookup_chat(&newest.id).await?;
            Ok::<_, anyhow::Error>(chat.context("the chat")?.title)
        };
        assert_eq!(title(&wrong).await?, "By the right clock");
        wrong
            .store()
            .rename_chat(&newest.id, "And then by the wrong one")
            .await?;
        sync(&wrong).await?;
        sync(&right).await?;
        assert_eq!(title(&right).await?, "And then by the wrong one");
        for app in [wrong, right] {
            app.close().await;
        }
    }
    Ok(())
}
