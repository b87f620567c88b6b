//! Rechecks that several ask for at once, and one that is stopped: in one app, as its window and its schedule meet there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use deepsearch_app::{App, AppError, AppOptions, AskRequest, Config, Scope};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::recheck::{Every, Recheck, RecheckSchedule};
use deepsearch_core::{ErrorCode, Failure, Message};
use deepsearch_tests::model_server::{MODEL, ModelServer, Script};
use deepsearch_tests::purpose::{Purpose, answering, asked_for};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// An answer from the guide, and a model that goes on to answer only while it may.
struct Answered {
    app: App,
    model: ModelServer,
    may_answer: Arc<AtomicBool>,
    answer: Message,
    _home: TempDir,
}

impl Answered {
    async fn begin() -> Result<Self> {
        let may_answer = Arc::new(AtomicBool::new(true));
        let waits_for = Arc::clone(&may_answer);
        let model = answering(move |_| {
            tokio::task::block_in_place(|| {
                let began = Instant::now();
                while !waits_for.load(Ordering::SeqCst) && began.elapsed() < PATIENCE {
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            Script::text("Give the address of the server to `engines.searxng.url` [1].")
        })
        .await?;
        let home = tempfile::tempdir()?;
        let path = home.path().to_string_lossy();
        let settings = [
            ("HOME", path.as_ref()),
            ("MODELS__SCRIPTED__URL", model.base().as_str()),
            ("MODELS__DISCOVER_LOCAL", "false"),
            ("SECRETS__KEYCHAIN", "false"),
        ]
        .map(|(name, value)| (format!("DEEPSEARCH_{name}"), value.to_owned()));
        let app = App::open(AppOptions::new(Config::load(settings)?)).await?;
        let request = AskRequest {
            question: "how do I use my own SearXNG?".into(),
            scope: Some(Scope::Guide),
            model: Some(format!("scripted/{MODEL}")),
            ..AskRequest::default()
        };
        let answer = app.ask(request, |_| {}).await?;
        Ok(Self {
            app,
            model,
            may_answer,
            answer,
            _home: home,
        })
    }

    fn may_answer(&self, may: bool) {
        self.may_answer.store(may, Ordering::SeqCst);
    }

    /// How often the model was asked for an answer.
    fn asked(&self) -> usize {
        asked_for(&self.model, Purpose::Grounded).len()
    }

    /// Checks it again as a person does, and what that person is told.
    fn check(&self) -> Checking {
        let told = Arc::new(Mutex::new(Vec::new()));
        let (app, id, telling) = (self.app.clone(), self.answer.id.clone(), Arc::clone(&told));
        let running = tokio::spawn(async move {
            let tell = move |event| telling.lock().expect("no panic while noting").push(event);
            app.recheck(&id, tell).await
        });
        Checking { running, told }
    }

    async fn until_asked(&self, times: usize) -> Result<()> {
        until("the model is asked", || self.asked() == times).await
    }

    async fn is_running(&self) -> Result<bool> {
        Ok(self.app.rechecks(&self.answer.id).await?.running)
    }

    async fn kept(&self) -> Result<Vec<Recheck>> {
        Ok(self.app.rechecks(&self.answer.id).await?.rechecks)
    }

    /// Has it checked every day, for the first time now.
    async fn schedule(&self) -> Result<()> {
        let schedule = RecheckSchedule {
            every: Every::Daily,
            next_at: self.answer.created_at,
            failures: 0,
        };
        let store = self.app.store();
        Ok(store.update_recheck_schedule(&self.answer.id, Some(&schedule)).await?)
    }

    async fn next_in(&self) -> Result<chrono::TimeDelta> {
        let schedule = self.app.store().lookup_recheck_schedule(&self.answer.id).await?;
        Ok(schedule.context("it is still scheduled")?.next_at - self.answer.created_at)
    }
}

struct Checking {
    running: tokio::task::JoinHandle<Result<Recheck, AppError>>,
    told: Arc<Mutex<Vec<AnswerEvent>>>,
}

impl Checking {
    fn told(&self) -> Vec<AnswerEvent> {
        self.told.lock().expect("no panic while noting").clone()
    }

    async fn until_told(&self) -> Result<()> {
        until("it is told something", || !self.told().is_empty()).await
    }

    async fn end(self) -> Result<Result<Recheck, AppError>> {
        let ended = tokio::time::timeout(PATIENCE, self.running).await;
        Ok(ended.context("it does not end")??)
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) -> Result<()> {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.with_context(|| format!("in vain: {what}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_ask_for_the_same_check_get_one_and_are_told_the_same() -> Result<()> {
    let answered = Answered::begin().await?;
    answered.may_answer(false);
    let first = answered.check();
    answered.until_asked(2).await?;
    assert!(answered.is_running().await?);
    let second = answered.check();
    second.until_told().await?;
    answered.may_answer(true);
    until("both are told all", || {
        first.told() == second.told() && first.told().len() > 2
    })
    .await?;
    let (one, other) = (first.end().await??, second.end().await??);
    assert_eq!(one, other);
    assert_eq!(answered.kept().await?, [one]);
    assert_eq!(answered.asked(), 2, "once for the answer, once for the check");
    assert!(!answered.is_running().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_joins_the_check_that_came_by_itself() -> Result<()> {
    let answered = Answered::begin().await?;
    answered.schedule().await?;
    answered.may_answer(false);
    let due = tokio::spawn({
        let app = answered.app.clone();
        async move { app.recheck_due().await }
    });
    answered.until_asked(2).await?;
    let person = answered.check();
    person.until_told().await?;
    answered.may_answer(true);
    let (due, person) = (due.await??.context("it was due")?, person.end().await??);
    assert_eq!((due.failure, due.changed), (None, person.changed));
    assert!(person.scheduled, "the person joined it");
    assert_eq!(answered.kept().await?, [person]);
    assert_eq!(answered.asked(), 2);
    assert!(
        answered.next_in().await? > chrono::TimeDelta::hours(23),
        "the next is tomorrow's"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_due_joins_the_persons_and_counts_as_done() -> Result<()> {
    let answered = Answered::begin().await?;
    answered.schedule().await?;
    answered.may_answer(false);
    let person = answered.check();
    answered.until_asked(2).await?;
    let due = tokio::spawn({
        let app = answered.app.clone();
        async move { app.recheck_due().await }
    });
    // It was taken up: for an hour it is nobody else's.
    let began = Instant::now();
    while answered.next_in().await? <= chrono::TimeDelta::zero() {
        anyhow::ensure!(began.elapsed() < PATIENCE, "it is not taken up");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It looks up the answer, and joins: nothing tells of that.
    tokio::time::sleep(Duration::from_secs(1)).await;
    answered.may_answer(true);
    let (due, person) = (due.await??.context("it was due")?, person.end().await??);
    assert_eq!(due.failure, None);
    assert!(!person.scheduled, "the person began it");
    assert_eq!(answered.kept().await?, [person]);
    assert_eq!(answered.asked(), 2);
    assert!(
        answered.next_in().await? > chrono::TimeDelta::hours(23),
        "the next is tomorrow's"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_stopped_ends_for_all_who_wait_says_so_and_can_be_made_again() -> Result<()> {
    let answered = Answered::begin().await?;
    let id = &answered.answer.id;
    assert!(!answered.app.stop_recheck(id), "there is none");
    answered.may_answer(false);
    let (first, began) = (answered.check(), Instant::now());
    answered.until_asked(2).await?;
    let second = answered.check();
    second.until_told().await?;
    assert!(answered.app.stop_recheck(id));
    for stopped in [first.end().await?, second.end().await?] {
        let failure = Failure::from(&stopped.expect_err("it was stopped"));
        assert_eq!(failure.code, ErrorCode::Cancelled, "{failure:?}");
    }
    assert!(began.elapsed() < PATIENCE, "the model is not waited for");
    answered.may_answer(true);

    assert!(!answered.is_running().await?);
    assert!(!answered.app.stop_recheck(id), "it is over");
    let kept = answered.kept().await?;
    assert_eq!(kept.len(), 1);
    assert_eq!(
        kept[0].failure.as_ref().map(|failure| failure.code),
        Some(ErrorCode::Cancelled)
    );
    let sent = answered.app.recheck_ledger(id, kept[0].checked_at).await?;
    assert!(
        !sent
            .context("what was sent until then is known")?
            .ledger
            .texts
            .is_empty()
    );
    let old = answered.app.store().lookup_message(id).await?;
    assert_eq!(old.as_ref(), Some(&answered.answer), "the answer stays as it was");

    let again = answered.check().end().await??;
    assert_eq!(again.failure, None);
    assert_eq!(
        answered.kept().await?,
        [again],
        "it takes the place of the one that was stopped"
    );
    Ok(())
}
