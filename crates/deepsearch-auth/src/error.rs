//! AuthError: what signing in can fail with, and what a person can do about it. None of it holds a secret or a link.

use std::time::Duration;

use deepsearch_core::error::{PRIVATE_HINT, sentence};
use deepsearch_core::{ErrorCode, Failure};

use crate::vault::VaultError;

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("`{text}` is not the address of a gateway: it begins with https://, or is on this machine")]
    NotAGateway { text: String },
    #[error("no gateway is set")]
    NoGateway,
    #[error("`{host}` cannot be reached")]
    Unreachable {
        host: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("`{host}` is not on this computer, and private mode is on")]
    Private { host: String },
    #[error("`{host}` took longer than {limit:?}")]
    TimedOut { host: String, limit: Duration },
    #[error("`{host}` answered with status {status} when asked {doing}")]
    Status {
        host: String,
        doing: &'static str,
        status: u16,
    },
    #[error("`{host}` was asked {doing}, and its answer cannot be used: {detail}")]
    Unusable {
        host: String,
        doing: &'static str,
        detail: String,
    },
    #[error("there is no DeepSearch gateway at `{host}`")]
    NoGatewayThere { host: String },
    #[error("the gateway speaks versions {min} to {max} of our protocol, and this app another")]
    OtherProtocol { min: u32, max: u32 },
    #[error("the gateway offers no {what}")]
    Lacks { what: &'static str },
    #[error("the link is not the way back from signing in")]
    NotACallback,
    #[error("no sign-in is waiting for this answer")]
    NothingWaits,
    #[error("signing in took longer than ten minutes")]
    Expired,
    #[error("the answer comes from another gateway than the one that was asked")]
    OtherIssuer,
    #[error("signing in was called off in the browser")]
    Denied,
    #[error("the gateway refused: {why}")]
    Refused { why: String },
    #[error("the gateway cannot do it now: {why}")]
    Unavailable { why: String },
    #[error("{email} is signed in on this device")]
    SignedIn { email: String },
    #[error("nobody is signed in")]
    SignedOut,
    #[error("this device was signed out at the gateway")]
    SessionOver,
    #[error("no answer can be received on this machine")]
    Listening(#[source] std::io::Error),
    #[error("the file cannot be written")]
    Unwritable(#[source] std::io::Error),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("the network client could not be made")]
    Client(#[source] reqwest::Error),
}

impl AuthError {
    fn host(&self) -> Option<&str> {
        match self {
            Self::Unreachable { host, .. }
            | Self::Private { host }
            | Self::TimedOut { host, .. }
            | Self::Status { host, .. }
            | Self::Unusable { host, .. }
            | Self::NoGatewayThere { host } => Some(host),
            _ => None,
        }
    }
}

impl From<&AuthError> for Failure {
    fn from(error: &AuthError) -> Self {
        let say = |code| Self {
            subject: error.host().map(str::to_owned),
            ..Self::new(code, sentence(&error.to_string()))
        };
        let again = "Start signing in again.";
        match error {
            AuthError::NotAGateway { .. } => say(ErrorCode::Invalid),
            AuthError::NoGateway => say(ErrorCode::Invalid)
                .hint("Ask whoever runs it for its address: `deepsearch settings set gateway.url ADDRESS`."),
            AuthError::Unreachable { .. } => say(ErrorCode::Offline).hint("Check the network and the address."),
            AuthError::Private { .. } => say(ErrorCode::Private).hint(PRIVATE_HINT),
            AuthError::TimedOut { .. } => say(ErrorCode::TimedOut).hint("Try again in a moment."),
            AuthError::Status { status: 429, .. } => say(ErrorCode::RateLimited).hint("Wait a minute, then try again."),
            AuthError::Status { .. } | AuthError::Unusable { .. } | AuthError::Unavailable { .. } => {
                say(ErrorCode::Upstream).hint("Try again; if it stays, tell whoever runs the gateway.")
            }
            AuthError::NoGatewayThere { .. } => {
                say(ErrorCode::NotFound).hint("Check the address with whoever runs the gateway.")
            }
            AuthError::OtherProtocol { .. } => say(ErrorCode::Upstream).hint("Update DeepSearch, or the gateway."),
            AuthError::Lacks { .. } => say(ErrorCode::Upstream).hint("Choose another way to sign in."),
            AuthError::NotACallback => Self::new(ErrorCode::Refused, "DeepSearch does not open this link.")
                .hint("Its links are only for coming back from signing in."),
            AuthError::NothingWaits => {
                Self::new(ErrorCode::NotFound, "No sign-in is waiting for this link.").hint(again)
            }
            AuthError::Expired => say(ErrorCode::TimedOut).hint(again),
            AuthError::OtherIssuer => say(ErrorCode::Refused).hint(again),
            AuthError::Denied => say(ErrorCode::Cancelled).hint(again),
            AuthError::Refused { .. } => say(ErrorCode::Refused).hint(again),
            AuthError::SignedIn { .. } => say(ErrorCode::Invalid).hint("Sign out first: `deepsearch sign-out`."),
            AuthError::SignedOut => say(ErrorCode::KeyRefused).hint("Sign in: `deepsearch sign-in`."),
            AuthError::SessionOver => say(ErrorCode::KeyRefused).hint("Sign in again. What is on this device is kept."),
            AuthError::Listening(_) => say(ErrorCode::Internal).hint("Sign in with a code instead."),
            AuthError::Unwritable(_) => say(ErrorCode::Storage).hint("Choose another place, or make room on the disk."),
            AuthError::Vault(VaultError::Keychain(_)) => {
                say(ErrorCode::Storage).hint("Unlock the system's keychain and try again.")
            }
            AuthError::Vault(VaultError::Malformed { .. }) => {
                say(ErrorCode::Invalid).hint("Mend the file, or move it away to begin anew.")
            }
            AuthError::Vault(VaultError::Foreign { .. }) => say(ErrorCode::KeyRefused)
                .hint("Sign in again, or bring the file back as it was. What is on this device is kept."),
            AuthError::Vault(_) => say(ErrorCode::Storage).hint("Check the data folder's permissions and room."),
            AuthError::Client(_) => {
                say(ErrorCode::Internal).hint("Check that the system's certificates are installed (`ca-certificates`).")
            }
        }
    }
}
