//! A PDF as text: reading order, columns, headings and tables come from the library, its Markdown marks go.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use pdf_inspector::{MarkdownOptions, PdfError, PdfOptions, process_pdf_mem_with_options};
use url::Url;

use super::text::{file_name, normalised, title};
use super::{Draft, Trouble};

pub(super) fn read(bytes: &[u8], url: &Url) -> Result<Draft, Trouble> {
    let options = PdfOptions::new().markdown(plain());
    let pdf = process_pdf_mem_with_options(bytes, options).map_err(|error| Trouble::Unparsable(words(&error)))?;
    // A scan has no text, and a font without a character map gives noise; both need eyes, which we do not have.
    let text = without_marks(&pdf.markdown.unwrap_or_default());
    let first_line = || title(&text);
    Ok(Draft {
        title: stated(pdf.title).or_else(first_line).unwrap_or_else(|| file_name(url)),
        author: stated(pdf.author),
        published_at: pdf.creation_date.as_deref().and_then(date),
        text,
        ..Draft::default()
    })
}

/// As little markup as the library can be asked for.
fn plain() -> MarkdownOptions {
    MarkdownOptions {
        detect_bold: false,
        detect_italic: false,
        detect_underline: false,
        detect_code: false,
        format_urls: false,
        include_images: false,
        include_links: false,
        include_page_numbers: false,
        ..MarkdownOptions::default()
    }
}

fn words(error: &PdfError) -> String {
    match error {
        PdfError::Encrypted => "it is protected by a password".into(),
        other => other.to_string(),
    }
}

/// One block per line: heading marks go, the cells of a table row are joined by ` | `.
fn without_marks(markdown: &str) -> String {
    let lines = markdown.lines().filter_map(|line| {
        let line = line.trim();
        let text = match line.strip_prefix('|') {
            Some(_) if line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ')) => return None,
            Some(row) => row
                .trim_end_matches('|')
                .split('|')
                .map(str::trim)
                .collect::<Vec<_>>()
                .join(" | "),
            None => heading(line).to_owned(),
        };
        (!text.is_empty() && text != "---").then_some(text)
    });
    normalised(&lines.collect::<Vec<_>>().join("\n"))
}

fn heading(line: &str) -> &str {
    let rest = line.trim_start_matches('#');
    if rest.starts_with(' ') && line.len() - rest.len() <= 6 {
        rest.trim_start()
    } else {
        line
    }
}

/// A metadata entry that says something: tools write their own words where nobody gave a title.
fn stated(value: Option<String>) -> Option<String> {
    let value = value?.trim().to_owned();
    let is_filler = matches!(
        value.to_lowercase().as_str(),
        "" | "untitled" | "(anonymous)" | "anonymous" | "unspecified"
    );
    (!is_filler).then_some(value)
}

/// Reads `D:20240115103000+01'00'`, of which everything after the year may be missing.
fn date(stated: &str) -> Option<DateTime<Utc>> {
    let stated = stated.trim().trim_start_matches("D:");
    let digits: String = stated.chars().take(14).take_while(char::is_ascii_digit).collect();
    let part =
        |from: usize, to: usize, missing: u32| digits.get(from..to).map_or(Some(missing), |part| part.parse().ok());
    let day = NaiveDate::from_ymd_opt(digits.get(..4)?.parse().ok()?, part(4, 6, 1)?, part(6, 8, 1)?)?;
    let local = day.and_hms_opt(part(8, 10, 0)?, part(10, 12, 0)?, part(12, 14, 0)?)?;
    let offset = offset(&stated[digits.len()..]).unwrap_or(FixedOffset::east_opt(0)?);
    Some(local.and_local_timezone(offset).single()?.to_utc())
}

/// `+01'00'`, `-0800`; `Z` and nothing mean none.
fn offset(stated: &str) -> Option<FixedOffset> {
    let sign = match stated.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = stated.chars().filter(char::is_ascii_digit).collect();
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..4).and_then(|minutes| minutes.parse().ok()).unwrap_or(0);
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_far_as_they_are_stated() {
        for (stated, read) in [
            ("D:20240115103000+01'00'", Some("2024-01-15T09:30:00+00:00")),
            ("D:20240115103000-0830", Some("2024-01-15T19:00:00+00:00")),
            ("20240115103000Z", Some("2024-01-15T10:30:00+00:00")),
            ("D:20240115", Some("2024-01-15T00:00:00+00:00")),
            ("D:2024", Some("2024-01-01T00:00:00+00:00")),
            ("D:20241399", None),
            ("yesterday", None),
            ("D:", None),
            ("D:20240115103000+99'99'", Some("2024-01-15T10:30:00+00:00")),
            ("D:2024\u{e9}", Some("2024-01-01T00:00:00+00:00")),
        ] {
            assert_eq!(date(stated).map(|date| date.to_rfc3339()).as_deref(), read, "{stated}");
        }
    }

    #[test]
    fn marks_go_and_text_that_looks_like_them_stays() {
        let markdown = "# Title\n\n#hashtag stays\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---\n\n- item\n";
        assert_eq!(without_marks(markdown), "Title\n#hashtag stays\na | b\n1 | 2\n- item");
    }
}
