//! `deepsearch ask`: the steps to standard error, the answer to standard output, Ctrl-C keeps what came.

use std::io::Read;
use std::process::ExitCode;

use deepsearch_app::{App, AppError, AskRequest, Depth, Turn};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::research::ResearchPhase;
use deepsearch_core::validate::MESSAGE_UTF16_LIMIT;
use deepsearch_core::{ChatId, Failure, Invalid, Message, MessageId, Source, Verdict};

use crate::args;
use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, Markdown, note, progress, safe};
use crate::research;

pub(crate) async fn run(app: &App, args: args::Ask, json: bool) -> Outcome {
    let files = args.file.clone();
    let mut request = request(args)?;
    for file in &files {
        request.files.push(app.attach_file(file).await?.url);
    }
    // A chat goes on where it looked before, unless it is told otherwise.
    if request.scope.is_none() && files.is_empty() {
        let mut places = app.remembered_places(&request.turn).await?.into_iter();
        request.scope = places.next();
        request.also = places.collect();
    }
    answer(app, request, json).await
}

/// Asks, tells each step, and says how it ended.
pub(crate) async fn answer(app: &App, request: AskRequest, json: bool) -> Outcome {
    let mut shown = Shown::new(app.clone(), json);
    shown.plan_only = request.research.plan_first;
    let asked = app.ask(request, |event| shown.event(event)).await;
    app.keep_up().await;
    match asked {
        Ok(message) if message.sources.as_ref().is_none_or(Vec::is_empty) && shown.searched => {
            Ok(ExitCode::from(NOTHING))
        }
        Ok(_) => Ok(ExitCode::SUCCESS),
        // The plan was asked for, and is there.
        Err(_) if shown.planned => Ok(ExitCode::SUCCESS),
        // As an event it was told already, and is not to be told as another document.
        Err(error) if json && shown.failed => Ok(ExitCode::from(crate::outcome::code(Failure::from(&error).code))),
        Err(error) => Err(error),
    }
}

fn request(args: args::Ask) -> Result<AskRequest, AppError> {
    let message = |id: String| MessageId::parse(id);
    let turn = match (args.chat, args.edit, args.regenerate, args.continue_answer) {
        (Some(chat), ..) => Turn::In(ChatId::parse(chat)?),
        (_, Some(question), ..) => Turn::Editing(message(question)?),
        (_, _, Some(question), _) => Turn::Regenerating(message(question)?),
        (.., Some(answer)) => Turn::Continuing(message(answer)?),
        _ => Turn::New,
    };
    Ok(AskRequest {
        question: args.question.map(text).transpose()?.unwrap_or_default(),
        turn,
        scope: args.place.first().copied().map(Into::into),
        also: args.place.iter().skip(1).copied().map(Into::into).collect(),
        files: Vec::new(),
        model: args.model,
        time_range: args.since.map(Into::into),
        depth: if args.deep { Depth::Deep } else { Depth::Quick },
        research: args.budget.options(args.plan),
        by_assistant: false,
    })
}

/// The question as text; `-` is standard input, of which no more is read than a question may have.
fn text(question: std::ffi::OsString) -> Result<String, AppError> {
    let not_text = || Invalid::Malformed {
        field: "the question",
        value: "(bytes)".into(),
        expected: "UTF-8 text",
    };
    if question != "-" {
        return Ok(question.into_string().map_err(|_| not_text())?);
    }
    let mut bytes = Vec::new();
    // One unit is at most three bytes, so whoever fills this has asked too much, wherever the cut goes through.
    let most = 3 * MESSAGE_UTF16_LIMIT as u64 + 4;
    let read = std::io::stdin().lock().take(most).read_to_end(&mut bytes);
    read.map_err(|source| AppError::Unreadable {
        path: "standard input".into(),
        source,
    })?;
    match String::from_utf8(bytes) {
        Ok(question) => Ok(question),
        Err(cut) if cut.utf8_error().error_len().is_none() && cut.as_bytes().len() as u64 == most => {
            Ok(String::from_utf8_lossy(cut.as_bytes()).into_owned())
        }
        Err(_) => Err(not_text().into()),
    }
}

const ONE_KEY_PRESS: std::time::Duration = std::time::Duration::from_secs(1);

/// What has been shown so far.
struct Shown {
    app: App,
    json: bool,
    markdown: Markdown,
    sources: Vec<Source>,
    searched: bool,
    failed: bool,
    /// Whether it was said that passages stand in the order of their words: a research ranks many times.
    not_reranked: bool,
    answer: Option<MessageId>,
    research: research::Shown,
    /// Only the plan of a research is wanted, and whether it is there.
    plan_only: bool,
    planned: bool,
}

impl Shown {
    fn new(app: App, json: bool) -> Self {
        Self {
            app,
            json,
            markdown: Markdown::new(),
            sources: Vec::new(),
            searched: false,
            failed: false,
            not_reranked: false,
            answer: None,
            research: research::Shown::default(),
            plan_only: false,
            planned: false,
        }
    }

    fn event(&mut self, event: AnswerEvent) {
        match &event {
            AnswerEvent::Started { answer_id, .. } => {
                self.answer = Some(answer_id.clone());
                self.stop_on_ctrl_c(answer_id.clone());
            }
            AnswerEvent::Research { progress } if self.plan_only && progress.phase == ResearchPhase::Agree => {
                self.planned = true;
                if let Some(answer) = &self.answer {
                    self.app.stop(answer);
                }
            }
            AnswerEvent::Planned { queries, .. } => self.searched = !queries.is_empty(),
            AnswerEvent::Failed { .. } => self.failed = true,
            _ => {}
        }
        if self.json {
            print::json(&event)
        } else {
            self.tell(event)
        }
    }

    fn tell_not_reranked(&mut self, failure: &Failure) {
        if !std::mem::replace(&mut self.not_reranked, true) {
            note(&format!(
                "Passages stay in the order of their words. {}",
                failure.message
            ));
        }
    }

    fn stop_on_ctrl_c(&self, answer: MessageId) {
        let app = self.app.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
            if app.stop(&answer) {
                // One key press can arrive twice, through a wrapper that passes it on. Whoever presses again after
                // that does not want to wait for what is being kept.
                tokio::time::sleep(ONE_KEY_PRESS).await;
                if tokio::signal::ctrl_c().await.is_err() {
                    return;
                }
            }
            std::process::exit(130);
        });
    }

    fn tell(&mut self, event: AnswerEvent) {
        match event {
            AnswerEvent::Started { model, .. } if model == "extractive" => {
                note("No language model is used: the answer is made of sentences from the sources.");
            }
            AnswerEvent::Started { model, .. } => progress(&format!("{model} answers.")),
            AnswerEvent::Planned { queries, .. } => queries
                .iter()
                .for_each(|query| progress(&format!("Searching: {query}"))),
            AnswerEvent::Searched {
                engine,
                hits,
                cached,
                stale,
                ..
            } => {
                let from = if stale {
                    ", from an old cached answer"
                } else if cached {
                    ", cached"
                } else {
                    ""
                };
                let found = format!("{engine}: {} results{from}", hits.len());
                if stale { note(&found) } else { progress(&found) }
            }
            AnswerEvent::SearchFailed { failure, next, .. } => {
                let then = next.map_or_else(String::new, |next| format!(" Asking {next}."));
                note(&format!("{}{then}", failure.message));
            }
            AnswerEvent::SourceRead { url, title, .. } => progress(&format!("Read: {} ({url})", title.trim())),
            AnswerEvent::SourceFailed { failure, .. } => note(&format!("Not read: {}", failure.message)),
            AnswerEvent::Reranked {
                failure: Some(failure), ..
            } => self.tell_not_reranked(&failure),
            AnswerEvent::Reranked { model, passages, .. } => {
                progress(&format!("{model} put {passages} passages in order."));
            }
            AnswerEvent::Ranked { sources, .. } => {
                progress("");
                self.sources = sources;
            }
            AnswerEvent::Token { text } => self.markdown.push(&text),
            AnswerEvent::Checked { sentences } => {
                self.markdown.finish();
                let count = |verdict| sentences.iter().filter(|check| check.verdict == verdict).count();
                let (supported, partly, missing) = (
                    count(Verdict::Supported),
                    count(Verdict::Partly),
                    count(Verdict::NotFound),
                );
                progress(&format!(
                    "Checked {} sentences: {supported} supported, {partly} partly, {missing} not found in the sources.",
                    sentences.len()
                ));
            }
            AnswerEvent::Finished { message } => self.finish(&message),
            AnswerEvent::Failed {
                message: Some(message), ..
            } if self.planned => {
                note(&format!(
                    "The plan is kept: deepsearch research continue {}",
                    message.id
                ));
            }
            AnswerEvent::Failed { message, .. } => {
                self.markdown.finish();
                if let Some(message) = message {
                    if !message.content.is_empty() {
                        self.list_sources();
                    }
                    note(&format!("Kept: deepsearch ask --continue {}", message.id));
                }
            }
            AnswerEvent::Suggested { questions } => questions
                .iter()
                .for_each(|question| progress(&format!("Ask next: {question}"))),
            AnswerEvent::Research { progress: at } => self.research.tell(&at),
            // What was printed cannot be taken back, so the report is printed anew.
            AnswerEvent::Replaced { content } => {
                self.markdown.finish();
                note("The report is written anew:");
                self.markdown = Markdown::new();
                self.markdown.push(&content);
            }
            AnswerEvent::Cited { .. } | AnswerEvent::Titled { .. } => {}
        }
    }

    fn finish(&mut self, message: &Message) {
        self.markdown.finish();
        self.list_sources();
        note(&format!("Saved in {}", message.chat_id));
    }

    fn list_sources(&self) {
        if !self.sources.is_empty() {
            print::line("\nSources");
        }
        for (at, source) in self.sources.iter().enumerate() {
            let doi = source
                .snippet
                .split(' ')
                .next()
                .filter(|word| word.starts_with("doi:10."));
            print::line(&format!(
                "[{}] {}{} — {}",
                at + 1,
                safe(source.title.trim()),
                doi.map_or_else(String::new, |doi| format!(", {}", safe(doi))),
                safe(&source.url)
            ));
        }
    }
}
