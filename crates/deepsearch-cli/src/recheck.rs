//! `deepsearch recheck`: which sentences of an old answer still hold, now or by itself.

use std::process::ExitCode;

use deepsearch_app::{App, DueRecheck};
use deepsearch_core::MessageId;
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::recheck::{Compared, Every, Proof, Recheck, ScheduledRecheck, Standing};

use crate::args::{self, Often, RecheckSchedule};
use crate::ledger;
use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, note, progress, safe, when};

pub(crate) async fn run(app: &App, args: args::Recheck, json: bool) -> Outcome {
    match (args.answer, args.schedule) {
        (_, Some(RecheckSchedule::Schedule { answer, every })) => schedule(app, answer, every, json).await,
        (_, Some(RecheckSchedule::List)) => list(app, json).await,
        (_, Some(RecheckSchedule::Due)) => due(app, json).await,
        (Some(answer), None) => {
            let answer = MessageId::parse(answer)?;
            if args.history {
                earlier(app, &answer, json).await
            } else if args.ledger {
                sent(app, &answer, json).await
            } else {
                check(app, &answer, json).await
            }
        }
        // The parser asks for one of them.
        (None, None) => Ok(ExitCode::FAILURE),
    }
}

async fn check(app: &App, answer: &MessageId, json: bool) -> Outcome {
    let (stopped, stopping) = (app.clone(), answer.clone());
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopped.stop_recheck(&stopping);
        }
    });
    let recheck = app.recheck(answer, tell).await?;
    if json {
        print::json(&recheck)
    } else {
        show(&recheck)
    }
    Ok(ExitCode::SUCCESS)
}

async fn earlier(app: &App, answer: &MessageId, json: bool) -> Outcome {
    let rechecks = app.rechecks(answer).await?.rechecks;
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

async fn sent(app: &App, answer: &MessageId, json: bool) -> Outcome {
    let latest = app.rechecks(answer).await?.rechecks.into_iter().next();
    let kept = match latest {
        Some(latest) => app.recheck_ledger(answer, latest.checked_at).await?,
        None => None,
    };
    if json {
        print::json(&kept);
    }
    match kept {
        None => {
            note("Nothing is known of it: it was not checked again yet, or before there was a ledger.");
            return Ok(ExitCode::from(NOTHING));
        }
        Some(kept) if !json => ledger::show(&kept, false),
        Some(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn schedule(app: &App, answer: String, often: Often, json: bool) -> Outcome {
    let every = match often {
        Often::Daily => Some(Every::Daily),
        Often::Weekly => Some(Every::Weekly),
        Often::Monthly => Some(Every::Monthly),
        Often::Off => None,
    };
    let schedule = app.schedule_recheck(&MessageId::parse(answer)?, every).await?;
    if json {
        print::json(&schedule);
    } else {
        match schedule {
            Some(schedule) => print::line(&format!(
                "Checked again {}, next on {}, while the app is open.",
                schedule.every.as_str(),
                when(schedule.next_at)
            )),
            None => print::line("Not checked again by itself."),
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(app: &App, json: bool) -> Outcome {
    let scheduled = app.scheduled_rechecks().await?;
    if json {
        print::json(&scheduled);
    } else {
        scheduled.iter().for_each(show_scheduled);
    }
    if scheduled.is_empty() {
        note("No answer is checked again by itself.");
        return Ok(ExitCode::from(NOTHING));
    }
    Ok(ExitCode::SUCCESS)
}

fn show_scheduled(known: &ScheduledRecheck) {
    let last = match known.checked_at {
        None => "not checked yet".to_owned(),
        Some(at) => format!("checked on {}: {}", when(at), sentences(known.changed)),
    };
    print::line(&format!("{}  {}", known.answer_id, safe(known.question.trim())));
    print::line(&format!(
        "    {}, next on {}, {last}",
        known.schedule.every.as_str(),
        when(known.schedule.next_at)
    ));
}

async fn due(app: &App, json: bool) -> Outcome {
    let due = app.recheck_due().await?;
    if json {
        print::json(&due);
    }
    match due {
        None => {
            note("Nothing is to be checked again now.");
            return Ok(ExitCode::from(NOTHING));
        }
        Some(due) if !json => show_due(&due),
        Some(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn show_due(due: &DueRecheck) {
    print::line(&format!("{}  {}", due.answer_id, safe(due.question.trim())));
    match &due.failure {
        Some(failure) => print::line(&format!("    {}", safe(&failure.to_string()))),
        None => print::line(&format!("    {}, {} of them new", sentences(due.changed), due.news)),
    }
}

fn sentences(changed: u32) -> String {
    match changed {
        1 => "1 sentence changed".to_owned(),
        changed => format!("{changed} sentences changed"),
    }
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
    let at = when(recheck.checked_at);
    if let Some(failure) = &recheck.failure {
        print::line(&format!("{at}: {}", safe(&failure.to_string())));
        return;
    }
    let count = |standing| {
        recheck
            .sentences
            .iter()
            .filter(|known| known.standing == standing)
            .count()
    };
    let unread = match count(Standing::Unread) {
        0 => String::new(),
        unread => format!(", {unread} that could not be looked up"),
    };
    print::line(&format!(
        "{at}: {} the same, {} changed, {} gone, {} new{unread}",
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
        Standing::Unread => "?",
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
        let when = if matches!(compared.standing, Standing::Gone | Standing::Unread) {
            "nearest now"
        } else {
            "now"
        };
        proof(when, now);
    }
}
