//! `deepsearch recheck`: which sentences of an old answer still hold.

use std::process::ExitCode;

use deepsearch_app::App;
use deepsearch_core::MessageId;
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::recheck::{Compared, Proof, Recheck, Standing};

use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, note, progress, safe};

pub(crate) async fn run(app: &App, answer: String, history: bool, json: bool) -> Outcome {
    let answer = MessageId::parse(answer)?;
    if history {
        return earlier(app, &answer, json).await;
    }
    let stop = tokio_util::sync::CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.cancel();
        }
    });
    let recheck = app.recheck(&answer, &stop, tell).await?;
    if json {
        print::json(&recheck)
    } else {
        show(&recheck)
    }
    Ok(ExitCode::SUCCESS)
}

async fn earlier(app: &App, answer: &MessageId, json: bool) -> Outcome {
    let rechecks = app.rechecks(answer).await?;
    if json {
        print::json(&rechecks);
    } else if rechecks.is_empty() {
        note("This answer was not checked again yet.");
        return Ok(ExitCode::from(NOTHING));
    } else {
        rechecks.iter().for_each(show);
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(event: AnswerEvent) {
    match event {
        AnswerEvent::Planned { queries, .. } => queries
            .iter()
            .for_each(|query| progress(&format!("Searching: {query}"))),
        AnswerEvent::SourceRead { url, title, .. } => progress(&format!("Read: {} ({url})", title.trim())),
        AnswerEvent::SearchFailed { failure, .. } | AnswerEvent::SourceFailed { failure, .. } => {
            progress(&failure.message);
        }
        _ => {}
    }
}

fn show(recheck: &Recheck) {
    let when = recheck
        .checked_at
        .with_timezone(&chrono::Local)
        .format("%Y-%m-%d %H:%M");
    let count = |standing| {
        recheck
            .sentences
            .iter()
            .filter(|known| known.standing == standing)
            .count()
    };
    print::line(&format!(
        "{when}: {} the same, {} changed, {} gone, {} new",
        count(Standing::Same),
        count(Standing::Changed),
        count(Standing::Gone),
        count(Standing::New)
    ));
    recheck.sentences.iter().for_each(show_sentence);
}

fn show_sentence(compared: &Compared) {
    let sign = match compared.standing {
        Standing::Same => "=",
        Standing::Changed => "~",
        Standing::Gone => "-",
        Standing::New => "+",
    };
    print::line(&format!("{sign} {}", safe(&compared.sentence)));
    // What still holds needs no proof twice.
    if compared.standing == Standing::Same {
        return;
    }
    let proof = |when: &str, proof: &Proof| {
        print::line(&format!("    {when}: {} ({})", safe(&proof.quote), safe(&proof.url)));
    };
    if let Some(before) = &compared.before {
        proof("then", before);
    }
    if let Some(now) = &compared.now {
        let when = if compared.standing == Standing::Gone {
            "nearest now"
        } else {
            "now"
        };
        proof(when, now);
    }
}
