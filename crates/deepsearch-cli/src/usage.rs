//! `deepsearch usage`: what models were used for and what that cost.

use std::process::ExitCode;

use deepsearch_app::{App, UsedModel};
use deepsearch_core::ChatId;

use crate::args;
use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, safe};

pub(crate) async fn run(app: &App, args: args::Usage, json: bool) -> Outcome {
    if let Some(chat) = args.chat {
        let used = app.usage_of(&ChatId::parse(chat)?).await?;
        if json {
            print::json(&used);
        } else if let Some(used) = &used {
            table(&used.title, &used.models);
        }
        return Ok(ended(used.is_none()));
    }
    let usage = app.usage(args.month.as_deref()).await?;
    if json {
        print::json(&usage);
        return Ok(ended(usage.months.is_empty()));
    }
    for month in &usage.months {
        table(&month.month, &month.models);
    }
    if !usage.chats.is_empty() {
        print::line("\nChats that used most");
        for chat in &usage.chats {
            table(&format!("{}  {}", chat.chat_id, safe(&chat.title)), &chat.models);
        }
    }
    let is_unpriced = |model: &UsedModel| model.cost.is_none() && model.model != "extractive";
    if usage.months.iter().flat_map(|month| &month.models).any(is_unpriced) {
        print::note("Costs need prices: deepsearch settings set models.prices openai/gpt-5-mini=0.25/2");
    }
    Ok(ended(usage.months.is_empty()))
}

fn ended(is_nothing: bool) -> ExitCode {
    if is_nothing {
        print::note("No model has told yet what it used.");
        return ExitCode::from(NOTHING);
    }
    ExitCode::SUCCESS
}

fn table(title: &str, models: &[UsedModel]) {
    print::line(&safe(title));
    for model in models {
        let cost = model.cost.map_or_else(String::new, |cost| format!(", ${cost:.4}"));
        print::line(&format!(
            "  {}  {} answers, {} tokens read, {} written{cost}",
            safe(&model.model),
            model.answers,
            model.prompt,
            model.completion
        ));
    }
}
