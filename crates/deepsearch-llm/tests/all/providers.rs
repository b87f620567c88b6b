//! Each provider's real wire format, from the request to the last event.

use deepsearch_core::{ModelError, ModelEvent, TokenUsage};
use rstest::rstest;

use crate::server::{Reply, Server};
use crate::{CANARY, ask, config, everything, models, with_provider};

pub(crate) const OPENAI: &str = concat!(
    r#"data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
    "\n\n",
    r#"data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"In Paris — "},"finish_reason":null}],"usage":null}"#,
    "\n\n",
    r#"data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"巴黎 [1]."},"finish_reason":null}],"usage":null}"#,
    "\n\n",
    r#"data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
    "\n\n",
    r#"data: {"id":"c1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":21,"completion_tokens":7,"total_tokens":28}}"#,
    "\n\n",
    "data: [DONE]\n\n",
);

pub(crate) const ANTHROPIC: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","content":[],"model":"claude-haiku-4-5","stop_reason":null,"usage":{"input_tokens":21,"output_tokens":1}}}"#,
    "\n\n",
    "event: content_block_start\n",
    r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    "\n\n",
    "event: ping\n",
    r#"data: {"type":"ping"}"#,
    "\n\n",
    "event: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"In Paris — "}}"#,
    "\n\n",
    "event: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"巴黎 [1]."}}"#,
    "\n\n",
    "event: content_block_stop\n",
    r#"data: {"type":"content_block_stop","index":0}"#,
    "\n\n",
    "event: message_delta\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7}}"#,
    "\n\n",
    "event: message_stop\n",
    r#"data: {"type":"message_stop"}"#,
    "\n\n",
);

pub(crate) const GEMINI: &str = concat!(
    r#"data: {"candidates":[{"content":{"parts":[{"text":"In Paris — "}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":21,"totalTokenCount":21},"modelVersion":"gemini-2.5-flash"}"#,
    "\r\n\r\n",
    r#"data: {"candidates":[{"content":{"parts":[{"text":"巴黎 [1]."}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":21,"candidatesTokenCount":7,"totalTokenCount":28},"modelVersion":"gemini-2.5-flash"}"#,
    "\r\n\r\n",
);

pub(crate) const OLLAMA: &str = concat!(
    r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"In Paris — "},"done":false}"#,
    "\n",
    r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"巴黎 [1]."},"done":false}"#,
    "\n",
    r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":5,"prompt_eval_count":21,"eval_count":7}"#,
    "\n",
);

pub(crate) fn reply(wire: &str) -> Reply {
    match wire {
        "anthropic" => Reply::sse(ANTHROPIC),
        "gemini" => Reply::sse(GEMINI),
        "ollama" => Reply::stream("application/x-ndjson", OLLAMA),
        _ => Reply::sse(OPENAI),
    }
}

#[rstest]
#[case("openai", "gpt-4.1-mini", "/v1/chat/completions")]
#[case("anthropic", "claude-haiku-4-5", "/v1/messages")]
#[case(
    "gemini",
    "gemini-2.5-flash",
    "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
)]
#[case("groq", "llama-3.3-70b-versatile", "/openai/v1/chat/completions")]
#[case("openrouter", "openai/gpt-5-mini", "/api/v1/chat/completions")]
#[case("ollama", "llama3.2:3b", "/api/chat")]
#[case("lmstudio", "qwen3-4b-high", "/v1/chat/completions")]
#[case("llamacpp", "SmolLM2-135M", "/v1/chat/completions")]
#[case("my-server", "some/model", "/v1/chat/completions")]
#[tokio::test]
async fn every_provider_is_asked_and_understood(
    #[case] provider: &'static str,
    #[case] name: &str,
    #[case] path: &str,
    #[values(1, 7, 100_000)] packet: usize,
) {
    let server =
        Server::answering(
            move |asked, _| match asked.head.starts_with("POST") && !asked.head.contains("/api/show") {
                true => reply(provider).in_packets_of(packet),
                false => Reply::json(404, "{}"),
            },
        )
        .await;
    let models = models(with_provider(config(), provider, &server.url));
    let came = ask(&models, &format!("{provider}/{name}")).await.expect("an answer");
    assert!(came.error.is_none(), "{:?}", came.error);
    assert_eq!(came.text, "In Paris — 巴黎 [1].");
    let usage = TokenUsage {
        prompt: 21,
        completion: 7,
        total: 28,
    };
    if provider != "groq" {
        assert_eq!(came.events, [ModelEvent::Usage(usage)]);
    }
    let asked = server
        .asked()
        .into_iter()
        .rfind(|asked| asked.head.starts_with("POST"))
        .expect("a question");
    assert!(asked.head.starts_with(&format!("POST {path}")), "{}", asked.head);
    let said = asked.body.to_string();
    assert!(
        said.contains("Answer briefly.") && said.contains("Where is the Eiffel Tower?"),
        "{said}"
    );
    if provider != "gemini" {
        assert_eq!(asked.body["model"], name);
    }
    if path.ends_with("completions") {
        assert_eq!(asked.body["stream_options"]["include_usage"], true);
    }
    assert_eq!(
        asked.head.contains(CANARY),
        provider != "ollama",
        "the key goes where it belongs"
    );
}

#[tokio::test]
async fn groq_tells_its_usage_in_a_member_of_its_own() {
    let body = OPENAI.replace(
        r#""finish_reason":"stop"}],"usage":null"#,
        r#""finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":21,"completion_tokens":7,"total_tokens":28}}"#,
    );
    let server = Server::answering(move |_, _| Reply::sse(&body)).await;
    let came = ask(&models(with_provider(config(), "groq", &server.url)), "groq/x")
        .await
        .expect("an answer");
    assert_eq!(
        came.events,
        [ModelEvent::Usage(TokenUsage {
            prompt: 21,
            completion: 7,
            total: 28
        })]
    );
}

#[rstest]
#[case("openai", OPENAI.replace(r#""finish_reason":"stop""#, r#""finish_reason":"length""#))]
#[case("anthropic", ANTHROPIC.replace("end_turn", "max_tokens"))]
#[case("gemini", GEMINI.replace("STOP", "MAX_TOKENS"))]
#[case("ollama", OLLAMA.replace(r#""done_reason":"stop""#, r#""done_reason":"length""#))]
#[tokio::test]
async fn an_answer_at_its_limit_says_that_it_is_cut(#[case] provider: &str, #[case] body: String) {
    let server = Server::answering(move |_, _| Reply::sse(&body)).await;
    let came = ask(
        &models(with_provider(config(), provider, &server.url)),
        &format!("{provider}/m"),
    )
    .await
    .expect("an answer");
    assert_eq!(came.events.last(), Some(&ModelEvent::Truncated));
}

#[tokio::test]
async fn thinking_is_not_shown() {
    let body =
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"reasoning_content\":\"hmm\"}}}}]}}\n\n{OPENAI}");
    let server = Server::answering(move |_, _| Reply::sse(&body)).await;
    let came = ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .expect("an answer");
    assert_eq!(came.text, "In Paris — 巴黎 [1].");
}

/// Real error bodies, and what each means.
#[rstest]
#[case("openai", 401, r#"{"error":{"message":"Incorrect API key provided: sk-canary-7f3a91.","type":"invalid_request_error","code":"invalid_api_key"}}"#, "KeyRefused")]
#[case("openai", 429, r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}}"#, "QuotaExceeded")]
#[case(
    "openai",
    429,
    r#"{"error":{"message":"Rate limit reached for gpt-5-mini","type":"requests","code":"rate_limit_exceeded"}}"#,
    "RateLimited"
)]
#[case(
    "openai",
    400,
    r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}"#,
    "ContextExceeded"
)]
#[case(
    "openai",
    404,
    r#"{"error":{"message":"The model `m` does not exist or you do not have access to it.","code":"model_not_found"}}"#,
    "Unknown"
)]
#[case(
    "openai",
    400,
    r#"{"error":{"message":"Unsupported parameter","code":null}}"#,
    "Provider"
)]
#[case("openai", 500, "<html>oops</html>", "Provider")]
#[case(
    "anthropic",
    401,
    r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
    "KeyRefused"
)]
#[case("anthropic", 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#, "QuotaExceeded")]
#[case("anthropic", 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#, "ContextExceeded")]
#[case(
    "anthropic",
    529,
    r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
    "Provider"
)]
#[case("gemini", 400, r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#, "KeyRefused")]
#[case("gemini", 429, r#"[{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"0.01s"}]}}]"#, "RateLimited")]
#[case("gemini", 429, r#"{"error":{"code":429,"message":"You exceeded your current quota","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}"#, "QuotaExceeded")]
#[case(
    "openrouter",
    402,
    r#"{"error":{"code":402,"message":"This request requires more credits"}}"#,
    "QuotaExceeded"
)]
#[case(
    "openrouter",
    403,
    r#"{"error":{"code":403,"message":"Input flagged by moderation"}}"#,
    "Provider"
)]
#[case("groq", 413, r#"{"error":{"message":"Request too large for model `m` on tokens per minute (TPM)","code":"rate_limit_exceeded"}}"#, "ContextExceeded")]
#[case("llamacpp", 400, r#"{"error":{"code":400,"message":"request (9031 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9031,"n_ctx":8192}}"#, "ContextExceeded")]
#[case("ollama", 404, r#"{"error":"model 'm' not found"}"#, "Unknown")]
#[tokio::test]
async fn errors_say_what_can_be_done(
    #[case] provider: &str,
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] expected: &str,
) {
    let server = Server::answering(move |_, _| Reply::json(status, body)).await;
    let error = ask(
        &models(with_provider(config(), provider, &server.url)),
        &format!("{provider}/m"),
    )
    .await
    .err()
    .expect("an error");
    let words = everything(&error);
    assert!(format!("{error:?}").starts_with(expected), "{words}");
    assert!(!words.contains(CANARY), "the key is in {words}");
}

#[tokio::test]
async fn names_of_unknown_providers_go_nowhere() {
    let server = Server::answering(|_, _| reply("ollama")).await;
    let models = models(with_provider(config(), "ollama", &server.url));
    for id in ["gpt-5-mini", "nobody/model", "openai/", "/model", "", "ollama::llama3"] {
        assert!(
            matches!(models.model(id).await.err(), Some(ModelError::Unknown { .. })),
            "{id}"
        );
    }
    assert!(matches!(
        models.model("openai/gpt-5-mini").await.err(),
        Some(ModelError::KeyMissing { .. })
    ));
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_question_away() {
    let other = Server::answering(|_, _| reply("openai")).await;
    let url = format!("{}/v1/chat/completions", other.url);
    let server = Server::answering(move |_, _| Reply::json(307, "").header("location", &url)).await;
    let error = ask(
        &models(with_provider(config(), "anthropic", &server.url)),
        "anthropic/m",
    )
    .await
    .err()
    .expect("an error");
    assert!(
        matches!(error, ModelError::Provider { status: Some(307), .. }),
        "{error:?}"
    );
    assert!(other.asked().is_empty());
}

#[test]
fn the_configuration_does_not_show_its_secrets() {
    let config = with_provider(config(), "openai", &format!("https://user:{CANARY}@example.com/v1"));
    let shown = format!("{config:?}");
    assert!(!shown.contains(CANARY) && shown.contains("example.com"), "{shown}");
}
