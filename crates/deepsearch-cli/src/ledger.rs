//! `deepsearch ledger`: what answers sent to whom.

use std::process::ExitCode;

use deepsearch_app::App;
use deepsearch_core::{AnswerLedger, ChatId, Contact, Errand, MessageId, SentText};

use crate::args;
use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, safe};

pub(crate) async fn run(app: &App, args: args::Ledger, json: bool) -> Outcome {
    let ledgers = match (args.message, args.chat) {
        (Some(message), _) => app.ledger(&MessageId::parse(message)?).await?.into_iter().collect(),
        (None, Some(chat)) => app.ledgers_of(&ChatId::parse(chat)?).await?,
        (None, None) => Vec::new(),
    };
    if json {
        print::json(&ledgers);
    } else {
        ledgers.iter().for_each(|ledger| show(ledger, args.texts));
    }
    if ledgers.is_empty() {
        print::note("Nothing is known of it: it was written before there was a ledger, or on another device.");
        return Ok(ExitCode::from(NOTHING));
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn show(kept: &AnswerLedger, with_texts: bool) {
    let ledger = &kept.ledger;
    let when = print::when(kept.at);
    let mode = if kept.private { ", in private mode" } else { "" };
    print::line(&format!("{}  {when}{mode}", kept.message_id));
    let (out, back) = ledger.bytes_elsewhere();
    match ledger.hosts_elsewhere() {
        0 => print::line("  Nothing left this computer."),
        hosts => print::line(&format!(
            "  {} sent to {hosts} {}, {} received.",
            size(out),
            if hosts == 1 { "host" } else { "hosts" },
            size(back)
        )),
    }
    ledger.contacts.iter().for_each(|contact| print::line(&line(contact)));
    if ledger.unlisted > 0 {
        print::line(&format!("  and {} more that were not listed", ledger.unlisted));
    }
    ledger.texts.iter().for_each(|text| show_text(text, with_texts));
}

fn line(contact: &Contact) -> String {
    let errand = match contact.errand {
        Errand::Search => "search",
        Errand::SearchCache => "search cache",
        Errand::Page => "page",
        Errand::Robots => "robots.txt",
        Errand::Icon => "icon",
        Errand::Picture => "picture",
        Errand::Model => "model",
        Errand::ModelList => "list of models",
        Errand::Gateway => "sign-in server",
        Errand::Database => "shared database",
    };
    let service = match contact.service.as_str() {
        "" => String::new(),
        service => format!(" ({})", safe(service)),
    };
    let place = if contact.local { ", on this computer" } else { "" };
    format!(
        "  {}  {errand}{service}{place}: {} requests, {} out, {} in",
        safe(&contact.host),
        contact.requests,
        size(contact.bytes_out),
        size(contact.bytes_in)
    )
}

fn show_text(text: &SentText, whole: bool) {
    let place = if text.local {
        "stayed on this computer"
    } else {
        "left this computer"
    };
    let times = match text.times {
        1 => String::new(),
        times => format!(", {times} times"),
    };
    print::line(&format!(
        "  text for {}: {}{times}, {place}, SHA-256 {}",
        safe(&text.model),
        size(text.bytes),
        text.sha256
    ));
    match &text.turns {
        Some(turns) if whole => {
            for turn in turns {
                print::line(&format!("  --- {}", turn.role.as_str()));
                print::line(&safe(&turn.content));
            }
        }
        None if whole => print::line("  It was too large to be kept."),
        _ => {}
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
