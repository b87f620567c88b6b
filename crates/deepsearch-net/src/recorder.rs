//! Recorder: writes the ledger of one answer while it is made, whoever sends something on its way.
//!
//! It goes along with the task, so that nobody has to hand it on; who starts a task of their own carries it over with
//! [`carried`]. What is sent outside of any answer is written nowhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deepsearch_core::{Contact, Errand, Ledger, SentText, SentTurn};
use sha2::{Digest, Sha256};

/// Hosts and errands that are listed; an answer has a few dozen.
const CONTACTS: usize = 500;
/// Texts that are listed. Each attempt of the same counts once.
const TEXTS: usize = 64;
/// Of one text, in bytes; of a larger one only its size and its digest are kept.
const TEXT_BYTES: u64 = 512 << 10;

tokio::task_local! {
    static CURRENT: Recorder;
}

/// What something is sent for.
#[derive(Debug, Clone, Copy)]
pub struct Purpose<'a> {
    pub errand: Errand,
    /// The engine or provider.
    pub service: &'a str,
}

impl<'a> Purpose<'a> {
    pub fn new(errand: Errand, service: &'a str) -> Self {
        Self { errand, service }
    }

    /// For what needs no other name than its host's.
    pub fn of(errand: Errand) -> Self {
        Self { errand, service: "" }
    }
}

/// A ledger that is being written.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Ledger>>);

impl Recorder {
    /// Runs `work`, and writes down all that it sends.
    pub async fn during<F: Future>(&self, work: F) -> F::Output {
        CURRENT.scope(self.clone(), work).await
    }

    /// What was written so far.
    pub fn ledger(&self) -> Ledger {
        let mut ledger = self.lock().clone();
        ledger.texts.retain(|text| text.times > 0);
        ledger
    }

    /// How often something was begun: while this stays as it is, nothing more has left.
    pub fn begun(&self) -> u64 {
        let ledger = self.lock();
        let requests = ledger.contacts.iter().map(|contact| u64::from(contact.requests));
        let texts = ledger.texts.iter().map(|text| u64::from(text.times));
        requests.chain(texts).sum::<u64>() + u64::from(ledger.unlisted)
    }

    /// Whether nothing that was started is still under way.
    pub fn is_quiet(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line of the ledger, to which what comes in is added; of none, where nobody keeps one.
#[derive(Debug, Clone, Default)]
pub struct Entry(Option<(Recorder, usize)>);

impl Entry {
    pub fn received(&self, bytes: usize) {
        if let Some((recorder, line)) = &self.0
            && let Some(contact) = recorder.lock().contacts.get_mut(*line)
        {
            contact.bytes_in += bytes as u64;
        }
    }

    /// Takes back what was to go out: the host could not be reached, so that nothing did.
    pub fn not_sent(&self, bytes: u64) {
        if let Some((recorder, line)) = &self.0
            && let Some(contact) = recorder.lock().contacts.get_mut(*line)
        {
            contact.bytes_out = contact.bytes_out.saturating_sub(bytes);
        }
    }
}

/// One text of the ledger; of none, where nobody keeps one.
#[derive(Debug, Clone, Default)]
pub struct TextEntry(Option<(Recorder, usize)>);

impl TextEntry {
    /// As [`Entry::not_sent`]: it is told only if it was sent another time.
    pub fn not_sent(&self) {
        if let Some((recorder, at)) = &self.0
            && let Some(text) = recorder.lock().texts.get_mut(*at)
        {
            text.times = text.times.saturating_sub(1);
        }
    }
}

/// Writes down that a host is contacted now.
pub fn contact(purpose: Purpose<'_>, host: &str, local: bool, bytes_out: u64) -> Entry {
    let Ok(recorder) = CURRENT.try_with(Recorder::clone) else {
        return Entry::default();
    };
    let mut ledger = recorder.lock();
    let is_it = |contact: &Contact| {
        contact.host == host && contact.errand == purpose.errand && contact.service == purpose.service
    };
    let line = ledger.contacts.iter().position(is_it).unwrap_or(ledger.contacts.len());
    if line == ledger.contacts.len() {
        if line == CONTACTS {
            ledger.unlisted = ledger.unlisted.saturating_add(1);
            return Entry::default();
        }
        ledger.contacts.push(Contact {
            host: host.to_owned(),
            errand: purpose.errand,
            service: purpose.service.to_owned(),
            local,
            requests: 0,
            bytes_out: 0,
            bytes_in: 0,
        });
    }
    let contact = &mut ledger.contacts[line];
    contact.requests = contact.requests.saturating_add(1);
    contact.bytes_out += bytes_out;
    drop(ledger);
    Entry(Some((recorder, line)))
}

/// Writes down that a model is given these messages now.
pub fn sent(model: &str, host: &str, local: bool, turns: &[SentTurn]) -> TextEntry {
    let Ok(recorder) = CURRENT.try_with(Recorder::clone) else {
        return TextEntry::default();
    };
    let mut digest = Sha256::new();
    turns.iter().for_each(|turn| digest.update(&turn.content));
    let sha256 = hex::encode(digest.finalize());
    let bytes = turns.iter().map(|turn| turn.content.len() as u64).sum();
    let mut ledger = recorder.lock();
    let is_it = |text: &SentText| text.sha256 == sha256 && text.model == model && text.host == host;
    let at = ledger.texts.iter().position(is_it).unwrap_or(ledger.texts.len());
    if let Some(again) = ledger.texts.get_mut(at) {
        again.times = again.times.saturating_add(1);
    } else if at < TEXTS {
        ledger.texts.push(SentText {
            model: model.to_owned(),
            host: host.to_owned(),
            local,
            times: 1,
            bytes,
            sha256,
            turns: (bytes <= TEXT_BYTES).then(|| turns.to_vec()),
        });
    } else {
        ledger.unlisted = ledger.unlisted.saturating_add(1);
        return TextEntry::default();
    }
    drop(ledger);
    TextEntry(Some((recorder, at)))
}

/// Goes on writing to the same ledger in a task of its own.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let recorder = CURRENT.try_with(Recorder::clone).ok();
    async move {
        match recorder {
            Some(recorder) => CURRENT.scope(recorder, work).await,
            None => work.await,
        }
    }
}
