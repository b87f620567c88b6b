//! Models that fail: what had come is kept, what can be repeated is repeated, and the sentence says what to do.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use deepsearch_tests::model_server::{ModelServer, Script, prompt};

use crate::purpose::answering;
use crate::world::{
    SCRIPTED, SmallWeb, chats, finished, hold_citations, message_of, open_chat, searching, text, with_model,
};

const QUESTION: &str = "How high is the Zorvane lighthouse?";
const KEY: &str = "sk-canary-0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_breaks_off_leaves_what_came_and_it_can_be_continued() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = answering(|request| {
        if prompt(request).contains("You were interrupted") {
            Script::text("built of grey granite [1].")
        } else {
            Script::text("The lighthouse is 47 metres high [1]. It was built of marble, which nobody will read.")
                .break_after(14)
        }
    })
    .await?;
    let home = with_model(searching(&web.engine)?, &model);
    let ran = home.run(["ask", "--json", QUESTION])?;
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let failed = ran.events_of("failed")?.remove(0);
    assert_eq!(failed["message"]["state"], "interrupted");
    let kept = text(&failed["message"]["content"]);
    assert!(kept.starts_with("The lighthouse is 47 metres high [1]."), "{kept}");

    // Its sources and citations hold as if it were whole.
    let chat = open_chat(&home, &failed["message"])?;
    assert_eq!(hold_citations(&home, &chat, &failed["message"])?, 1);
    let searched = web.engine.asked().len();
    let id = text(&failed["message"]["id"]);
    let whole = finished(&home.run(["ask", "--continue", &id, "--json"])?.succeeded()?)?;
    assert_eq!(whole["id"], failed["message"]["id"]);
    assert_eq!(whole["state"], "complete");
    let content = text(&whole["content"]);
    assert!(
        content.starts_with(&kept) && content.ends_with("built of grey granite [1]."),
        "{content}"
    );
    assert_eq!(web.engine.asked().len(), searched, "to continue needs no new search");
    let chat = open_chat(&home, &whole)?;
    assert_eq!(hold_citations(&home, &chat, &whole)?, 2);
    assert_eq!(chat["messages"].as_array().map(Vec::len), Some(2));

    let again = home.run(["ask", "--continue", &id])?;
    assert_eq!(again.code, Some(2), "a whole answer is not continued: {}", again.stderr);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_says_where_to_set_it_and_is_not_shown() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = ModelServer::always(Script::refuse(
        401,
        "invalid_api_key",
        &format!("Incorrect API key: {KEY}"),
    ))
    .await?;
    let home = with_model(searching(&web.engine)?, &model).set("models.scripted.key", KEY);
    let ran = home.run(["ask", QUESTION])?;
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(ran.stderr.contains("scripted refused the key"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("deepsearch settings set models.scripted.key"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains(KEY) && !ran.stdout.contains(KEY));
    assert_eq!(chats(&home)?, 1, "the question is kept");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_asked_too_often_is_asked_again_a_little_later() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let tries = AtomicUsize::new(0);
    let model = answering(move |_| match tries.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Script::refuse(429, "rate_limit_exceeded", "Slow down."),
        _ => Script::text("It is 47 metres high [1]."),
    })
    .await?;
    let home = with_model(searching(&web.engine)?, &model);
    let message = finished(&home.run(["ask", "--json", QUESTION])?.succeeded()?)?;
    assert_eq!(text(&message["content"]), "It is 47 metres high [1].");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_model_is_told_before_anything_is_saved() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let home = searching(&web.engine)?;
    for unknown in ["nosuch/model", "nonsense", "scripted/"] {
        let ran = home.run(["ask", "--model", unknown, QUESTION])?;
        assert_eq!(ran.code, Some(3), "{unknown}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(unknown) && ran.stderr.contains("deepsearch models"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!((chats(&home)?, web.engine.asked().len()), (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_gone_keeps_the_question_and_the_extractive_writer_can_answer_it() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = answering(|_| Script::text("never")).await?;
    let home = with_model(searching(&web.engine)?, &model);
    drop(model);
    let ran = home.run(["ask", "--json", QUESTION])?;
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let failed = ran.events_of("failed")?.remove(0);
    assert_eq!(failed["failure"]["code"], "offline", "{failed}");
    let question = text(&ran.events_of("started")?[0]["question_id"]);
    let ran = home
        .run(["ask", "--regenerate", &question, "--model", "extractive", "--json"])?
        .succeeded()?;
    let message = finished(&ran)?;
    assert!(text(&message["content"]).contains("47 metres"), "{message}");
    let chat = open_chat(&home, &message)?;
    let siblings = message_of(&chat, &message["id"])?["siblings"].as_array().map(Vec::len);
    assert_eq!(siblings, Some(2), "the failed attempt is kept beside it");
    assert_ne!(message["metadata"]["model"], SCRIPTED);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_broke_off_can_be_continued_without_any_model() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model =
        answering(|_| Script::text("The lighthouse is a tall and slender tower of the coast.").break_after(8)).await?;
    let home = with_model(searching(&web.engine)?, &model);
    let failed = home.run(["ask", "--json", QUESTION])?.events_of("failed")?.remove(0);
    drop(model);
    let id = text(&failed["message"]["id"]);
    let ran = home
        .run(["ask", "--continue", &id, "--model", "extractive", "--json"])?
        .succeeded()?;
    let whole = finished(&ran)?;
    let content = text(&whole["content"]);
    let kept = text(&failed["message"]["content"]);
    assert!(content.starts_with(&format!("{kept}\n\n")), "{content}");
    assert!(content.contains("47 metres high"), "{content}");
    assert!(hold_citations(&home, &open_chat(&home, &whole)?, &whole)? >= 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_reaches_the_token_limit_says_so_and_can_be_continued() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = answering(|request| {
        if prompt(request).contains("You were interrupted") {
            Script::text("granite [1].")
        } else {
            Script::text("The lighthouse is 47 metres high [1]. It is built of ").truncated()
        }
    })
    .await?;
    let home = with_model(searching(&web.engine)?, &model);
    let ran = home.run(["ask", QUESTION])?;
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("token limit"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("answer.tokens") && ran.stderr.contains("ask --continue"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("\nSources\n[1] "), "{}", ran.stdout);

    let ran = home.run(["ask", "--json", QUESTION])?;
    let failed = ran.events_of("failed")?.remove(0);
    assert_eq!(failed["failure"]["code"], "too_large");
    let kept = &failed["message"];
    assert_eq!(kept["state"], "interrupted");
    assert_eq!(kept["metadata"]["tokens"]["total"], 360, "what it cost is kept: {kept}");
    let chat = open_chat(&home, kept)?;
    assert_eq!(
        chat["chat"]["title"], "The Zorvane lighthouse",
        "a chat has its title all the same"
    );
    assert_eq!(hold_citations(&home, &chat, kept)?, 1);
    let ran = home
        .run(["ask", "--continue", &text(&kept["id"]), "--json"])?
        .succeeded()?;
    let whole = finished(&ran)?;
    assert_eq!(whole["state"], "complete");
    assert_eq!(
        text(&whole["content"]),
        "The lighthouse is 47 metres high [1]. It is built of granite [1]."
    );
    Ok(())
}
