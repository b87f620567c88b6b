//! What the app wants of a model in one request, as the request itself shows it.

use crate::model_server::{ModelServer, Script, prompt};
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To reword a follow-up as a search.
    Plan,
    /// To answer from sources.
    Grounded,
    /// To answer without any.
    Free,
    Title,
    FollowUps,
}

pub fn purpose(request: &Value) -> Purpose {
    let prompt = prompt(request);
    let signs = [
        ("Rewrite the last message", Purpose::Plan),
        ("Write a title", Purpose::Title),
        ("Write three short questions", Purpose::FollowUps),
        ("<source number=", Purpose::Grounded),
    ];
    let found = signs.iter().find(|(sign, _)| prompt.contains(sign));
    found.map_or(Purpose::Free, |(_, purpose)| *purpose)
}

/// A model that answers as `answer` says, and gives a title, follow-ups and rewordings as a good one does.
///
/// # Errors
/// When no port is free.
pub async fn answering(answer: impl Fn(&Value) -> Script + Send + Sync + 'static) -> anyhow::Result<ModelServer> {
    ModelServer::start(move |request| match purpose(request) {
        Purpose::Plan => Script::text("Zorvane lighthouse engineer Maren Oltwick"),
        Purpose::Title => Script::text("The Zorvane lighthouse"),
        Purpose::FollowUps => Script::text("1. Who designed the lighthouse?\n2. When does the ferry leave?"),
        Purpose::Grounded | Purpose::Free => answer(request),
    })
    .await
}

/// The requests of one purpose, in order.
pub fn asked_for(model: &ModelServer, wanted: Purpose) -> Vec<String> {
    let requests = model.requests();
    let fitting = requests.iter().filter(|request| purpose(request) == wanted);
    fitting.map(prompt).collect()
}
