//! A browser without a window: it follows redirects as browsers do, keeps cookies by host, fills in forms, and remembers
//! every address it was at.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use scraper::{Html, Selector};
use url::Url;

const MOST_REDIRECTS: usize = 20;

#[derive(Clone)]
pub(crate) struct Browser {
    client: reqwest::Client,
    /// By host, whatever the port, as in every browser.
    pub(crate) cookies: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) languages: String,
    pub(crate) history: Vec<String>,
}

/// Where a browser came to rest.
#[derive(Debug)]
pub(crate) struct Page {
    /// Of a page; or an address that is the app's, which nobody serves here.
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .redirect(Policy::none())
            .no_proxy()
            .build();
        Self {
            client: client.expect("a client"),
            cookies: BTreeMap::new(),
            languages: "en".to_owned(),
            history: Vec::new(),
        }
    }

    pub(crate) async fn open(&mut self, url: &str) -> Page {
        self.go("GET", Url::parse(url).expect("an address"), None, "none").await
    }

    /// Follows the link whose text or address holds `wanted`.
    pub(crate) async fn follow(&mut self, page: &Page, wanted: &str) -> Page {
        let html = Html::parse_document(&page.body);
        let links = Selector::parse("a[href]").expect("a selector");
        let found = html.select(&links).find_map(|link| {
            let href = link.value().attr("href")?;
            let text: String = link.text().collect();
            (text.contains(wanted) || href.contains(wanted)).then(|| href.to_owned())
        });
        let href = found.unwrap_or_else(|| panic!("no link `{wanted}` in {}", page.body));
        let url = page.url.join(&href).expect("an address");
        self.go("GET", url, None, "same-origin").await
    }

    /// Sends the page's first form with these values, others as they stand.
    pub(crate) async fn submit(&mut self, page: &Page, values: &[(&str, &str)]) -> Page {
        let (url, fields) = page.form(values);
        let site = if url.origin() == page.url.origin() {
            "same-origin"
        } else {
            "cross-site"
        };
        self.go("POST", url, Some(fields), site).await
    }

    /// Sends a form that another site wrote.
    pub(crate) async fn submit_from_elsewhere(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let url = Url::parse(url).expect("an address");
        self.go("POST", url, Some(fields.collect()), "cross-site").await
    }

    async fn go(&mut self, method: &str, mut url: Url, mut form: Option<Vec<(String, String)>>, site: &str) -> Page {
        let mut method = method.to_owned();
        let mut site = HeaderValue::from_str(site).expect("a value");
        for _ in 0..MOST_REDIRECTS {
            self.history.push(url.to_string());
            let mut request = match &form {
                Some(form) if method == "POST" => self.client.post(url.clone()).form(form),
                _ => self.client.get(url.clone()),
            };
            request = request
                .header("accept", "text/html,application/xhtml+xml")
                .header("accept-language", &self.languages)
                .header("sec-fetch-site", site.clone());
            if let Some(cookies) = self.cookie_header(&url) {
                request = request.header("cookie", cookies);
            }
            let response = request.send().await.unwrap_or_else(|error| panic!("{url}: {error}"));
            self.keep_cookies(&url, response.headers());
            let status = response.status();
            let headers = response.headers().clone();
            let location = headers.get("location").filter(|_| status.is_redirection());
            let Some(location) = location else {
                let body = response.text().await.expect("a body");
                return Page {
                    url,
                    status: status.as_u16(),
                    headers,
                    body,
                };
            };
            let next = url.join(location.to_str().expect("an address")).expect("an address");
            // The app's own address is where a browser's part ends.
            if next.scheme() == "deepsearch" || next.path() == "/auth/callback" {
                self.history.push(next.to_string());
                return Page {
                    url: next,
                    status: status.as_u16(),
                    headers,
                    body: String::new(),
                };
            }
            if status.as_u16() != 307 && status.as_u16() != 308 {
                method = "GET".to_owned();
                form = None;
            }
            if next.origin() != url.origin() {
                site = HeaderValue::from_static("cross-site");
            }
            url = next;
        }
        panic!("redirects without an end at {url}");
    }

    fn cookie_header(&self, url: &Url) -> Option<String> {
        let cookies = self
            .cookies
            .get(url.host_str()?)
            .filter(|cookies| !cookies.is_empty())?;
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some(pairs.join("; "))
    }

    fn keep_cookies(&mut self, url: &Url, headers: &HeaderMap) {
        let jar = self
            .cookies
            .entry(url.host_str().unwrap_or_default().to_owned())
            .or_default();
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie");
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            let attributes = attributes.to_ascii_lowercase();
            if name.starts_with("__Host-") {
                // A browser refuses any other.
                assert!(
                    attributes.contains("secure") && attributes.contains("path=/"),
                    "{cookie}"
                );
                assert!(!attributes.contains("domain"), "{cookie}");
                assert!(
                    attributes.contains("httponly") && attributes.contains("samesite=lax"),
                    "{cookie}"
                );
            }
            if attributes.contains("max-age=0") || attributes.contains("expires=thu, 01 jan 1970") || value.is_empty() {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Page {
    pub(crate) fn heading(&self) -> String {
        let html = Html::parse_document(&self.body);
        let headings = Selector::parse("h1").expect("a selector");
        html.select(&headings)
            .next()
            .map(|heading| heading.text().collect())
            .unwrap_or_default()
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        let html = Html::parse_document(&self.body);
        html.root_element().text().collect::<String>().contains(text)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.url
            .query_pairs()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Where the first form goes, with its hidden and written fields and these values over them.
    pub(crate) fn form(&self, values: &[(&str, &str)]) -> (Url, Vec<(String, String)>) {
        let html = Html::parse_document(&self.body);
        let forms = Selector::parse("form").expect("a selector");
        let inputs = Selector::parse("input[name]").expect("a selector");
        let form = html.select(&forms).next();
        let form = form.unwrap_or_else(|| panic!("no form at {}: {}", self.url, self.body));
        let action = form.value().attr("action").unwrap_or_default();
        let url = self.url.join(action).expect("an address");
        let mut fields: Vec<(String, String)> = form
            .select(&inputs)
            .map(|input| {
                let attribute = |name| input.value().attr(name).unwrap_or_default().to_owned();
                (attribute("name"), attribute("value"))
            })
            .filter(|(name, _)| !values.iter().any(|(given, _)| given == name))
            .collect();
        fields.extend(
            values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        (url, fields)
    }
}
