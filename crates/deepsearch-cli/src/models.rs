//! `deepsearch models`.

use std::process::ExitCode;

use deepsearch_app::App;
use serde_json::json;

use crate::outcome::Outcome;
use crate::print;

pub(crate) async fn run(app: &App, json: bool) -> Outcome {
    let (models, default, (reranker, embedders)) =
        tokio::join!(app.models(), app.default_model(), app.embedding_models());
    // The list is what mends a wrong choice, so it is shown with one too.
    let default = default.map(|model| model.id).unwrap_or_else(|error| {
        print::note(&deepsearch_core::Failure::from(&error).message);
        String::new()
    });
    if json {
        let embedding = json!({ "chosen": reranker, "offered": embedders });
        print::json(&json!({ "default": default, "models": models, "embedding": embedding }));
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
    show_embedders(reranker.as_deref(), &embedders);
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

/// The models that put passages in order, the chosen one marked, whether or not it is among those that were found.
fn show_embedders(chosen: Option<&str>, offered: &[String]) {
    let missing = chosen.filter(|id| offered.iter().all(|known| known != id));
    for id in offered.iter().map(String::as_str).chain(missing) {
        let mark = if Some(id) == chosen { "~" } else { " " };
        print::line(&format!("{mark} {}  embeds, on this machine", print::safe(id)));
    }
    match (chosen, offered) {
        (Some(_), _) => print::note("~ puts passages in order. `deepsearch doctor` says whether it works."),
        (None, []) => {}
        (None, _) => print::note(
            "A model that embeds can put passages in order: deepsearch settings set rank.embedding_model ID",
        ),
    }
}
