//! Sites a person will not see, and sites they want alone: enforced where results come in and where pages are read, so that
//! nothing above has to remember it.

use std::sync::Arc;

use async_trait::async_trait;
use deepsearch_core::{FetchError, Page, PageFetcher, SearchOutcome, SearchQuery, Searcher};
use url::Url;

use crate::config::Resolved;

/// Hosts, each with everything below it: `example.org` is also `www.example.org`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sites {
    allowed: Vec<String>,
    blocked: Vec<String>,
}

impl Sites {
    pub(crate) fn of(settings: &Resolved) -> Self {
        let hosts = |key: &str| settings.list(key).iter().filter_map(|site| host(site)).collect();
        Self {
            allowed: hosts("sites.allow"),
            blocked: hosts("sites.block"),
        }
    }

    /// Whether a page may be read at all. What is not of the web is not a site.
    fn may_read(&self, url: &Url) -> bool {
        url.host_str().is_none_or(|host| !is_among(host, &self.blocked))
    }

    /// Whether a result may be shown and read: one that a person did not name themselves.
    fn may_find(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        let is_allowed = |host: &str| self.allowed.is_empty() || is_among(host, &self.allowed);
        self.may_read(&url) && url.host_str().is_none_or(is_allowed)
    }

    fn are_set(&self) -> bool {
        !self.allowed.is_empty() || !self.blocked.is_empty()
    }
}

/// The host of a site as people write it: `example.org`, `*.example.org`, `https://www.example.org/page`.
pub(crate) fn host(site: &str) -> Option<String> {
    let site = site.trim().trim_start_matches("*.");
    let address = if site.contains("://") {
        site.to_owned()
    } else {
        format!("https://{site}")
    };
    let url = Url::parse(&address).ok()?;
    let host = url.host_str()?.trim_end_matches('.');
    let host = host
        .strip_prefix("www.")
        .filter(|rest| rest.contains('.'))
        .unwrap_or(host);
    (!host.is_empty() && !host.contains(['*', ' '])).then(|| host.to_owned())
}

fn is_among(host: &str, sites: &[String]) -> bool {
    let host = host.trim_end_matches('.');
    sites.iter().any(|site| {
        host.strip_suffix(site.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// A search without the results that a person will not see.
pub(crate) struct Sifted {
    pub(crate) searcher: Arc<dyn Searcher>,
    pub(crate) sites: Sites,
}

#[async_trait]
impl Searcher for Sifted {
    async fn search(&self, query: &SearchQuery) -> SearchOutcome {
        let mut outcome = self.searcher.search(query).await;
        if self.sites.are_set() {
            for results in &mut outcome.results {
                results.hits.retain(|hit| self.sites.may_find(&hit.url));
            }
            outcome.results.retain(|results| !results.hits.is_empty());
        }
        outcome
    }
}

/// A reader that reads no page of a blocked site, also where another site's address leads there, and that is led from an
/// allowed site to no other.
pub(crate) struct Guarded {
    pub(crate) fetcher: Arc<dyn PageFetcher>,
    pub(crate) sites: Sites,
}

#[async_trait]
impl PageFetcher for Guarded {
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        let refused = |url: &Url| FetchError::Refused {
            url: url.clone(),
            reason: "its site is one that you blocked".into(),
        };
        if !self.sites.may_read(url) {
            return Err(refused(url));
        }
        let page = self.fetcher.fetch(url).await?;
        let leads_away = self.sites.may_find(url.as_str()) && !self.sites.may_find(page.url.as_str());
        if leads_away || !self.sites.may_read(&page.url) {
            return Err(refused(&page.url));
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites(allowed: &[&str], blocked: &[&str]) -> Sites {
        let hosts = |sites: &[&str]| sites.iter().filter_map(|site| host(site)).collect();
        Sites {
            allowed: hosts(allowed),
            blocked: hosts(blocked),
        }
    }

    #[test]
    fn a_site_is_its_host_and_everything_below_it() {
        let sites = sites(
            &[],
            &["https://www.Example.org/page", "*.tracker.net", "bücher.example"],
        );
        for blocked in [
            "https://example.org/",
            "http://www.example.org/x?y",
            "https://a.b.example.org./",
            "https://tracker.net",
            "https://xn--bcher-kva.example/",
            "https://example.org:8443/",
        ] {
            assert!(!sites.may_find(blocked), "{blocked}");
        }
        for free in [
            "https://notexample.org/",
            "https://example.org.evil.net/",
            "guide:settings",
            "files:ab/c",
        ] {
            assert!(sites.may_find(free), "{free}");
        }
    }

    #[test]
    fn only_allowed_sites_are_found_and_a_page_that_a_person_names_is_read_all_the_same() {
        let sites = sites(&["wikipedia.org"], &["de.wikipedia.org"]);
        assert!(sites.may_find("https://en.wikipedia.org/wiki/X"));
        assert!(!sites.may_find("https://de.wikipedia.org/wiki/X"));
        assert!(!sites.may_find("https://example.org/"));
        assert!(sites.may_read(&"https://example.org/".parse().unwrap()));
    }

    #[test]
    fn what_is_no_site_blocks_nothing() {
        for nothing in ["", "*", "a b", "https://"] {
            assert_eq!(host(nothing), None, "{nothing:?}");
        }
    }
}
