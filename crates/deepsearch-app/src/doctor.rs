//! The doctor: looks at every part that answering needs, and says for each what to do.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use deepsearch_core::clock::to_the_minute;
use deepsearch_core::{ErrorCode, Failure, RemoteError};
use deepsearch_postgres::SharedSync;
use serde::Serialize;

use crate::app::App;
use crate::sync::SyncStatus;

/// How long the shared database may take to say whom it knows.
const PATIENCE: Duration = Duration::from_secs(10);

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Good,
    /// Works, but less well than it could.
    Warning,
    /// Something that was set up does not work.
    Bad,
}

/// What was found of one part. The window says it in its own language.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct Finding {
    pub part: Part,
    pub grade: Grade,
    pub found: Found,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    DataFolder,
    PageReader,
    Sync,
    /// The one that answers.
    Model,
    /// All that can be chosen.
    Models,
    Reranking,
    PrivateMode,
    Engines,
    /// One of them, by its name.
    Engine(String),
}

/// How it is.
#[derive(Debug, Clone, Serialize, specta::Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Found {
    Writable {
        folder: String,
    },
    /// A newer version wrote it.
    ReadOnly {
        folder: String,
    },
    Parsed,
    /// The child process that parses does not.
    Unparsed {
        failure: Failure,
    },
    NobodySignedIn,
    /// The shared database answers, and nothing has been brought or sent so far.
    NotYetSynced,
    Synced {
        at: DateTime<Utc>,
    },
    ChangesWait {
        changes: u32,
    },
    /// Changes that the server will not take, ever.
    ChangesRefused {
        changes: u32,
    },
    /// What other devices wrote, and the server does not hand out yet.
    ChangesHeld {
        since: DateTime<Utc>,
    },
    DatabaseSilent,
    NoModel,
    ModelAnswers {
        model: String,
    },
    ModelsOffered {
        models: u32,
    },
    Reranks {
        model: String,
    },
    Private,
    NoEngine,
    /// An engine answered a question with so many.
    Results {
        results: u32,
    },
    Failed {
        failure: Failure,
    },
}

impl Finding {
    fn new(part: Part, grade: Grade, found: Found) -> Self {
        Self { part, grade, found }
    }

    fn failed(part: Part, grade: Grade, failure: Failure) -> Self {
        Self::new(part, grade, Found::Failed { failure })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataFolder => out.write_str("data folder"),
            Self::PageReader => out.write_str("page reader"),
            Self::Sync => out.write_str("sync"),
            Self::Model => out.write_str("model"),
            Self::Models => out.write_str("models"),
            Self::Reranking => out.write_str("reranking"),
            Self::PrivateMode => out.write_str("private mode"),
            Self::Engines => out.write_str("engines"),
            Self::Engine(id) => write!(out, "engine {id}"),
        }
    }
}

impl Found {
    /// In English, for the command.
    pub fn says(&self) -> String {
        match self {
            Self::Writable { folder } => format!("{folder} can be read and written."),
            Self::ReadOnly { folder } => {
                format!("{folder} was written by a newer version and is open for reading only.")
            }
            Self::Parsed => "Pages are parsed in a process of their own.".into(),
            Self::NobodySignedIn => "Nobody is signed in; everything is only on this device.".into(),
            Self::NotYetSynced => "The shared database answers; nothing was brought or sent yet.".into(),
            Self::Synced { at } => format!("Everything was sent and brought on {}.", to_the_minute(*at)),
            Self::ChangesWait { changes } => {
                format!("The shared database answers; {changes} changes wait to be sent.")
            }
            Self::ChangesRefused { changes } => format!("{changes} changes are refused by the server and kept here."),
            Self::ChangesHeld { since } => format!(
                "The shared database has held changes of other devices back since {}.",
                to_the_minute(*since)
            ),
            Self::DatabaseSilent => "The shared database does not answer.".into(),
            Self::NoModel => "There is no language model: answers are made of sentences from sources.".into(),
            Self::ModelAnswers { model } => format!("{model} answers."),
            Self::ModelsOffered { models } => format!("{models} can be chosen: `deepsearch models`."),
            Self::Reranks { model } => format!("{model} puts passages in order."),
            Self::Private => "Nothing leaves this computer: no web engine and no model elsewhere is asked.".into(),
            Self::NoEngine => "No web engine is in use.".into(),
            Self::Results { results } => format!("answered with {results} results."),
            Self::Failed { failure } | Self::Unparsed { failure } => failure.message.clone(),
        }
    }

    /// What to do, where there is something, in English and with commands.
    pub fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::ReadOnly { .. } => "Update DeepSearch, or restore an older backup: `deepsearch backup list`.",
            Self::Unparsed { .. } => "Reinstall DeepSearch; its own program could not be started again.",
            Self::NotYetSynced | Self::ChangesWait { .. } => "`deepsearch sync` does it now.",
            Self::ChangesRefused { .. } => {
                "`deepsearch sync status` names them, and `deepsearch sync retry` sends them again."
            }
            Self::ChangesHeld { .. } => {
                "A program there does not end what it writes; whoever runs the database finds it in `pg_stat_activity`."
            }
            Self::DatabaseSilent => "What you change is kept and sent when it does.",
            Self::NoModel => {
                "Start Ollama, LM Studio or llama.cpp, or set a key: `deepsearch settings set models.openai.key KEY`."
            }
            Self::NoEngine => "Set `engines.order`, or leave it empty to use all.",
            Self::Failed { failure } => return failure.hint.clone(),
            _ => return None,
        };
        Some(advice.to_owned())
    }
}

/// As the window counts.
fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

impl App {
    /// Looks at everything. Asks each engine one question; every wait has its own deadline.
    pub async fn examine(&self) -> Vec<Finding> {
        let (store, parser, sync, models, engines) = tokio::join!(
            self.look_at_store(),
            self.look_at_parser(),
            self.look_at_sync(),
            self.look_at_models(),
            self.look_at_engines()
        );
        let mut findings = vec![store, parser];
        findings.extend(sync);
        findings.extend(models);
        findings.extend(engines);
        findings
    }

    async fn look_at_store(&self) -> Finding {
        let part = Part::DataFolder;
        let folder = self.config().home.display().to_string();
        match self.store().count_outbox().await {
            Err(error) => Finding::failed(part, Grade::Bad, Failure::from(&error)),
            Ok(_) if self.store().is_read_only() => Finding::new(part, Grade::Bad, Found::ReadOnly { folder }),
            Ok(_) => Finding::new(part, Grade::Good, Found::Writable { folder }),
        }
    }

    async fn look_at_parser(&self) -> Finding {
        let html = b"<html><head><title>Check</title></head><body><article><p>The parser works as it should, with whole sentences to read. This is the second of them.</p></article></body></html>";
        let url = "https://example.com/".parse().expect("a fixed address");
        match self.read_bytes(html, Some("text/html"), &url).await {
            Ok(_) => Finding::new(Part::PageReader, Grade::Good, Found::Parsed),
            Err(error) => {
                let failure = Failure::from(&error);
                Finding::new(Part::PageReader, Grade::Bad, Found::Unparsed { failure })
            }
        }
    }

    /// Whether the shared database knows this device now, and how sync stands.
    async fn look_at_sync(&self) -> Vec<Finding> {
        let failed = |failure: Failure| vec![Finding::failed(Part::Sync, Grade::Bad, failure)];
        let link = match self.sync_link() {
            Ok(Some(link)) => link,
            Ok(None) => return vec![Finding::new(Part::Sync, Grade::Good, Found::NobodySignedIn)],
            Err(error) => return failed(error.into()),
        };
        let status = match self.sync_status().await {
            Ok(status) => status,
            Err(error) => return failed(error.into()),
        };
        let asked = async { SharedSync::new(link.database()?).signed_in_user().await };
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        let reached = match asked {
            Ok(Ok(Some(_))) => waiting(&status),
            Ok(Ok(None)) => Finding::failed(Part::Sync, Grade::Bad, Failure::from(&RemoteError::SignedOut)),
            Ok(Err(error)) => {
                let failure = Failure::from(&error);
                // What is written meanwhile is kept and sent later.
                let is_away = matches!(failure.code, ErrorCode::Offline | ErrorCode::TimedOut);
                Finding::failed(Part::Sync, if is_away { Grade::Warning } else { Grade::Bad }, failure)
            }
            Err(_) => Finding::new(Part::Sync, Grade::Warning, Found::DatabaseSilent),
        };
        let mut findings = vec![reached];
        findings.extend(held(&status));
        findings.extend(dead(&status));
        findings
    }

    async fn look_at_models(&self) -> Vec<Finding> {
        let default = match self.default_model().await {
            Ok(model) if model.id == "extractive" => Finding::new(Part::Model, Grade::Warning, Found::NoModel),
            Ok(model) => {
                let model = model.id.to_string();
                Finding::new(Part::Model, Grade::Good, Found::ModelAnswers { model })
            }
            Err(error) => Finding::failed(Part::Model, Grade::Bad, Failure::from(&error)),
        };
        let models = count(self.models().await.len());
        let offered = Finding::new(Part::Models, Grade::Good, Found::ModelsOffered { models });
        let mut findings = vec![default, offered];
        findings.extend(self.look_at_reranking().await);
        findings
    }

    /// Only where a person chose a model for it.
    async fn look_at_reranking(&self) -> Option<Finding> {
        let reranking = self.reranking().await;
        let model = reranking.model?.to_string();
        Some(match reranking.failure {
            None => Finding::new(Part::Reranking, Grade::Good, Found::Reranks { model }),
            // Answers go on without it.
            Some(failure) => Finding::failed(Part::Reranking, Grade::Warning, failure),
        })
    }

    async fn look_at_engines(&self) -> Vec<Finding> {
        if self.inner.network.is_private() {
            return vec![Finding::new(Part::PrivateMode, Grade::Good, Found::Private)];
        }
        let tried = self.try_engines().await;
        if tried.is_empty() {
            return vec![Finding::new(Part::Engines, Grade::Bad, Found::NoEngine)];
        }
        let works = tried.iter().any(|(_, result)| result.is_ok());
        // One engine that fails is what failover is for; all failing is no web.
        let grade = if works { Grade::Warning } else { Grade::Bad };
        let finding = |(id, result): (String, Result<usize, Failure>)| match result {
            Ok(hits) => {
                let results = count(hits);
                Finding::new(Part::Engine(id), Grade::Good, Found::Results { results })
            }
            Err(failure) => Finding::failed(Part::Engine(id), grade, failure),
        };
        tried.into_iter().map(finding).collect()
    }
}

fn waiting(status: &SyncStatus) -> Finding {
    let changes = status.counts.outbox;
    let found = match status.synced_at {
        None => Found::NotYetSynced,
        Some(at) if changes == 0 => Found::Synced { at },
        Some(_) => Found::ChangesWait { changes },
    };
    Finding::new(Part::Sync, Grade::Good, found)
}

/// What other devices wrote and the server does not hand out yet.
fn held(status: &SyncStatus) -> Option<Finding> {
    let since = status.held_since?;
    Some(Finding::new(Part::Sync, Grade::Warning, Found::ChangesHeld { since }))
}

fn dead(status: &SyncStatus) -> Option<Finding> {
    let changes = status.counts.dead;
    (changes > 0).then(|| Finding::new(Part::Sync, Grade::Warning, Found::ChangesRefused { changes }))
}
