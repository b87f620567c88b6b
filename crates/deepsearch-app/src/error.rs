//! AppError: what a use case can fail with. A face of the app turns it into a [`Failure`] and shows that.

use std::path::PathBuf;

use deepsearch_auth::{AuthError, VaultError};
use deepsearch_core::error::{PRIVATE_HINT, sentence};
use deepsearch_core::{ErrorCode, Failure, FetchError, Invalid, ModelError, SearchError};
use deepsearch_files::FilesError;
use deepsearch_postgres::{ConnectError, DatabaseError, DeviceError, SchemaError};
use deepsearch_sqlite::StoreError;
use deepsearch_sync::SyncError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum AppError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Leaves(#[from] deepsearch_net::Leaves),
    #[error("private mode is on, so no web engine is asked")]
    HeldBack,
    #[error("no shared database is named")]
    NoDatabase,
    #[error("the address of the database names no host")]
    NoHost,
    #[error("the database let this device in and does not know it all the same")]
    NotAdmitted,
    #[error("the system gave no random numbers")]
    NoRandom,
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the shared database has no table `{name}`")]
    UnknownTable { name: String },
    #[error("no session has the id `{id}`, or it is over already")]
    UnknownSession { id: String },
    #[error("no {what} has the id `{id}`")]
    Unknown { what: &'static str, id: String },
    #[error("there is no {what} `{name}`")]
    NotNamed {
        what: &'static str,
        name: String,
        /// Those that there are.
        names: Vec<String>,
    },
    #[error("there is no chat outside Trash in this {what}")]
    NothingIn { what: &'static str },
    #[error("there is no engine `{id}` that is set up")]
    UnknownEngine { id: String },
    #[error("`{path}` cannot be read")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` cannot be written")]
    Unwritable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` cannot be read")]
    ConfigUnreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` is not valid: {detail}")]
    ConfigMalformed { path: PathBuf, detail: String },
    #[error("there is no setting `{key}`")]
    UnknownSetting { key: String },
    #[error("`{value}` does not suit `{key}`: {expected}")]
    BadSetting {
        key: String,
        value: String,
        expected: String,
    },
    #[error("`{key}` is set by {origin}, which goes before what is stored")]
    Overridden { key: String, origin: String },
    #[error("the folder `{path}` cannot be used")]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` was not imported: {source}")]
    Archive {
        path: PathBuf,
        #[source]
        source: Box<deepsearch_archive::ArchiveError>,
    },
    #[error("no PDF was made of `{title}`: {source}")]
    Typeset {
        title: String,
        #[source]
        source: deepsearch_archive::PdfError,
    },
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("past chats are not asked beside other places")]
    ChatsBeside,
    #[error("it is not known what `{model}` costs, so no budget of money can be kept to")]
    Unpriced { model: String },
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error(
        "some of this is only on this device: {changes} changes and saved pages that were not sent, {chats} chats that were not handed over"
    )]
    OnlyHere { changes: u32, chats: u32 },
    #[error("the network client could not be made")]
    Network(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the answer was stopped")]
    Cancelled,
    /// A run that ended early; everything it had is kept.
    #[error("{0}")]
    Answer(Failure),
}

impl From<VaultError> for AppError {
    fn from(error: VaultError) -> Self {
        Self::Auth(error.into())
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::from(&error)
    }
}

impl From<&AppError> for Failure {
    fn from(error: &AppError) -> Self {
        let say = |code| Self::new(code, sentence(&error.to_string()));
        match error {
            AppError::Invalid(invalid) => invalid.clone().into(),
            AppError::Store(error) => error.into(),
            AppError::Model(error) => error.into(),
            AppError::Fetch(error) => error.into(),
            AppError::Search(error) => error.into(),
            AppError::Database(error) => error.into(),
            AppError::UnknownTable { .. } => {
                say(ErrorCode::NotFound).hint("`deepsearch db tables` shows what there is.")
            }
            AppError::UnknownSession { .. } => {
                say(ErrorCode::NotFound).hint("`deepsearch db sessions` shows those that there are.")
            }
            AppError::Answer(failure) => failure.clone(),
            AppError::Connect(error) => error.into(),
            AppError::Schema(error) => error.into(),
            AppError::Device(error) => error.into(),
            AppError::NoDatabase => say(ErrorCode::Invalid)
                .hint("Give its address with `--url`, or keep it: `deepsearch settings set shared.url -`."),
            AppError::NoHost => say(ErrorCode::Invalid)
                .hint("It looks like `postgres://user:password@host/database`; devices come over the network."),
            AppError::NotAdmitted => {
                say(ErrorCode::Upstream).hint("Is there a pooler between that changes who connects?")
            }
            AppError::NoRandom => say(ErrorCode::Internal),
            AppError::Leaves(leaves) => say(ErrorCode::Private).with(&leaves.host).hint(PRIVATE_HINT),
            AppError::HeldBack => say(ErrorCode::Private).hint(PRIVATE_HINT),
            AppError::Auth(error) => error.into(),
            AppError::Files(FilesError::Folder { .. } | FilesError::NoFolder { .. }) => {
                say(ErrorCode::NotFound).hint("Check its name, and that you may read it.")
            }
            AppError::Files(FilesError::Within { .. }) => {
                say(ErrorCode::Invalid).hint("There is nothing to add: it is searched with the folder around it.")
            }
            AppError::Files(FilesError::Name { .. }) => say(ErrorCode::Invalid).hint("Give it another name."),
            AppError::Files(FilesError::Unknown { .. }) => {
                say(ErrorCode::NotFound).hint("`deepsearch folders list` shows those that there are.")
            }
            AppError::Files(FilesError::Index { .. } | FilesError::Version { .. } | FilesError::Watch(_)) => {
                say(ErrorCode::Storage).hint("Try again; what is in the folders is untouched.")
            }
            AppError::ChatsBeside => {
                say(ErrorCode::Invalid).hint("They stay apart from what strangers wrote. Ask in them alone.")
            }
            AppError::Unpriced { model } => say(ErrorCode::Invalid).hint(format!(
                "Enter what a million tokens read and written cost, as in `deepsearch settings set models.prices {model}=0.25/2`; or leave the money out, or choose a model of this computer."
            )),
            AppError::Unknown { what: "file", .. } => {
                say(ErrorCode::NotFound).hint("It was moved or deleted; what was saved of it is still in the reader.")
            }
            AppError::Sync(error) => error.into(),
            AppError::OnlyHere { .. } => say(ErrorCode::Invalid).hint(
                "Send them first with `deepsearch sync`, and hand chats over with `deepsearch sync offers --accept-all`; or remove them with `--discard`.",
            ),
            AppError::Unknown { what: "device", .. } => {
                say(ErrorCode::NotFound).hint("`deepsearch devices` lists them.")
            }
            AppError::Unknown { .. } => say(ErrorCode::NotFound).hint("`deepsearch chats list` shows what there is."),
            AppError::NotNamed { what, names, .. } => say(ErrorCode::NotFound).hint(there_are(what, names)),
            AppError::NothingIn { .. } => say(ErrorCode::NotFound).hint("Put chats into it first."),
            AppError::UnknownEngine { .. } => {
                say(ErrorCode::NotFound).hint("`deepsearch engines` lists the engines and what they need.")
            }
            AppError::Unreadable { source, .. } => match source.kind() {
                std::io::ErrorKind::NotFound => say(ErrorCode::NotFound).hint("Check its name."),
                _ => say(ErrorCode::Storage).hint("Check that it is a file and may be read."),
            },
            AppError::Archive { .. } => say(ErrorCode::Invalid).hint(
                "Give the file as it was downloaded: an export of ChatGPT, Claude, Perplexity, Open WebUI or DeepSearch, or Markdown.",
            ),
            AppError::Typeset {
                source: deepsearch_archive::PdfError::NoFonts,
                ..
            } => say(ErrorCode::Invalid).hint("Install fonts, Noto for example, or export it as HTML."),
            AppError::Typeset { .. } => say(ErrorCode::Invalid).hint("Export it as HTML or Markdown."),
            AppError::Unwritable { .. } => {
                say(ErrorCode::Storage).hint("Choose another place, or make room on the disk.")
            }
            AppError::ConfigUnreadable { .. } => say(ErrorCode::Storage).hint("Check the file's permissions."),
            AppError::ConfigMalformed { .. } => {
                say(ErrorCode::Invalid).hint("Mend the file, or move it away to begin anew.")
            }
            AppError::UnknownSetting { .. } => {
                say(ErrorCode::NotFound).hint("`deepsearch settings list` shows all of them.")
            }
            AppError::BadSetting { .. } => say(ErrorCode::Invalid),
            AppError::Overridden { .. } => say(ErrorCode::Invalid).hint("Change it there."),
            AppError::Folder { .. } => {
                say(ErrorCode::Storage).hint("Set DEEPSEARCH_HOME to a folder that can be written.")
            }
            AppError::Network(_) => {
                say(ErrorCode::Internal).hint("Check that the system's certificates are installed (`ca-certificates`).")
            }
            AppError::Cancelled => say(ErrorCode::Cancelled).hint("What came is kept."),
        }
    }
}

/// Names to choose from, as many as can be looked through.
fn there_are(what: &str, names: &[String]) -> String {
    const SHOWN: usize = 20;
    if names.is_empty() {
        return format!("There is no {what} yet.");
    }
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("There are: {}{more}.", shown.join(", "))
}
