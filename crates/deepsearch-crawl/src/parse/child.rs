//! The child's side: reads documents from standard input, writes what they say to standard output, and holds itself to
//! its limits.
//!
//! The parent kills a child that takes too long. The child also ends by itself, so that none is left behind when the
//! parent was killed: at the end of its input, or when a page takes twice its time.

use std::any::Any;
use std::io::{self, stdin, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use deepsearch_core::{MediaType, text::sentences};
use serde::Serialize;

use super::picture::{self, Drawn};
use super::{Draft, Job, Kind, Parsed, Trouble, charset, confine, frame, html, office, pdf, text};
use crate::soft::Soft;

/// Set by the parent: the address space the child may use, in bytes.
pub(super) const MEMORY_VARIABLE: &str = "DEEPSEARCH_PARSER_MEMORY";
/// Parsers recurse once per nested element; this is deep enough for the deepest trees we accept.
const STACK: usize = 256 << 20;

type Work = (Job, Vec<u8>);

/// What a job comes to; the parent knows which kind it asked for.
#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Page(Box<Result<Parsed, Trouble>>),
    Picture(Result<Drawn, Trouble>),
}

impl Outcome {
    fn page(parsed: Result<Parsed, Trouble>) -> Self {
        Self::Page(Box::new(parsed))
    }
}

/// Runs a parser child until its input ends. The app's binary calls this first thing when it is started with the hidden
/// argument of [`ParserCommand`](crate::ParserCommand), before it sets up anything else.
pub fn run_parser() -> ExitCode {
    // What goes wrong with a page is told in its reply; a hook that prints would only fill the parent's log.
    std::panic::set_hook(Box::new(|_| {}));
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> io::Result<()> {
    let (jobs, inbox) = sync_channel::<Work>(0);
    let (outbox, outcomes) = sync_channel::<Outcome>(0);
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || work(&inbox, &outbox))?;
    confine::confine(std::env::var(MEMORY_VARIABLE).ok().and_then(|bytes| bytes.parse().ok()));
    let (mut input, mut output) = (stdin().lock(), stdout().lock());
    while let Some(job) = frame::read(&mut input)? {
        let job: Job = serde_json::from_slice(&job)?;
        let bytes = frame::read(&mut input)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let patience = Duration::from_millis(job.milliseconds.saturating_mul(2));
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        jobs.send((job, bytes)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        let outcome = outcomes.recv_timeout(patience).map_err(gone)?;
        frame::write(&mut output, &serde_json::to_vec(&outcome)?)?;
    }
    Ok(())
}

fn work(inbox: &Receiver<Work>, outbox: &SyncSender<Outcome>) {
    for (job, bytes) in inbox {
        let outcome = catch_unwind(AssertUnwindSafe(|| perform(&job, &bytes))).unwrap_or_else(|panic| {
            let trouble = Trouble::Unparsable(format!("the parser failed ({})", reason(&*panic)));
            Outcome::page(Err(trouble))
        });
        if outbox.send(outcome).is_err() {
            return;
        }
    }
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("for no stated reason").chars().take(200).collect()
}

fn perform(job: &Job, bytes: &[u8]) -> Outcome {
    match job.kind {
        Kind::Picture => Outcome::Picture(picture::draw(bytes).map_err(Trouble::Unparsable)),
        Kind::Office => Outcome::page(office::read(bytes, &job.url).and_then(finish)),
        Kind::Page(media_type) => Outcome::page(parse(media_type, job, bytes)),
    }
}

fn parse(media_type: MediaType, job: &Job, bytes: &[u8]) -> Result<Parsed, Trouble> {
    let decoded = |is_html| charset::decode(bytes, job.charset.as_deref(), is_html, &job.url);
    finish(match media_type {
        MediaType::Html => html::read(&decoded(true), &job.url)?,
        MediaType::Text => text::read(&decoded(false), &job.url),
        MediaType::Pdf => pdf::read(bytes, &job.url)?,
    })
}

/// Adds what is the same for all formats.
fn finish(draft: Draft) -> Result<Parsed, Trouble> {
    if draft.text.trim().is_empty() {
        return Err(Trouble::Soft(Soft::Empty));
    }
    let language = draft.language.or_else(|| detected_language(&draft.text));
    Ok(Parsed {
        title: draft.title,
        author: draft.author,
        site_name: draft.site_name,
        published_at: draft.published_at,
        favicon: draft.favicon,
        picture: draft.picture,
        language,
        sentences: sentences(&draft.text),
        content_hash: deepsearch_core::page::content_hash(&draft.text),
        text: draft.text,
        html: draft.html,
    })
}

/// BCP 47 tag of the language a text is written in, where that is clear.
fn detected_language(text: &str) -> Option<String> {
    let sample = &text[..text.floor_char_boundary(10_000)];
    let detected = whatlang::detect(sample).filter(whatlang::Info::is_reliable)?;
    let code = detected.lang().code();
    Some(
        BCP_47
            .iter()
            .find(|(three, _)| *three == code)
            .map_or(code, |(_, two)| two)
            .to_owned(),
    )
}

/// ISO 639-3 codes of the detector whose languages have a shorter tag, which BCP 47 demands.
const BCP_47: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];
