//! How engines have been doing and what models used, as a person finds it later.

use anyhow::Result;
use deepsearch_tests::engines::Mood;
use deepsearch_tests::model_server::Script;

use crate::purpose::answering;
use crate::world::{SCRIPTED, SmallWeb, finished, searching, text, with_model};

#[tokio::test(flavor = "multi_thread")]
async fn every_time_an_engine_was_asked_is_found_again_with_why_it_failed() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let home = searching(&web.engine)?;
    let none = home.run(["engines", "--history"])?;
    assert_eq!(none.code, Some(7), "{}", none.stderr);
    home.run(["search", "lighthouse"])?.succeeded()?;
    web.engine.be(Mood::RateLimited);
    home.run(["search", "ferry"])?;
    let told = home
        .run(["engines", "--history", "searxng", "--json"])?
        .succeeded()?
        .json()?;
    let events = told.as_array().cloned().unwrap_or_default();
    assert_eq!(events.len(), 2, "{told}");
    assert_eq!(events[0]["failure"]["code"], "rate_limited", "the newest first");
    assert!(
        events[1]["failure"].is_null() && events[1]["milliseconds"].is_u64(),
        "{told}"
    );
    let plain = home.run(["engines", "--history"])?.succeeded()?;
    assert!(
        plain.stdout.contains("searxng") && plain.stdout.contains("answered"),
        "{}",
        plain.stdout
    );
    assert_eq!(home.run(["engines", "--history", "nobody"])?.code, Some(3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_models_used_is_told_by_month_and_by_chat_with_what_it_cost() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = answering(|_| Script::text("It is 47 metres high [1].").usage(1_000, 50)).await?;
    let home = with_model(searching(&web.engine)?, &model);
    assert_eq!(home.run(["usage"])?.code, Some(7));
    let message = finished(
        &home
            .run(["ask", "--json", "How high is the Zorvane lighthouse?"])?
            .succeeded()?,
    )?;
    let tokens = &message["metadata"]["tokens"];
    let unpriced = home.run(["usage"])?.succeeded()?;
    assert!(unpriced.stderr.contains("models.prices"), "{}", unpriced.stderr);

    let home = home.set("models.prices", &format!("{SCRIPTED}=2/10"));
    let told = home.run(["usage", "--json"])?.succeeded()?.json()?;
    let used = &told["months"][0]["models"][0];
    assert_eq!((&used["model"], &used["prompt"]), (&SCRIPTED.into(), &tokens["prompt"]));
    let (read, written) = (
        tokens["prompt"].as_f64().unwrap_or(0.0),
        tokens["completion"].as_f64().unwrap_or(0.0),
    );
    let cost = (read * 2.0 + written * 10.0) / 1e6;
    assert!(
        read > 0.0 && (used["cost"].as_f64().unwrap_or(0.0) - cost).abs() < 1e-12,
        "{used}"
    );
    assert_eq!(told["chats"][0]["chat_id"], message["chat_id"]);
    let month = text(&told["months"][0]["month"]);
    let of_month = home.run(["usage", "--month", &month, "--json"])?.succeeded()?.json()?;
    assert_eq!(of_month["months"], told["months"]);
    assert_eq!(home.run(["usage", "--month", "2026-13"])?.code, Some(2));

    let chat = text(&message["chat_id"]);
    let of_chat = home.run(["usage", "--chat", &chat, "--json"])?.succeeded()?.json()?;
    assert_eq!(of_chat["models"][0]["cost"], used["cost"]);
    home.run(["chats", "delete", &chat, "--forever"])?.succeeded()?;
    let after = home.run(["usage", "--json"])?.succeeded()?.json()?;
    assert_eq!(
        (&after["months"], after["chats"].as_array().map(Vec::len)),
        (&told["months"], Some(0))
    );
    Ok(())
}
