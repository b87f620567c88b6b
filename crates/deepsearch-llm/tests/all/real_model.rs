//! A real model behind an OpenAI-compatible server. `cargo xtask test` starts one and says where it is.

use std::io::Write;

use std::time::Duration;

use deepsearch_core::{Embedder, ModelError, ModelEvent};

use crate::{ask, config, models, question, with_provider};

fn address() -> Option<String> {
    address_in("DEEPSEARCH_TEST_MODEL_URL")
}

fn address_in(variable: &str) -> Option<String> {
    let address = std::env::var(variable).ok();
    if address.is_none() {
        let said = format!("SKIPPED: no real model ({variable} is not set; `cargo xtask test` sets it)");
        // Past the capture of the test harness, so that a skipped test is seen.
        writeln!(std::io::stderr(), "{said}").expect("standard error can be written");
    }
    address
}

#[tokio::test]
async fn a_real_model_streams_an_answer_with_its_usage() {
    let Some(url) = address() else { return };
    let models = models(with_provider(config(), "real", &url));
    let found = models.default().await.expect("the server lists its model");
    assert!(
        found.info().id.starts_with("real/") && found.info().local,
        "{:?}",
        found.info()
    );
    let mut config = config();
    config.local.first_token = Duration::from_secs(120);
    config.local.overall = Duration::from_secs(240);
    let models = crate::models(with_provider(config, "real", &url));
    let came = ask(&models, &found.info().id).await.expect("an answer");
    assert!(came.error.is_none(), "{:?}", came.error);
    assert!(came.text.chars().any(char::is_alphabetic), "{:?}", came.text);
    let usage = came.events.iter().find_map(|event| match event {
        ModelEvent::Usage(usage) => Some(*usage),
        _ => None,
    });
    let usage = usage.expect("the server tells what it cost");
    assert!(
        usage.prompt > 5 && usage.completion > 0 && usage.total == usage.prompt + usage.completion,
        "{usage:?}"
    );
}

#[tokio::test]
async fn a_real_model_says_when_a_question_is_too_long() {
    let Some(url) = address() else { return };
    let models = models(with_provider(config(), "real", &url));
    let model = models.default().await.expect("the server lists its model");
    let words = "word ".repeat(model.info().context_tokens + 1_000);
    let error = model.stream(question(&words)).await.err().expect("an error");
    assert!(matches!(error, ModelError::ContextExceeded { .. }), "{error:?}");
}

#[tokio::test]
async fn a_real_model_embeds_what_it_is_given_in_its_order() {
    let Some(url) = address_in("DEEPSEARCH_TEST_EMBEDDING_URL") else {
        return;
    };
    let within = Duration::from_secs(120);
    let models = models(with_provider(config(), "real", &url));
    let text = |at: usize| format!("The tower number {} is {} metres high.", at % 20, at % 20 * 7);
    let texts: Vec<String> = (0..40).map(text).collect();
    let vectors = models.embedder("real/smollm2").embed(&texts, within).await;
    let vectors = vectors.expect("vectors of two batches");
    assert_eq!(vectors.len(), 40);
    assert_eq!(vectors[0].len(), 576, "as this model's have");
    let likeness = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
    for (at, vector) in vectors[20..].iter().enumerate() {
        assert!(
            likeness(vector, &vectors[at]) > 0.99,
            "the same text has the same vector"
        );
    }
    let whole_page = "A page of the manual says much about towers. ".repeat(200);
    let long = models.embedder("real/smollm2").embed(&[whole_page], within).await;
    assert_eq!(long.expect("a long text is cut before it is too long").len(), 1);
}

#[tokio::test]
async fn a_real_model_that_does_not_embed_says_what_to_do() {
    let Some(url) = address() else { return };
    let models = models(with_provider(config(), "real", &url));
    let texts = ["How high?".to_owned()];
    let error = models
        .embedder("real/smollm2")
        .embed(&texts, Duration::from_secs(30))
        .await;
    let error = error.expect_err("it only answers");
    assert!(error.to_string().contains("--embeddings"), "{error}");
}
