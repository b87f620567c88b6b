//! Plain text, Markdown, JSON and the like: the lines as they are, without what cannot be seen.

use url::Url;

use super::Draft;

const LONGEST_TITLE: usize = 120;

pub(super) fn read(text: &str, url: &Url) -> Draft {
    let text = normalised(text);
    Draft {
        title: title(&text).unwrap_or_else(|| file_name(url)),
        text,
        ..Draft::default()
    }
}

/// One kind of line break, no trailing blanks, no control characters, at most one empty line in a row.
pub(crate) fn normalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.replace("\r\n", "\n").split(['\n', '\r', '\u{2028}', '\u{2029}']) {
        let line = line.trim_end();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty > 1 || (out.is_empty() && line.is_empty()) {
            continue;
        }
        out.extend(line.chars().filter(|c| !c.is_control() || *c == '\t'));
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

/// The first line that could be one, as Markdown and plain documents put it.
pub(crate) fn title(text: &str) -> Option<String> {
    let line = text
        .lines()
        .map(|line| line.trim_matches(['#', '=', '*', ' ', '\t']))
        .find(|line| !line.is_empty())?;
    let is_title = line.chars().count() <= LONGEST_TITLE && line.chars().any(char::is_alphabetic);
    (is_title && !line.starts_with(['{', '[', '<'])).then(|| line.to_owned())
}

/// The last part of the address, or its host.
pub(crate) fn file_name(url: &Url) -> String {
    let last = url
        .path_segments()
        .and_then(|mut segments| segments.rfind(|segment| !segment.is_empty()));
    last.or_else(|| url.host_str()).unwrap_or_default().to_owned()
}
