//! The small real model itself: that it is there, streams and counts, before a journey blames the product.

use anyhow::Result;
use deepsearch_tests::needs;
use serde_json::json;

use crate::client;

#[tokio::test]
async fn the_real_model_streams_and_tells_its_usage() -> Result<()> {
    let Some(model) = needs::model_url() else {
        return Ok(());
    };
    let request = json!({
        "model": "smollm2", "stream": true, "stream_options": { "include_usage": true }, "max_tokens": 8,
        "messages": [{ "role": "user", "content": "Say hello." }],
    });
    let url = format!("{}/chat/completions", model.as_str().trim_end_matches('/'));
    let answer = client()
        .post(url)
        .json(&request)
        .send()
        .await?
        .error_for_status()?
        .text()
        .await?;
    assert!(answer.matches("\"delta\"").count() > 2, "{answer}");
    assert!(
        answer.contains("\"total_tokens\"") && answer.contains("[DONE]"),
        "{answer}"
    );
    Ok(())
}
