//! Answers that a model writes: streamed, its numbers held against the sources, nothing it invents let through.

use std::time::Duration;

use anyhow::Result;
use deepsearch_tests::model_server::Script;
use deepsearch_tests::scripted_server::{Reply, ScriptedServer};

use crate::purpose::{Purpose, answering, asked_for};
use crate::world::{
    SCRIPTED, SmallWeb, addresses, finished, hold_citations, message_of, offline, open_chat, searching, sources, text,
    with_model,
};

const QUESTION: &str = "How high is the Zorvane lighthouse?";

#[tokio::test(flavor = "multi_thread")]
async fn a_model_answers_from_the_pages_and_every_number_leads_to_a_sentence() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    // Cut anywhere, so that numbers, characters and events arrive in pieces.
    let model = answering(|_| {
        Script::text(
            "The Zorvane lighthouse is 47 metres high [1]. Größe: 212 steps lead up [1, 2].\n\nIt is grey [12].",
        )
        .in_pieces(7, Duration::from_micros(200))
        .usage(900, 40)
    })
    .await?;
    let home = with_model(searching(&web.engine)?, &model);
    let ran = home.run(["ask", "--json", QUESTION])?.succeeded()?;
    assert!(ran.events_of("token")?.len() > 3, "it streams");
    let message = finished(&ran)?;
    assert_eq!(
        text(&message["content"]),
        "The Zorvane lighthouse is 47 metres high [1]. Größe: 212 steps lead up [1][2].\n\nIt is grey."
    );
    let chat = open_chat(&home, &message)?;
    assert_eq!(hold_citations(&home, &chat, &message)?, 3);
    let saved = message_of(&chat, &message["id"])?;
    assert!(text(&saved["citations"][0]["quote"]).contains("47 metres"), "{saved}");
    assert_eq!(saved["checks"][0]["verdict"], "supported");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_cost_and_rests_on_is_kept_with_it() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = answering(|_| Script::text("It is 47 metres high [1].").usage(900, 40)).await?;
    let home = with_model(searching(&web.engine)?, &model);
    let message = finished(&home.run(["ask", "--json", QUESTION])?.succeeded()?)?;
    let chat = open_chat(&home, &message)?;
    let metadata = &message_of(&chat, &message["id"])?["metadata"];
    assert_eq!(metadata["searchQuery"], QUESTION);
    assert_eq!(metadata["model"], SCRIPTED);
    assert!(
        metadata["processingTime"].as_f64().is_some_and(|time| time > 0.0),
        "{metadata}"
    );
    // The answer, the title and the follow-ups.
    assert_eq!(metadata["tokens"]["prompt"], 900 + 100 + 100, "{metadata}");
    assert_eq!(metadata["tokens"]["completion"], 40 + 20 + 20, "{metadata}");
    let crawled = metadata["crawledUrls"].as_array().map(Vec::len);
    assert_eq!(crawled, Some(sources(&message).len()));
    assert_eq!(chat["chat"]["title"], "The Zorvane lighthouse");
    let follow_ups = &message_of(&chat, &message["id"])?["follow_ups"];
    assert_eq!(follow_ups[0], "Who designed the lighthouse?");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_was_not_retrieved_never_appears_and_nobody_is_asked_for_it() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let canary = ScriptedServer::in_turn(vec![Reply::html("caught")]).await?;
    let base = canary.base().to_string();
    let model = answering(move |_| {
        Script::text(&format!(
            "It is 47 metres high [1]. ![pixel]({base}pixel.png?q=secret) [more]({base}more) <{base}auto> {base}bare \
             <img src=\"{base}img\"> [ref][1]\n\n[1]: {base}ref\n\nSee https://invented.test/page and \
             [this](javascript:alert(1)).\n"
        ))
    })
    .await?;
    let home = with_model(searching(&web.engine)?, &model);
    let ran = home.run(["ask", "--json", QUESTION])?.succeeded()?;
    let content = text(&finished(&ran)?["content"]);
    assert!(content.contains("47 metres high [1]"), "{content}");
    assert_eq!(addresses(&content), Vec::new(), "{content}");
    assert!(
        !content.contains("javascript:") && !content.contains("secret"),
        "{content}"
    );
    let plain = home.run(["ask", QUESTION])?.succeeded()?;
    assert!(!plain.stdout.contains(&canary.base().to_string()), "{}", plain.stdout);
    assert_eq!(canary.asked(), Vec::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follow_up_is_reworded_with_the_chat_and_searched() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = answering(|_| Script::text("Maren Oltwick designed it [1].")).await?;
    let home = with_model(searching(&web.engine)?, &model);
    let first = finished(&home.run(["ask", "--json", QUESTION])?.succeeded()?)?;
    assert_eq!(
        asked_for(&model, Purpose::Plan).len(),
        0,
        "the first question stands alone"
    );

    let chat = text(&first["chat_id"]);
    let ran = home
        .run(["ask", "--json", "--chat", &chat, "And who designed it?"])?
        .succeeded()?;
    let reworded = "Zorvane lighthouse engineer Maren Oltwick";
    assert_eq!(ran.events_of("planned")?[0]["queries"][0], reworded);
    assert!(
        asked_for(&model, Purpose::Plan)[0].contains("Zorvane"),
        "the model is shown the chat"
    );
    let second = finished(&ran)?;
    assert_eq!(second["chat_id"], first["chat_id"]);
    assert_eq!(second["metadata"]["searchQuery"], reworded);
    assert!(
        sources(&second).contains(&web.site.url("history.html").into()),
        "{second}"
    );
    let messages = open_chat(&home, &second)?["messages"].as_array().map(Vec::len);
    assert_eq!(messages, Some(4));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_without_search_asks_no_engine_and_reads_no_page() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = answering(|_| Script::text("A haiku about granite, see [1] and https://invented.test/.")).await?;
    let home = with_model(searching(&web.engine)?, &model);
    let ran = home
        .run(["ask", "--in", "none", "--json", "Write a haiku about granite."])?
        .succeeded()?;
    let message = finished(&ran)?;
    assert_eq!(
        text(&message["content"]),
        "A haiku about granite, see and invented.test."
    );
    assert_eq!((web.engine.asked().len(), web.site.requests_in_all()), (0, 0));
    assert!(message["metadata"]["searchQuery"].is_null() && ran.events_of("searched")?.is_empty());

    // As a setting, for every question.
    let home = with_model(searching(&web.engine)?, &model).set("enable_search_by_default", "false");
    home.run(["ask", "--json", QUESTION])?.succeeded()?;
    assert_eq!(web.engine.asked().len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_on_this_machine_is_listed_and_answers_by_itself() -> Result<()> {
    let model = answering(|_| Script::text("Hello.")).await?;
    let home = offline()?.set("models.mine.url", model.base().as_str());
    let listed = home.run(["models", "--json"])?.succeeded()?.json()?;
    assert_eq!(listed["default"], "mine/scripted", "{listed}");
    let ran = home.run(["ask", "--in", "none", "--json", "hello"])?.succeeded()?;
    assert_eq!(ran.events_of("started")?[0]["model"], "mine/scripted");
    Ok(())
}
