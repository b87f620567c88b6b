//! A shared cache in Redis: another data folder finds what was searched before, and a dead Redis stops nothing.

use anyhow::Result;
use deepsearch_tests::redis;

use crate::world::{SmallWeb, finished, searching, text};

const QUESTION: &str = "How high is the Zorvane lighthouse?";

#[tokio::test(flavor = "multi_thread")]
async fn a_search_of_one_data_folder_is_cached_for_another_that_shares_the_redis() -> Result<()> {
    let Some(redis) = redis::start()? else {
        return Ok(());
    };
    let web = SmallWeb::lighthouse().await?;
    let search = |shares: bool| -> Result<bool> {
        let home = searching(&web.engine)?;
        let home = if shares {
            home.set("redis.url", &redis.url())
        } else {
            home
        };
        let found = home.run(["search", "--json", QUESTION])?.succeeded()?.json()?;
        assert!(
            !found["results"][0]["hits"].as_array().is_none_or(Vec::is_empty),
            "{found}"
        );
        Ok(found["cached"] == true)
    };
    assert!(!search(true)?);
    assert!(search(true)?, "the second folder has it from Redis");
    assert!(!search(false)?, "a folder without Redis has it not");
    assert_eq!(web.engine.asked().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_has_gone_stops_no_answer() -> Result<()> {
    let Some(redis) = redis::start()? else {
        return Ok(());
    };
    let web = SmallWeb::lighthouse().await?;
    let home = searching(&web.engine)?.set("redis.url", &redis.url());
    home.run(["search", QUESTION])?.succeeded()?;
    drop(redis);
    let message = finished(&home.run(["ask", "--json", QUESTION])?.succeeded()?)?;
    assert!(text(&message["content"]).contains("47 metres"), "{message}");
    // Its own table still has the search.
    let again = home.run(["search", "--json", QUESTION])?.succeeded()?.json()?;
    assert_eq!(again["cached"], true);
    Ok(())
}
