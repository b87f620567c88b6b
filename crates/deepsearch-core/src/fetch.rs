//! PageFetcher: from an address to a readable page.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use url::Url;

use crate::error::{ErrorCode, Failure, PRIVATE_HINT};
use crate::page::Page;

/// Why a page could not be read. A failed page is an event of the answer, never its end.
#[derive(Debug, Error)]
pub enum FetchError {
    #[error("`{url}` is not an address we read ({reason})")]
    Refused { url: Url, reason: String },
    #[error("robots.txt of `{host}` asks us not to read this page")]
    Robots { host: String },
    #[error("`{url}` took longer than {limit:?}")]
    TimedOut { url: Url, limit: Duration },
    #[error("`{url}` cannot be reached")]
    Unreachable {
        url: Url,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("`{url}` answered with status {status}")]
    Status { url: Url, status: u16 },
    #[error("`{url}` is larger than {limit} bytes")]
    TooLarge { url: Url, limit: usize },
    #[error("`{url}` is {media_type}, which we cannot read")]
    Unsupported { url: Url, media_type: String },
    #[error("`{url}` could not be parsed: {detail}")]
    Unparsable { url: Url, detail: String },
    /// Its parser was lost, or there is none: another time the same bytes may be read.
    #[error("`{url}` could not be parsed: {detail}")]
    ParserLost { url: Url, detail: String },
    #[error("`{url}` holds no readable text")]
    Empty { url: Url },
    #[error("`{url}` sends us to a sign-in page")]
    SignIn { url: Url },
    #[error("`{url}` asks us to prove that we are human")]
    Captcha { url: Url },
    #[error("`{url}` shows its text only in a browser that runs its scripts")]
    NeedsScript { url: Url },
    #[error("`{url}` is not saved on this machine")]
    Unknown { url: Url },
    #[error("`{url}` is not on this computer, and private mode is on")]
    Private { url: Url },
}

impl FetchError {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused { .. } | Self::Robots { .. } | Self::TooLarge { .. } | Self::SignIn { .. } => {
                ErrorCode::Refused
            }
            Self::TimedOut { .. } => ErrorCode::TimedOut,
            Self::Unreachable { .. } => ErrorCode::Offline,
            Self::Unknown { .. } => ErrorCode::NotFound,
            Self::Private { .. } => ErrorCode::Private,
            Self::Empty { .. } | Self::NeedsScript { .. } => ErrorCode::NoResults,
            Self::Captcha { .. } => ErrorCode::Captcha,
            Self::Status { .. } | Self::Unsupported { .. } | Self::Unparsable { .. } | Self::ParserLost { .. } => {
                ErrorCode::Upstream
            }
        }
    }

    /// Of an address in somebody's own files there is none.
    fn host(&self) -> Option<&str> {
        match self {
            Self::Robots { host } => Some(host),
            Self::Refused { url, .. }
            | Self::TimedOut { url, .. }
            | Self::Unreachable { url, .. }
            | Self::Status { url, .. }
            | Self::TooLarge { url, .. }
            | Self::Unsupported { url, .. }
            | Self::Unparsable { url, .. }
            | Self::ParserLost { url, .. }
            | Self::Empty { url }
            | Self::SignIn { url }
            | Self::Captcha { url }
            | Self::NeedsScript { url }
            | Self::Unknown { url }
            | Self::Private { url } => url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")),
        }
    }
}

impl From<&FetchError> for Failure {
    fn from(error: &FetchError) -> Self {
        let mut failure = Self::new(error.code(), format!("{error}."));
        failure.subject = error.host().map(str::to_owned);
        match error {
            FetchError::Private { .. } => failure.hint(PRIVATE_HINT),
            _ => failure,
        }
    }
}

/// Reads pages: the crawler for the web, the store for saved pages, the guide for its topics.
#[async_trait]
pub trait PageFetcher: Send + Sync {
    /// Reads one page within the fetcher's own limits; dropping the future stops it.
    ///
    /// # Errors
    /// [`FetchError`], which names the address.
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError>;
}
