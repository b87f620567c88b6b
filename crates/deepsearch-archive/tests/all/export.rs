//! What is written: read again it is the same; as HTML it runs and loads nothing, whatever is in it.

use deepsearch_archive::{
    ArchivedChat, ArchivedMessage, Format, JSON_END, PageOfSource, file_name_of_many, html, json_chat, json_start,
    markdown,
};
use deepsearch_core::{
    Chat, ChatId, Citation, Labels, MediaType, Message, MessageId, MessageState, Page, PageId, Role, SentenceCheck,
    Source, Span, Verdict,
};

use crate::support::{now, read};

fn chat() -> ArchivedChat {
    let text = "Before it. The tower is 330 m high. After <script>alert(1)</script> it.";
    let page = Page {
        id: PageId::from_stored("page_1"),
        url: "https://example.com/tower".parse().expect("a url"),
        title: "Tower <b>".into(),
        author: None,
        site_name: None,
        published_at: None,
        favicon: None,
        picture: None,
        language: None,
        media_type: MediaType::Text,
        text: text.into(),
        sentences: deepsearch_core::text::sentences(text),
        html: None,
        fetched_at: now(),
        content_hash: deepsearch_core::page::content_hash(text),
    };
    let message = |id: &str, parent: Option<&str>, role, content: &str, at| Message {
        id: MessageId::from_stored(id),
        chat_id: ChatId::from_stored("chat_1"),
        parent: parent.map(MessageId::from_stored),
        role,
        content: content.into(),
        sources: None,
        metadata: None,
        created_at: now() + chrono::TimeDelta::milliseconds(at),
        state: MessageState::Complete,
    };
    let question = message(
        "msg_1",
        None,
        Role::User,
        "How high is the tower? <img src=x onerror=alert(1)>",
        0,
    );
    let content =
        "It is **330 m** high.[1] <script>alert(2)</script> [x](javascript:alert(3)) ![p](https://evil.example/p.png)";
    let mut answer = message("msg_2", Some("msg_1"), Role::Assistant, content, 1);
    answer.sources = Some(vec![Source {
        title: "Tower".into(),
        url: "https://example.com/tower".into(),
        snippet: String::new(),
        favicon: None,
    }]);
    let quote = "The tower is 330 m high.";
    let start = text.find(quote).expect("it is quoted");
    let answer = ArchivedMessage {
        message: answer,
        pages: vec![PageOfSource {
            number: 1,
            page_id: page.id.clone(),
        }],
        citations: vec![Citation {
            number: 1,
            marker: Span::new(21, 24),
            sentence: Span::new(0, 24),
            page_id: page.id.clone(),
            page_span: Span::new(start, start + quote.len()),
            quote: quote.into(),
        }],
        checks: vec![SentenceCheck {
            sentence: Span::new(0, 24),
            verdict: Verdict::Supported,
            evidence: None,
        }],
        follow_ups: vec!["Who built it?".into()],
    };
    ArchivedChat {
        chat: Chat {
            id: ChatId::from_stored("chat_1"),
            title: "Tower".into(),
            created_at: now(),
            updated_at: now(),
            deleted_at: None,
            pinned: true,
            archived: false,
            leaf: Some(MessageId::from_stored("msg_2")),
        },
        labels: Labels {
            collection: Some("Zweite Heimat".into()),
            tags: vec!["hohe Bauten".into(), "旅行".into()],
        },
        messages: vec![ArchivedMessage::bare(question), answer],
        pages: vec![page],
    }
}

#[test]
fn our_json_loses_nothing() {
    let chat = chat();
    let document = json_start(now()) + &json_chat(&chat, true).expect("it is JSON") + JSON_END;
    let (read, done) = read("deepsearch.json", document.as_bytes());
    done.expect("it is whole");
    assert!(read.notes.is_empty(), "{:?}", read.notes);
    assert_eq!(read.chats, [chat]);
}

#[test]
fn our_markdown_is_read_again() {
    let (read, done) = read("tower.md", markdown(&chat()).as_bytes());
    done.expect("it is whole");
    let messages = &read.chats[0].messages;
    assert_eq!(messages.len(), 2);
    assert_eq!(
        messages[1].message.sources.as_ref().expect("its sources")[0].url,
        "https://example.com/tower"
    );
    assert!(messages[1].message.content.starts_with("It is **330 m** high.[1]"));
}

#[test]
fn a_citation_opens_the_quoted_sentence_and_nothing_runs() {
    let document = html(&chat());
    assert!(
        document.contains("href=\"#q0-0\"") && document.contains("<mark id=\"q0-0\">The tower is 330 m high.</mark>")
    );
    assert!(document.contains("default-src 'none'"));
    for hostile in ["<script", "javascript:", "<img", "evil.example", "<b>"] {
        assert!(!document.contains(hostile), "{hostile}");
    }
}

/// The interface's tests open this very file in a browser (`ui/tests/browser/shared-file.test.ts`); with
/// `DEEPSEARCH_UPDATE_SHARED` set, it is written anew.
#[test]
fn the_file_that_is_opened_in_a_browser_is_the_one_that_is_shared() {
    let committed = std::path::Path::new("tests/all/shared.html");
    let document = html(&chat());
    if std::env::var_os("DEEPSEARCH_UPDATE_SHARED").is_some() {
        std::fs::write(committed, document).expect("writing the file");
        return;
    }
    let known = std::fs::read_to_string(committed).expect("reading the file");
    assert!(
        document == known,
        "run this test with DEEPSEARCH_UPDATE_SHARED=1 and commit what it writes"
    );
}

#[test]
fn what_is_for_others_does_not_tell_how_its_owner_sorts_it() {
    let chat = chat();
    for document in [markdown(&chat), html(&chat)] {
        for private in ["Zweite Heimat", "hohe Bauten", "旅行"] {
            assert!(!document.contains(private), "{private}");
        }
    }
}

#[test]
fn a_file_of_many_chats_is_called_by_what_they_have_in_common() {
    let named = |common, format| file_name_of_many(common, format);
    assert_eq!(named(None, Format::Json), "deepsearch-chats.json");
    assert_eq!(
        named(Some("Zweite Heimat"), Format::Json),
        "deepsearch-chats-Zweite-Heimat.json"
    );
    assert_eq!(named(Some("旅行"), Format::Pdf), "deepsearch-chats-旅行-pdf.zip");
    for hostile in ["../../etc/passwd", "CON", "a\\b:c*?\"<>|", " . ", "x\u{202E}gpj.exe"] {
        let name = named(Some(hostile), Format::Html);
        let is_plain = |letter: char| letter.is_alphanumeric() || letter == '-';
        let stem = name.strip_suffix("-html.zip").expect("how it ends");
        assert!(
            stem.starts_with("deepsearch-chats") && stem.chars().all(is_plain),
            "{name}"
        );
    }
}
