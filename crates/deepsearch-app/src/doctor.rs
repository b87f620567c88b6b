//! The doctor: looks at every part that answering needs, and says for each what to do.

use std::time::Duration;

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

/// What was found of one part.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct Finding {
    pub part: String,
    pub grade: Grade,
    pub says: String,
    /// What to do, where there is something.
    pub advice: Option<String>,
}

impl Finding {
    fn new(part: impl Into<String>, grade: Grade, says: impl Into<String>) -> Self {
        Self {
            part: part.into(),
            grade,
            says: says.into(),
            advice: None,
        }
    }

    fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    fn failed(part: impl Into<String>, grade: Grade, failure: Failure) -> Self {
        Self {
            part: part.into(),
            grade,
            says: failure.message,
            advice: failure.hint,
        }
    }
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
        let part = "data folder";
        let path = self.config().home.display();
        match self.store().count_outbox().await {
            Err(error) => Finding::failed(part, Grade::Bad, Failure::from(&error)),
            Ok(_) if self.store().is_read_only() => Finding::new(
                part,
                Grade::Bad,
                format!("{path} was written by a newer version and is open for reading only."),
            )
            .advice("Update DeepSearch, or restore an older backup: `deepsearch backup list`."),
            Ok(_) => Finding::new(part, Grade::Good, format!("{path} can be read and written.")),
        }
    }

    async fn look_at_parser(&self) -> Finding {
        let html = b"<html><head><title>Check</title></head><body><article><p>The parser works as it should, with whole sentences to read. This is the second of them.</p></article></body></html>";
        let url = "https://example.com/".parse().expect("a fixed address");
        match self.read_bytes(html, Some("text/html"), &url).await {
            Ok(_) => Finding::new(
                "page reader",
                Grade::Good,
                "Pages are parsed in a process of their own.",
            ),
            Err(error) => Finding::failed("page reader", Grade::Bad, Failure::from(&error))
                .advice("Reinstall DeepSearch; its own program could not be started again."),
        }
    }

    /// Whether the shared database knows this device now, and how sync stands.
    async fn look_at_sync(&self) -> Vec<Finding> {
        let part = "sync";
        let failed = |failure: Failure| vec![Finding::failed(part, Grade::Bad, failure)];
        let link = match self.sync_link() {
            Ok(Some(link)) => link,
            Ok(None) => {
                let says = "Nobody is signed in; everything is only on this device.";
                return vec![Finding::new(part, Grade::Good, says)];
            }
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
            Ok(Ok(None)) => Finding::failed(part, Grade::Bad, Failure::from(&RemoteError::SignedOut)),
            Ok(Err(error)) => {
                let failure = Failure::from(&error);
                // What is written meanwhile is kept and sent later.
                let is_away = matches!(failure.code, ErrorCode::Offline | ErrorCode::TimedOut);
                Finding::failed(part, if is_away { Grade::Warning } else { Grade::Bad }, failure)
            }
            Err(_) => Finding::new(part, Grade::Warning, "The shared database does not answer.")
                .advice("What you change is kept and sent when it does."),
        };
        let mut findings = vec![reached];
        findings.extend(held(&status));
        findings.extend(dead(&status));
        findings
    }

    async fn look_at_models(&self) -> Vec<Finding> {
        let default = match self.default_model().await {
            Ok(model) if model.id == "extractive" => Finding::new(
                "model",
                Grade::Warning,
                "There is no language model: answers are made of sentences from sources.",
            )
            .advice(
                "Start Ollama, LM Studio or llama.cpp, or set a key: `deepsearch settings set models.openai.key KEY`.",
            ),
            Ok(model) => Finding::new("model", Grade::Good, format!("{} answers.", model.id)),
            Err(error) => Finding::failed("model", Grade::Bad, Failure::from(&error)),
        };
        let offered = self.models().await.len();
        let mut findings = vec![
            default,
            Finding::new(
                "models",
                Grade::Good,
                format!("{offered} can be chosen: `deepsearch models`."),
            ),
        ];
        findings.extend(self.look_at_reranking().await);
        findings
    }

    /// Only where a person chose a model for it.
    async fn look_at_reranking(&self) -> Option<Finding> {
        let part = "reranking";
        let reranking = self.reranking().await;
        let model = reranking.model?;
        Some(match reranking.failure {
            None => Finding::new(part, Grade::Good, format!("{model} puts passages in order.")),
            // Answers go on without it.
            Some(failure) => Finding::failed(part, Grade::Warning, failure),
        })
    }

    async fn look_at_engines(&self) -> Vec<Finding> {
        if self.inner.network.is_private() {
            return vec![Finding::new(
                "private mode",
                Grade::Good,
                "Nothing leaves this computer: no web engine and no model elsewhere is asked.",
            )];
        }
        let tried = self.try_engines().await;
        if tried.is_empty() {
            return vec![
                Finding::new("engines", Grade::Bad, "No web engine is in use.")
                    .advice("Set `engines.order`, or leave it empty to use all."),
            ];
        }
        let works = tried.iter().any(|(_, result)| result.is_ok());
        // One engine that fails is what failover is for; all failing is no web.
        let grade = if works { Grade::Warning } else { Grade::Bad };
        let finding = |(id, result): (String, Result<usize, Failure>)| match result {
            Ok(hits) => Finding::new(
                format!("engine {id}"),
                Grade::Good,
                format!("answered with {hits} results."),
            ),
            Err(failure) => Finding::failed(format!("engine {id}"), grade, failure),
        };
        tried.into_iter().map(finding).collect()
    }
}

fn waiting(status: &SyncStatus) -> Finding {
    let counts = &status.counts;
    let says = match (status.synced_at, counts.outbox) {
        (None, _) => "The shared database answers; nothing was brought or sent yet.".to_owned(),
        (Some(at), 0) => format!(
            "Everything was sent and brought on {}.",
            at.format("%Y-%m-%d %H:%M UTC")
        ),
        (Some(_), waiting) => format!("The shared database answers; {waiting} changes wait to be sent."),
    };
    let is_late = status.synced_at.is_none() || counts.outbox > 0;
    let finding = Finding::new("sync", Grade::Good, says);
    if is_late {
        finding.advice("`deepsearch sync` does it now.")
    } else {
        finding
    }
}

/// What other devices wrote and the server does not hand out yet.
fn held(status: &SyncStatus) -> Option<Finding> {
    let since = status.held_since?.format("%Y-%m-%d %H:%M UTC");
    let says = format!("The shared database has held changes of other devices back since {since}.");
    Some(Finding::new("sync", Grade::Warning, says).advice(
        "A program there does not end what it writes; whoever runs the database finds it in `pg_stat_activity`.",
    ))
}

/// What the server will not take, ever.
fn dead(status: &SyncStatus) -> Option<Finding> {
    let dead = status.counts.dead;
    (dead > 0).then(|| {
        Finding::new(
            "sync",
            Grade::Warning,
            format!("{dead} changes are refused by the server and kept here."),
        )
        .advice("`deepsearch sync status` names them, and `deepsearch sync retry` sends them again.")
    })
}
