//! A browser without a window, for a person who signs in: it follows redirects, keeps cookies by host, fills in forms, and
//! stops where an address is the app's.

#![expect(
    clippy::disallowed_methods,
    reason = "a browser of its own keeps no private mode and no ledger"
)]

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use scraper::{Html, Selector};
use url::Url;

const MOST_REDIRECTS: usize = 20;

#[derive(Debug)]
pub struct Browser {
    client: reqwest::Client,
    /// By host, whatever the port, as in every browser.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where a browser came to rest: a page, or an address that only the app takes.
#[derive(Debug)]
pub struct Visited {
    pub url: Url,
    pub status: u16,
    pub body: String,
}

impl Browser {
    /// # Errors
    /// When no client can be made.
    pub fn new() -> Result<Self> {
        // Another part of the test may have chosen a provider already; then that one stays.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build();
        Ok(Self {
            client: client.context("making a browser")?,
            cookies: BTreeMap::new(),
        })
    }

    /// # Errors
    /// When the page cannot be reached.
    pub async fn open(&mut self, address: &str) -> Result<Visited> {
        self.go(address.parse().context("an address")?, None).await
    }

    /// Follows the link whose address holds `wanted`.
    ///
    /// # Errors
    /// When there is none, or it cannot be reached.
    pub async fn follow(&mut self, page: &Visited, wanted: &str) -> Result<Visited> {
        let found = {
            let (html, links) = (Html::parse_document(&page.body), selector("a[href]"));
            let mut links = html.select(&links).filter_map(|link| link.value().attr("href"));
            let found = links.find(|href| href.contains(wanted));
            found.map(str::to_owned)
        };
        let href = found.with_context(|| format!("no link `{wanted}` in {}", page.body))?;
        self.go(page.url.join(&href)?, None).await
    }

    /// Sends the page's first form with these values, others as they stand.
    ///
    /// # Errors
    /// When there is none, or it cannot be sent.
    pub async fn submit(&mut self, page: &Visited, values: &[(&str, &str)]) -> Result<Visited> {
        let (url, fields) = page.form(values)?;
        self.go(url, Some(fields)).await
    }

    async fn go(&mut self, mut url: Url, mut form: Option<Vec<(String, String)>>) -> Result<Visited> {
        for _ in 0..MOST_REDIRECTS {
            let request = match form.take() {
                // A page of the same site sends it, as a browser would say.
                Some(form) => self
                    .client
                    .post(url.clone())
                    .form(&form)
                    .header("sec-fetch-site", "same-origin"),
                None => self.client.get(url.clone()),
            };
            let host = url.host_str().unwrap_or_default().to_owned();
            let kept = self.cookies.get(&host).into_iter().flatten();
            let cookies: Vec<String> = kept.map(|(name, value)| format!("{name}={value}")).collect();
            let response = request
                .header("accept", "text/html,application/xhtml+xml")
                .header("cookie", cookies.join("; "))
                .send()
                .await
                .with_context(|| format!("opening {url}"))?;
            self.keep_cookies(host, response.headers());
            let status = response.status();
            let location = response.headers().get(LOCATION).filter(|_| status.is_redirection());
            let Some(location) = location else {
                let body = response.text().await?;
                return Ok(Visited {
                    url,
                    status: status.as_u16(),
                    body,
                });
            };
            let next = url.join(location.to_str()?)?;
            if next.scheme() == "deepsearch" || next.path() == "/auth/callback" {
                return Ok(Visited {
                    url: next,
                    status: status.as_u16(),
                    body: String::new(),
                });
            }
            ensure!(
                !matches!(status.as_u16(), 307 | 308),
                "a form that is to be sent on to {next}"
            );
            url = next;
        }
        bail!("redirects without an end at {url}");
    }

    fn keep_cookies(&mut self, host: String, headers: &HeaderMap) {
        let jar = self.cookies.entry(host).or_default();
        for cookie in headers
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|cookie| cookie.to_str().ok())
        {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let attributes = attributes.to_ascii_lowercase();
            let is_over = attributes.contains("max-age=0") || attributes.contains("expires=thu, 01 jan 1970");
            if is_over || value.is_empty() {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Visited {
    pub fn heading(&self) -> String {
        let html = Html::parse_document(&self.body);
        let headings = selector("h1");
        let heading = html.select(&headings).next();
        heading.map(|heading| heading.text().collect()).unwrap_or_default()
    }

    fn form(&self, values: &[(&str, &str)]) -> Result<(Url, Vec<(String, String)>)> {
        let html = Html::parse_document(&self.body);
        let forms = selector("form");
        let form = html.select(&forms).next();
        let form = form.with_context(|| format!("no form at {}: {}", self.url, self.body))?;
        let url = self.url.join(form.value().attr("action").unwrap_or_default())?;
        let inputs = selector("input[name]");
        let stand = form.select(&inputs).map(|input| {
            let attribute = |name| input.value().attr(name).unwrap_or_default().to_owned();
            (attribute("name"), attribute("value"))
        });
        let mut fields: Vec<(String, String)> = stand
            .filter(|(name, _)| !values.iter().any(|(given, _)| given == name))
            .collect();
        let given = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        fields.extend(given);
        Ok((url, fields))
    }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector that stands in this file")
}
