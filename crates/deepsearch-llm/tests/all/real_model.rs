//! A real model behind an OpenAI-compatible server. `cargo xtask test` starts one and says where it is.

use std::io::Write;

use deepsearch_core::{ModelError, ModelEvent};

use crate::{ask, config, models, question, with_provider};

fn address() -> Option<String> {
    let address = std::env::var("DEEPSEARCH_TEST_MODEL_URL").ok();
    if address.is_none() {
        let said = "SKIPPED: no real model (DEEPSEARCH_TEST_MODEL_URL is not set; `cargo xtask test` sets it)";
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
    config.local.first_token = std::time::Duration::from_secs(120);
    config.local.overall = std::time::Duration::from_secs(240);
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
