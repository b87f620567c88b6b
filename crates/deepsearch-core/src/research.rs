//! Research: a question taken apart, read about until it is answered or the budget is spent, and written up as a report.
//!
//! [`ResearchState`] is all that there is to know of one: it is kept after every step, so whoever has it can go on from
//! there. What is done with it is decided in `deepsearch-answer`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::message::TokenUsage;
use crate::page::{Page, PageId};
use crate::text::Span;

/// One research as it stands between two steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResearchState {
    /// The question as it stands alone, without the chat before it.
    pub question: String,
    pub phase: ResearchPhase,
    pub parts: Vec<ResearchPart>,
    /// What the person pointed at: files that came with the question, and addresses in it. It is the question's and no
    /// part's, so that it is read whatever becomes of the plan; it is gone from here once that was tried.
    #[serde(default)]
    pub named: Vec<Lead>,
    /// The id of the part that is added next.
    pub next_part: u32,
    pub budget: ResearchBudget,
    pub spent: ResearchSpent,
    /// Every page that was read, in the order it was.
    pub pages: Vec<ReadNote>,
    /// Addresses that could not be read, and are not tried again.
    pub unreadable: Vec<String>,
    pub conflicts: Vec<Conflict>,
    /// How often it was looked at what is missing.
    pub reviews: u32,
    /// The person wants to see the plan before anything is searched for.
    pub agree: bool,
    /// Only what is on this machine is read: nothing else could be reached.
    pub local: bool,
    /// Why no more is searched for.
    pub ended: Option<ResearchEnd>,
    /// What went wrong on the way, without ending it.
    pub trouble: Option<Failure>,
    /// The sources of the report, as its `[n]` cite them. Only ever grows, so that what is written stays true.
    pub sources: Vec<PageId>,
    /// The answer in short, which opens the report.
    pub lead: Option<String>,
    /// Where sources disagree, and what was not found: the end of the report.
    pub closing: Option<String>,
}

/// How far a research is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ResearchPhase {
    Plan,
    /// The plan is shown, and the person says when to go on.
    Agree,
    Gather,
    Write,
    Done,
}

/// One question that the report answers in a section of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResearchPart {
    pub id: u32,
    pub question: String,
    pub origin: PartOrigin,
    pub stage: PartStage,
    /// What was searched for, oldest first.
    pub queries: Vec<String>,
    /// What is searched for next, where that is not the question itself.
    pub query: Option<String>,
    /// Pages that the last search found and that were not read yet.
    pub leads: Vec<Lead>,
    /// The passages that say something about it, best first.
    pub notes: Vec<PassageNote>,
    /// Words of the question that no passage has.
    pub missing: Vec<String>,
    /// How many sites speak of it.
    pub hosts: u32,
    /// Which of its notes its section is written from.
    pub chosen: Vec<PassageNote>,
    /// Markdown without its heading; empty where no source says anything.
    pub section: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum PartOrigin {
    /// Taken from the question.
    Question,
    Model,
    /// Met while reading.
    Reading,
    Person,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum PartStage {
    /// To be searched for.
    Planned,
    /// Its leads are to be read.
    Found,
    /// What was read is to be looked through.
    Read,
    Noted,
}

/// A page that a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lead {
    pub url: String,
    pub title: String,
    pub published_at: Option<DateTime<Utc>>,
}

/// What a report says of a page: whose it is and from when. Its text is kept apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadNote {
    pub page: PageId,
    pub url: String,
    pub host: String,
    pub title: String,
    pub published_at: Option<DateTime<Utc>>,
    pub fetched_at: DateTime<Utc>,
    pub content_hash: String,
}

impl ReadNote {
    pub fn of(page: &Page) -> Self {
        Self {
            page: page.id.clone(),
            url: page.url.to_string(),
            host: page.host().to_owned(),
            title: page.title.clone(),
            published_at: page.published_at,
            fetched_at: page.fetched_at,
            content_hash: page.content_hash.clone(),
        }
    }
}

/// A passage of a page that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassageNote {
    pub page: PageId,
    pub span: Span,
    pub score: f32,
}

/// Two sources that do not agree about one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    pub about: ConflictKind,
    pub one: Saying,
    pub other: Saying,
    /// The part whose notes they stand in.
    pub part: u32,
    /// It was looked for what others say.
    pub searched: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    Number,
    Date,
    /// One denies what the other says.
    Denial,
}

/// A sentence of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Saying {
    pub page: PageId,
    pub span: Span,
    pub quote: String,
}

/// What a research may cost. Writing what was found is always done: it takes the last part of the time and the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct ResearchBudget {
    /// Searches, each with the reading of what it found.
    pub steps: u32,
    pub pages: u32,
    pub seconds: u32,
    /// Tokens that a model is asked and answers.
    pub tokens: u32,
    /// In the currency of the prices that are set for the model.
    pub money: Option<f64>,
}

impl Default for ResearchBudget {
    fn default() -> Self {
        Self {
            steps: 16,
            pages: 30,
            seconds: 600,
            tokens: 120_000,
            money: None,
        }
    }
}

impl ResearchBudget {
    /// The largest budget there is: one research never takes a machine for itself.
    pub const MOST: Self = Self {
        steps: 60,
        pages: 120,
        seconds: 3 * 3_600,
        tokens: 2_000_000,
        money: None,
    };

    /// The same, with nothing below what one answer needs and nothing above [`Self::MOST`].
    #[must_use]
    pub fn bounded(self) -> Self {
        let most = Self::MOST;
        Self {
            steps: self.steps.clamp(1, most.steps),
            pages: self.pages.clamp(1, most.pages),
            seconds: self.seconds.clamp(5, most.seconds),
            tokens: self.tokens.min(most.tokens),
            money: self.money.filter(|money| money.is_finite()).map(|money| money.max(0.0)),
        }
    }
}

/// What a research has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct ResearchSpent {
    pub steps: u32,
    pub pages: u32,
    /// Time of work; while nobody works on it, none passes.
    pub milliseconds: u32,
    pub usage: TokenUsage,
    /// What the model's tokens cost, where their prices are known.
    pub money: Option<f64>,
}

/// Why no more was searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ResearchEnd {
    /// Every part is answered, or nothing more can be found.
    Enough,
    Steps,
    Pages,
    Time,
    Tokens,
    Money,
    /// Nothing can be reached any more.
    Offline,
    /// The person wants the report now.
    Person,
}

/// What a person changes of a plan, before or while it is worked on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PlanEdit {
    /// `before` names the part it stands before; without, it is the last.
    Add {
        question: String,
        before: Option<u32>,
    },
    Reword {
        part: u32,
        question: String,
    },
    Remove {
        part: u32,
    },
    /// All parts in the order they shall have; those that are not named keep theirs, behind.
    Order {
        parts: Vec<u32>,
    },
    Budget {
        budget: ResearchBudget,
    },
    /// The plan is agreed to, or was waited for long enough.
    Agree,
    /// No more searching: the report is written from what there is.
    Finish,
}

/// A research as it is shown while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct ResearchProgress {
    pub phase: ResearchPhase,
    /// The part that is worked on.
    pub at: Option<u32>,
    pub parts: Vec<PartProgress>,
    pub budget: ResearchBudget,
    pub spent: ResearchSpent,
    pub conflicts: u32,
    pub ended: Option<ResearchEnd>,
    pub trouble: Option<Failure>,
}

#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct PartProgress {
    pub id: u32,
    pub question: String,
    pub origin: PartOrigin,
    pub stage: PartStage,
    /// What is searched for, where it was searched for already.
    pub query: Option<String>,
    pub hosts: u32,
    pub passages: u32,
    /// What is still missing, in the question's words.
    pub missing: Vec<String>,
    pub written: bool,
}

impl ResearchState {
    pub fn new(question: impl Into<String>, budget: ResearchBudget) -> Self {
        Self {
            question: question.into(),
            phase: ResearchPhase::Plan,
            parts: Vec::new(),
            named: Vec::new(),
            next_part: 1,
            budget: budget.bounded(),
            spent: ResearchSpent::default(),
            pages: Vec::new(),
            unreadable: Vec::new(),
            conflicts: Vec::new(),
            reviews: 0,
            agree: false,
            local: false,
            ended: None,
            trouble: None,
            sources: Vec::new(),
            lead: None,
            closing: None,
        }
    }

    pub fn part(&self, id: u32) -> Option<&ResearchPart> {
        self.parts.iter().find(|part| part.id == id)
    }

    pub fn part_mut(&mut self, id: u32) -> Option<&mut ResearchPart> {
        self.parts.iter_mut().find(|part| part.id == id)
    }

    pub fn page(&self, id: &PageId) -> Option<&ReadNote> {
        self.pages.iter().find(|page| page.page == *id)
    }

    /// What a face shows; `at` is the part that is worked on.
    pub fn progress(&self, at: Option<u32>) -> ResearchProgress {
        let part = |part: &ResearchPart| PartProgress {
            id: part.id,
            question: part.question.clone(),
            origin: part.origin,
            stage: part.stage,
            query: part.query.clone(),
            hosts: part.hosts,
            passages: part.notes.len() as u32,
            missing: part.missing.clone(),
            written: part.section.is_some(),
        };
        ResearchProgress {
            phase: self.phase,
            at,
            parts: self.parts.iter().map(part).collect(),
            budget: self.budget,
            spent: self.spent,
            conflicts: self.conflicts.len() as u32,
            ended: self.ended,
            trouble: self.trouble.clone(),
        }
    }
}
