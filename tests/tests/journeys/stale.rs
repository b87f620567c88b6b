//! The cache of searches as a person meets it: the same question again costs nothing, and an old answer is better than
//! none, as long as it says so.

use anyhow::Result;
use deepsearch_tests::cli::Home;
use deepsearch_tests::engines::Mood;

use crate::world::{SmallWeb, finished, searching, sources, text};

const QUESTION: &str = "How high is the Zorvane lighthouse?";

/// Makes every cached search older than it may be.
async fn age(home: &Home) -> Result<()> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(home.path().join("deepsearch.sqlite"));
    let pool = sqlx::SqlitePool::connect_with(options).await?;
    let aged = sqlx::query("update search_cache set expires_at = 1")
        .execute(&pool)
        .await?;
    assert!(aged.rows_affected() > 0, "nothing was cached");
    pool.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_was_made_before_is_not_made_again() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let home = searching(&web.engine)?;
    let first = home.run(["search", "--json", QUESTION])?.succeeded()?.json()?;
    let second = home.run(["search", "--json", QUESTION])?.succeeded()?.json()?;
    assert_eq!(
        (first["cached"].as_bool(), second["cached"].as_bool()),
        (Some(false), Some(true))
    );
    assert_eq!(first["results"], second["results"]);
    assert_eq!(web.engine.asked().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_engine_fails_an_old_answer_is_given_and_called_old() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let home = searching(&web.engine)?;
    home.run(["ask", QUESTION])?.succeeded()?;
    age(&home).await?;
    web.engine.be(Mood::Broken);

    let ran = home.run(["ask", "--json", QUESTION])?.succeeded()?;
    let searched = ran.events_of("searched")?;
    let from_web = searched.iter().find(|event| event["engine"] == "searxng");
    assert_eq!(
        from_web.and_then(|event| event["stale"].as_bool()),
        Some(true),
        "{searched:?}"
    );
    assert_eq!(ran.events_of("search_failed")?.len(), 1);
    let message = finished(&ran)?;
    assert!(sources(&message).contains(&web.site.url("height.html").into()));
    // It is called so wherever it is shown again, too.
    assert_eq!(message["metadata"]["staleSearch"], true);
    let shown = home.run(["chats", "show", &text(&message["chat_id"])])?.succeeded()?;
    assert!(shown.stdout.contains("(from an old search)"), "{}", shown.stdout);

    let plain = home.run(["ask", QUESTION])?.succeeded()?;
    assert!(plain.stderr.contains("from an old cached answer"), "{}", plain.stderr);
    Ok(())
}
