//! Regenerating and editing: another branch beside the first, which stays as it was.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::model_server::{ModelServer, Script};
use serde_json::Value;

use crate::purpose::answering;
use crate::world::{SmallWeb, finished, message_of, open_chat, searching, text, with_model};

async fn counting() -> Result<ModelServer> {
    let turn = AtomicUsize::new(0);
    answering(move |_| {
        let turn = turn.fetch_add(1, Ordering::Relaxed) + 1;
        Script::text(&format!("Answer number {turn} about the lighthouse [1]."))
    })
    .await
}

fn ask(home: &Home, args: &[&str]) -> Result<(Value, String)> {
    let ran = home.run([&["ask", "--json"], args].concat())?.succeeded()?;
    let question = text(&ran.events_of("started")?[0]["question_id"]);
    Ok((finished(&ran)?, question))
}

/// The text of a message that the shown branch may have left behind.
async fn stored(home: &Home, id: &Value) -> Result<String> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(home.path().join("deepsearch.sqlite"))
        .read_only(true);
    let pool = sqlx::SqlitePool::connect_with(options).await?;
    let content = sqlx::query_scalar("select content from message where id = ?")
        .bind(text(id))
        .fetch_one(&pool)
        .await
        .context("looking for the message")?;
    pool.close().await;
    Ok(content)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_answer_stands_beside_the_first() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = counting().await?;
    let home = with_model(searching(&web.engine)?, &model);
    let (first, question) = ask(&home, &["How high is the Zorvane lighthouse?"])?;
    let (second, _) = ask(&home, &["--regenerate", &question])?;
    assert_eq!(text(&second["content"]), "Answer number 2 about the lighthouse [1].");
    assert_eq!(second["parent"], first["parent"]);

    let chat = open_chat(&home, &second)?;
    assert_eq!(
        chat["messages"].as_array().map(Vec::len),
        Some(2),
        "one branch is shown"
    );
    let siblings = &message_of(&chat, &second["id"])?["siblings"];
    assert_eq!(*siblings, serde_json::json!([first["id"], second["id"]]));
    assert_eq!(stored(&home, &first["id"]).await?, text(&first["content"]));
    // The first is still found.
    let found = home
        .run(["chats", "search", "\"answer number 1\"", "--json"])?
        .succeeded()?
        .json()?;
    assert_eq!(found["hits"][0]["message_id"], first["id"], "{found}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_asked_in_other_words_leaves_the_first_wording_and_its_answer() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let model = counting().await?;
    let home = with_model(searching(&web.engine)?, &model);
    let (first, question) = ask(&home, &["How high is the Zorvane lighthouse?"])?;
    let chat_id = text(&first["chat_id"]);
    ask(&home, &["--chat", &chat_id, "Who designed the Zorvane lighthouse?"])?;
    let (edited, rewritten) = ask(&home, &["--edit", &question, "How tall is the Zorvane lighthouse?"])?;

    let chat = open_chat(&home, &edited)?;
    let shown: Vec<String> = chat["messages"]
        .as_array()
        .context("messages")?
        .iter()
        .map(|message| text(&message["id"]))
        .collect();
    assert_eq!(shown, [rewritten.clone(), text(&edited["id"])]);
    let siblings = &message_of(&chat, &Value::String(rewritten.clone()))?["siblings"];
    assert_eq!(*siblings, serde_json::json!([question, rewritten]));
    assert_eq!(stored(&home, &first["id"]).await?, text(&first["content"]));
    Ok(())
}
