//! `deepsearch research`: researches and their plans; and how the steps of one are told.

use std::process::ExitCode;

use deepsearch_app::{App, AskRequest, Depth, ResearchSummary, Turn};
use deepsearch_core::research::{PartProgress, PartStage, PlanEdit, ResearchEnd, ResearchPhase, ResearchProgress};
use deepsearch_core::{Invalid, MessageId};

use crate::args::{self, Budget, EditResearch};
use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, note, progress, safe};

pub(crate) async fn run(app: &App, command: args::Research, json: bool) -> Outcome {
    match command {
        args::Research::List { limit } => list(app, limit, json).await,
        args::Research::Show { answer } => {
            let research = app.research(&MessageId::parse(answer)?).await?;
            show(&research, json);
            Ok(ExitCode::SUCCESS)
        }
        args::Research::Edit(edit) => change(app, edit, json).await,
        args::Research::Continue { answer, budget, model } => go_on(app, answer, budget, model, json).await,
        args::Research::Stop { answer } => {
            let research = app.edit_plan(&MessageId::parse(answer)?, PlanEdit::Finish).await?;
            show(&research, json);
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(app: &App, limit: u16, json: bool) -> Outcome {
    let researches = app.researches(limit.into()).await?;
    if json {
        print::json(&researches);
    } else if researches.is_empty() {
        note("There are no researches yet: deepsearch ask --deep QUESTION");
        return Ok(ExitCode::from(NOTHING));
    } else {
        researches.iter().for_each(list_one);
    }
    Ok(ExitCode::SUCCESS)
}

fn list_one(research: &ResearchSummary) {
    let state = match (research.running, research.complete) {
        (true, _) => "running",
        (_, true) => "written",
        _ => "stopped",
    };
    let parts = &research.progress.parts;
    let noted = parts.iter().filter(|part| part.stage == PartStage::Noted).count();
    print::line(&format!(
        "{}  {state}, {noted} of {} questions  {}",
        research.answer_id,
        parts.len(),
        safe(&research.question)
    ));
}

async fn change(app: &App, edit: EditResearch, json: bool) -> Outcome {
    let answer = MessageId::parse(edit.answer)?;
    let now = app.research(&answer).await?;
    let mut edits: Vec<PlanEdit> = Vec::new();
    for pair in edit.reword.chunks_exact(2) {
        let part = pair[0].parse().map_err(|_| Invalid::Malformed {
            field: "the question's number",
            value: pair[0].clone(),
            expected: "number of a question; `deepsearch research show` prints them",
        })?;
        let question = pair[1].clone();
        edits.push(PlanEdit::Reword { part, question });
    }
    edits.extend(edit.remove.into_iter().map(|part| PlanEdit::Remove { part }));
    let before = edit.before;
    edits.extend(edit.add.into_iter().map(|question| PlanEdit::Add { question, before }));
    if !edit.order.is_empty() {
        edits.push(PlanEdit::Order { parts: edit.order });
    }
    let options = edit.budget.options(false);
    if !options.is_default() {
        let budget = options.over(now.budget);
        edits.push(PlanEdit::Budget { budget });
    }
    let mut research = now;
    for edit in edits {
        research = app.edit_plan(&answer, edit).await?;
    }
    show(&research, json);
    Ok(ExitCode::SUCCESS)
}

async fn go_on(app: &App, answer: String, budget: Budget, model: Option<String>, json: bool) -> Outcome {
    let answer = MessageId::parse(answer)?;
    // Who goes on with a plan agrees to it. One that was killed before it had a plan has nothing to agree to.
    if app.find_research(&answer).await?.is_some() {
        app.edit_plan(&answer, PlanEdit::Agree).await?;
    }
    let request = AskRequest {
        turn: Turn::Continuing(answer),
        model,
        depth: Depth::Deep,
        research: budget.options(false),
        ..AskRequest::default()
    };
    crate::ask::answer(app, request, json).await
}

fn show(research: &ResearchProgress, json: bool) {
    if json {
        print::json(research);
        return;
    }
    research.parts.iter().for_each(|part| print::line(&part_line(part)));
    print::line(&budget_line(research));
    if let Some(end) = research.ended {
        note(why(end));
    }
    if let Some(trouble) = &research.trouble {
        note(&trouble.to_string());
    }
}

fn part_line(part: &PartProgress) -> String {
    let state = match (part.written, part.stage) {
        (true, _) => "written".to_owned(),
        (_, PartStage::Noted) if part.passages == 0 => "nothing found".to_owned(),
        (_, PartStage::Noted) if part.missing.is_empty() => format!("{} sites", part.hosts),
        (_, PartStage::Noted) => format!("{} sites, missing: {}", part.hosts, part.missing.join(", ")),
        (_, PartStage::Planned) => "planned".to_owned(),
        (_, PartStage::Found | PartStage::Read) => "reading".to_owned(),
    };
    format!("{:>3}. {}  ({})", part.id, safe(&part.question), safe(&state))
}

fn budget_line(research: &ResearchProgress) -> String {
    let (spent, budget) = (&research.spent, &research.budget);
    let clock = |seconds: u32| format!("{}:{:02}", seconds / 60, seconds % 60);
    let mut line = format!(
        "{} of {} steps, {} of {} pages, {} of {}, {} of {} tokens",
        spent.steps,
        budget.steps,
        spent.pages,
        budget.pages,
        clock(spent.milliseconds / 1_000),
        clock(budget.seconds),
        spent.usage.total,
        budget.tokens
    );
    match (spent.money, budget.money) {
        (Some(spent), Some(budget)) => line.push_str(&format!(", ${spent:.4} of ${budget:.2}")),
        (Some(spent), None) => line.push_str(&format!(", ${spent:.4}")),
        _ => {}
    }
    line
}

fn why(end: ResearchEnd) -> &'static str {
    match end {
        ResearchEnd::Enough => "Nothing more was to be found.",
        ResearchEnd::Steps => "The steps of the budget are used up.",
        ResearchEnd::Pages => "The pages of the budget are used up.",
        ResearchEnd::Time => "The time of the budget is used up.",
        ResearchEnd::Tokens => "The tokens of the budget are used up.",
        ResearchEnd::Money => "The money of the budget is used up.",
        ResearchEnd::Offline => "There is no network.",
        ResearchEnd::Person => "No more was searched for, as you wished.",
    }
}

/// The steps of a research, each told once.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    plan: Vec<String>,
    last: String,
}

impl Shown {
    pub(crate) fn tell(&mut self, research: &ResearchProgress) {
        let plan: Vec<String> = research.parts.iter().map(|part| part.question.clone()).collect();
        if plan != self.plan {
            for part in &research.parts {
                progress(&format!("{:>3}. {}", part.id, part.question));
            }
            self.plan = plan;
        }
        let at = research.parts.iter().find(|part| Some(part.id) == research.at);
        let doing = match (research.phase, at) {
            (ResearchPhase::Plan, _) => "Planning".to_owned(),
            (ResearchPhase::Agree, _) => "The plan waits for you".to_owned(),
            (ResearchPhase::Gather, Some(part)) => part.question.clone(),
            (ResearchPhase::Gather, None) => "Looking for what is missing".to_owned(),
            (ResearchPhase::Write, Some(part)) => format!("Writing: {}", part.question),
            (ResearchPhase::Write | ResearchPhase::Done, _) => "Writing".to_owned(),
        };
        let line = format!("{doing} — {}", budget_line(research));
        if line != self.last {
            progress(&line);
            self.last = line;
        }
    }
}
