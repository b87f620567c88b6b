//! A PDF: all that is said is in it as text, links lead where they say, and the same chat gives the same bytes.
//!
//! Where a system has no fonts, there is nothing to set it in, and these pass by.

use deepsearch_archive::{ArchivedChat, ArchivedMessage, PdfError, Typesetter};
use deepsearch_core::{Citation, MessageId, PageId, Role, Source, Span};
use pdf_inspector::process_pdf_mem;

use crate::support::{chat_of, now};

const ANSWER: &str = "\
# Height

The tower is **330 m** high.[1] It was *taller* than any other until 1930, `see` [the list](https://example.org/list).

1. First it was a gate
2. then a mast:
   - for the telegraph
   - for the wireless

> Nobody will want it. It is ugly and stays so for a hundred years, they said, and what they said was printed.

```rust
fn height() -> u32 { 330 }
```

| Part | Height |
| --- | ---: |
| Tower | 300 m |
| Aerial | 30 m |

高さは三百三十メートルです。

برج إيفل يبلغ ارتفاعه ٣٣٠ مترًا.

---

Not this: [x](javascript:alert(3)) ![picture](https://evil.example/p.png) <b>mark</b>
";

fn chat() -> ArchivedChat {
    let mut chat = chat_of(
        "Tower",
        &[(Role::User, "How high is the tower?"), (Role::Assistant, ANSWER)],
    );
    let answer = &mut chat.messages[1];
    answer.message.sources = Some(vec![Source {
        title: "Tower, an encyclopedia".into(),
        url: "https://example.com/tower".into(),
        snippet: String::new(),
        favicon: None,
    }]);
    let at = ANSWER.find("[1]").expect("a marker");
    answer.citations = vec![Citation {
        number: 1,
        marker: Span::new(at, at + 3),
        sentence: Span::new(at - 10, at + 3),
        page_id: PageId::from_stored("page_1"),
        page_span: Span::new(0, 4),
        quote: "With its aerial, the tower measures 330 metres.".into(),
    }];
    chat
}

/// The document, or nothing where this system has no fonts.
fn pdf(chat: &ArchivedChat) -> Option<Vec<u8>> {
    match Typesetter::default().pdf(chat) {
        Ok(pdf) => Some(pdf),
        Err(PdfError::NoFonts) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The text in it, white space aside.
fn text(pdf: &[u8]) -> (String, u32) {
    let read = process_pdf_mem(pdf).expect("it can be read");
    let text = read.markdown.expect("there is text");
    (text.split_whitespace().collect::<Vec<_>>().join(" "), read.page_count)
}

fn has(pdf: &[u8], bytes: &str) -> bool {
    pdf.windows(bytes.len()).any(|window| window == bytes.as_bytes())
}

#[test]
fn all_that_is_said_is_in_it_as_text() {
    let Some(pdf) = pdf(&chat()) else { return };
    let (text, pages) = text(&pdf);
    assert_eq!(pages, 1, "{text}");
    for said in [
        "How high is the tower?",
        "The tower is",
        "330 m",
        "then a mast:",
        "for the wireless",
        "Nobody will want it.",
        "fn height() -> u32 { 330 }",
        "Aerial",
        "30 m",
        "高さは三百三十メートルです。",
        "Tower, an encyclopedia",
        "With its aerial, the tower measures 330 metres.",
        "https://example.com/tower",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    // Arabic is drawn from right to left; what reads it may put its letters either way, and join them or not.
    let letters: String = text.chars().filter(|letter| "إيفلبرج".contains(*letter)).collect();
    assert!(letters.len() >= "إيفلبرج".len(), "{letters} in {text}");
}

#[test]
fn links_lead_to_the_web_and_to_the_sources_and_nothing_runs() {
    let Some(pdf) = pdf(&chat()) else { return };
    assert!(has(&pdf, "/URI(https://example.com/tower)"), "the source");
    assert!(has(&pdf, "/URI(https://example.org/list)"), "the list");
    assert!(has(&pdf, "/Dest"), "the citation leads to its source");
    assert!(has(&pdf, "/StructTreeRoot") && has(&pdf, "/Outlines"));
    for hostile in ["javascript:", "evil.example", "/JS", "/Launch", "/OpenAction"] {
        assert!(!has(&pdf, hostile), "{hostile}");
    }
}

#[test]
fn the_same_chat_gives_the_same_bytes() {
    let (Some(one), Some(other)) = (pdf(&chat()), pdf(&chat())) else {
        return;
    };
    assert!(one == other, "{} and {} bytes", one.len(), other.len());
    assert!(
        has(&one, "D:20270115"),
        "it says when the chat changed last, not when it was written"
    );
}

#[test]
fn a_long_chat_takes_many_pages_and_loses_no_line() {
    let lines: String = (1..=400)
        .map(|number| {
            format!("Paragraph number-{number} tells of the sea, of the wind and of the birds on the rock.\n\n")
        })
        .collect();
    let code: String = (1..=200)
        .map(|number| format!("let line_{number} = {number};\n"))
        .collect();
    let rows: String = (1..=150)
        .map(|number| format!("| cell-{number} | {number} |\n"))
        .collect();
    let answer = format!("{lines}\n```\n{code}```\n\n| Name | Number |\n| --- | --- |\n{rows}");
    let chat = chat_of("Long", &[(Role::User, "Everything?"), (Role::Assistant, &answer)]);
    let Some(pdf) = pdf(&chat) else { return };
    let (text, pages) = text(&pdf);
    assert!(pages > 12, "{pages} pages");
    for number in 1..=400 {
        assert!(text.contains(&format!("number-{number} ")), "paragraph {number}");
    }
    for number in 1..=200 {
        assert!(
            text.contains(&format!("let line_{number} = {number};")),
            "line {number}"
        );
    }
    for number in 1..=150 {
        let cell = |end: &str| text.contains(&format!("cell-{number}{end}"));
        assert!(cell(" ") || cell("|"), "row {number}");
    }
}

#[test]
fn what_is_odd_is_set_all_the_same() {
    let word = "x".repeat(5_000);
    let cells = format!(
        "| {} |\n| {} |\n| {} |\n",
        "a | ".repeat(60),
        "--- | ".repeat(60),
        "b | ".repeat(60)
    );
    let deep = (0..40)
        .map(|depth| format!("{}- deep {depth}\n", "  ".repeat(depth)))
        .collect::<String>();
    let answer = format!(
        "{word}\n\n{cells}\n\n{deep}\n\n{}\u{0}\u{7}\u{202e}end",
        ">".repeat(200)
    );
    let mut chat = chat_of("", &[(Role::User, ""), (Role::Assistant, &answer)]);
    // Citations that fit nothing.
    chat.messages[1].citations = vec![Citation {
        number: 9,
        marker: Span::new(3, 90_000),
        sentence: Span::new(0, 1),
        page_id: PageId::from_stored("gone"),
        page_span: Span::new(7, 9),
        quote: String::new(),
    }];
    let Some(pdf) = pdf(&chat) else { return };
    assert!(text(&pdf).1 >= 1);
    let empty = chat_of("Empty", &[]);
    assert!(Typesetter::default().pdf(&empty).is_ok());
}

#[test]
fn an_unknown_message_is_no_harm() {
    let mut chat = chat();
    chat.chat.leaf = Some(MessageId::from_stored("gone"));
    chat.messages
        .push(ArchivedMessage::bare(chat.messages[0].message.clone()));
    assert!(pdf(&chat).is_none_or(|pdf| pdf.starts_with(b"%PDF-")));
    assert_eq!(chat.chat.updated_at, now());
}
