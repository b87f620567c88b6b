//! What a site asks of crawlers (RFC 9309): its robots.txt, asked for once and remembered for a while.
//!
//! Leaves out sitemaps: we read the pages an answer needs, and do not explore sites.

use std::sync::Arc;
use std::time::Duration;

use deepsearch_core::{Errand, FetchError};
use moka::future::Cache;
use robotxt::{AccessResult, Robots};
use url::Url;

use crate::download::{Client, Reply};
use crate::hosts::origin;
use crate::options::ROBOTS_NAME;

/// Sites remembered at once, and for how long.
const SITES: u64 = 2048;
const REMEMBERED: Duration = Duration::from_secs(3600);
/// Redirects followed, as RFC 9309 asks for.
const REDIRECTS: usize = 5;

/// The rules of the sites met so far.
pub(crate) struct RobotsRules {
    sites: Cache<String, Arc<Robots>>,
}

impl RobotsRules {
    pub(crate) fn new() -> Self {
        Self {
            sites: Cache::builder().max_capacity(SITES).time_to_live(REMEMBERED).build(),
        }
    }

    /// The rules of the page's site; many pages of one site ask for its robots.txt once.
    ///
    /// # Errors
    /// When the site cannot be reached at all, which is not remembered.
    pub(crate) async fn of(&self, page: &Url, client: &Client) -> Result<Arc<Robots>, Arc<FetchError>> {
        self.sites
            .try_get_with(origin(page), async { ask(page, client).await.map(Arc::new) })
            .await
    }
}

async fn ask(page: &Url, client: &Client) -> Result<Robots, FetchError> {
    let Ok(mut url) = page.join("/robots.txt") else {
        return Ok(Robots::allow_all());
    };
    for _ in 0..=REDIRECTS {
        match read(&url, client).await {
            Ok(Found::Elsewhere(next)) => url = next,
            Ok(Found::Text(text)) => return Ok(rules(AccessResult::Successful(&text))),
            Err(FetchError::Status { status, .. }) if status >= 500 => return Ok(rules(AccessResult::Unreachable)),
            Err(
                error @ (FetchError::TimedOut { .. } | FetchError::Unreachable { .. } | FetchError::Private { .. }),
            ) => {
                return Err(error);
            }
            // Missing, forbidden, unreadable, or led to an address we do not speak to: the site states no rules.
            Err(_) => return Ok(rules(AccessResult::Unavailable)),
        }
    }
    Ok(rules(AccessResult::TooManyRedirects))
}

enum Found {
    Text(Vec<u8>),
    Elsewhere(Url),
}

async fn read(url: &Url, client: &Client) -> Result<Found, FetchError> {
    match client.ask(url, Errand::Robots).await? {
        Reply::Redirect(next) => Ok(Found::Elsewhere(next)),
        Reply::Document(document) => client.body(document).await.map(Found::Text),
    }
}

fn rules(access: AccessResult<'_>) -> Robots {
    Robots::from_access(access, ROBOTS_NAME)
}
