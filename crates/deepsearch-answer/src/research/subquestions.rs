//! The plan: which questions the report answers. A model is asked for them; without one, the question's own parts are
//! taken, and what is met while reading comes later (`facets.rs`).

use deepsearch_core::event::AnswerEvent;
use deepsearch_core::research::{Lead, PartOrigin, ResearchPhase};
use deepsearch_core::text::content_terms;
use deepsearch_core::{ChatRequest, Purpose, Role, Turn};
use url::Url;

use super::{Desk, edits, facets};
use crate::plan::{first_chars, plan};

// Code and model make no longer plan; the person may.
pub(super) const MOST_PLANNED: usize = 8;
const FEWEST_BY_MODEL: usize = 2;

impl Desk<'_> {
    pub(super) async fn plan(&mut self) {
        let pipeline = &self.research.pipeline;
        let alone = plan(self.question, pipeline.model.as_ref(), pipeline.limits.plan).await;
        self.ledger.add(alone.usage);
        self.state.question = crate::plan::without_urls(&alone.question);
        if self.state.question.is_empty() {
            self.state.question = alone.question;
        }
        let by_model = self.ask_for_parts().await;
        let (questions, origin) = if by_model.len() >= FEWEST_BY_MODEL {
            (by_model, PartOrigin::Model)
        } else {
            (facets::of_question(&self.state.question), PartOrigin::Question)
        };
        for question in questions.into_iter().take(MOST_PLANNED) {
            let part = edits::part(&mut self.state, question, origin);
            self.state.parts.push(part);
        }
        self.point_at(&alone.urls);
        self.state.phase = if self.state.agree {
            ResearchPhase::Agree
        } else {
            ResearchPhase::Gather
        };
        let (question, queries) = (self.state.question.clone(), self.as_plan().queries);
        self.steps.event(AnswerEvent::Planned { question, queries }).await;
    }

    /// What is to be read whatever is found, each once.
    pub(super) fn point_at(&mut self, urls: &[Url]) {
        for url in urls {
            if !self.state.named.iter().any(|known| known.url == url.as_str()) {
                self.state.named.push(Lead {
                    url: url.to_string(),
                    title: String::new(),
                    published_at: None,
                });
            }
        }
    }

    async fn ask_for_parts(&mut self) -> Vec<String> {
        let question = first_chars(&self.state.question, 2_000).to_owned();
        let asked = self.short(Purpose::Plan, PARTS, question, 240);
        let answer = self.ask(asked, self.research.limits.short).await.unwrap_or_default();
        questions_in(&answer, &[&self.state.question])
    }

    /// A short question to the model.
    pub(super) fn short(&self, purpose: Purpose, system: &str, user: String, max_tokens: u32) -> ChatRequest {
        let turn = |role, content: String| Turn { role, content };
        ChatRequest {
            purpose,
            question: self.state.question.clone(),
            turns: vec![turn(Role::System, system.to_owned()), turn(Role::User, user)],
            passages: Vec::new(),
            max_tokens: Some(max_tokens),
            temperature: Some(0.0),
        }
    }
}

/// The questions a model wrote, one a line, without those that are known. Whatever else it wrote is left out.
pub(super) fn questions_in(answer: &str, known: &[&str]) -> Vec<String> {
    let mut questions: Vec<String> = Vec::new();
    for line in answer.lines().filter_map(tidy) {
        let same = |other: &str| content_terms(other) == content_terms(&line);
        if !known.iter().any(|known| same(known)) && !questions.iter().any(|known| same(known)) {
            questions.push(line);
        }
    }
    questions
}

/// A question as a heading and a search can have it: one line of plain words. `None` where none is left.
pub(super) fn tidy(line: &str) -> Option<String> {
    const LONGEST: usize = 200;
    let line = line
        .trim_start_matches(|c: char| c.is_ascii_digit() || "-*#•.)>\"' \t".contains(c))
        .replace(['[', ']', '<', '>', '#', '*', '`', '|', '\\', '"', '“', '”'], " ");
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (3..=LONGEST).contains(&line.chars().count()) && !line.contains("://") && !line.ends_with(':');
    (fits && !content_terms(&line).is_empty()).then_some(line)
}

const PARTS: &str = "A report shall answer the question. Break it into the three to six smaller questions that the report must \
answer, each so that it can be understood alone. Write one on each line, in the language of the question. Write nothing else.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_list_is_read_whatever_it_looks_like() {
        let answer = "Here are the questions:\n1. **How high is it?**\n- How high is it?\n2) Who built [it](https://x.example)\n\n\
                      Who built the tower <b>and</b> when?\nHow old is Halden?";
        assert_eq!(
            questions_in(answer, &["How old is Halden?"]),
            ["How high is it?", "Who built the tower b and /b when?"]
        );
    }
}
