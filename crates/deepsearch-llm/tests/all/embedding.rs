//! Vectors from a server of this machine: in which words it is asked, what it may not do, and whom nobody asks.

use std::time::{Duration, Instant};

use deepsearch_core::{Embedder, Errand, ErrorCode, Failure, ModelError};
use deepsearch_llm::ProviderConfig;
use deepsearch_net::Recorder;
use rstest::rstest;
use serde_json::json;

use crate::server::{End, Reply, Server};
use crate::{CANARY, config, everything, models, with_provider};

const SOON: Duration = Duration::from_secs(5);

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

async fn embed(url: &str, id: &str, all: &[&str], within: Duration) -> Result<Vec<Vec<f32>>, ModelError> {
    let (provider, _) = id.split_once('/').expect("provider/name");
    let models = models(with_provider(config(), provider, url));
    models.embedder(id).embed(&texts(all), within).await
}

#[tokio::test]
async fn ollama_is_asked_in_its_own_format() {
    let answer = r#"{"model":"all-minilm","embeddings":[[0.5,-0.5],[1.0,0.25]],"total_duration":14143917,"load_duration":1019500,"prompt_eval_count":8}"#;
    let server = Server::start(move |_, _| Reply::json(200, answer)).await;
    let vectors = embed(&server.url, "ollama/all-minilm:33m", &["How high?", "47 metres"], SOON).await;
    assert_eq!(vectors.expect("vectors"), [[0.5, -0.5], [1.0, 0.25]]);
    let asked = &server.asked()[0];
    assert!(
        asked.head.starts_with("POST /api/embed ") && asked.head.contains(CANARY),
        "{}",
        asked.head
    );
    assert_eq!(
        asked.body,
        json!({ "model": "all-minilm:33m", "input": ["How high?", "47 metres"], "truncate": true })
    );
}

#[rstest]
#[case(
    "lmstudio/text-embedding-nomic-embed-text-v1.5",
    "text-embedding-nomic-embed-text-v1.5"
)]
#[case("llamacpp/minilm", "minilm")]
#[case("mine/BAAI/bge-m3", "BAAI/bge-m3")]
#[tokio::test]
async fn all_others_are_asked_in_openais_and_each_vector_says_whose_it_is(#[case] id: &str, #[case] name: &str) {
    let answer = r#"{"object":"list","data":[{"object":"embedding","index":1,"embedding":[0,2]},{"object":"embedding","index":0,"embedding":[3,0]}],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    let server = Server::start(move |_, _| Reply::json(200, answer)).await;
    let vectors = embed(&server.url, id, &["one", "two"], SOON).await;
    assert_eq!(vectors.expect("vectors"), [[3.0, 0.0], [0.0, 2.0]]);
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("POST /v1/embeddings "), "{}", asked.head);
    assert_eq!(
        asked.body,
        json!({ "model": name, "input": ["one", "two"], "encoding_format": "float" })
    );
}

/// As many vectors as texts were sent, in Ollama's format.
fn as_many(body: &serde_json::Value) -> Reply {
    let count = body["input"].as_array().map_or(0, Vec::len);
    Reply::json(200, &json!({ "embeddings": vec![[1.0, 0.5]; count] }).to_string())
}

#[tokio::test]
async fn many_texts_are_sent_in_parts_and_long_ones_cut_between_characters() {
    let server = Server::start(|asked, _| as_many(&asked.body)).await;
    let long = "ä".repeat(100_000);
    let all = vec![long.as_str(); 70];
    let vectors = embed(&server.url, "ollama/all-minilm", &all, SOON)
        .await
        .expect("vectors");
    assert_eq!(vectors.len(), 70);
    let asked = server.asked();
    let parts: Vec<usize> = asked
        .iter()
        .map(|asked| asked.body["input"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(parts, [32, 32, 6]);
    let sent = asked[0].body["input"][0].as_str().expect("a text");
    assert_eq!(sent, "ä".repeat(1_200));
    let too_many = vec!["x"; 1_000];
    assert!(embed(&server.url, "ollama/all-minilm", &too_many, SOON).await.is_err());
    assert_eq!(server.asked().len(), asked.len(), "nobody is asked for so many");
}

#[rstest]
#[case::too_few(r#"{"embeddings":[[1,2]]}"#)]
#[case::too_many(r#"{"embeddings":[[1,2],[1,2],[1,2]]}"#)]
#[case::none(r#"{"embeddings":[]}"#)]
#[case::of_other_lengths(r#"{"embeddings":[[1,2],[1,2,3]]}"#)]
#[case::empty(r#"{"embeddings":[[],[]]}"#)]
#[case::without_a_direction(r#"{"embeddings":[[1,2],[0,0]]}"#)]
#[case::not_a_number(r#"{"embeddings":[[1,2],[1,null]]}"#)]
#[case::not_a_number_either(r#"{"embeddings":[[1,2],[1,NaN]]}"#)]
#[case::beyond_all_numbers(r#"{"embeddings":[[1,2],[1,1e39]]}"#)]
#[case::words(r#"{"embeddings":["one","two"]}"#)]
#[case::another_programs(r#"<html>Jenkins</html>"#)]
#[case::nothing("")]
#[tokio::test]
async fn what_ollama_cannot_mean_is_an_error_and_no_order(#[case] body: &'static str) {
    let server = Server::start(move |_, _| Reply::json(200, body)).await;
    let error = embed(&server.url, "ollama/all-minilm", &["one", "two"], SOON)
        .await
        .expect_err(body);
    assert!(matches!(error, ModelError::Provider { .. }), "{error:?}");
    assert!(!everything(&error).contains(CANARY), "{error:?}");
}

#[rstest]
#[case::one_twice(r#"{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}"#)]
#[case::one_that_was_not_sent(r#"{"data":[{"index":0,"embedding":[1,2]},{"index":7,"embedding":[1,2]}]}"#)]
#[case::too_few(r#"{"data":[{"index":0,"embedding":[1,2]}]}"#)]
#[case::no_index(r#"{"data":[{"embedding":[1,2]},{"embedding":[1,2]}]}"#)]
#[case::packed(r#"{"data":[{"index":0,"embedding":"AACAPw=="},{"index":1,"embedding":"AACAPw=="}]}"#)]
#[tokio::test]
async fn what_openais_format_cannot_mean_is_an_error_and_no_order(#[case] body: &'static str) {
    let server = Server::start(move |_, _| Reply::json(200, body)).await;
    let error = embed(&server.url, "llamacpp/minilm", &["one", "two"], SOON)
        .await
        .expect_err(body);
    assert!(matches!(error, ModelError::Provider { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let numbers = "1.2345678901234567,".repeat(64 << 10);
    let server = Server::start(move |_, _| Reply {
        packets: std::iter::once(b"{\"embeddings\":[[".to_vec())
            .chain(std::iter::repeat_n(numbers.clone().into_bytes(), 64))
            .collect(),
        ..Reply::json(200, "")
    })
    .await;
    let error = embed(
        &server.url,
        "ollama/all-minilm",
        &["one", "two"],
        Duration::from_secs(30),
    )
    .await;
    assert!(matches!(error, Err(ModelError::Provider { .. })), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_time_given_and_soon_none_at_all() {
    let silent = |_: &_, _| {
        Reply {
            packets: Vec::new(),
            ..Reply::json(200, "")
        }
        .end(End::Silence)
    };
    let server = Server::start(silent).await;
    let models = models(with_provider(config(), "ollama", &server.url));
    let patience = Duration::from_millis(300);
    let mut told = Vec::new();
    let start = Instant::now();
    for _ in 0..8 {
        let embedded = models
            .embedder("ollama/all-minilm")
            .embed(&texts(&["one", "two"]), patience)
            .await;
        told.push(Failure::from(&embedded.expect_err("nothing comes")).code);
    }
    assert_eq!(told[0], ErrorCode::TimedOut);
    assert_eq!(told[7], ErrorCode::RateLimited, "it is left in peace: {told:?}");
    assert!(start.elapsed() < patience * 7, "{:?}", start.elapsed());
    let chat = crate::ask(&models, "ollama/llama3.2");
    let chat = tokio::time::timeout(Duration::from_millis(100), chat).await;
    assert!(
        !matches!(chat, Ok(Err(ModelError::Resting { .. }))),
        "its chat models are asked all the same"
    );
}

#[rstest]
#[case(
    404,
    r#"{"error":"model \"all-minilm\" not found, try pulling it first"}"#,
    ErrorCode::NotFound
)]
#[case(500, r#"{"error":{"code":500,"message":"input is too large to process. increase the physical batch size","type":"server_error"}}"#, ErrorCode::Upstream)]
#[case(501, r#"{"error":{"code":501,"message":"This server does not support embeddings. Start it with `--embeddings`","type":"not_supported_error"}}"#, ErrorCode::Upstream)]
#[case(400, r#"{"error":"\"llama3.2\" does not support embeddings"}"#, ErrorCode::Upstream)]
#[tokio::test]
async fn what_a_server_says_is_handed_on(#[case] status: u16, #[case] body: &'static str, #[case] code: ErrorCode) {
    let server = Server::start(move |_, _| Reply::json(status, body)).await;
    let error = embed(&server.url, "ollama/all-minilm", &["one"], SOON)
        .await
        .expect_err("an error");
    assert_eq!(Failure::from(&error).code, code, "{error}");
}

#[tokio::test]
async fn nobody_but_this_machine_is_ever_asked() {
    let mut config = with_provider(config(), "mine", "http://192.0.2.7:8000");
    let key = ProviderConfig {
        key: Some(CANARY.into()),
        ..ProviderConfig::default()
    };
    config.providers.insert("openai".into(), key);
    config.discover_local = true;
    for is_private in [false, true] {
        config.network.set_private(is_private);
        let models = models(config.clone());
        for id in [
            "openai/text-embedding-3-small",
            "mine/bge-m3",
            "ollama/all-minilm:cloud",
        ] {
            let embedder = models.embedder(id);
            assert!(matches!(embedder.check(), Err(ModelError::Elsewhere { .. })), "{id}");
            let start = Instant::now();
            let error = embedder.embed(&texts(&["secret"]), SOON).await.expect_err(id);
            assert!(start.elapsed() < Duration::from_secs(1), "nothing was waited for");
            let failure = Failure::from(&error);
            assert_eq!(failure.code, ErrorCode::Refused);
            assert!(failure.message.contains(id) && failure.hint.is_some(), "{failure:?}");
        }
        for id in ["nobody/model", "ollama/", "ollama", "", "/"] {
            let error = models.embedder(id).check();
            assert!(matches!(error, Err(ModelError::Unknown { .. })), "{id}: {error:?}");
        }
        assert!(models.embedder("ollama/all-minilm").check().is_ok());
    }
}

#[tokio::test]
async fn a_server_that_sends_its_callers_elsewhere_is_not_followed() {
    let other = Server::start(|asked, _| as_many(&asked.body)).await;
    let to = format!("{}/api/embed", other.url);
    let server = Server::start(move |_, _| Reply::json(307, "").header("location", &to)).await;
    assert!(
        embed(&server.url, "ollama/all-minilm", &["one", "two"], SOON)
            .await
            .is_err()
    );
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn the_ledger_has_each_text_as_it_was_sent() {
    let server = Server::start(|asked, _| as_many(&asked.body)).await;
    let recorder = Recorder::default();
    let long = "x".repeat(5_000);
    let both = ["How high?", &long];
    let embedding = embed(&server.url, "ollama/all-minilm", &both, SOON);
    recorder.during(embedding).await.expect("vectors");
    let ledger = recorder.ledger();
    let [contact] = &ledger.contacts[..] else {
        panic!("{ledger:?}")
    };
    assert_eq!(
        (contact.errand, contact.service.as_str(), contact.requests),
        (Errand::Model, "ollama", 1)
    );
    assert!(
        contact.local && contact.bytes_out > 1_200 && contact.bytes_in > 20,
        "{contact:?}"
    );
    let [text] = &ledger.texts[..] else {
        panic!("{ledger:?}")
    };
    assert_eq!(
        (text.model.as_str(), text.local, text.bytes),
        ("ollama/all-minilm", true, 1_209)
    );
    let turns = text.turns.as_ref().expect("it is small");
    assert_eq!(turns[0].content, "How high?");
    assert_eq!(turns[1].content.len(), 1_200);
}
