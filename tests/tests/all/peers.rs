//! What the fakes promise, where a fake that lied would let a journey pass in vain.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use deepsearch_tests::engines::{ENGINES, FakeEngine, KEY, Mood};
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::local_web::Site;
use deepsearch_tests::model_server::{ModelServer, Script};
use deepsearch_tests::scripted_server::{Reply, ScriptedServer};
use serde_json::{Value, json};

use crate::client;

async fn ask(model: &ModelServer) -> Result<reqwest::Response> {
    let request = json!({
        "model": "scripted", "stream": true, "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "What does https://canary.test/a say?" }],
    });
    Ok(client()
        .post(model.base().join("chat/completions")?)
        .json(&request)
        .send()
        .await?)
}

fn streamed(body: &str) -> String {
    let events = body.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    let chunks = events.filter_map(|event| serde_json::from_str::<Value>(event).ok());
    chunks
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn a_site_serves_its_files_counts_requests_and_has_an_index() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("a"))?;
    std::fs::write(folder.path().join("a/page.html"), "<title>A page</title>Words")?;
    let site = Site::serve(folder.path()).await?;
    let client = client();
    let page = client.get(site.url("a/page.html")).send().await?;
    assert_eq!(page.headers()["content-type"], "text/html");
    assert!(page.text().await?.contains("Words"));
    assert!(
        client
            .get(site.url(""))
            .send()
            .await?
            .text()
            .await?
            .contains("href=\"/a/page.html\"")
    );
    assert!(
        client
            .get(site.url("robots.txt"))
            .send()
            .await?
            .text()
            .await?
            .contains("Disallow: /private/")
    );
    assert_eq!(client.get(site.url("absent.html")).send().await?.status(), 404);
    assert_eq!((site.requests("/a/page.html"), site.requests_in_all()), (1, 4));
    Ok(())
}

#[tokio::test]
async fn a_dropped_site_is_gone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let site = Site::serve(folder.path()).await?;
    let url = site.url("");
    assert!(client().get(url.clone()).send().await.is_ok());
    drop(site);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(client().get(url).send().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_cut_reply_breaks_and_a_whole_one_does_not() -> Result<()> {
    let server = ScriptedServer::in_turn(vec![
        Reply::html("0".repeat(1_000)).cut_at(500),
        Reply::html("0123456789"),
    ])
    .await?;
    let first = client().get(server.url("a")).send().await?.text().await;
    assert!(first.is_err(), "{first:?}");
    assert_eq!(client().get(server.url("b")).send().await?.text().await?, "0123456789");
    assert_eq!(
        server
            .asked()
            .iter()
            .map(|asked| asked.target.clone())
            .collect::<Vec<_>>(),
        ["/a", "/b"]
    );
    Ok(())
}

#[tokio::test]
async fn a_model_streams_its_script_whatever_the_pieces_cut_through() -> Result<()> {
    let text = "Größe [1] und Länge [2][3]. 日本語";
    let model = ModelServer::always(Script::text(text).in_pieces(7, Duration::from_micros(100))).await?;
    let body = ask(&model).await?.text().await?;
    assert_eq!(streamed(&body), text);
    assert!(body.contains("\"total_tokens\":120") && body.ends_with("data: [DONE]\n\n"));
    assert_eq!(model.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_model_that_breaks_off_ends_in_an_error() -> Result<()> {
    let model = ModelServer::always(Script::text("one two three").break_after(2)).await?;
    assert!(ask(&model).await?.text().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_gullible_model_repeats_the_addresses_it_is_shown() -> Result<()> {
    let body = ask(&ModelServer::gullible().await?).await?.text().await?;
    assert!(streamed(&body).contains("![x](https://canary.test/a?leak=1)"));
    Ok(())
}

/// Asks a fake as its documentation says one asks, without the product's client.
async fn search(engine: &str, fake: &FakeEngine, key: &str) -> Result<(u16, String)> {
    let (client, base) = (client(), fake.base());
    let request = match engine {
        "serper" => client
            .post(base.join("search")?)
            .header("X-API-KEY", key)
            .json(&json!({ "q": "sorting lists" })),
        "brave" => client
            .get(base.join("res/v1/web/search?q=sorting+lists")?)
            .header("X-Subscription-Token", key),
        "tavily" => client
            .post(base.join("search")?)
            .bearer_auth(key)
            .json(&json!({ "query": "sorting lists" })),
        "exa" => client
            .post(base.join("search")?)
            .header("x-api-key", key)
            .json(&json!({ "query": "sorting lists", "contents": { "highlights": true } })),
        "searxng" => client.get(base.join("search?q=sorting+lists&format=json")?),
        "wikipedia" => client
            .get(base.join("w/api.php?action=query&list=search&format=json&srsearch=sorting+lists")?)
            .header("user-agent", "tests"),
        _ => client.post(base.join("html/")?).form(&[("q", "sorting lists")]),
    };
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test]
async fn every_engine_finds_what_is_there_and_nothing_when_told_so() -> Result<()> {
    let mut index = LocalIndex::default();
    index.add(
        "http://127.0.0.1:1/sort.html".parse()?,
        "<title>Sorting</title>How lists are sorted",
    );
    let index = Arc::new(index);
    for engine in ENGINES {
        let fake = FakeEngine::start(engine, Arc::clone(&index)).await?;
        let (status, body) = search(engine, &fake, KEY).await?;
        assert!(status == 200 && body.contains("Sorting"), "{engine}: {status} {body}");
        fake.be(Mood::Empty);
        let (status, body) = search(engine, &fake, KEY).await?;
        assert!(status == 200 && !body.contains("Sorting"), "{engine}: {status} {body}");
    }
    Ok(())
}

#[tokio::test]
async fn engines_with_keys_refuse_a_wrong_one() -> Result<()> {
    for (engine, refusal) in [("serper", 403), ("brave", 422), ("tavily", 401), ("exa", 401)] {
        let fake = FakeEngine::start(engine, Arc::default()).await?;
        assert_eq!(search(engine, &fake, "wrong").await?.0, refusal, "{engine}");
    }
    Ok(())
}
