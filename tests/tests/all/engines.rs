//! The product's clients against the fakes, which were written apart from them: each must understand the other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use deepsearch_core::{ErrorCode, SearchEngine, SearchQuery, SystemClock};
use deepsearch_net::Network;
use deepsearch_search::{EngineConfig, Http, HttpLimits, engine};
use deepsearch_tests::engines::{ENGINES, FakeEngine, KEY, Mood};
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::local_web::Site;
use deepsearch_tests::needs;

use crate::{client, install_tls};

/// The engines that want a key; the others are asked without one.
const KEYED: &[&str] = &["serper", "brave", "tavily", "exa"];
const PATIENCE: Duration = Duration::from_millis(500);

fn engine_at(id: &str, fake: &FakeEngine, key: &str) -> Result<Arc<dyn SearchEngine>> {
    install_tls();
    let limits = HttpLimits {
        total: PATIENCE,
        ..HttpLimits::default()
    };
    let config = EngineConfig {
        key: KEYED.contains(&id).then(|| key.to_owned().into()),
        base_url: Some(fake.base().clone()),
    };
    engine(
        id,
        config,
        &Http::new(limits, &Network::default(), Arc::new(SystemClock))?,
    )
    .context("making the engine")
}

fn query(text: &str) -> SearchQuery {
    SearchQuery {
        text: text.into(),
        locale: Some("en".into()),
        time_range: None,
        limit: 5,
    }
}

#[tokio::test]
async fn every_engine_finds_the_page_about_it_on_a_web_of_real_documents() -> Result<()> {
    let Some(corpus) = needs::corpus() else {
        return Ok(());
    };
    let python = Site::serve(corpus.join("python")).await?;
    let index = Arc::new(LocalIndex::of(&[&python], &["/library/"])?);
    for id in ENGINES {
        let fake = FakeEngine::start(id, Arc::clone(&index)).await?;
        let found = engine_at(id, &fake, KEY)?
            .search(&query("json encoder and decoder"))
            .await;
        let hits = found.with_context(|| format!("searching {id}"))?.hits;
        assert!((1..=5).contains(&hits.len()), "{id}: {hits:?}");
        let first = hits
            .iter()
            .find(|hit| hit.title.contains("json"))
            .with_context(|| format!("{id}: {hits:?}"))?;
        // Also where the address is MediaWiki's and leads on to the page.
        let page = client()
            .get(&first.url)
            .send()
            .await?
            .error_for_status()?
            .text()
            .await?;
        assert!(page.contains("json.dumps"), "{id}: {}", first.url);
        assert!(
            hits.iter().all(|hit| !hit.url.contains("duckduckgo.com")),
            "{id}: an advertisement in {hits:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_engine_tells_its_failures_apart() -> Result<()> {
    use ErrorCode::{Captcha, KeyRefused, NoResults, QuotaExceeded, RateLimited, TimedOut, Upstream};
    let mut index = LocalIndex::default();
    index.add(
        "http://127.0.0.1:1/sort.html".parse()?,
        "<title>Sorting</title>How lists are sorted",
    );
    let index = Arc::new(index);
    let slow = Mood::Slow(PATIENCE * 4);
    for id in ENGINES {
        let fake = FakeEngine::start(id, Arc::clone(&index)).await?;
        let engine = engine_at(id, &fake, KEY)?;
        // Engines without keys refuse us in another way, and some tell less than others.
        let (captcha, limited, quota, refused) = match *id {
            "searxng" => (Captcha, RateLimited, RateLimited, Upstream),
            "wikipedia" => (RateLimited, RateLimited, RateLimited, Upstream),
            "duckduckgo" => (Captcha, Captcha, Captcha, Captcha),
            _ => (RateLimited, RateLimited, QuotaExceeded, KeyRefused),
        };
        let expected = [
            (Mood::Empty, NoResults),
            (Mood::Captcha, captcha),
            (Mood::RateLimited, limited),
            (Mood::QuotaUsedUp, quota),
            (Mood::KeyRefused, refused),
            (Mood::Broken, Upstream),
            (slow, TimedOut),
        ];
        for (mood, code) in expected {
            fake.be(mood);
            let failure = engine
                .search(&query("sorting lists"))
                .await
                .expect_err("a mood that fails");
            assert_eq!(failure.code(), code, "{id} is {mood:?}: {failure}");
        }
        fake.be(Mood::Answers);
        assert!(
            engine.search(&query("sorting lists")).await.is_ok(),
            "{id} has recovered"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_key_is_told_as_one() -> Result<()> {
    for id in KEYED {
        let fake = FakeEngine::start(id, Arc::default()).await?;
        let failure = engine_at(id, &fake, "wrong")?
            .search(&query("anything"))
            .await
            .expect_err("a wrong key");
        assert_eq!(failure.code(), ErrorCode::KeyRefused, "{id}: {failure}");
    }
    Ok(())
}
