//! An old answer checked again with the real command: it looks anew, tells each sentence with its evidence then and now,
//! keeps all of it, and is checked by itself when its time has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use deepsearch_core::{Clock as _, SystemClock};
use deepsearch_tests::cli::Home;
use deepsearch_tests::engines::Mood;
use deepsearch_tests::model_server::{ModelServer, Script, prompt};
use serde_json::Value;

use crate::world::{SmallWeb, finished, message_of, open_chat, searching, text, with_model};

const QUESTION: &str = "How high is the Zorvane lighthouse?";
const TITLE: &str = "The Zorvane lighthouse: height and tower";
const STEPS: &str = "The lantern room is reached by 212 steps, and visitors may climb it from April to October.";

/// An answer from a web that is about to change, with a model that writes what its page says.
struct Answered {
    web: SmallWeb,
    model: ModelServer,
    /// While it is set, the model takes questions and answers none.
    is_silent: Arc<AtomicBool>,
    home: Home,
    message: Value,
    id: String,
}

impl Answered {
    async fn begin() -> Result<Self> {
        let web = SmallWeb::lighthouse().await?;
        let is_silent = Arc::new(AtomicBool::new(false));
        let silent = Arc::clone(&is_silent);
        let model = ModelServer::start(move |request| {
            let asked = prompt(request);
            let height = if asked.contains("49 metres") { 49 } else { 47 };
            let script = Script::text(&format!(
                "The Zorvane lighthouse is {height} metres high [1]. The lantern room is reached by 212 steps [1]."
            ));
            match silent.load(Ordering::SeqCst) {
                true => script.first_token_after(Duration::from_secs(120)),
                false => script,
            }
        })
        .await?;
        let home = with_model(searching(&web.engine)?, &model);
        let message = finished(&home.run(["ask", "--json", QUESTION])?.succeeded()?)?;
        let id = text(&message["id"]);
        Ok(Self {
            web,
            model,
            is_silent,
            home,
            message,
            id,
        })
    }

    fn says(&self, height: u32) -> Result<()> {
        let text = format!("The Zorvane lighthouse is {height} metres high.\n{STEPS}");
        self.web.rewrite("height.html", TITLE, &text)
    }

    fn check(&self) -> Result<Value> {
        self.home.run(["recheck", &self.id, "--json"])?.succeeded()?.json()
    }

    fn history(&self) -> Result<Vec<Value>> {
        let told = self.home.run(["recheck", &self.id, "--history", "--json"])?;
        Ok(told.succeeded()?.json()?.as_array().cloned().unwrap_or_default())
    }

    /// What a check that is due now told, or nothing.
    fn due(&self) -> Result<Option<Value>> {
        let ran = self.home.run(["recheck", "due", "--json"])?;
        let told = ran.json()?;
        assert_eq!(ran.code, Some(if told.is_null() { 7 } else { 0 }), "{}", ran.stderr);
        Ok(Some(told).filter(|told| !told.is_null()))
    }

    async fn store(&self) -> Result<sqlx::SqlitePool> {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.home.path().join("deepsearch.sqlite"));
        Ok(sqlx::SqlitePool::connect_with(options).await?)
    }

    async fn change(&self, statement: &'static str) -> Result<()> {
        let pool = self.store().await?;
        let changed = sqlx::query(statement).execute(&pool).await?;
        assert!(changed.rows_affected() > 0, "{statement}");
        pool.close().await;
        Ok(())
    }
}

/// Where a check is when its process is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Searching,
    Writing,
}

impl Answered {
    /// Runs a command until it waits at that moment.
    fn begun(&self, command: &[&str], moment: Moment) -> Result<std::process::Child> {
        let (searches, questions) = (self.web.engine.asked().len(), self.model.requests().len());
        match moment {
            Moment::Searching => self.web.engine.be(Mood::Slow(Duration::from_secs(120))),
            Moment::Writing => self.is_silent.store(true, Ordering::SeqCst),
        }
        let mut child = self.home.spawn(command)?;
        let began = Instant::now();
        let is_there = || match moment {
            Moment::Searching => self.web.engine.asked().len() > searches,
            Moment::Writing => self.model.requests().len() > questions,
        };
        while !is_there() {
            ensure!(child.try_wait()?.is_none(), "it ended before it was {moment:?}");
            ensure!(began.elapsed() < Duration::from_secs(60), "it is never {moment:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(child)
    }

    fn kill(&self, mut child: std::process::Child) -> Result<()> {
        child.kill()?;
        ensure!(child.wait()?.code().is_none(), "it was over before it was killed");
        self.web.engine.be(Mood::Answers);
        self.is_silent.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// The one schedule there is, and in how many minutes it is due.
    fn scheduled(&self) -> Result<(Value, i64)> {
        let listed = self.home.run(["recheck", "list", "--json"])?.succeeded()?.json()?;
        assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
        let schedule = listed[0]["schedule"].clone();
        let next = text(&schedule["next_at"]).parse::<chrono::DateTime<chrono::Utc>>()?;
        Ok((schedule, (next - SystemClock.now()).num_minutes()))
    }

    async fn pages_for_nothing(&self) -> Result<i64> {
        let pool = self.store().await?;
        let count = sqlx::query_scalar(
            "select count(*) from page where id not in
                (select page_id from message_source union select page_id from recheck_page)",
        );
        let count = count.fetch_one(&pool).await?;
        pool.close().await;
        Ok(count)
    }
}

fn standings(recheck: &Value) -> Vec<&str> {
    let sentences = recheck["sentences"].as_array().into_iter().flatten();
    sentences.filter_map(|sentence| sentence["standing"].as_str()).collect()
}

/// Whether the quote stands where the proof leads: in a page that was saved.
fn leads_to_its_page(home: &Home, proof: &Value) -> Result<bool> {
    let page = format!("page:{}", text(&proof["page_id"]));
    let page = home.run(["read", &page, "--json"])?.succeeded()?.json()?;
    let at = |end: &str| proof["page_span"][end].as_u64().map(|at| at as usize);
    let (start, end) = at("start").zip(at("end")).context("a span")?;
    Ok(text(&page["text"]).get(start..end) == proof["quote"].as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_is_told_sentence_by_sentence_with_the_evidence_then_and_now() -> Result<()> {
    let answered = Answered::begin().await?;
    let same = answered.check()?;
    assert_eq!(standings(&same), ["same", "same"], "{same}");
    answered.says(49)?;
    let changed = answered.check()?;
    assert_eq!(changed["changed"], 1, "{changed}");
    assert_eq!(standings(&changed)[..2], ["changed", "same"], "{changed}");
    let (before, now) = (&changed["sentences"][0]["before"], &changed["sentences"][0]["now"]);
    assert!(text(&before["quote"]).contains("47 metres"), "{before}");
    assert!(text(&now["quote"]).contains("49 metres"), "{now}");
    assert!(leads_to_its_page(&answered.home, before)?);
    assert!(leads_to_its_page(&answered.home, now)?);
    assert_ne!(before["page_id"], now["page_id"], "two readings of one address");

    let unchanged = open_chat(&answered.home, &answered.message)?;
    let kept = message_of(&unchanged, &answered.message["id"])?;
    assert_eq!(kept["content"], answered.message["content"], "the old answer stays");
    assert_eq!(kept["recheck"]["changed"], 1, "{}", kept["recheck"]);
    let shown = answered.home.run(["recheck", &answered.id, "--history"])?.succeeded()?;
    let expected = "~ The Zorvane lighthouse is 47 metres high";
    assert!(shown.stdout.contains(expected), "{}", shown.stdout);

    answered.web.remove("height.html")?;
    let gone = answered.check()?;
    assert_eq!(standings(&gone)[..2], ["gone", "gone"], "{gone}");
    assert_eq!(answered.history()?.len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_looks_anew_and_keeps_a_ledger_of_its_own() -> Result<()> {
    let answered = Answered::begin().await?;
    let (asked, read) = (
        answered.web.engine.asked().len(),
        answered.web.site.requests("/height.html"),
    );
    // Asked once more, the same question would be answered from the cache.
    answered.home.run(["search", QUESTION])?.succeeded()?;
    assert_eq!(answered.web.engine.asked().len(), asked);
    let before = answered
        .home
        .run(["ledger", &answered.id, "--json"])?
        .succeeded()?
        .json()?;
    answered.check()?;
    assert_eq!(answered.web.engine.asked().len(), asked + 1);
    assert_eq!(
        answered.web.site.requests("/height.html"),
        read + 1,
        "once, though it is found and cited"
    );

    let sent = answered.home.run(["recheck", &answered.id, "--ledger", "--json"])?;
    let sent = sent.succeeded()?.json()?;
    let contacts = sent["ledger"]["contacts"].as_array().context("contacts")?;
    for errand in ["search", "page", "model"] {
        assert!(
            contacts.iter().any(|contact| contact["errand"] == errand),
            "{errand}: {sent}"
        );
    }
    let after = answered
        .home
        .run(["ledger", &answered.id, "--json"])?
        .succeeded()?
        .json()?;
    assert_eq!(before, after, "the answer's own says what the answer sent");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_engines_fail_the_cited_pages_are_read_and_where_nothing_can_be_read_nothing_has_changed()
-> Result<()> {
    let answered = Answered::begin().await?;
    answered.says(49)?;
    answered.web.engine.be(Mood::Broken);
    let changed = answered.check()?;
    assert_eq!(standings(&changed)[..2], ["changed", "same"], "{changed}");

    let Answered { web, home, id, .. } = answered;
    drop(web);
    let failed = home.run(["recheck", &id, "--json"])?;
    assert!(
        matches!(failed.code, Some(4 | 7)),
        "{:?} {}",
        failed.code,
        failed.stdout
    );
    let kept = home.run(["recheck", &id, "--history", "--json"])?.succeeded()?.json()?;
    assert!(kept[0]["failure"]["message"].is_string(), "{kept}");
    assert_eq!(kept[0]["changed"], 0);
    assert_eq!(kept[1]["changed"], 1, "what was found stays: {kept}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_web_is_not_checked_in_private_mode_and_what_is_no_answer_not_at_all() -> Result<()> {
    let answered = Answered::begin().await?;
    let asked = answered.web.engine.asked().len();
    let private = answered.home.command(["recheck", &answered.id, "--json"])?;
    let mut private = private;
    let private = private.env("DEEPSEARCH_PRIVACY__MODE", "private").output()?;
    assert_eq!(private.status.code(), Some(4));
    assert_eq!(answered.web.engine.asked().len(), asked);
    let question = text(&answered.message["parent"]);
    assert_eq!(answered.home.run(["recheck", &question])?.code, Some(2));
    assert_eq!(answered.home.run(["recheck", "msg_of_nobody"])?.code, Some(3));
    assert_eq!(
        answered
            .home
            .run(["recheck", "schedule", "msg_of_nobody", "daily"])?
            .code,
        Some(3)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_is_due_runs_once_and_tells_each_change_once() -> Result<()> {
    const DUE: &str = "update recheck_schedule set next_at = 1, tried_at = null";
    let answered = Answered::begin().await?;
    let home = &answered.home;
    assert_eq!(home.run(["recheck", "list"])?.code, Some(7));
    let schedule = home.run(["recheck", "schedule", &answered.id, "daily", "--json"])?;
    assert_eq!(schedule.succeeded()?.json()?["every"], "daily");
    assert_eq!(answered.due()?, None, "the first time is a day from now");

    answered.change(DUE).await?;
    let first = answered.due()?.context("it was due")?;
    assert_eq!((&first["changed"], &first["news"]), (&0.into(), &0.into()), "{first}");
    assert_eq!(answered.due()?, None, "and is not any more");

    answered.says(49)?;
    answered.change(DUE).await?;
    let second = answered.due()?.context("it was due")?;
    assert_eq!(
        (&second["changed"], &second["news"]),
        (&1.into(), &1.into()),
        "{second}"
    );
    answered.change(DUE).await?;
    let third = answered.due()?.context("it was due")?;
    assert_eq!(
        (&third["changed"], &third["news"]),
        (&1.into(), &0.into()),
        "told once: {third}"
    );
    // As if all that was found since had been found by one that was killed before it could tell of it.
    answered
        .change("update recheck_schedule set tried_at = (unixepoch() - 10800) * 1000, next_at = (unixepoch() - 7200) * 1000")
        .await?;
    let untold = answered.due()?.context("the hour of the one that was killed is over")?;
    assert_eq!(
        (&untold["changed"], &untold["news"]),
        (&1.into(), &1.into()),
        "told at last: {untold}"
    );

    // Not right after another, however long it has been due.
    answered.change("update recheck_schedule set next_at = 1").await?;
    assert_eq!(answered.due()?, None);
    answered.change(DUE).await?;
    let private = home
        .command(["recheck", "due"])?
        .env("DEEPSEARCH_PRIVACY__MODE", "private")
        .output()?;
    assert_eq!(private.status.code(), Some(7), "never in private mode");

    let listed = home.run(["recheck", "list", "--json"])?.succeeded()?.json()?;
    assert_eq!(listed[0]["question"], QUESTION);
    assert_eq!(listed[0]["changed"], 1);
    home.run(["recheck", "schedule", &answered.id, "off"])?.succeeded()?;
    assert_eq!(answered.due()?, None);
    assert_eq!(home.run(["recheck", "list"])?.code, Some(7));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_could_not_be_done_is_tried_again_within_hours() -> Result<()> {
    let answered = Answered::begin().await?;
    let home = &answered.home;
    home.run(["recheck", "schedule", &answered.id, "weekly"])?.succeeded()?;
    answered
        .change("update recheck_schedule set next_at = 1, tried_at = null")
        .await?;
    answered.web.engine.be(Mood::Broken);
    answered.web.remove("height.html")?;
    answered.web.remove("history.html")?;
    answered.web.remove("visit.html")?;
    let due = answered.due()?.context("it was due")?;
    assert!(due["failure"].is_object(), "{due}");
    let listed = home.run(["recheck", "list", "--json"])?.succeeded()?.json()?;
    assert_eq!(listed[0]["schedule"]["failures"], 1, "{listed}");
    let next = text(&listed[0]["schedule"]["next_at"]).parse::<chrono::DateTime<chrono::Utc>>()?;
    let soon = next - SystemClock.now();
    assert!(soon < chrono::TimeDelta::hours(2), "{next}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_model_was_told_is_told_to_no_other() -> Result<()> {
    let mut answered = Answered::begin().await?;
    let other = ModelServer::always(Script::text("The Zorvane lighthouse is 47 metres high [1].")).await?;
    answered.home = answered
        .home
        .set("models.other.url", other.base().as_str())
        .set("default_model", "other/small");
    let same = answered.check()?;
    assert_eq!(standings(&same), ["same", "same"], "{same}");
    assert_eq!(other.requests(), Vec::<Value>::new(), "the default is another by now");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_killed_leaves_nothing_behind_and_its_schedule_is_neither_lost_nor_doubled() -> Result<()> {
    const DUE: &str = "update recheck_schedule set next_at = 1, tried_at = null";
    let answered = Answered::begin().await?;
    answered
        .home
        .run(["recheck", "schedule", &answered.id, "daily"])?
        .succeeded()?;
    answered.says(49)?;
    for moment in [Moment::Searching, Moment::Writing] {
        answered.change(DUE).await?;
        let child = answered.begun(&["recheck", "due", "--json"], moment)?;
        assert_eq!(answered.due()?, None, "another program takes up none beside it");
        answered.kill(child)?;
        assert_eq!(answered.history()?, Vec::<Value>::new(), "{moment:?}");
        assert_eq!(answered.pages_for_nothing().await?, 0, "{moment:?}");
        assert_eq!(answered.due()?, None, "not at once, which may be what killed it");
        let (schedule, minutes) = answered.scheduled()?;
        assert_eq!(
            (&schedule["every"], &schedule["failures"]),
            (&"daily".into(), &0.into()),
            "{schedule}"
        );
        assert!((50..=60).contains(&minutes), "within the hour: {schedule}");
    }

    answered.change(DUE).await?;
    let due = answered.due()?.context("its hour is over")?;
    assert_eq!((&due["changed"], &due["news"]), (&1.into(), &1.into()), "{due}");
    assert_eq!(answered.due()?, None, "once");
    assert_eq!(answered.history()?.len(), 1);
    let (schedule, minutes) = answered.scheduled()?;
    assert!((23 * 60..=24 * 60).contains(&minutes), "and tomorrow again: {schedule}");

    // A person's own touches no schedule.
    let history = answered.history()?;
    for moment in [Moment::Searching, Moment::Writing] {
        let child = answered.begun(&["recheck", &answered.id, "--json"], moment)?;
        answered.kill(child)?;
        assert_eq!(
            (answered.history()?, answered.scheduled()?.0),
            (history.clone(), schedule.clone()),
            "{moment:?}"
        );
        assert_eq!(answered.pages_for_nothing().await?, 0, "{moment:?}");
    }
    assert_eq!(answered.check()?["changed"], 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_a_check_which_says_so_and_leaves_the_answer_as_it_was() -> Result<()> {
    let answered = Answered::begin().await?;
    let child = answered.begun(&["recheck", &answered.id, "--json"], Moment::Writing)?;
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()?;
    ensure!(interrupt.success(), "the signal could not be sent");
    let (began, stopped) = (Instant::now(), child.wait_with_output()?);
    assert_eq!(stopped.status.code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(60), "the model is not waited for");
    let told: Value = serde_json::from_slice(&stopped.stdout)?;
    assert_eq!(told["error"]["code"], "cancelled", "{told}");
    let history = answered.history()?;
    assert_eq!(history[0]["failure"]["code"], "cancelled", "{history:?}");
    let chat = open_chat(&answered.home, &answered.message)?;
    let kept = message_of(&chat, &answered.message["id"])?;
    assert_eq!(kept["content"], answered.message["content"]);
    assert_eq!(
        kept["recheck"],
        Value::Null,
        "nothing was compared: {}",
        kept["recheck"]
    );
    Ok(())
}
