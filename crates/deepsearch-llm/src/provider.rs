//! Provider: who serves models, in which wire format, and where. One table row each; every other name with an address
//! is an OpenAI-compatible server, and a name without one is no provider at all.

use genai::adapter::AdapterKind;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::ProviderConfig;

/// The wire format in which a provider lists its models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
}

pub(crate) struct Known {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    adapter: AdapterKind,
    pub(crate) listing: Listing,
    url: &'static str,
    /// A small, cheap model that writes well enough, for whoever has set only a key.
    default_model: Option<&'static str>,
    /// Where a key is had.
    pub(crate) key_url: Option<&'static str>,
}

/// In the order in which a default is looked for.
pub(crate) const KNOWN: &[Known] = &[
    local(
        "ollama",
        "Ollama",
        AdapterKind::Ollama,
        Listing::Ollama,
        "http://127.0.0.1:11434/",
    ),
    local(
        "lmstudio",
        "LM Studio",
        AdapterKind::OpenAI,
        Listing::OpenAi,
        "http://127.0.0.1:1234/v1/",
    ),
    local(
        "llamacpp",
        "llama.cpp",
        AdapterKind::OpenAI,
        Listing::OpenAi,
        "http://127.0.0.1:8080/v1/",
    ),
    hosted(
        "openai",
        "OpenAI",
        AdapterKind::OpenAI,
        Listing::OpenAi,
        "https://api.openai.com/v1/",
        "gpt-5-mini",
        "https://platform.openai.com/api-keys",
    ),
    hosted(
        "anthropic",
        "Anthropic",
        AdapterKind::Anthropic,
        Listing::Anthropic,
        "https://api.anthropic.com/v1/",
        "claude-haiku-4-5",
        "https://console.anthropic.com/settings/keys",
    ),
    hosted(
        "gemini",
        "Google Gemini",
        AdapterKind::Gemini,
        Listing::Gemini,
        "https://generativelanguage.googleapis.com/v1beta/",
        "gemini-2.5-flash",
        "https://aistudio.google.com/apikey",
    ),
    hosted(
        "groq",
        "Groq",
        AdapterKind::Groq,
        Listing::OpenAi,
        "https://api.groq.com/openai/v1/",
        "openai/gpt-oss-20b",
        "https://console.groq.com/keys",
    ),
    hosted(
        "openrouter",
        "OpenRouter",
        AdapterKind::OpenRouter,
        Listing::OpenAi,
        "https://openrouter.ai/api/v1/",
        "openai/gpt-5-mini",
        "https://openrouter.ai/keys",
    ),
];

const fn local(
    id: &'static str,
    name: &'static str,
    adapter: AdapterKind,
    listing: Listing,
    url: &'static str,
) -> Known {
    Known {
        id,
        name,
        adapter,
        listing,
        url,
        default_model: None,
        key_url: None,
    }
}

const fn hosted(
    id: &'static str,
    name: &'static str,
    adapter: AdapterKind,
    listing: Listing,
    url: &'static str,
    default_model: &'static str,
    key_url: &'static str,
) -> Known {
    Known {
        id,
        name,
        adapter,
        listing,
        url,
        default_model: Some(default_model),
        key_url: Some(key_url),
    }
}

/// A provider that can be asked: known or configured, and not switched off.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) id: String,
    pub(crate) adapter: AdapterKind,
    pub(crate) listing: Listing,
    /// Always ends in a slash.
    pub(crate) url: Url,
    pub(crate) key: Option<SecretString>,
    pub(crate) default_model: Option<&'static str>,
    /// The person named its address, so that whatever answers there is what they meant.
    pub(crate) configured: bool,
}

impl Provider {
    /// `None` for a name that is neither known nor has an address.
    pub(crate) fn new(id: &str, config: Option<&ProviderConfig>) -> Option<Self> {
        let known = KNOWN.iter().find(|known| known.id == id);
        let configured_url = config.and_then(|config| config.url.clone());
        let own_url = known.map(|known| Url::parse(known.url).expect("the table's addresses are valid"));
        Some(Self {
            id: id.to_owned(),
            adapter: known.map_or(AdapterKind::OpenAI, |known| known.adapter),
            listing: known.map_or(Listing::OpenAi, |known| known.listing),
            configured: configured_url.is_some(),
            url: match configured_url {
                Some(url) => completed(url, own_url.as_ref().map_or("/v1/", |own| own.path())),
                None => own_url?,
            },
            key: config.and_then(|config| config.key.clone()),
            default_model: known.and_then(|known| known.default_model),
        })
    }

    /// Whether it runs on this machine.
    pub(crate) fn is_local(&self) -> bool {
        match self.url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether it can be asked only with a key: the hosted ones at their own address.
    pub(crate) fn needs_key(&self) -> bool {
        self.default_model.is_some() && !self.configured
    }

    pub(crate) fn lacks_key(&self) -> bool {
        self.needs_key() && self.key.is_none()
    }

    /// Takes the key out of a text that is to be shown or logged.
    pub(crate) fn redact(&self, text: &str) -> String {
        match &self.key {
            Some(key) if !key.expose_secret().is_empty() => text.replace(key.expose_secret(), "[key]"),
            _ => text.to_owned(),
        }
    }
}

/// A person writes `http://host:1234` and means `http://host:1234/v1/`.
fn completed(mut url: Url, own_path: &str) -> Url {
    if matches!(url.path(), "" | "/") {
        url.set_path(own_path);
    } else if own_path == "/" && matches!(url.path(), "/v1" | "/v1/") {
        // Ollama's OpenAI-compatible address; its own interface lies beside it and tells more.
        url.set_path("/");
    } else if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url
}
