//! Retries, deadlines, breaks in the middle, the breaker, cancelling.

use std::time::{Duration, Instant};

use deepsearch_core::{Errand, ModelError, ModelEvent};
use deepsearch_llm::{Deadlines, Retry};
use deepsearch_net::Recorder;
use futures::StreamExt;
use rstest::rstest;

use crate::providers::{OPENAI, reply};
use crate::server::{End, Reply, Server};
use crate::{CANARY, ask, config, everything, models, question, with_provider};

#[rstest]
#[case(429)]
#[case(500)]
#[case(503)]
#[case(529)]
#[tokio::test]
async fn a_passing_failure_is_tried_again(#[case] status: u16) {
    let server = Server::answering(move |_, count| match count {
        0..3 => Reply::json(status, r#"{"error":{"message":"later"}}"#),
        _ => reply("openai"),
    })
    .await;
    let came = ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .expect("an answer");
    assert_eq!(came.text, "In Paris — 巴黎 [1].");
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn after_four_tries_the_last_error_is_told() {
    let server = Server::answering(|_, _| Reply::json(503, r#"{"error":{"message":"down for repairs"}}"#)).await;
    let error = ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .err()
        .expect("an error");
    assert!(error.to_string().contains("down for repairs"), "{error}");
    assert_eq!(server.asked().len(), 4);
}

#[rstest]
#[case(400)]
#[case(401)]
#[case(404)]
#[case(422)]
#[tokio::test]
async fn a_lasting_failure_is_told_at_once(#[case] status: u16) {
    let server = Server::answering(move |_, _| Reply::json(status, r#"{"error":{"message":"no"}}"#)).await;
    ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .err()
        .expect("an error");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_provider_is_given_the_time_it_asks_for() {
    let server = Server::answering(|_, count| match count {
        0 => Reply::json(429, "{}").header("retry-after", "0.25"),
        _ => reply("openai"),
    })
    .await;
    let start = Instant::now();
    ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .expect("an answer");
    assert!(start.elapsed() >= Duration::from_millis(250));
}

#[tokio::test]
async fn a_wait_past_the_deadline_is_not_begun() {
    let server = Server::answering(|_, _| Reply::json(429, "{}").header("retry-after", "3600")).await;
    let error = ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .err()
        .expect("an error");
    let hour = Duration::from_secs(3600);
    assert!(
        matches!(error, ModelError::RateLimited { retry_after: Some(wait), .. } if wait == hour),
        "{error:?}"
    );
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_retry_date_is_read_against_the_providers_own_clock() {
    let server = Server::answering(|_, _| {
        Reply::json(429, "{}")
            .header("date", "Mon, 23 Nov 2026 10:00:00 GMT")
            .header("retry-after", "Mon, 23 Nov 2026 11:00:00 GMT")
    })
    .await;
    let error = ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .err()
        .expect("an error");
    let hour = Duration::from_secs(3600);
    assert!(
        matches!(error, ModelError::RateLimited { retry_after: Some(wait), .. } if wait == hour),
        "{error:?}"
    );
}

fn patient(first_token: u64, idle: u64, overall: u64) -> deepsearch_llm::ModelsConfig {
    let deadlines = Deadlines {
        first_token: Duration::from_millis(first_token),
        idle: Duration::from_millis(idle),
        overall: Duration::from_millis(overall),
    };
    deepsearch_llm::ModelsConfig {
        local: deadlines,
        remote: deadlines,
        ..config()
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = Server::answering(|_, _| {
        Reply {
            packets: Vec::new(),
            ..reply("openai")
        }
        .end(End::Silence)
    })
    .await;
    let error = ask(
        &models(with_provider(patient(60, 60, 5000), "openai", &server.url)),
        "openai/m",
    )
    .await
    .err()
    .expect("an error");
    assert!(
        matches!(error, ModelError::TimedOut { limit, .. } if limit == Duration::from_millis(60)),
        "{error:?}"
    );
    assert_eq!(
        server.asked().len(),
        4,
        "a first token that does not come is waited for again"
    );
}

#[tokio::test]
async fn the_overall_deadline_ends_the_retries_too() {
    let server = Server::answering(|_, _| {
        Reply {
            packets: Vec::new(),
            ..reply("openai")
        }
        .end(End::Silence)
    })
    .await;
    let start = Instant::now();
    ask(
        &models(with_provider(patient(5000, 5000, 150), "openai", &server.url)),
        "openai/m",
    )
    .await
    .err()
    .expect("an error");
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_broken_off() {
    let server = Server::answering(|_, _| reply("openai").first_bytes(330).end(End::Silence)).await;
    let came = ask(
        &models(with_provider(patient(5000, 60, 9000), "openai", &server.url)),
        "openai/m",
    )
    .await
    .expect("a beginning");
    assert_eq!(came.text, "In Paris — ");
    assert!(
        matches!(came.error, Some(ModelError::BrokenOff { .. })),
        "{:?}",
        came.error
    );
}

/// Where the connection is cut, before or after HTTP's own end: what came is a beginning of the answer, and a missing
/// end never passes for one.
#[rstest]
#[case("openai", "[DONE]")]
#[case("anthropic", "event: message_stop")]
#[case("gemini", "STOP")]
#[case("ollama", "done_reason")]
#[tokio::test]
async fn a_stream_cut_at_any_byte_never_passes_for_an_answer(
    #[case] provider: &'static str,
    #[case] mark: &str,
    #[values(End::Cut, End::Proper)] end: End,
) {
    let whole = reply(provider).packets.concat();
    let step = if std::env::var_os("DEEPSEARCH_LONG_TESTS").is_some() {
        1
    } else {
        41
    };
    let marked = String::from_utf8_lossy(&whole)
        .rfind(mark)
        .expect("the end mark is there");
    for cut in (0..marked).step_by(step) {
        let server = Server::answering(move |_, _| reply(provider).first_bytes(cut).end(end)).await;
        let mut config = with_provider(config(), provider, &server.url);
        config.retry.tries = 1;
        match ask(&models(config), &format!("{provider}/m")).await {
            Ok(came) => {
                assert!(
                    "In Paris — 巴黎 [1].".starts_with(&came.text),
                    "cut at {cut}: {}",
                    came.text
                );
                assert!(
                    matches!(came.error, Some(ModelError::BrokenOff { .. })),
                    "cut at {cut}: {:?}",
                    came.error
                );
            }
            Err(error) => assert!(!everything(&error).contains(CANARY), "cut at {cut}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_that_has_begun_is_never_begun_again() {
    let server = Server::answering(|_, _| reply("openai").first_bytes(330).end(End::Cut)).await;
    let came = ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .expect("a beginning");
    assert!(matches!(came.error, Some(ModelError::BrokenOff { .. })));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn an_error_inside_a_stream_is_told_as_what_it_is() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let server = Server::answering(move |_, count| {
        if count == 0 {
            Reply::sse(error)
        } else {
            reply("anthropic")
        }
    })
    .await;
    let came = ask(
        &models(with_provider(config(), "anthropic", &server.url)),
        "anthropic/m",
    )
    .await
    .expect("an answer");
    assert_eq!((came.text.as_str(), server.asked().len()), ("In Paris — 巴黎 [1].", 2));

    let half: String = OPENAI.lines().take(4).map(|line| format!("{line}\n")).collect();
    let body = format!("{half}\ndata: {{\"error\":{{\"message\":\"GPU on fire\",\"type\":\"server_error\"}}}}\n\n");
    let server = Server::answering(move |_, _| Reply::sse(&body)).await;
    let came = ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .expect("a beginning");
    let error = came.error.expect("an error");
    assert!(
        matches!(error, ModelError::BrokenOff { .. }) && everything(&error).contains("GPU on fire"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_answer_without_a_word_is_an_error() {
    let server = Server::answering(|_, _| {
        Reply::sse("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
    })
    .await;
    let error = ask(&models(with_provider(config(), "openai", &server.url)), "openai/m")
        .await
        .err()
        .expect("an error");
    assert!(matches!(error, ModelError::Provider { status: None, .. }), "{error:?}");
}

#[tokio::test]
async fn a_provider_that_keeps_failing_rests_and_comes_back() {
    let server = Server::answering(|_, count| {
        if count < 5 {
            Reply::json(500, "{}")
        } else {
            reply("openai")
        }
    })
    .await;
    let mut config = with_provider(config(), "openai", &server.url);
    config.retry = Retry {
        tries: 1,
        breaker_window: 4,
        rest: Duration::from_millis(300),
        ..config.retry
    };
    let models = models(config);
    for _ in 0..5 {
        ask(&models, "openai/m").await.err().expect("an error");
    }
    let error = ask(&models, "openai/m").await.err().expect("a rest");
    assert!(matches!(error, ModelError::Resting { .. }), "{error:?}");
    assert_eq!(server.asked().len(), 5, "a resting provider is not asked");
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(
        ask(&models, "openai/m").await.expect("an answer").text,
        "In Paris — 巴黎 [1]."
    );
}

#[tokio::test]
async fn a_provider_that_is_not_there_cannot_be_reached() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let models = models(with_provider(config(), "my-server", &url));
    let recorder = Recorder::default();
    let error = recorder.during(ask(&models, "my-server/m")).await.err();
    let error = error.expect("an error");
    assert!(matches!(error, ModelError::Unreachable { .. }), "{error:?}");
    // That it was tried is written down; that anything was said is not, because nobody heard it.
    let ledger = recorder.ledger();
    let tried = ledger.contacts.iter().find(|contact| contact.errand == Errand::Model);
    let tried = tried.expect("it was tried");
    assert!(tried.requests >= 1 && tried.bytes_out == 0, "{tried:?}");
    assert_eq!(ledger.texts, []);
}

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    let server = Server::answering(|_, _| reply("openai").first_bytes(330).end(End::Silence)).await;
    let models = models(with_provider(config(), "openai", &server.url));
    let model = models.model("openai/m").await.expect("a model");
    let mut stream = model.stream(question("?")).await.expect("a stream");
    assert!(matches!(stream.next().await, Some(Ok(ModelEvent::Text(_)))));
    drop(stream);
    // Nothing of it is left that could ask or wait again.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(server.asked().len(), 1);
}
