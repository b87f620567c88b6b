//! Archives as their publishers make them, and damaged ones.

use deepsearch_archive::{ArchiveError, Limits, Reason};
use deepsearch_core::Role;
use serde_json::{Value, json};

use crate::support::{Read, chat_of, now, read, read_within, zip_of};

fn node(id: &str, parent: Option<&str>, role: &str, at: f64, text: &str) -> Value {
    json!({"id": id, "parent": parent, "children": [], "message": {
        "id": id, "author": {"role": role}, "create_time": at, "recipient": "all",
        "content": {"content_type": "text", "parts": [text]}, "metadata": {}}})
}

fn chatgpt() -> Value {
    let mut cited = node(
        "a2",
        Some("u2"),
        "assistant",
        1_700_000_004.5,
        "Paris.\u{e200}cite\u{e202}turn0search0\u{e201}",
    );
    cited["message"]["metadata"] = json!({"model_slug": "gpt-5", "content_references": [{
        "matched_text": "\u{e200}cite\u{e202}turn0search0\u{e201}", "type": "grouped_webpages",
        "items": [{"title": "France", "url": "https://en.wikipedia.org/wiki/France", "snippet": "capital"}]}]});
    json!({"title": "Capitals", "conversation_id": "c-1", "create_time": 1_700_000_000.0, "update_time": 1_700_000_010.0,
        "current_node": "a2", "is_archived": false, "mapping": {
            "root": {"id": "root", "parent": null, "children": ["s"], "message": null},
            "s": node("s", Some("root"), "system", 1_700_000_000.0, ""),
            "u1": node("u1", Some("s"), "user", 1_700_000_001.0, "Capital of Germany?"),
            "a1": node("a1", Some("u1"), "assistant", 1_700_000_002.0, "Berlin."),
            "u2": node("u2", Some("s"), "user", 1_700_000_003.0, "Capital of France?"),
            "a2": cited}})
}

#[test]
fn a_chatgpt_tree_keeps_its_branches_and_what_it_cites() {
    let archive = zip_of(&[
        ("conversations.json", json!([chatgpt()]).to_string().as_bytes()),
        ("chat.html", b"<html>"),
    ]);
    let (read, done) = read("export.zip", &archive);
    done.expect("it is whole");
    let chat = &read.chats[0];
    assert_eq!(chat.messages.len(), 4);
    let shown: Vec<&str> = chat.shown().iter().map(|one| one.message.content.as_str()).collect();
    assert_eq!(shown, ["Capital of France?", "Paris.[1]"]);
    let sources = chat.shown()[1].message.sources.clone().expect("it cites");
    assert_eq!(sources[0].url, "https://en.wikipedia.org/wiki/France");
    assert_eq!(read.reasons(), [Reason::OtherFile]);
    let times: Vec<_> = chat.messages.iter().map(|one| one.message.created_at).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    for one in &chat.messages {
        one.message.validate().expect("the store takes it");
    }
}

#[test]
fn an_export_of_chatgpt_that_is_split_into_several_lists_is_read_whole() {
    let split = |id: &str| {
        let mut chat = chatgpt();
        chat["conversation_id"] = id.into();
        json!([chat]).to_string()
    };
    let (first, second) = (split("c-1"), split("c-2"));
    let archive = zip_of(&[
        ("conversations-000.json", first.as_bytes()),
        ("conversations-001.json", second.as_bytes()),
        ("shared_conversations.json", b"[]"),
        ("user.json", b"{}"),
        ("chat.html", b"<html>"),
    ]);
    let (read, done) = read("export.zip", &archive);
    done.expect("it is whole");
    assert_eq!(read.chats.len(), 2);
    assert_ne!(read.chats[0].chat.id, read.chats[1].chat.id);
    assert_eq!(read.reasons(), [Reason::OtherFile]);
}

#[test]
fn reading_it_again_gives_the_same_ids() {
    let bytes = json!([chatgpt()]).to_string();
    assert_eq!(
        read("a.json", bytes.as_bytes()).0.chats,
        read("b.json", bytes.as_bytes()).0.chats
    );
}

#[test]
fn a_circle_is_told_of_and_the_next_chat_is_read() {
    let mut circle = chatgpt();
    circle["mapping"] =
        json!({"x": node("x", Some("y"), "user", 1.0, "a"), "y": node("y", Some("x"), "assistant", 2.0, "b")});
    let (read, done) = read("c.json", json!([circle, chatgpt()]).to_string().as_bytes());
    done.expect("it is whole");
    assert_eq!(read.reasons(), [Reason::Circle]);
    assert_eq!(read.chats.len(), 1);
}

#[test]
fn unknown_parts_and_pictures_are_left_out_and_counted() {
    let mut chat = chatgpt();
    chat["mapping"]["u1"]["message"]["content"] = json!({"content_type": "multimodal_text", "parts": [
        {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}, 7, "What is this?"]});
    let (read, _) = read("c.json", json!([chat]).to_string().as_bytes());
    assert_eq!(read.notes[0].reason, Reason::Attachment);
    assert_eq!(read.notes[0].count, 2);
    assert!(
        read.chats[0]
            .messages
            .iter()
            .any(|one| one.message.content == "What is this?")
    );
}

#[test]
fn a_claude_chat_is_read_with_what_its_tools_did_left_out() {
    let chat = json!([{"uuid": "k-1", "name": "Hi", "created_at": "2025-01-02T03:04:05.123456Z",
        "updated_at": "2025-01-02T03:05:00Z", "account": {"uuid": "z"}, "chat_messages": [
        {"uuid": "m1", "sender": "human", "text": "Hello", "content": [{"type": "text", "text": "Hello"}],
            "created_at": "2025-01-02T03:04:05.123456Z", "attachments": [], "files": [{"file_name": "a.png"}]},
        {"uuid": "m2", "sender": "assistant", "text": "x", "content": [{"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "Good day."}], "created_at": "2025-01-02T03:04:06Z", "attachments": [], "files": []}]}]);
    let (read, done) = read("conversations.json", chat.to_string().as_bytes());
    done.expect("it is whole");
    let texts: Vec<&str> = read.chats[0]
        .messages
        .iter()
        .map(|one| one.message.content.as_str())
        .collect();
    assert_eq!(texts, ["Hello", "Good day."]);
    assert_eq!(read.reasons(), [Reason::Hidden, Reason::Attachment]);
}

#[test]
fn an_open_webui_chat_is_read_without_what_the_model_thought() {
    let chat = json!([{"id": "w", "title": "T", "created_at": 1_700_000_000, "updated_at": 1_700_000_009, "pinned": true,
        "archived": false, "chat": {"history": {"currentId": "b", "messages": {
            "a": {"id": "a", "parentId": null, "childrenIds": ["b"], "role": "user", "content": "Q", "timestamp": 1_700_000_001},
            "b": {"id": "b", "parentId": "a", "role": "assistant", "model": "qwen", "timestamp": 1_700_000_002,
                "content": "<details type=\"reasoning\" done=\"true\">\nhm\n</details>\nA [1]",
                "sources": [{"source": {"name": "Web"}, "document": ["text"], "metadata": [{"source": "https://a.example/"}]}]}}}}}]);
    let (read, _) = read("chats.json", chat.to_string().as_bytes());
    let chat = &read.chats[0];
    assert!(chat.chat.pinned);
    assert_eq!(chat.messages[1].message.content, "A [1]");
    assert_eq!(
        chat.messages[1].message.sources.as_ref().expect("a source")[0].url,
        "https://a.example/"
    );
}

#[test]
fn perplexity_is_read_in_each_of_its_forms() {
    let markdown = "<img src=\"https://r2cdn.perplexity.ai/pplx-full-logo-primary-dark%402x.png\" class=\"logo\" width=\"120\"/>\n\n\
        # Why is the sky blue?\n\nScattering.[^1_1]\n\n## Detail\n\nMore.\n\n---\n\n# And red?\n\nLonger way.[^1_2]\n\n\
        <div style=\"text-align: center\">⁂</div>\n\n[^1_1]: https://a.example/\n\n[^1_2]: https://b.example/\n";
    let (first, done) = read("sky.md", markdown.as_bytes());
    done.expect("it is whole");
    let messages: Vec<(Role, &str)> = first.chats[0]
        .messages
        .iter()
        .map(|one| (one.message.role, one.message.content.as_str()))
        .collect();
    assert_eq!(
        messages,
        [
            (Role::User, "Why is the sky blue?"),
            (Role::Assistant, "Scattering.[1]\n\n## Detail\n\nMore."),
            (Role::User, "And red?"),
            (Role::Assistant, "Longer way.[1]"),
        ]
    );
    let data = json!({"conversations": [{"context_uuid": "p", "context_title": "Sky", "created_at": "2025-10-30T12:00:00.123456",
        "entries": [{"query": "Why?", "answer": "So.", "created_at": "2025-10-30T12:00:00"}]}]});
    assert_eq!(
        read("data.json", data.to_string().as_bytes()).0.chats[0].messages.len(),
        2
    );
    let thread = json!({"status": "success", "entries": [{"backend_uuid": "e", "context_uuid": "p2", "thread_title": "Sky",
        "query_str": "Why?", "updated_datetime": "2025-10-30T12:00:00.1", "blocks": [
            {"intended_usage": "sources_answer_mode", "sources_mode_block": {"web_results": [{"name": "A", "url": "https://a.example/", "snippet": "s"}]}},
            {"intended_usage": "ask_text", "markdown_block": {"answer": "So.[1]"}}]}]});
    let (second, _) = read("thread.json", thread.to_string().as_bytes());
    assert_eq!(
        second.chats[0].messages[1].message.sources.as_ref().expect("a source")[0].title,
        "A"
    );
}

#[test]
fn a_zip_that_was_cut_off_gives_nothing_and_says_so() {
    let archive = zip_of(&[("conversations.json", json!([chatgpt()]).to_string().as_bytes())]);
    let (read, done) = read("export.zip", &archive[..archive.len() / 2]);
    assert!(matches!(done, Err(ArchiveError::Damaged(_))));
    assert!(read.chats.is_empty());
}

#[test]
fn json_that_ends_in_the_middle_keeps_the_chats_before() {
    let whole = json!([chatgpt(), chatgpt()]).to_string();
    let (read, done) = read("c.json", &whole.as_bytes()[..whole.len() - 40]);
    assert!(matches!(done, Err(ArchiveError::CutOff)));
    assert_eq!(read.chats.len(), 1);
}

#[test]
fn a_broken_chat_spoils_none_beside_it() {
    let text = format!("[{{\"mapping\": tru}}, {}]", chatgpt());
    let (read, done) = read("c.json", text.as_bytes());
    done.expect("the list is whole");
    assert_eq!((read.chats.len(), read.reasons()), (1, vec![Reason::Malformed]));
}

#[test]
fn what_unpacks_to_a_hundred_megabytes_of_nothing_is_refused() {
    let mut nothing = vec![b' '; 100 << 20];
    nothing[0] = b'[';
    let archive = zip_of(&[("conversations.json", &nothing)]);
    assert!(matches!(read("bomb.zip", &archive).1, Err(ArchiveError::Bomb)));
    let (plain, done) = read("c.json", &nothing);
    assert!(matches!(done, Err(ArchiveError::CutOff)) && plain.chats.is_empty());
}

#[test]
fn all_files_of_a_zip_together_unpack_to_no_more_than_they_may() {
    let said = |chat: usize| {
        format!(
            "## User\n\nQuestion {chat}?\n\n## Assistant\n\n{}\n",
            "An answer. ".repeat(1_000)
        )
    };
    let (one, two, three) = (said(1), said(2), said(3));
    let archive = zip_of(&[
        ("one.md", one.as_bytes()),
        ("two.md", two.as_bytes()),
        ("three.md", three.as_bytes()),
    ]);
    let limits = Limits {
        unpacked: 2 * one.len() as u64 + 100,
        ..Limits::default()
    };
    let (found, done) = read_within(limits, "many.zip", &archive);
    assert!(matches!(done, Err(ArchiveError::TooLarge { .. })), "{done:?}");
    assert_eq!(found.chats.len(), 2, "what came before stays");
    assert_eq!(read("many.zip", &archive).0.chats.len(), 3);
}

#[test]
fn a_message_with_very_many_sources_keeps_the_first_of_them() {
    let source =
        |at: usize| json!({ "url": format!("https://example.org/{at}"), "title": "A page", "text": "It says." });
    let citations: Vec<Value> = (0..10_000).map(|at| json!({ "metadata": source(at) })).collect();
    let references = (0..10_000).map(|at| {
        let mut reference = source(at);
        reference["matched_text"] = format!("#{at}#").into();
        reference
    });
    let references: Vec<Value> = references.collect();
    let mut chat = chatgpt();
    let answer = &mut chat["mapping"]["a1"]["message"];
    answer["content"]["parts"][0] = (0..10_000).map(|at| format!("#{at}# ")).collect::<String>().into();
    answer["metadata"] = json!({ "citations": citations, "content_references": references });
    let (found, done) = read("c.json", json!([chat]).to_string().as_bytes());
    done.expect("it is whole");
    let most = found.chats[0]
        .messages
        .iter()
        .filter_map(|one| one.message.sources.as_ref());
    assert_eq!(most.map(Vec::len).max(), Some(500));
}

#[test]
fn a_path_that_leads_out_is_refused() {
    let chats = json!([chatgpt()]).to_string();
    let archive = zip_of(&[
        ("../../conversations.json", chats.as_bytes()),
        ("conversations.json", chats.as_bytes()),
    ]);
    let (read, _) = read("c.zip", &archive);
    assert_eq!((read.chats.len(), read.reasons()), (1, vec![Reason::HostilePath]));
}

#[test]
fn a_chat_that_is_too_long_is_passed_over() {
    let mut long = chatgpt();
    long["mapping"]["u1"]["message"]["content"]["parts"][0] = "x".repeat(33 << 20).into();
    let (read, _) = read("c.json", json!([long, chatgpt()]).to_string().as_bytes());
    assert_eq!((read.chats.len(), read.reasons()), (1, vec![Reason::TooLarge]));
}

/// An export of ours with one answer that cites a page, changed as `change` says.
fn own(change: impl FnOnce(&mut Value)) -> Read {
    let text = "The tower is 41 m high.";
    let said = [(Role::User, "How high?"), (Role::Assistant, "41 m [1].")];
    let mut chat = serde_json::to_value(chat_of("Towers", &said)).expect("JSON");
    let (start, end) = (0, text.len());
    chat["messages"][1]["pages"] = json!([{"number": 1, "page_id": "page_1"}]);
    chat["messages"][1]["citations"] = json!([{"number": 1, "marker": {"start": 5, "end": 8},
        "sentence": {"start": 0, "end": 9}, "page_id": "page_1", "page_span": {"start": start, "end": end},
        "quote": text}]);
    chat["pages"] = json!([{"id": "page_1", "url": "https://a.example/", "title": "Towers", "author": null,
        "site_name": null, "published_at": null, "favicon": null, "language": "en", "media_type": "html", "text": text,
        "sentences": [{"start": start, "end": end}], "html": null, "fetched_at": now(),
        "content_hash": "as the file says"}]);
    change(&mut chat);
    let archive = format!(r#"{{"format": "deepsearch-chats", "version": 2, "chats": [{chat}]}}"#);
    let (read, done) = read("own.json", archive.as_bytes());
    done.expect("the file is whole");
    read
}

#[test]
fn evidence_of_a_file_is_held_against_its_pages() {
    let honest = own(|_| ());
    assert_eq!(honest.reasons(), [], "{honest:?}");
    let chat = &honest.chats[0];
    assert_eq!(chat.messages[1].citations.len(), 1);
    let text = &chat.pages[0].text;
    assert_eq!(chat.pages[0].content_hash, deepsearch_core::page::content_hash(text));

    // The text is another than what is quoted of it.
    let forged = own(|chat| chat["pages"][0]["text"] = "The tower is 99 m high.".into());
    assert_eq!(forged.reasons(), [Reason::Evidence]);
    assert_eq!(forged.chats[0].messages[1].citations, []);
    // A page that nothing refers to does not come in beside.
    let smuggled = own(|chat| {
        let mut page = chat["pages"][0].clone();
        page["id"] = "page_2".into();
        chat["pages"].as_array_mut().unwrap().push(page);
    });
    assert_eq!(smuggled.chats[0].pages.len(), 1);
}

#[test]
fn a_circle_in_our_own_format_is_opened_and_an_empty_id_is_no_id() {
    let circle = own(|chat| chat["messages"][0]["parent"] = "msg_2".into());
    assert_eq!(circle.reasons(), [Reason::Circle]);
    let parents: Vec<_> = circle.chats[0]
        .messages
        .iter()
        .map(|one| one.message.parent.clone())
        .collect();
    assert_eq!(parents, [None, Some(deepsearch_core::MessageId::from_stored("msg_1"))]);
    let nameless = own(|chat| chat["messages"][0]["id"] = "".into());
    assert_eq!((nameless.chats.len(), nameless.reasons()), (0, vec![Reason::Malformed]));
}
