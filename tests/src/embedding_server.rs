//! An embedding model that means what a test says, behind Ollama's wire format and OpenAI's, each at its own address.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use url::Url;

use crate::scripted_server::{Asked, Reply, ScriptedServer};

/// The name under which Ollama and an OpenAI-compatible server list it.
pub const MODEL: &str = "all-minilm:latest";

/// What it does when it is given texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Good,
    /// Takes the texts and says nothing more.
    Hangs,
    /// One vector too few.
    Forgetful,
}

/// A running model. Dropping it ends it.
#[derive(Debug)]
pub struct EmbeddingServer {
    server: ScriptedServer,
    texts: Arc<Mutex<Vec<Vec<String>>>>,
}

impl EmbeddingServer {
    /// Texts of which `is_near` says so lie near each other, all others near each other elsewhere.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(manner: Manner, is_near: impl Fn(&str) -> bool + Send + Sync + 'static) -> Result<Self> {
        let texts = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&texts);
        let server = ScriptedServer::start(
            move |asked: &Asked| match (asked.method.as_str(), asked.target.as_str()) {
                ("GET", "/api/tags") => Reply::json(&json!({ "models": [{
                    "name": MODEL, "model": MODEL, "modified_at": "2026-11-01T10:00:00Z", "size": 45_960_996,
                    "digest": "1b226e2802dbb772b5fc32a58f103ca1804ef7501331012de126ab22f67475ef",
                    "details": { "format": "gguf", "family": "bert", "families": ["bert"], "parameter_size": "23M",
                        "quantization_level": "F16" },
                }] })),
                ("GET", "/v1/models") => Reply::json(&json!({
                    "object": "list",
                    "data": [{ "id": MODEL, "object": "model", "created": 1, "owned_by": "tests" }],
                })),
                ("POST", "/api/embed" | "/v1/embeddings") => {
                    let request: Value = serde_json::from_str(&asked.body).unwrap_or_default();
                    let texts = texts_of(&request);
                    noted.lock().expect("no panic while noting").push(texts.clone());
                    let is_ollama = asked.target == "/api/embed";
                    if !is_named(&request) {
                        return missing(is_ollama, &request);
                    }
                    let mut vectors: Vec<[f32; 3]> = texts.iter().map(|text| vector(text, is_near(text))).collect();
                    match manner {
                        Manner::Good => {}
                        Manner::Forgetful => vectors.truncate(vectors.len().saturating_sub(1)),
                        Manner::Hangs => return Reply::json(&json!({})).after(Duration::from_secs(600)),
                    }
                    answer(is_ollama, &vectors)
                }
                _ => Reply::status(404),
            },
        )
        .await?;
        Ok(Self { server, texts })
    }

    /// Where Ollama would be.
    pub fn ollama(&self) -> &Url {
        self.server.base()
    }

    /// The OpenAI-compatible address, which ends in `/v1/`.
    pub fn openai(&self) -> Url {
        self.server.url("v1/")
    }

    /// What it was given to embed, a request at a time.
    ///
    /// # Panics
    /// When a script has panicked.
    pub fn texts(&self) -> Vec<Vec<String>> {
        self.texts.lock().expect("no panic while noting").clone()
    }
}

fn texts_of(request: &Value) -> Vec<String> {
    let texts = request["input"].as_array().into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Ollama knows a model without its tag too.
fn is_named(request: &Value) -> bool {
    request["model"] == MODEL || request["model"] == MODEL.trim_end_matches(":latest")
}

fn missing(is_ollama: bool, request: &Value) -> Reply {
    let message = format!("model {} not found, try pulling it first", request["model"]);
    let error = if is_ollama {
        json!({ "error": message })
    } else {
        json!({ "error": { "message": message, "type": "not_found_error", "code": null } })
    };
    Reply::new(404, "application/json", error.to_string().into_bytes())
}

fn vector(text: &str, is_near: bool) -> [f32; 3] {
    // No two texts are quite the same.
    let little = text.len() as f32 / 1e6;
    if is_near {
        [0.9, 0.1 + little, 0.05]
    } else {
        [0.1, 0.9 + little, 0.05]
    }
}

fn answer(is_ollama: bool, vectors: &[[f32; 3]]) -> Reply {
    if is_ollama {
        return Reply::json(&json!({
            "model": MODEL, "embeddings": vectors,
            "total_duration": 14_143_917, "load_duration": 1_019_500, "prompt_eval_count": 8,
        }));
    }
    let data = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| json!({ "object": "embedding", "index": index, "embedding": vector }));
    Reply::json(&json!({
        "object": "list", "data": data.collect::<Vec<_>>(), "model": MODEL,
        "usage": { "prompt_tokens": 8, "total_tokens": 8 },
    }))
}
