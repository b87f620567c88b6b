//! Pages: what a browser is shown, each with the headers that keep it to itself.
//!
//! No scripts, nothing from elsewhere, no trace in caches or referrers.

use std::sync::LazyLock;

use askama::Template;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::PrivateCookieJar;

use crate::markup::{Markup, escape};
use crate::texts::{Lang, Texts};
use crate::tokens;

const STYLE: &str = include_str!("../static/gateway.css");
const ICON: &str = include_str!("../../../icons/icon.svg");

/// The style's address changes with it, so that browsers may keep it for ever.
static STYLE_PATH: LazyLock<String> =
    LazyLock::new(|| format!("/style-{}.css", &hex::encode(tokens::hash(STYLE))[..12]));

/// What all pages share.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) lang: Lang,
    /// Whose sign-in this is.
    pub(crate) host: String,
}

/// A way to sign in, as a button.
pub(crate) struct Way {
    pub(crate) address: String,
    pub(crate) label: Markup,
    pub(crate) mark: Markup,
}

/// A device elsewhere, on the consent page.
pub(crate) struct Asked {
    pub(crate) asked: Markup,
    pub(crate) code: String,
}

macro_rules! page {
    ($(#[$doc:meta])* $name:ident, $path:tt, { $($field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Template)]
        #[template(path = $path)]
        pub(crate) struct $name {
            pub(crate) lang: Lang,
            pub(crate) t: &'static Texts,
            pub(crate) footer: Markup,
            pub(crate) style: &'static str,
            $(pub(crate) $field: $type,)*
        }
    };
}

page!(Choose, "choose.html", { lead: Markup, ways: Vec<Way>, });
page!(Email, "email.html", { flow: String, address: String, bad: bool, });
page!(Mailed, "mailed.html", { flow: String, address: String, text: Markup, sign: Markup, });
page!(Consent, "consent.html", {
    plain_title: String, title: Markup, lead: Markup, mark: Markup, name: Option<String>, email: String, way: String,
    request: Option<Asked>, new: bool, flow: String, form: String,
});
page!(Device, "device.html", { code: String, bad: bool, });
page!(Message, "message.html", {
    plain_title: String, title: Markup, text: Markup, sign: Option<Markup>, next: Option<String>,
    link: Option<(String, String)>,
});

/// Fills in what all pages share.
macro_rules! show {
    ($page:ident, $frame:expr, { $($field:ident $(: $value:expr)?),* $(,)? }) => {{
        let frame: &$crate::pages::Frame = $frame;
        $crate::pages::$page {
            lang: frame.lang,
            t: frame.lang.texts(),
            footer: frame.lang.texts().footer.with(&[("host", &frame.host)]),
            style: $crate::pages::style_path(),
            $($field $(: $value)?),*
        }
    }};
}
pub(crate) use show;

pub(crate) fn style_path() -> &'static str {
    &STYLE_PATH
}

/// A page on its way to a browser.
pub(crate) struct Page {
    status: StatusCode,
    html: String,
    form_target: Option<String>,
}

impl Page {
    pub(crate) fn of(template: &impl Template) -> Self {
        Self::with_status(StatusCode::OK, template)
    }

    pub(crate) fn with_status(status: StatusCode, template: &impl Template) -> Self {
        match template.render() {
            Ok(html) => Self {
                status,
                html,
                form_target: None,
            },
            // Writing to a string fails only where a value's own display fails; none of ours does.
            Err(error) => {
                tracing::error!(%error, "a page could not be drawn");
                Self {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    html: String::new(),
                    form_target: None,
                }
            }
        }
    }

    /// Where the page's form may lead to besides this gateway.
    #[must_use]
    pub(crate) fn form_target(mut self, target: String) -> Self {
        self.form_target = Some(target);
        self
    }

    #[must_use]
    pub(crate) fn with(self, jar: PrivateCookieJar) -> Response {
        (jar, self).into_response()
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let target = self.form_target.map(|target| format!(" {target}")).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{target}; frame-ancestors 'none'; \
             base-uri 'none'"
        );
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        (self.status, headers, self.html).into_response()
    }
}

/// What every answer of the gateway says, whatever it holds.
pub(crate) fn common_headers(https: bool) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        ),
    ];
    if https {
        headers.push((
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        ));
    }
    headers
}

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

pub(crate) async fn style() -> Response {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_EVER)], STYLE).into_response()
}

pub(crate) async fn icon() -> Response {
    let kind = HeaderValue::from_static("image/svg+xml");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_A_DAY)], ICON).into_response()
}

/// A sign for a person or a way to sign in: how their name begins.
pub(crate) fn letter_mark(name: &str, letters: usize) -> Markup {
    let mut letters = name.trim().chars().take(letters);
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let sign: String = first.chain(letters).collect();
    mark(&escape(&sign))
}

/// A sign for e-mail.
pub(crate) fn mail_mark() -> Markup {
    mark(ENVELOPE)
}

/// Above the heading of a page: a mail is on its way.
pub(crate) fn mail_sign() -> Markup {
    sign(ENVELOPE)
}

/// Above the heading of a page: it is done.
pub(crate) fn done_sign() -> Markup {
    sign(CHECK)
}

fn mark(inner: &str) -> Markup {
    Markup(format!("<span class=\"mark\" aria-hidden=\"true\">{inner}</span>"))
}

fn sign(inner: &str) -> Markup {
    Markup(format!("<span class=\"mark sign\" aria-hidden=\"true\">{inner}</span>"))
}

const ENVELOPE: &str = concat!(
    r#"<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.25" stroke-linejoin="round">"#,
    r#"<rect x="2" y="3.5" width="12" height="9" rx="1.5"/><path d="m2.5 4.5 5.5 4.5 5.5-4.5"/></svg>"#,
);
const CHECK: &str = concat!(
    r#"<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" "#,
    r#"stroke-linejoin="round"><path d="m3 8.5 3.5 3.5L13 5"/></svg>"#,
);

#[cfg(test)]
mod drawn;
