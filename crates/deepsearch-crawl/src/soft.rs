//! Pages that answer "200 OK" and are not the page: sign-in forms, CAPTCHAs, shells that scripts would fill.
//!
//! Judged only where little text was found: an article about CAPTCHAs is an article.

use url::Url;

/// What a page is instead of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Soft {
    Empty,
    SignIn,
    Captcha,
    NeedsScript,
}

/// Characters of text above which a page is taken at its word.
const ENOUGH: usize = 600;
const ENOUGH_FOR_A_SHELL: usize = 250;
/// The part of a document that is searched for marks.
const SEARCHED: usize = 256 << 10;

const CAPTCHA_MARKS: &[&str] = &[
    "g-recaptcha",
    "h-captcha",
    "hcaptcha.com/1/api.js",
    "cf-challenge",
    "challenge-platform",
    "cf-turnstile",
    "_cf_chl_opt",
    "captcha-delivery.com",
    "px-captcha",
    "geo.captcha",
    "awswafcaptcha",
    "arkoselabs.com",
    "distil_r_captcha",
    "/recaptcha/api",
    "sec-if-cpt-container",
];
const CAPTCHA_WORDS: &[&str] = &[
    "are you a robot",
    "are you human",
    "verify you are human",
    "verify that you are human",
    "not a robot",
    "unusual traffic",
    "checking your browser",
    "just a moment",
    "attention required",
    "pardon our interruption",
    "complete the security check",
    "press & hold",
    "access to this page has been denied",
];
const SCRIPT_WORDS: &[&str] = &[
    "enable javascript",
    "javascript is disabled",
    "javascript is required",
    "requires javascript",
    "javascript to run this app",
    "turn on javascript",
    "need to enable javascript",
    "javascript must be enabled",
    "activate javascript",
    "without javascript",
    "javascript aktivieren",
    "activer javascript",
    "habilitar javascript",
];
const SHELL_MARKS: &[&str] = &[
    "id=\"root\"",
    "id=\"app\"",
    "id=\"__next\"",
    "id=\"__nuxt\"",
    "<app-root",
    "id='root'",
    "id='app'",
    "id=root",
    "id=app",
];
const SIGN_IN_WORDS: &[&str] = &[
    "sign-in",
    "signin",
    "sign_in",
    "login",
    "log-in",
    "logon",
    "sso",
    "auth",
    "oauth",
    "oauth2",
    "authorize",
    "authenticate",
    "wp-login",
];
const SIGN_IN_HOSTS: &[&str] = &[
    "accounts.google.com",
    "login.microsoftonline.com",
    "login.live.com",
    "appleid.apple.com",
];

/// Looks at what an HTML page gave: `None` where it is a page.
pub(crate) fn judge(html: &str, text: &str) -> Option<Soft> {
    let length = text.trim().chars().take(ENOUGH).count();
    if length >= ENOUGH {
        return None;
    }
    let html = html
        .get(..floor(html, SEARCHED))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let text = text.to_lowercase();
    let any = |marks: &[&str], place: &str| marks.iter().any(|mark| place.contains(mark));
    let is_bare = length < ENOUGH_FOR_A_SHELL;
    if any(CAPTCHA_MARKS, &html) && (length == 0 || any(CAPTCHA_WORDS, &html)) || is_bare && any(CAPTCHA_WORDS, &text) {
        return Some(Soft::Captcha);
    }
    if has_password_field(&html) {
        return Some(Soft::SignIn);
    }
    let asks_for_scripts = any(SCRIPT_WORDS, &text) || length == 0 && any(SCRIPT_WORDS, &html);
    let is_shell = length == 0 && html.contains("<script") && any(SHELL_MARKS, &html);
    if is_bare && (asks_for_scripts || is_shell) {
        return Some(Soft::NeedsScript);
    }
    (length == 0).then_some(Soft::Empty)
}

/// Whether a redirect leads from a page to its site's sign-in, and not from one sign-in page to another.
pub(crate) fn leads_to_sign_in(from: &Url, to: &Url) -> bool {
    is_sign_in(to) && !is_sign_in(from)
}

fn is_sign_in(url: &Url) -> bool {
    let by_host = url.host_str().is_some_and(|host| SIGN_IN_HOSTS.contains(&host));
    let mut segments = url.path_segments().into_iter().flatten();
    by_host || segments.any(is_sign_in_word)
}

fn is_sign_in_word(segment: &str) -> bool {
    let segment = segment.to_ascii_lowercase();
    let stem = segment.split('.').next().unwrap_or_default();
    SIGN_IN_WORDS.contains(&stem)
}

fn has_password_field(html: &str) -> bool {
    ["type=\"password\"", "type='password'", "type=password"]
        .iter()
        .any(|mark| html.contains(mark))
}

fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}
