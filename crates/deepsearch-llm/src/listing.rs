//! Which models a provider serves and how much each can hold, read from its own list; and whether a server on this
//! machine is what it seems to be.

use std::time::Duration;

use deepsearch_core::{Errand, ModelError, ModelId, ModelInfo};
use deepsearch_net::Client;
use genai::adapter::AdapterKind;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::asking::{Question, address, json_of, unreadable};
use crate::provider::{Listing, Provider};

/// OpenRouter's list, the longest, has half a megabyte.
const LONGEST_LIST: usize = 8 << 20;

/// What a provider serves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Served {
    pub(crate) chat: Vec<ModelInfo>,
    /// Models that embed, as far as the list tells.
    pub(crate) embedding: Vec<ModelId>,
}

/// The provider's models, within the time given.
pub(crate) async fn models(provider: &Provider, client: &Client, within: Duration) -> Result<Served, ModelError> {
    let path = match provider.listing {
        Listing::OpenAi => "models",
        Listing::Anthropic => "models?limit=1000",
        Listing::Gemini => "models?pageSize=1000",
        Listing::Ollama => "api/tags",
    };
    let asked = async {
        let list = json_of(provider, client, about("", client.get(address(provider, path)))).await?;
        read(provider, &list).ok_or_else(|| unreadable(provider, "its list of models is not in the format we know"))
    };
    tokio::time::timeout(within, asked).await.unwrap_or_else(|_| {
        Err(ModelError::TimedOut {
            provider: provider.id.clone(),
            limit: within,
        })
    })
}

/// What one Ollama model can really hold: Ollama cuts longer prompts off in silence, and it loads a model with 4,096
/// tokens unless its file says otherwise, whatever the model could hold.
pub(crate) async fn ollama_context(provider: &Provider, client: &Client, name: &str, within: Duration) -> usize {
    let shown = client
        .post(address(provider, "api/show"))
        .json(&json!({ "model": name }));
    let asked = json_of::<Value>(provider, client, about(name, shown));
    let Ok(Ok(model)) = tokio::time::timeout(within, asked).await else {
        return OLLAMA_CONTEXT;
    };
    let own = model.get("parameters").and_then(Value::as_str).and_then(|parameters| {
        let line = parameters
            .lines()
            .find_map(|line| line.trim().strip_prefix("num_ctx"))?;
        line.trim().parse().ok()
    });
    own.unwrap_or(OLLAMA_CONTEXT)
}

fn about(model: &str, request: RequestBuilder) -> Question<'_> {
    Question {
        errand: Errand::ModelList,
        model,
        request,
        longest: LONGEST_LIST,
    }
}

const OLLAMA_CONTEXT: usize = 4_096;
const LOCAL_CONTEXT: usize = 8_192;
const HOSTED_CONTEXT: usize = 128_000;

/// The tokens a model can hold when nobody tells: rather too few, because too many are an error.
pub(crate) fn known_context(provider: &Provider, name: &str) -> usize {
    match provider.adapter {
        AdapterKind::Ollama => OLLAMA_CONTEXT,
        _ if provider.is_local() => LOCAL_CONTEXT,
        AdapterKind::Anthropic => 200_000,
        AdapterKind::Gemini if !name.contains("gemma") => 1_000_000,
        AdapterKind::Gemini => LOCAL_CONTEXT,
        AdapterKind::OpenAI if provider.configured => 32_768,
        AdapterKind::OpenAI if name.starts_with("gpt-3.5") => 16_385,
        AdapterKind::OpenAI if name == "gpt-4" || name.starts_with("gpt-4-0") => 8_192,
        _ => HOSTED_CONTEXT,
    }
}

/// Ollama lists models that run at ollama.com beside those that run here.
pub(crate) fn runs_here(provider: &Provider, name: &str) -> bool {
    let elsewhere = provider.adapter == AdapterKind::Ollama && (name.ends_with("-cloud") || name.ends_with(":cloud"));
    provider.is_local() && !elsewhere
}

pub(crate) fn info(provider: &Provider, name: &str, context_tokens: usize) -> ModelInfo {
    ModelInfo {
        id: format!("{}/{name}", provider.id),
        provider: provider.id.clone(),
        local: runs_here(provider, name),
        context_tokens,
    }
}

/// `None` when this is not the format the provider speaks: another program may listen on its port.
fn read(provider: &Provider, list: &Value) -> Option<Served> {
    let (entries, name_at) = match provider.listing {
        Listing::Ollama => (list.get("models")?, "name"),
        Listing::Gemini => (list.get("models")?, "name"),
        Listing::OpenAi | Listing::Anthropic => (list.get("data")?, "id"),
    };
    let entries = entries.as_array()?;
    // 8080 is everybody's port: unless the person named the address, only llama.cpp's own mark will do.
    let marked = || {
        entries
            .iter()
            .any(|entry| entry.get("owned_by").is_some_and(|owner| owner == "llamacpp"))
    };
    if provider.id == "llamacpp" && !provider.configured && !marked() {
        return None;
    }
    let mut served = Served::default();
    for entry in entries {
        let Some(name) = entry.get(name_at).and_then(Value::as_str) else {
            continue;
        };
        let name = short_name(provider, name);
        if embeds(name, entry) {
            served.embedding.push(format!("{}/{name}", provider.id));
        } else if writes_text(name, entry) {
            let context = told_context(entry).unwrap_or_else(|| known_context(provider, name));
            served.chat.push(info(provider, name, context));
        }
    }
    Some(served)
}

/// llama.cpp calls a model by the path of its file and answers to any name; Gemini puts `models/` before each.
fn short_name<'a>(provider: &Provider, name: &'a str) -> &'a str {
    match provider.id.as_str() {
        "llamacpp" => {
            let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
            file.strip_suffix(".gguf").unwrap_or(file)
        }
        _ => name.strip_prefix("models/").unwrap_or(name),
    }
}

/// OpenRouter, LM Studio, Groq, Gemini, vLLM and llama.cpp each tell in a member of their own.
fn told_context(entry: &Value) -> Option<usize> {
    [
        "/loaded_context_length",
        "/context_length",
        "/max_context_length",
        "/context_window",
        "/inputTokenLimit",
        "/max_model_len",
        "/meta/n_ctx",
    ]
    .iter()
    .find_map(|member| entry.pointer(member)?.as_u64())
    .and_then(|tokens| usize::try_from(tokens).ok())
    .filter(|tokens| *tokens > 0)
}

/// Ollama tells of which family a model is, and all of BERT's embed; of other lists the names tell.
fn embeds(name: &str, entry: &Value) -> bool {
    let family = entry.pointer("/details/family").and_then(Value::as_str);
    let capabilities = entry.get("capabilities").and_then(Value::as_array);
    let is_told = capabilities.is_some_and(|all| all.iter().any(|one| one == "embedding"));
    let is_bert = family.is_some_and(|family| family.contains("bert"));
    is_told || is_bert || name.to_lowercase().contains("embed")
}

/// Lists mix chat models with ones that embed, paint, speak or listen.
fn writes_text(name: &str, entry: &Value) -> bool {
    const OTHERS: &[&str] = &[
        "whisper",
        "tts",
        "dall-e",
        "image",
        "moderation",
        "transcribe",
        "realtime",
        "audio",
        "sora",
        "davinci",
        "babbage",
        "imagen",
        "veo",
        "guard",
        "rerank",
        "aqa",
        "codex",
        "computer-use",
        "orpheus",
        "playai",
    ];
    let lower = name.to_lowercase();
    let generates = entry.get("supportedGenerationMethods").and_then(Value::as_array);
    let generates = generates.is_none_or(|methods| methods.iter().any(|method| method == "generateContent"));
    generates && !OTHERS.iter().any(|other| lower.contains(other))
}
