//! How engines have been doing and what models used, as a person finds it later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use deepsearch_tests::engines::Mood;
use deepsearch_tests::model_server::Script;
use serde_json::Value;

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

/// What was used of each model, by its name.
fn used_of<'a>(models: &'a Value, model: &str) -> Result<&'a Value> {
    let mut models_of = models.as_array().into_iter().flatten();
    let found = models_of.find(|used| used["model"] == model);
    found.with_context(|| format!("no {model} in {models}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_another_model_goes_on_with_costs_what_each_of_them_used() -> Result<()> {
    const SECOND: &str = "second/scripted";
    let web = SmallWeb::lighthouse().await?;
    let first = answering(|_| {
        Script::text("It is 47 metres high [1]. And")
            .usage(1_000, 50)
            .truncated()
    })
    .await?;
    let second = answering(|_| Script::text(" it is white.").usage(300, 30)).await?;
    let home = with_model(searching(&web.engine)?, &first).set("models.second.url", second.base().as_str());
    let cut = home.run(["ask", "--json", "How high is the Zorvane lighthouse?"])?;
    let failed = cut.events_of("failed")?.pop().context("it was cut off")?;
    let before = failed["message"]["metadata"]["tokens"].clone();
    assert!(before["prompt"].as_u64() >= Some(1_000), "{failed}");

    let id = text(&failed["message"]["id"]);
    let goes_on = home.run(["ask", "--continue", &id, "--model", SECOND, "--json"])?;
    let whole = finished(&goes_on.succeeded()?)?;
    let all = &whole["metadata"]["tokens"];
    let chat = text(&whole["chat_id"]);
    let of_chat = home.run(["usage", "--chat", &chat, "--json"])?.succeeded()?.json()?;
    let told = home.run(["usage", "--json"])?.succeeded()?.json()?;
    for models in [&of_chat["models"], &told["months"][0]["models"]] {
        let (one, other) = (used_of(models, SCRIPTED)?, used_of(models, SECOND)?);
        for kind in ["prompt", "completion"] {
            assert_eq!(one[kind], before[kind], "{models}");
            let rest = all[kind]
                .as_u64()
                .zip(before[kind].as_u64())
                .map(|(all, before)| all - before);
            assert_eq!(other[kind].as_u64(), rest, "{models}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_told_counts_although_its_answer_broke_off_also_of_a_recheck() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let breaks = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&breaks);
    let model = answering(move |_| {
        let script = Script::text("It is 47 metres high [1].");
        if is_broken.load(Ordering::SeqCst) {
            script.break_after(3)
        } else {
            script
        }
    })
    .await?;
    let home = with_model(searching(&web.engine)?, &model);
    let first = finished(
        &home
            .run(["ask", "--json", "How high is the Zorvane lighthouse?"])?
            .succeeded()?,
    )?;
    let chat = text(&first["chat_id"]);
    // Such a question is first put in other words by the model, which tells what that took.
    let follow_up = ["ask", "--json", "--chat", &chat, "Who designed it?"];
    let whole = finished(&home.run(follow_up)?.succeeded()?)?;
    let used = || -> Result<Value> {
        let told = home.run(["usage", "--chat", &chat, "--json"])?.succeeded()?.json()?;
        Ok(used_of(&told["models"], SCRIPTED)?["prompt"].clone())
    };
    let before = used()?.as_u64().context("tokens")?;

    breaks.store(true, Ordering::SeqCst);
    let broken = home.run(follow_up)?;
    let failed = broken.events_of("failed")?.pop().context("it broke off")?;
    assert_eq!(failed["message"]["metadata"]["tokens"]["prompt"], 100, "{failed}");
    assert_eq!(used()?.as_u64(), Some(before + 100));

    let month = || -> Result<Option<u64>> {
        let told = home.run(["usage", "--json"])?.succeeded()?.json()?;
        Ok(used_of(&told["months"][0]["models"], SCRIPTED)?["prompt"].as_u64())
    };
    let before = month()?.context("tokens")?;
    home.run(["recheck", &text(&whole["id"]), "--json"])?;
    assert_eq!(month()?, Some(before + 100));
    Ok(())
}
