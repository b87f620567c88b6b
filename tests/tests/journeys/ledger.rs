//! The ledger of an answer, held against what a proxy before every server wrote down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use deepsearch_servers::{Exchange, RecordingProxy};
use deepsearch_tests::cli::Home;
use deepsearch_tests::model_server::Script;
use serde_json::Value;
use url::Url;

use crate::purpose::answering;
use crate::world::{LIGHTHOUSE, SCRIPTED, SmallWeb, finished, offline, searching, text};

const QUESTION: &str = "How high is the Zorvane lighthouse?";

pub(crate) fn before(url: &Url) -> Result<(RecordingProxy, String)> {
    let proxy = RecordingProxy::before(url.port().context("a port")?)?;
    let mut seen = url.clone();
    seen.set_port(Some(proxy.port())).expect("an address with a host");
    Ok((proxy, seen.into()))
}

/// What a line of the ledger says, without its place in it: requests, bytes out, bytes in.
pub(crate) type Line = (String, String, String);
pub(crate) type Counts = (u64, u64, u64);

pub(crate) fn lines(ledger: &Value) -> BTreeMap<Line, Counts> {
    let contacts = ledger["ledger"]["contacts"].as_array().into_iter().flatten();
    contacts
        .map(|contact| {
            let line = (
                text(&contact["host"]),
                text(&contact["errand"]),
                text(&contact["service"]),
            );
            let count = |name: &str| contact[name].as_u64().unwrap_or_default();
            (line, (count("requests"), count("bytes_out"), count("bytes_in")))
        })
        .collect()
}

/// What the proxies saw, as the ledger should have it.
pub(crate) fn seen(
    proxy: &RecordingProxy,
    line: impl Fn(&Exchange) -> (&'static str, &'static str),
) -> BTreeMap<Line, Counts> {
    let mut seen: BTreeMap<Line, Counts> = BTreeMap::new();
    for exchange in proxy.exchanges() {
        let (errand, service) = line(&exchange);
        let counts = seen
            .entry((exchange.host.clone(), errand.into(), service.into()))
            .or_default();
        let (out, back) = if errand == "model" {
            (
                messages(&exchange)
                    .iter()
                    .map(|message| text(&message["content"]).len())
                    .sum(),
                written(&exchange),
            )
        } else {
            (exchange.target.len() + exchange.body.len(), exchange.answer.len())
        };
        *counts = (counts.0 + 1, counts.1 + out as u64, counts.2 + back as u64);
    }
    seen
}

pub(crate) fn messages(exchange: &Exchange) -> Vec<Value> {
    let asked: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
    asked["messages"].as_array().cloned().unwrap_or_default()
}

/// How many bytes of text a stream of events brought.
fn written(exchange: &Exchange) -> usize {
    let stream = String::from_utf8_lossy(&exchange.answer).into_owned();
    let events = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.filter_map(|event| serde_json::from_str::<Value>(event).ok());
    events
        .map(|event| text(&event["choices"][0]["delta"]["content"]).len())
        .sum()
}

pub(crate) fn of_a_site(exchange: &Exchange) -> (&'static str, &'static str) {
    match exchange.target.as_str() {
        "/robots.txt" => ("robots", ""),
        "/favicon.ico" => ("icon", ""),
        _ => ("page", ""),
    }
}

pub(crate) fn of_a_model(exchange: &Exchange) -> (&'static str, &'static str) {
    match exchange.method.as_str() {
        "GET" => ("model_list", "scripted"),
        _ => ("model", "scripted"),
    }
}

pub(crate) fn ledger_of(home: &Home, message: &Value) -> Result<Value> {
    let told = home
        .run(["ledger", &text(&message["id"]), "--json"])?
        .succeeded()?
        .json()?;
    Ok(told[0].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_an_answer_equals_what_a_recording_proxy_saw() -> Result<()> {
    let mut site = None;
    let web = SmallWeb::behind(LIGHTHOUSE, |port| {
        let proxy = RecordingProxy::before(port)?;
        let known_by = proxy.port();
        site = Some(proxy);
        Ok(Some(known_by))
    })
    .await?;
    let site = site.context("a proxy before the site")?;
    let (engine, engine_url) = before(web.engine.base())?;
    let site = Arc::new(site);
    let seen_by_site = Arc::clone(&site);
    // It answers when the site's icon has come, and a moment later.
    let model = answering(move |_| {
        let icon_came = || {
            let exchanges = seen_by_site.exchanges();
            exchanges
                .iter()
                .any(|one| of_a_site(one).0 == "icon" && one.status != 0)
        };
        // The site is served by the same runtime.
        tokio::task::block_in_place(|| {
            let began = Instant::now();
            while !icon_came() && began.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Script::text("The lighthouse is 47 metres high [1].").first_token_after(Duration::from_millis(600))
    })
    .await?;
    let (asked, model_url) = before(&model.base())?;
    let home = offline()?
        .set("engines.order", "searxng")
        .set("engines.searxng.url", &engine_url)
        .set("models.scripted.url", &model_url)
        .set("default_model", SCRIPTED);
    let message = finished(&home.run(["ask", "--json", QUESTION])?.succeeded()?)?;
    let ledger = ledger_of(&home, &message)?;

    let mut expected = seen(&site, of_a_site);
    expected.extend(seen(&engine, |_| ("search", "searxng")));
    expected.extend(seen(&asked, of_a_model));
    for errand in ["page", "robots", "icon", "search", "model"] {
        let found = expected.iter().find(|((_, of, _), _)| of == errand);
        let (_, counts) = found.with_context(|| format!("nothing went by for a {errand}: {expected:#?}"))?;
        assert!(counts.1 > 0 && counts.2 > 0, "{errand}: {counts:?}");
    }
    assert_eq!(lines(&ledger), expected);

    // And the texts are, word for word, what the model was sent.
    let sent: Vec<Value> = asked
        .exchanges()
        .iter()
        .filter(|exchange| exchange.method == "POST")
        .map(|exchange| Value::from(messages(exchange)))
        .collect();
    let kept: Vec<Value> = ledger["ledger"]["texts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|kept| kept["turns"].clone())
        .collect();
    // The title and what to ask next are asked for at the same time.
    let in_any_order = |texts: &[Value]| texts.iter().map(Value::to_string).collect::<BTreeSet<_>>();
    assert_eq!(in_any_order(&kept), in_any_order(&sent));
    assert!(kept.len() >= 2, "an answer, a title and what to ask next: {kept:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_failed_is_counted_too_and_its_text_is_told_once() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let first = std::sync::atomic::AtomicBool::new(true);
    let model = answering(move |_| match first.swap(false, std::sync::atomic::Ordering::SeqCst) {
        true => Script::refuse(503, "overloaded", "try again"),
        false => Script::text("It is 47 metres high [1]."),
    })
    .await?;
    let (asked, model_url) = before(&model.base())?;
    let home = searching(&web.engine)?
        .set("models.scripted.url", &model_url)
        .set("default_model", SCRIPTED);
    let message = finished(&home.run(["ask", "--json", QUESTION])?.succeeded()?)?;
    let ledger = ledger_of(&home, &message)?;
    let line = lines(&ledger).into_iter().find(|((_, errand, _), _)| errand == "model");
    let posts = asked
        .exchanges()
        .iter()
        .filter(|exchange| exchange.method == "POST")
        .count();
    assert_eq!(line.context("a model")?.1.0, posts as u64);
    let times: Vec<u64> = ledger["ledger"]["texts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|sent| sent["times"].as_u64())
        .collect();
    assert_eq!(times.iter().sum::<u64>(), posts as u64);
    assert!(times.contains(&2), "{times:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_the_guide_tells_that_nothing_left_and_a_chat_tells_of_all_its_answers() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let home = searching(&web.engine)?;
    let guide = ["ask", "--in", "guide", "--json", "how do I use my own SearXNG?"];
    let message = finished(&home.run(guide)?.succeeded()?)?;
    let (id, chat) = (text(&message["id"]), text(&message["chat_id"]));
    let told = home.run(["ledger", &id])?.succeeded()?;
    assert!(told.stdout.contains("Nothing left this computer."), "{}", told.stdout);
    home.run(["ask", "--in", "web", "--chat", &chat, QUESTION])?
        .succeeded()?;
    let all = home.run(["ledger", "--chat", &chat, "--json"])?.succeeded()?.json()?;
    let contacts: Vec<usize> = all
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["ledger"]["contacts"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(contacts.len(), 2);
    assert!(contacts[0] == 0 && contacts[1] > 0, "{contacts:?}");
    home.run(["chats", "delete", &chat, "--forever"])?.succeeded()?;
    assert_eq!(home.run(["ledger", &id])?.code, Some(3), "it went with its chat");
    Ok(())
}
