//! ModelsConfig: which providers there are, with their keys, addresses and patience. Resolved by the app, at the edge.

use std::collections::HashMap;
use std::time::Duration;

use deepsearch_net::Network;
use secrecy::SecretString;
use url::Url;

/// Everything that [`Models`](crate::Models) is built from.
#[derive(Debug, Clone)]
pub struct ModelsConfig {
    /// `provider/name` or `extractive`; `None` chooses by what is available.
    pub default_model: Option<String>,
    /// What is known to embed and so never answers unless a person says so, as `provider/name`.
    pub embedding_model: Option<String>,
    /// By provider: `openai, anthropic, gemini, groq, openrouter, ollama, lmstudio, llamacpp`. Any other name with a
    /// `url` is an OpenAI-compatible server.
    pub providers: HashMap<String, ProviderConfig>,
    /// Whether Ollama, LM Studio and llama.cpp are looked for on this machine without being configured.
    pub discover_local: bool,
    /// How long hosted models are waited for.
    pub remote: Deadlines,
    /// How long models on this machine are waited for: they read a long prompt slowly.
    pub local: Deadlines,
    pub retry: Retry,
    /// How long a provider is waited for when it is asked for its list of models.
    pub list_within: Duration,
    /// How long a server on this machine is waited for when it is looked for.
    pub probe_within: Duration,
    pub network: Network,
}

/// One provider as it is configured.
#[derive(Clone)]
pub struct ProviderConfig {
    pub key: Option<SecretString>,
    /// The address that `chat/completions`, `messages` or `api/chat` is appended to; `None` is the provider's own.
    pub url: Option<Url>,
    pub enabled: bool,
}

/// How long an answer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until the first sign of life of one attempt.
    pub first_token: Duration,
    /// Between two pieces.
    pub idle: Duration,
    /// From the question to the end of the answer, retries included.
    pub overall: Duration,
}

/// How often and how patiently a failed attempt is repeated, and when a provider is left in peace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first included.
    pub tries: usize,
    /// The ceiling of the first wait; it doubles with each further one, and the wait is drawn from below it.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// Attempts that the breaker looks back on. When it has seen that many, and half of them failed, the next failure
    /// makes the provider rest.
    pub breaker_window: usize,
    pub rest: Duration,
}

impl Default for ModelsConfig {
    fn default() -> Self {
        Self {
            default_model: None,
            embedding_model: None,
            providers: HashMap::new(),
            discover_local: true,
            remote: Deadlines {
                first_token: Duration::from_secs(45),
                idle: Duration::from_secs(30),
                overall: Duration::from_secs(240),
            },
            local: Deadlines {
                first_token: Duration::from_secs(300),
                idle: Duration::from_secs(60),
                overall: Duration::from_secs(1200),
            },
            retry: Retry::default(),
            list_within: Duration::from_secs(3),
            probe_within: Duration::from_millis(300),
            network: Network::default(),
        }
    }
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self {
            key: None,
            url: None,
            enabled: true,
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            tries: 4,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            breaker_window: 8,
            rest: Duration::from_secs(30),
        }
    }
}

// An address can hold a name and a password, so only its host is shown.
impl std::fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderConfig")
            .field("has_key", &self.key.is_some())
            .field("host", &self.url.as_ref().and_then(Url::host_str))
            .field("enabled", &self.enabled)
            .finish()
    }
}
