//! After the answer: a title for a new chat, and questions that could follow. Nice to have, so never waited for long.

use deepsearch_core::event::AnswerEvent;
use deepsearch_core::{ChatRequest, Purpose, Role, TokenUsage, Turn};

use crate::evidence::Evidence;
use crate::pipeline::{Pipeline, Question, Steps};
use crate::plan::{Plan, first_chars};
use crate::write::collect;

/// What came after the answer.
#[derive(Debug, Default)]
pub(crate) struct Afterwards {
    pub(crate) title: Option<String>,
    pub(crate) follow_ups: Vec<String>,
    pub(crate) usage: TokenUsage,
}

const FOLLOW_UPS: usize = 3;
const TITLE_CHARS: usize = 80;

pub(crate) async fn afterwards(
    pipeline: &Pipeline,
    question: &Question,
    plan: &Plan,
    content: &str,
    evidence: &Evidence,
    steps: &Steps,
) -> Afterwards {
    let after = if pipeline.model.follows_instructions() {
        let asked = ask_model(pipeline, question, plan, content);
        tokio::time::timeout(pipeline.limits.afterwards, asked)
            .await
            .unwrap_or_default()
    } else {
        Afterwards {
            follow_ups: from_sources(content, evidence),
            ..Afterwards::default()
        }
    };
    if let Some(title) = &after.title {
        steps.event(AnswerEvent::Titled { title: title.clone() }).await;
    }
    if !after.follow_ups.is_empty() {
        steps
            .event(AnswerEvent::Suggested {
                questions: after.follow_ups.clone(),
            })
            .await;
    }
    after
}

async fn ask_model(pipeline: &Pipeline, question: &Question, plan: &Plan, content: &str) -> Afterwards {
    let exchange = format!(
        "Question: {}\n\nAnswer: {}",
        first_chars(&plan.question, 1_000),
        first_chars(content, 2_000)
    );
    let titled = async {
        if question.history.is_empty() && question.so_far.is_none() {
            short_text(pipeline, Purpose::Title, TITLE, &exchange, 24).await
        } else {
            (String::new(), TokenUsage::default())
        }
    };
    let followed = short_text(pipeline, Purpose::FollowUps, FOLLOW, &exchange, 120);
    let ((title, title_usage), (follow_ups, follow_usage)) = tokio::join!(titled, followed);
    Afterwards {
        title: clean_title(&title),
        follow_ups: clean_questions(&follow_ups),
        usage: title_usage + follow_usage,
    }
}

async fn short_text(
    pipeline: &Pipeline,
    purpose: Purpose,
    system: &str,
    user: &str,
    max_tokens: u32,
) -> (String, TokenUsage) {
    let turn = |role, content: &str| Turn {
        role,
        content: content.into(),
    };
    let request = ChatRequest {
        purpose,
        question: String::new(),
        turns: vec![turn(Role::System, system), turn(Role::User, user)],
        passages: Vec::new(),
        max_tokens: Some(max_tokens),
        temperature: Some(0.3),
    };
    collect(pipeline.model.as_ref(), request).await.unwrap_or_else(|error| {
        tracing::info!(%error, ?purpose, "the model wrote nothing after the answer");
        Default::default()
    })
}

/// The first line as a title, if it looks like one: a small model may write an essay instead.
fn clean_title(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let title = line
        .trim_start_matches("Title:")
        .trim()
        .trim_matches(|c: char| "\"'*#`“”.".contains(c))
        .trim();
    let fits = (3..=TITLE_CHARS).contains(&title.chars().count()) && !title.contains("://") && !title.contains('<');
    fits.then(|| title.to_owned())
}

fn clean_questions(text: &str) -> Vec<String> {
    let mut questions: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = line
            .trim_start_matches(|c: char| c.is_ascii_digit() || "-*.)•\"' ".contains(c))
            .trim_end_matches(['"', ' ', '*']);
        let asks =
            line.ends_with(['?', '？', '؟']) && (8..=160).contains(&line.chars().count()) && !line.contains("://");
        if asks && !questions.iter().any(|known| known == line) && questions.len() < FOLLOW_UPS {
            questions.push(line.to_owned());
        }
    }
    questions
}

/// Without a model: the sources that the answer used least are where there is more to read.
fn from_sources(content: &str, evidence: &Evidence) -> Vec<String> {
    let cited = |number: usize| content.matches(&format!("[{number}]")).count();
    let mut pages: Vec<(usize, &str)> = evidence
        .pages
        .iter()
        .enumerate()
        .map(|(at, page)| (cited(at + 1), page.title.trim()))
        .collect();
    pages.sort_by_key(|(count, _)| *count);
    let titles = pages
        .into_iter()
        .map(|(_, title)| title)
        .filter(|title| (4..=90).contains(&title.chars().count()));
    let mut questions: Vec<String> = Vec::new();
    for question in titles.map(|title| format!("What does “{title}” say?")) {
        if questions.len() < FOLLOW_UPS && !questions.contains(&question) {
            questions.push(question);
        }
    }
    questions
}

const TITLE: &str =
    "Write a title of two to six words for this chat, in the language of the question. Write only the title.";

const FOLLOW: &str = "Write three short questions that the person could ask next, each on a line of its own and ending with a \
question mark, in the language of the question. Write only the questions.";
