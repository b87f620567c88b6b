//! `deepsearch models`.

use std::process::ExitCode;

use deepsearch_app::App;
use serde_json::json;

use crate::outcome::Outcome;
use crate::print;

pub(crate) async fn run(app: &App, json: bool) -> Outcome {
    let (models, default) = tokio::join!(app.models(), app.default_model());
    // The list is what mends a wrong choice, so it is shown with one too.
    let default = default.map(|model| model.id).unwrap_or_else(|error| {
        print::note(&deepsearch_core::Failure::from(&error).message);
        String::new()
    });
    if json {
        print::json(&json!({ "default": default, "models": models }));
        return Ok(ExitCode::SUCCESS);
    }
    for model in models {
        let mark = if model.id == default { "*" } else { " " };
        let place = if model.local { "on this machine" } else { "hosted" };
        print::line(&format!(
            "{mark} {}  {place}, {} tokens",
            print::safe(&model.id),
            model.context_tokens
        ));
    }
    let held_back: Vec<String> = app
        .providers()
        .into_iter()
        .filter(|provider| provider.held_back && provider.enabled && (provider.has_key || !provider.needs_key))
        .map(|provider| provider.name)
        .collect();
    if !held_back.is_empty() {
        print::note(&format!("Held back by private mode: {}.", held_back.join(", ")));
    }
    print::note("* answers when no model is named. Choose one: deepsearch settings set default_model ID");
    Ok(ExitCode::SUCCESS)
}
