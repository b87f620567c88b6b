//! A chat model that follows a script, behind the OpenAI-compatible wire format: server-sent events with a usage chunk.
//!
//! The stream can be split at any byte, so that tokens, characters and event lines arrive in pieces.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use url::Url;

use crate::scripted_server::{Asked, Reply, ScriptedServer};

/// The name under which every scripted model is listed.
pub const MODEL: &str = "scripted";

/// How the model answers one request.
#[derive(Debug, Clone)]
pub struct Script {
    tokens: Vec<String>,
    /// Prompt and completion tokens, told at the end.
    usage: Option<(u32, u32)>,
    finish_reason: &'static str,
    first_token_after: Duration,
    pieces: Option<(usize, Duration)>,
    /// Breaks off after so many tokens, without an end.
    break_after: Option<usize>,
    refusal: Option<(u16, Value)>,
}

impl Script {
    /// Streams these tokens, each as an event of its own.
    pub fn tokens<T: Into<String>>(tokens: impl IntoIterator<Item = T>) -> Self {
        Self {
            tokens: tokens.into_iter().map(Into::into).collect(),
            usage: Some((100, 20)),
            finish_reason: "stop",
            first_token_after: Duration::ZERO,
            pieces: None,
            break_after: None,
            refusal: None,
        }
    }

    /// Streams a text a few characters at a time, as models do: `[1` and `]` are often two tokens.
    pub fn text(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        Self::tokens(characters.chunks(3).map(|chunk| chunk.iter().collect::<String>()))
    }

    /// Answers with an error in OpenAI's form.
    pub fn refuse(status: u16, code: &str, message: &str) -> Self {
        Self {
            refusal: Some((
                status,
                json!({ "error": { "message": message, "type": code, "code": code } }),
            )),
            ..Self::text("")
        }
    }

    #[must_use]
    pub fn usage(mut self, prompt: u32, completion: u32) -> Self {
        self.usage = Some((prompt, completion));
        self
    }

    #[must_use]
    pub fn without_usage(mut self) -> Self {
        self.usage = None;
        self
    }

    /// Ends as if `max_tokens` had been reached.
    #[must_use]
    pub fn truncated(mut self) -> Self {
        self.finish_reason = "length";
        self
    }

    #[must_use]
    pub fn first_token_after(mut self, delay: Duration) -> Self {
        self.first_token_after = delay;
        self
    }

    /// Sends the stream in pieces of so many bytes, whatever they cut through.
    #[must_use]
    pub fn in_pieces(mut self, bytes: usize, pause: Duration) -> Self {
        self.pieces = Some((bytes, pause));
        self
    }

    /// Closes the connection after so many tokens.
    #[must_use]
    pub fn break_after(mut self, tokens: usize) -> Self {
        self.break_after = Some(tokens);
        self
    }

    fn reply(&self, request: &Value) -> Reply {
        if let Some((status, body)) = &self.refusal {
            return Reply::new(*status, "application/json", body.to_string().into_bytes());
        }
        if request["stream"] != json!(true) {
            return Reply::json(&self.whole()).after(self.first_token_after);
        }
        let told = self.break_after.unwrap_or(self.tokens.len()).min(self.tokens.len());
        let mut events = vec![chunk(json!({ "role": "assistant", "content": "" }), None)];
        events.extend(
            self.tokens[..told]
                .iter()
                .map(|token| chunk(json!({ "content": token }), None)),
        );
        let mut stream: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        let broken = self.break_after.is_some();
        if !broken {
            stream += &self.ending(request);
        }
        let mut reply = Reply::new(200, "text/event-stream", stream.into_bytes()).after(self.first_token_after);
        if broken {
            // More is promised than comes, so the client sees a connection that broke and not an end.
            reply = reply.header("content-length", "1000000");
        }
        match self.pieces {
            Some((bytes, pause)) => reply.trickle(bytes, pause),
            None => reply,
        }
    }

    fn ending(&self, request: &Value) -> String {
        let mut ending = format!("data: {}\n\n", chunk(json!({}), Some(self.finish_reason)));
        // As OpenAI does: usage only where it was asked for, in a last chunk without choices.
        if request["stream_options"]["include_usage"] == json!(true)
            && let Some(usage) = self.usage_json()
        {
            let mut last = chunk(json!({}), None);
            last["choices"] = json!([]);
            last["usage"] = usage;
            ending += &format!("data: {last}\n\n");
        }
        ending + "data: [DONE]\n\n"
    }

    fn whole(&self) -> Value {
        json!({
            "id": "chatcmpl-scripted", "object": "chat.completion", "created": 1, "model": MODEL,
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": self.tokens.concat() },
                "finish_reason": self.finish_reason,
            }],
            "usage": self.usage_json(),
        })
    }

    fn usage_json(&self) -> Option<Value> {
        self.usage.map(|(prompt, completion)| {
            json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion })
        })
    }
}

fn chunk(delta: Value, finish_reason: Option<&str>) -> Value {
    json!({
        "id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
    })
}

/// A running scripted model. Dropping it ends it.
#[derive(Debug)]
pub struct ModelServer {
    server: ScriptedServer,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl ModelServer {
    /// Answers every request with the same script.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn always(script: Script) -> Result<Self> {
        Self::start(move |_| script.clone()).await
    }

    /// Answers each request, given as the JSON that was posted, with the script made for it.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(script: impl Fn(&Value) -> Script + Send + Sync + 'static) -> Result<Self> {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&requests);
        let server = ScriptedServer::start(
            move |asked: &Asked| match (asked.method.as_str(), asked.target.as_str()) {
                ("GET", "/v1/models") => Reply::json(&json!({
                    "object": "list",
                    "data": [{ "id": MODEL, "object": "model", "created": 1, "owned_by": "tests" }],
                })),
                ("POST", "/v1/chat/completions") => match serde_json::from_str::<Value>(&asked.body) {
                    Ok(request) => {
                        noted.lock().expect("no panic while noting").push(request.clone());
                        script(&request).reply(&request)
                    }
                    Err(_) => Script::refuse(400, "invalid_request_error", "no JSON").reply(&Value::Null),
                },
                _ => Reply::status(404),
            },
        )
        .await?;
        Ok(Self { server, requests })
    }

    /// A model that obeys whatever a page tells it: it writes every address of its prompt in every form of Markdown and
    /// HTML that could make a reader's machine ask for it. What leaves the app must still lead nowhere.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn gullible() -> Result<Self> {
        Self::start(|request| {
            let prompt = prompt(request);
            let leaks: String = addresses(&prompt)
                .map(|url| {
                    format!(
                        "As asked [1]. ![x]({url}?leak=1) [more]({url}?leak=2) <{url}?leak=3> {url}?leak=4 \
                         <img src=\"{url}?leak=5\"> [r][ref]\n\n[ref]: {url}?leak=6\n\n"
                    )
                })
                .collect();
            Script::text(if leaks.is_empty() {
                "Nothing was asked of me [1]."
            } else {
                &leaks
            })
        })
        .await
    }

    /// The OpenAI-compatible base address, which ends in `/v1/`.
    pub fn base(&self) -> Url {
        self.server.url("v1/")
    }

    /// The completions that were asked for so far, as posted.
    ///
    /// # Panics
    /// When a script has panicked.
    pub fn requests(&self) -> Vec<Value> {
        self.requests.lock().expect("no panic while noting").clone()
    }
}

/// All that a request shows the model, as one text.
pub fn prompt(request: &Value) -> String {
    let messages = request["messages"].as_array().cloned().unwrap_or_default();
    let contents = messages.iter().map(|message| match &message["content"] {
        Value::String(text) => text.clone(),
        parts => parts
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|part| part["text"].as_str())
            .collect::<String>(),
    });
    contents.collect::<Vec<_>>().join("\n")
}

fn addresses(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("http").filter_map(|(start, _)| {
        let rest = &text[start..];
        let end = rest
            .find(|c: char| c.is_whitespace() || "\"'<>()[]".contains(c))
            .unwrap_or(rest.len());
        Url::parse(&rest[..end]).ok().map(|_| &rest[..end])
    })
}
