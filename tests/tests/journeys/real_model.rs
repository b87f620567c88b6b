//! One question through the real small model. It is often wrong: this proves the wiring, not the wit.

use anyhow::Result;
use deepsearch_tests::needs;

use crate::world::{SmallWeb, finished, open_chat, searching, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_real_model_answers_in_a_stream_and_tells_its_usage() -> Result<()> {
    let Some(model) = needs::model_url() else {
        return Ok(());
    };
    let web = SmallWeb::lighthouse().await?;
    let home = searching(&web.engine)?
        .set("models.small.url", model.as_str())
        .set("default_model", "small/smollm2")
        // It reads a long prompt slowly.
        .set("answer.evidence_tokens", "256")
        .set("answer.tokens", "64")
        .set("answer.pages", "1");
    let ran = home
        .run(["ask", "--json", "How high is the Zorvane lighthouse?"])?
        .succeeded()?;
    assert_eq!(ran.events_of("started")?[0]["model"], "small/smollm2");
    assert!(ran.events_of("token")?.len() > 2, "{}", ran.stdout);
    let message = finished(&ran)?;
    assert!(!text(&message["content"]).is_empty());
    let tokens = &message["metadata"]["tokens"];
    for kind in ["prompt", "completion", "total"] {
        assert!(tokens[kind].as_u64().is_some_and(|count| count > 0), "{tokens}");
    }
    assert_eq!(message["state"], "complete");
    let saved = open_chat(&home, &message)?;
    assert_eq!(saved["messages"][1]["content"], message["content"]);
    Ok(())
}
