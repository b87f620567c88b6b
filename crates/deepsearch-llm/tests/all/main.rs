//! One binary for all tests of the crate; its modules mirror `src/`.

mod attempts;
mod embedding;
mod extractive;
mod listing;
mod providers;
mod real_model;
mod server;

use std::sync::Once;
use std::time::Duration;

use deepsearch_core::{ChatRequest, ModelError, ModelEvent, Purpose, Role, Turn};
use deepsearch_llm::{Deadlines, Models, ModelsConfig, ProviderConfig, Retry};
use futures::StreamExt;
use secrecy::SecretString;

/// A key no text may ever hold.
const CANARY: &str = "sk-canary-7f3a91";

fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _already_there = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

/// Short waits, so that a test of a long patience is short.
fn config() -> ModelsConfig {
    install_tls();
    let deadlines = Deadlines {
        first_token: Duration::from_secs(5),
        idle: Duration::from_secs(5),
        overall: Duration::from_secs(20),
    };
    ModelsConfig {
        discover_local: false,
        remote: deadlines,
        local: deadlines,
        retry: Retry {
            first_wait: Duration::from_millis(4),
            longest_wait: Duration::from_millis(20),
            breaker_window: 100,
            ..Retry::default()
        },
        ..ModelsConfig::default()
    }
}

fn with_provider(mut config: ModelsConfig, id: &str, url: &str) -> ModelsConfig {
    let provider = ProviderConfig {
        key: Some(SecretString::from(CANARY)),
        url: Some(url.parse().expect("a server's address is a URL")),
        enabled: true,
    };
    config.providers.insert(id.into(), provider);
    config
}

fn models(config: ModelsConfig) -> Models {
    Models::new(config).expect("the client can be built")
}

fn question(text: &str) -> ChatRequest {
    ChatRequest {
        purpose: Purpose::Answer,
        question: text.into(),
        turns: vec![
            Turn {
                role: Role::System,
                content: "Answer briefly.".into(),
            },
            Turn {
                role: Role::User,
                content: text.into(),
            },
        ],
        passages: Vec::new(),
        max_tokens: Some(64),
        temperature: Some(0.2),
    }
}

/// All that comes, in order: the text, the other events, and the error that ended it.
struct Came {
    text: String,
    events: Vec<ModelEvent>,
    error: Option<ModelError>,
}

async fn ask(models: &Models, id: &str) -> Result<Came, ModelError> {
    let model = models.model(id).await?;
    let mut stream = model.stream(question("Where is the Eiffel Tower?")).await?;
    let mut came = Came {
        text: String::new(),
        events: Vec::new(),
        error: None,
    };
    while let Some(event) = stream.next().await {
        match event {
            Ok(ModelEvent::Text(text)) => came.text.push_str(&text),
            Ok(event) => came.events.push(event),
            Err(error) => came.error = Some(error),
        }
    }
    Ok(came)
}

/// The error with everything beneath it, as a log would show it.
fn everything(error: &ModelError) -> String {
    let mut words = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        words = format!("{words} {error} {error:?}");
        source = error.source();
    }
    words
}
