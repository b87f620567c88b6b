//! Which models are found, and which is taken when nobody chooses.

use std::time::{Duration, Instant};

use deepsearch_core::ModelInfo;
use deepsearch_llm::ProviderConfig;
use rstest::rstest;

use crate::server::{End, Reply, Server};
use crate::{CANARY, config, models, with_provider};

const OPENAI: &str = r#"{"object":"list","data":[{"id":"gpt-5-mini","object":"model","owned_by":"openai"},{"id":"text-embedding-3-small","object":"model"},{"id":"whisper-1","object":"model"}]}"#;
const OPENROUTER: &str = r#"{"data":[{"id":"openai/gpt-5-mini","name":"GPT-5 Mini","context_length":400000}]}"#;
const ANTHROPIC: &str =
    r#"{"data":[{"type":"model","id":"claude-haiku-4-5","display_name":"Claude Haiku"}],"has_more":false}"#;
const GEMINI: &str = r#"{"models":[{"name":"models/gemini-2.5-flash","inputTokenLimit":1048576,"supportedGenerationMethods":["generateContent"]},{"name":"models/other","inputTokenLimit":2048,"supportedGenerationMethods":["predict"]}]}"#;
const OLLAMA: &str = r#"{"models":[{"name":"llama3.2:3b","model":"llama3.2:3b","size":1,"details":{"family":"llama"}},{"name":"gpt-oss:120b-cloud","model":"gpt-oss:120b-cloud"},{"name":"nomic-embed-text:latest"}]}"#;
const LLAMACPP: &str = r#"{"object":"list","data":[{"id":"/models/SmolLM2-135M-Instruct.Q4_1.gguf","object":"model","owned_by":"llamacpp","meta":{"n_ctx":4096}}]}"#;

fn shown(models: &[ModelInfo]) -> Vec<(String, usize, bool)> {
    models
        .iter()
        .map(|info| (info.id.clone(), info.context_tokens, info.local))
        .collect()
}

#[rstest]
#[case("openai", OPENAI, "GET /v1/models", &[("openai/gpt-5-mini", 8192)])]
#[case("openrouter", OPENROUTER, "GET /api/v1/models", &[("openrouter/openai/gpt-5-mini", 400_000)])]
#[case("anthropic", ANTHROPIC, "GET /v1/models?limit=1000", &[("anthropic/claude-haiku-4-5", 8192)])]
#[case("gemini", GEMINI, "GET /v1beta/models?pageSize=1000", &[("gemini/gemini-2.5-flash", 1_048_576)])]
#[case("ollama", OLLAMA, "GET /api/tags", &[("ollama/llama3.2:3b", 4096), ("ollama/gpt-oss:120b-cloud", 4096)])]
#[case("llamacpp", LLAMACPP, "GET /v1/models", &[("llamacpp/SmolLM2-135M-Instruct.Q4_1", 4096)])]
#[case("my-server", OPENAI, "GET /v1/models", &[("my-server/gpt-5-mini", 8192)])]
#[tokio::test]
async fn a_providers_chat_models_are_listed(
    #[case] provider: &str,
    #[case] body: &'static str,
    #[case] request: &str,
    #[case] expected: &[(&str, usize)],
) {
    let server = Server::start(move |_, _| Reply::json(200, body)).await;
    let models = models(with_provider(config(), provider, &server.url));
    let mut listed = models.list().await;
    assert_eq!(listed.pop().expect("the last is always there").id, "extractive");
    let listed: Vec<_> = listed
        .iter()
        .map(|info| (info.id.as_str(), info.context_tokens))
        .collect();
    assert_eq!(listed, expected);
    let head = &server.asked()[0].head;
    assert!(head.starts_with(request) && head.contains(CANARY), "{head}");
    models.list().await;
    assert_eq!(server.asked().len(), 1, "a fresh list is not asked for again");
}

const OLLAMA_EMBEDDERS: &str = r#"{"models":[{"name":"llama3.2:3b","details":{"family":"llama"}},{"name":"all-minilm:latest","details":{"family":"bert","families":["bert"]}},{"name":"nomic-embed-text:latest","details":{"family":"nomic-bert"}},{"name":"qwen3-embedding:0.6b","details":{"family":"qwen3"}},{"name":"embedder:cloud"},{"name":"new-kind","capabilities":["embedding"]}]}"#;

#[tokio::test]
async fn models_that_embed_are_offered_for_that_and_not_for_answers() {
    let server = Server::start(|_, _| Reply::json(200, OLLAMA_EMBEDDERS)).await;
    let ollama = models(with_provider(config(), "ollama", &server.url));
    assert_eq!(
        ollama.list_embedders().await,
        [
            "ollama/all-minilm:latest",
            "ollama/nomic-embed-text:latest",
            "ollama/qwen3-embedding:0.6b",
            "ollama/new-kind"
        ]
    );
    let chat: Vec<String> = ollama.list().await.into_iter().map(|info| info.id).collect();
    assert_eq!(chat, ["ollama/llama3.2:3b", "extractive"]);
    assert_eq!(server.asked().len(), 1, "one list says both");

    let server = Server::start(|_, _| Reply::json(200, OPENAI)).await;
    let mine = models(with_provider(config(), "mine", &server.url));
    assert_eq!(mine.list_embedders().await, ["mine/text-embedding-3-small"]);
    let hosted = models(with_provider(config(), "mine", "http://192.0.2.7:8000"));
    assert!(
        hosted.list_embedders().await.is_empty(),
        "what is elsewhere is not offered"
    );
}

#[tokio::test]
async fn ollamas_cloud_models_are_not_called_local() {
    let server = Server::start(|_, _| Reply::json(200, OLLAMA)).await;
    let listed = models(with_provider(config(), "ollama", &server.url)).list().await;
    assert_eq!(
        shown(&listed[..2]),
        [
            ("ollama/llama3.2:3b".into(), 4096, true),
            ("ollama/gpt-oss:120b-cloud".into(), 4096, false)
        ]
    );
}

#[tokio::test]
async fn ollama_is_asked_how_much_a_model_was_set_to_hold() {
    let show = r#"{"parameters":"stop \"<|eot|>\"\nnum_ctx                        16384\n","model_info":{"llama.context_length":131072}}"#;
    let server = Server::start(move |_, _| Reply::json(200, show)).await;
    let models = models(with_provider(config(), "ollama", &server.url));
    assert_eq!(
        models
            .model("ollama/llama3.2")
            .await
            .expect("a model")
            .info()
            .context_tokens,
        16_384
    );
}

#[tokio::test]
async fn a_stranger_on_a_known_port_is_not_taken_for_a_model() {
    for body in [
        "<html>Jenkins</html>",
        r#"{"models":"no"}"#,
        r#"{"error":"not found"}"#,
        "[]",
        "",
    ] {
        let server = Server::start(move |_, _| Reply::json(200, body)).await;
        let models = models(with_provider(config(), "ollama", &server.url));
        assert_eq!(models.list().await.len(), 1, "{body}");
        assert_eq!(models.default().await.expect("a default").info().id, "extractive");
    }
}

#[tokio::test]
async fn a_silent_port_costs_no_more_than_the_probe() {
    let server = Server::start(|_, _| {
        Reply {
            packets: Vec::new(),
            ..Reply::json(200, "")
        }
        .end(End::Silence)
    })
    .await;
    let mut config = config();
    for id in ["ollama", "lmstudio", "llamacpp", "a", "b"] {
        config = with_provider(config, id, &server.url);
    }
    let start = Instant::now();
    assert_eq!(
        models(config).default().await.expect("a default").info().id,
        "extractive"
    );
    assert!(
        start.elapsed() < Duration::from_millis(1200),
        "five probes of 300 ms run side by side"
    );
}

#[tokio::test]
async fn a_local_model_is_taken_before_a_hosted_one_and_a_chosen_one_before_both() {
    let server = Server::start(|_, _| Reply::json(200, OLLAMA)).await;
    let mut config = with_provider(config(), "ollama", &server.url);
    let key = ProviderConfig {
        key: Some(CANARY.into()),
        ..ProviderConfig::default()
    };
    config.providers.insert("anthropic".into(), key);
    assert_eq!(
        models(config.clone()).default().await.expect("a default").info().id,
        "ollama/llama3.2:3b"
    );
    config.default_model = Some("anthropic/claude-x".into());
    assert_eq!(
        models(config.clone()).default().await.expect("a default").info().id,
        "anthropic/claude-x"
    );
    config.default_model = None;
    config.providers.get_mut("ollama").expect("it is there").enabled = false;
    assert_eq!(
        models(config.clone()).default().await.expect("a default").info().id,
        "anthropic/claude-haiku-4-5"
    );
    config.providers.clear();
    assert_eq!(
        models(config.clone()).default().await.expect("a default").info().id,
        "extractive"
    );
    config.default_model = Some("openai/gpt-5-mini".into());
    assert!(
        models(config).default().await.is_err(),
        "what a person chose is never silently replaced"
    );
}

#[tokio::test]
async fn a_server_that_was_chosen_to_embed_is_not_taken_for_one_that_answers() {
    let server = Server::start(|_, _| Reply::json(200, LLAMACPP)).await;
    let mut config = with_provider(config(), "embed", &server.url);
    let id = "embed//models/SmolLM2-135M-Instruct.Q4_1.gguf";
    let default = models(config.clone()).default().await.expect("a default");
    assert_eq!(default.info().id, id, "its list does not tell what it can do");
    config.embedding_model = Some(id.into());
    let default = models(config.clone()).default().await.expect("a default");
    assert_eq!(default.info().id, "extractive");
    config.default_model = Some(id.into());
    let default = models(config).default().await.expect("a default");
    assert_eq!(default.info().id, id, "unless a person says so");
}

#[test]
fn every_provider_is_told_with_what_it_needs_whether_or_not_it_can_be_asked() {
    let mut config = with_provider(config(), "mine", "http://192.168.7.7:8000");
    let off = ProviderConfig {
        enabled: false,
        ..ProviderConfig::default()
    };
    config.providers.insert("groq".into(), off);
    let unfinished = ProviderConfig {
        key: Some(CANARY.into()),
        ..ProviderConfig::default()
    };
    config.providers.insert("unfinished".into(), unfinished);
    let providers = models(config).providers();
    let of = |id: &str| providers.iter().find(|provider| provider.id == id).expect(id);

    let ollama = of("ollama");
    assert!(!ollama.enabled, "it is not looked for");
    assert!(ollama.local && !ollama.needs_key && ollama.key_url.is_none());
    let openai = of("openai");
    assert!(openai.enabled && openai.needs_key && !openai.has_key && !openai.local);
    assert_eq!(
        (openai.name.as_str(), openai.url.as_deref()),
        ("OpenAI", Some("https://api.openai.com/v1/"))
    );
    assert!(openai.key_url.is_some_and(|url| url.starts_with("https://")));
    assert!(!of("groq").enabled && of("groq").needs_key);
    let mine = of("mine");
    assert!(mine.enabled && mine.has_key && !mine.needs_key && !mine.local);
    assert_eq!(mine.url.as_deref(), Some("http://192.168.7.7:8000/v1/"));
    assert!(!of("unfinished").enabled && of("unfinished").url.is_none());
}
