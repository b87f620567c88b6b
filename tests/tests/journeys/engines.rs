//! Every engine through the command, in its real wire format: what it finds, how it fails, and who is asked instead.

use std::sync::Arc;

use anyhow::Result;
use deepsearch_tests::cli::Home;
use deepsearch_tests::engines::{ENGINES, FakeEngine, KEY, Mood};
use deepsearch_tests::local_index::LocalIndex;

use crate::world::{SmallWeb, finished, offline, page, sources, text};

const KEYED: &[&str] = &["serper", "brave", "tavily", "exa"];

fn index() -> Result<Arc<LocalIndex>> {
    let mut index = LocalIndex::default();
    index.add(
        "http://127.0.0.1:1/sort.html".parse()?,
        &page("Sorting lists", "How lists are sorted."),
    );
    Ok(Arc::new(index))
}

fn at(home: Home, id: &str, engine: &FakeEngine) -> Home {
    let home = home.set(&format!("engines.{id}.url"), engine.base().as_str());
    match KEYED.contains(&id) {
        true => home.set(&format!("engines.{id}.key"), KEY),
        false => home,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_engine_is_searched_by_its_name() -> Result<()> {
    for id in ENGINES {
        let engine = FakeEngine::start(id, index()?).await?;
        let home = at(offline()?, id, &engine);
        let found = home
            .run(["search", "--engine", id, "--json", "sorting lists"])?
            .succeeded()?
            .json()?;
        assert_eq!(found["results"][0]["engine"], **id);
        assert_eq!(
            found["results"][0]["hits"][0]["title"], "Sorting lists",
            "{id}: {found}"
        );
        let plain = home.run(["search", "--engine", id, "sorting lists"])?.succeeded()?;
        assert!(plain.stdout.starts_with("Sorting lists\n"), "{id}: {}", plain.stdout);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_of_an_engine_has_its_exit_code_and_a_sentence() -> Result<()> {
    // As each engine tells it: those without keys know no quota, and a refused key is a refused request.
    let expected = |id: &str| match id {
        "searxng" => (4, 4),
        "wikipedia" => (4, 4),
        "duckduckgo" => (4, 4),
        _ => (5, 5),
    };
    for id in ENGINES {
        let engine = FakeEngine::start(id, index()?).await?;
        let home = at(offline()?, id, &engine);
        let (quota, refused) = expected(id);
        let moods = [
            (Mood::Empty, 7),
            (Mood::Captcha, 4),
            (Mood::RateLimited, 4),
            (Mood::QuotaUsedUp, quota),
            (Mood::KeyRefused, refused),
            (Mood::Broken, 4),
        ];
        for (mood, code) in moods {
            engine.be(mood);
            let ran = home.run(["search", "--engine", id, "sorting lists"])?;
            assert_eq!(ran.code, Some(code), "{id} is {mood:?}: {}", ran.stderr);
            assert!(
                ran.stderr.contains(id) && ran.stdout.is_empty(),
                "{id} is {mood:?}: {}",
                ran.stderr
            );
        }
    }
    Ok(())
}

#[test]
fn an_engine_without_its_key_says_where_to_put_it() -> Result<()> {
    let home = offline()?;
    for id in KEYED {
        let ran = home.run(["search", "--engine", id, "sorting lists"])?;
        assert_eq!(ran.code, Some(5), "{}", ran.stderr);
        assert!(
            ran.stderr
                .contains(&format!("deepsearch settings set engines.{id}.key")),
            "{}",
            ran.stderr
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_asks_for_a_human_makes_place_for_the_next_and_the_reason_is_told() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let wikipedia = FakeEngine::start("wikipedia", Arc::new(LocalIndex::of(&[&web.site], &[])?)).await?;
    web.engine.be(Mood::Captcha);
    let home = at(
        at(offline()?, "searxng", &web.engine).set("engines.order", "searxng,wikipedia"),
        "wikipedia",
        &wikipedia,
    );
    let ran = home
        .run(["ask", "--json", "How high is the Zorvane lighthouse?"])?
        .succeeded()?;
    let failed = ran.events_of("search_failed")?;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["engine"], "searxng");
    assert_eq!(failed[0]["failure"]["code"], "captcha");
    assert_eq!(failed[0]["next"], "wikipedia");
    let message = finished(&ran)?;
    assert!(text(&message["content"]).contains("47 metres"), "{message}");
    assert!(
        sources(&message).contains(&web.site.url("height.html").into()),
        "{message}"
    );

    // The command has ended, and the engine is left alone all the same, with the reason to be seen.
    let asked = web.engine.asked().len();
    let plain = home.run(["search", "Zorvane lighthouse history"])?.succeeded()?;
    assert!(plain.stderr.contains("searxng rests"), "{}", plain.stderr);
    assert_eq!(
        web.engine.asked().len(),
        asked,
        "who asked for a human is not asked again at once"
    );
    let shown = home.run(["engines"])?.succeeded()?.stdout;
    let line = |id: &str| {
        shown
            .lines()
            .find(|line| line.starts_with(id))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        line("searxng").contains("rests until") && line("searxng").contains("prove that we are human"),
        "{shown}"
    );
    assert!(
        line("wikipedia").contains("ready, ") && line("wikipedia").contains(" ms"),
        "{shown}"
    );

    // Its address is another one now: that one has done nothing yet.
    let moved = FakeEngine::start("searxng", index()?).await?;
    let home = home.set("engines.searxng.url", moved.base().as_str());
    home.run(["search", "sorting lists"])?.succeeded()?;
    assert_eq!(moved.asked().len(), 1);
    Ok(())
}
