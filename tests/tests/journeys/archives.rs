//! Archives of other assistants, as their publishers give them to who asks for their data: whole and in every part that
//! is not imported, too.

use std::io::{Cursor, Write as _};

use anyhow::Result;
use deepsearch_tests::cli::Home;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::world::text;

/// An archive, and what is to come of it.
pub(crate) struct Archive {
    pub(crate) file: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// As the report calls its publisher.
    pub(crate) origin: &'static str,
    /// By title, so many messages each, all branches together.
    pub(crate) chats: &'static [(&'static str, usize)],
    pub(crate) left_out: &'static [(&'static str, u32)],
    /// What the first chat says last, with its marks of sources.
    pub(crate) says: &'static str,
    /// The address that the first mark leads to.
    pub(crate) source: Option<&'static str>,
}

pub(crate) fn zip_of(files: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default())?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Every chat of a library, whole: by its id, as it is exported.
pub(crate) fn library(home: &Home) -> Result<BTreeMap<String, Value>> {
    let all = home.run(["export", "--all"])?.succeeded()?.json()?;
    let chats = all["chats"].as_array().cloned().unwrap_or_default();
    Ok(chats
        .into_iter()
        .map(|chat| (text(&chat["chat"]["id"]), chat))
        .collect())
}

pub(crate) fn all() -> Result<Vec<Archive>> {
    Ok(vec![
        Archive {
            file: "chatgpt.zip",
            bytes: zip_of(&[
                ("user.json", br#"{"id":"user-1","email":"a@example.org"}"#),
                ("conversations.json", json!([lighthouse(), ferry(), nothing_said()]).to_string().as_bytes()),
                ("message_feedback.json", b"[]"),
                ("shared_conversations.json", br#"[{"id":"s1","conversation_id":"c-1","title":"The lighthouse"}]"#),
                ("chat.html", b"<html><body>All of it once more.</body></html>"),
                ("file-7Gk-tower.png", b"\x89PNG\r\n\x1a\n"),
            ])?,
            origin: "chat_gpt",
            chats: &[("The lighthouse", 4), ("The ferry", 2)],
            left_out: &[("hidden", 2), ("attachment", 1), ("empty", 1), ("other_file", 5)],
            says: "It is 47 metres high.[1]",
            source: Some("https://lighthouses.example/zorvane"),
        },
        Archive {
            file: "data-2024-01-05-10-00-00-batch-0000.zip",
            bytes: zip_of(&[
                ("users.json", br#"[{"uuid":"u","full_name":"Ada"}]"#),
                ("projects.json", b"[]"),
                ("conversations.json", claude().to_string().as_bytes()),
            ])?,
            origin: "claude",
            chats: &[("Granite", 2)],
            left_out: &[("hidden", 3), ("attachment", 2), ("empty", 1), ("other_file", 2)],
            says: "From the island of Ummel.[1]",
            source: Some("https://granite.example/ummel"),
        },
        Archive {
            file: "chat-export-1736070000000.json",
            bytes: open_webui().to_string().into_bytes(),
            origin: "open_web_ui",
            chats: &[("Lamps", 3)],
            left_out: &[("attachment", 1), ("unknown", 1)],
            says: "Rapeseed oil until 1904 [1].",
            source: Some("https://lamps.example/oil"),
        },
        Archive {
            file: "perplexity.json",
            bytes: perplexity().to_string().into_bytes(),
            origin: "perplexity",
            chats: &[("Why granite?", 4)],
            left_out: &[("empty", 1)],
            says: "It does not weather.",
            source: None,
        },
        Archive {
            file: "why-is-the-sea-salt.md",
            bytes: PERPLEXITY_MARKDOWN.as_bytes().to_vec(),
            origin: "perplexity",
            chats: &[("Why is the sea salt?", 4)],
            left_out: &[],
            says: "The Baltic, where rivers are many.[1]",
            source: Some("https://seas.example/baltic"),
        },
        Archive {
            file: "notes.zip",
            bytes: zip_of(&[
                ("notes/oil.md", b"# Lamp oil\n\n## You\n\nWhat burned in it?\n\n## ChatGPT said:\n\nRapeseed oil.\n\n```\n## You\n```\n"),
                ("notes/shopping.md", b"# Shopping\n\n- bread\n"),
                ("notes/picture.jpg", b"\xff\xd8\xff"),
            ])?,
            origin: "markdown",
            chats: &[("Lamp oil", 2)],
            left_out: &[("unknown", 1), ("other_file", 1)],
            says: "Rapeseed oil.\n\n```\n## You\n```",
            source: None,
        },
    ])
}

/// A node of ChatGPT's `mapping`.
fn node(id: &str, parent: Option<&str>, role: &str, at: f64, content: Value, metadata: Value) -> Value {
    let recipient = if content["content_type"] == "code" {
        "web.run"
    } else {
        "all"
    };
    json!({"id": id, "parent": parent, "children": [], "message": {
        "id": id, "author": {"role": role, "name": null, "metadata": {}}, "create_time": at, "update_time": null,
        "content": content, "status": "finished_successfully", "end_turn": true, "weight": 1.0,
        "metadata": metadata, "recipient": recipient, "channel": null}})
}

fn parts(text: &str) -> Value {
    json!({"content_type": "text", "parts": [text]})
}

fn conversation(id: &str, title: &str, nodes: Vec<Value>, shown: &str) -> Value {
    let mapping: serde_json::Map<String, Value> = nodes.into_iter().map(|node| (text(&node["id"]), node)).collect();
    json!({"title": title, "create_time": 1_700_000_000.123_456, "update_time": 1_700_000_100.5, "mapping": mapping,
        "moderation_results": [], "current_node": shown, "plugin_ids": null, "conversation_id": id,
        "conversation_template_id": null, "gizmo_id": null, "is_archived": false, "is_starred": null, "safe_urls": [],
        "default_model_slug": "gpt-5", "voice": null, "async_status": null, "disabled_tool_ids": [], "id": id})
}

/// A question that was edited, a search by a tool, a picture, and an answer that cites.
fn lighthouse() -> Value {
    let cited = "It is 47 metres high.\u{e200}cite\u{e202}turn0search0\u{e201}";
    let references = json!({"model_slug": "gpt-5", "content_references": [{
        "matched_text": "\u{e200}cite\u{e202}turn0search0\u{e201}", "type": "grouped_webpages",
        "items": [{"title": "Zorvane", "url": "https://lighthouses.example/zorvane", "snippet": "47 metres"}]}]});
    let picture = json!({"content_type": "multimodal_text", "parts": [
        {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-7Gk", "width": 800},
        "How high is the tower in the picture?"]});
    let search = json!({"content_type": "code", "language": "unknown", "text": "search(\"Zorvane lighthouse\")"});
    let nodes = vec![
        json!({"id": "root", "parent": null, "children": ["s"], "message": null}),
        node(
            "s",
            Some("root"),
            "system",
            1_700_000_000.0,
            parts(""),
            json!({"is_visually_hidden_from_conversation": true}),
        ),
        node(
            "u1",
            Some("s"),
            "user",
            1_700_000_001.0,
            parts("How high is the lighthouse?"),
            json!({}),
        ),
        node(
            "a1",
            Some("u1"),
            "assistant",
            1_700_000_002.0,
            parts("Which one?"),
            json!({"model_slug": "gpt-5"}),
        ),
        node("u2", Some("s"), "user", 1_700_000_003.0, picture, json!({})),
        node("t1", Some("u2"), "assistant", 1_700_000_004.0, search, json!({})),
        node(
            "t2",
            Some("t1"),
            "tool",
            1_700_000_005.0,
            parts("Zorvane: 47 metres"),
            json!({}),
        ),
        node(
            "a2",
            Some("t2"),
            "assistant",
            1_700_000_006.25,
            parts(cited),
            references,
        ),
    ];
    conversation("c-1", "The lighthouse", nodes, "a2")
}

fn ferry() -> Value {
    let nodes = vec![
        node(
            "f1",
            None,
            "user",
            1_700_000_051.0,
            parts("When does the ferry leave?"),
            json!({}),
        ),
        node(
            "f2",
            Some("f1"),
            "assistant",
            1_700_000_052.0,
            parts("At nine in the morning."),
            json!({}),
        ),
    ];
    conversation("c-2", "The ferry", nodes, "f2")
}

fn nothing_said() -> Value {
    let root = json!({"id": "root", "parent": null, "children": [], "message": null});
    conversation("c-3", "New chat", vec![root], "root")
}

/// So many chats of ChatGPT, each with a question that was asked twice.
pub(crate) fn many_of_chatgpt(chats: usize) -> Result<Vec<u8>> {
    let chat = |at: usize| {
        let time = 1_700_000_000.0 + at as f64 * 100.0;
        let said = |number: usize| format!("Stone {at} of the tower, said {number}: granite from the island of Ummel.");
        let ids: Vec<String> = (0..4).map(|number| format!("{at}-{number}")).collect();
        let nodes = vec![
            node(&ids[0], None, "user", time, parts(&said(0)), json!({})),
            node(
                &ids[1],
                Some(&ids[0]),
                "assistant",
                time + 1.0,
                parts(&said(1)),
                json!({}),
            ),
            node(&ids[2], Some(&ids[1]), "user", time + 2.0, parts(&said(2)), json!({})),
            node(
                &ids[3],
                Some(&ids[2]),
                "assistant",
                time + 3.0,
                parts(&said(3)),
                json!({}),
            ),
        ];
        conversation(&format!("many-{at}"), &format!("Stone {at}"), nodes, &ids[3])
    };
    let list = Value::from((0..chats).map(chat).collect::<Vec<_>>());
    zip_of(&[("conversations.json", list.to_string().as_bytes())])
}

/// So many chats in our own format, each in a collection and resting on a saved page.
pub(crate) fn many_of_ours(chats: usize) -> Vec<u8> {
    let chat = |at: usize| {
        let (id, asked, said) = (
            format!("chat_own{at}"),
            format!("msg_own{at}q"),
            format!("msg_own{at}a"),
        );
        let minute = |second: usize| format!("2024-01-05T{:02}:{:02}:{second:02}Z", at / 60 % 24, at % 60);
        let quote = format!("Stone {at} is {} kg of granite.", at + 100);
        let message = |id: &str, parent: Option<&str>, role: &str, content: &str, second: usize| {
            json!({"id": id, "chat_id": format!("chat_own{at}"), "parent": parent, "role": role, "content": content,
                "sources": null, "metadata": null, "created_at": minute(second), "state": "complete"})
        };
        let page = format!("page_own{at}");
        let mut answer = message(&said, Some(&asked), "assistant", &format!("{quote} [1]"), 2);
        answer["sources"] = json!([{"title": "Stones", "url": format!("https://stones.example/{at}"), "snippet": ""}]);
        let (length, marker) = (quote.len(), quote.len() + 1);
        answer["pages"] = json!([{"number": 1, "page_id": page}]);
        answer["citations"] = json!([{"number": 1, "marker": {"start": marker, "end": marker + 3},
            "sentence": {"start": 0, "end": marker + 3}, "page_id": page,
            "page_span": {"start": 0, "end": length}, "quote": quote}]);
        json!({
            "chat": {"id": id, "title": format!("Stone {at}"), "created_at": minute(0), "updated_at": minute(2),
                "deleted_at": null, "pinned": at.is_multiple_of(7), "archived": false, "leaf": said},
            "labels": {"collection": format!("Wall {}", at % 5), "tags": ["granite"]},
            "messages": [message(&asked, None, "user", &format!("How heavy is stone {at}?"), 1), answer],
            "pages": [{"id": page, "url": format!("https://stones.example/{at}"), "title": "Stones", "author": null,
                "site_name": null, "published_at": null, "favicon": null, "language": "en", "media_type": "html",
                "text": quote, "sentences": [{"start": 0, "end": length}], "html": null, "fetched_at": minute(1),
                "content_hash": ""}],
        })
    };
    let chats: Vec<Value> = (0..chats).map(chat).collect();
    let archive = json!({"chats": chats});
    // The format is named before the chats, as the export writes it.
    let rest = archive.to_string();
    format!("{{\"format\":\"deepsearch-chats\",\"version\":2,{}", &rest[1..]).into_bytes()
}

fn claude() -> Value {
    let at = |second: usize| format!("2024-01-05T10:00:{second:02}.123456Z");
    json!([
        {"uuid": "k-1", "name": "Granite", "summary": "", "created_at": at(0), "updated_at": at(9),
            "account": {"uuid": "u"}, "chat_messages": [
            {"uuid": "m1", "sender": "human", "text": "Where is the granite from?", "created_at": at(1), "updated_at": at(1),
                "content": [{"type": "text", "text": "Where is the granite from?", "citations": []}],
                "attachments": [{"file_name": "plan.txt", "file_size": 4, "extracted_content": "plan"}],
                "files": [{"file_name": "tower.png"}]},
            {"uuid": "m2", "sender": "assistant", "text": "", "created_at": at(2), "updated_at": at(2), "content": [
                {"type": "thinking", "thinking": "An island, I think."},
                {"type": "tool_use", "name": "web_search", "input": {"query": "Zorvane granite"}},
                {"type": "tool_result", "name": "web_search", "content": []},
                {"type": "text", "text": "From the island of Ummel.", "citations": [
                    {"uuid": "x", "title": "Ummel", "details": {"type": "web_search_citation", "url": "https://granite.example/ummel"}}]},
            ], "attachments": [], "files": []}]},
        {"uuid": "k-2", "name": "", "created_at": at(20), "updated_at": at(20), "account": {"uuid": "u"}, "chat_messages": []},
    ])
}

/// Two answers to one question, one with what the model thought; and an entry of a later version.
fn open_webui() -> Value {
    let thought = "<details type=\"reasoning\" done=\"true\" duration=\"2\">\n<summary>Thought for 2 seconds</summary>\n> Oil.\n</details>\n";
    let answer = |id: &str, text: &str, at: i64| {
        json!({"id": id, "parentId": "q", "childrenIds": [], "role": "assistant", "content": text, "model": "qwen3:8b",
            "modelName": "qwen3:8b", "modelIdx": 0, "timestamp": at, "done": true})
    };
    let mut cited = answer("b", &format!("{thought}Rapeseed oil until 1904 [1]."), 1_736_070_003);
    cited["sources"] = json!([{"source": {"name": "web"}, "document": ["It burned rapeseed oil."],
        "metadata": [{"source": "https://lamps.example/oil", "title": "Lamps"}]}]);
    json!([
        {"id": "w-1", "user_id": "u", "title": "Lamps", "share_id": null, "archived": false, "pinned": true, "meta": {},
            "folder_id": null, "created_at": 1_736_070_000, "updated_at": 1_736_070_009, "chat": {"id": "", "title": "Lamps",
            "models": ["qwen3:8b"], "params": {}, "timestamp": 1_736_070_000_000_i64, "tags": [], "history": {"currentId": "b",
            "messages": {
                "q": {"id": "q", "parentId": null, "childrenIds": ["a", "b"], "role": "user", "content": "What burned in it?",
                    "files": [{"type": "file", "name": "lamp.pdf"}], "timestamp": 1_736_070_001, "models": ["qwen3:8b"]},
                "a": answer("a", "Whale oil, perhaps.", 1_736_070_002),
                "b": cited}}}},
        {"id": "w-2", "title": "Of a version to come", "chat": {"turns": []}},
    ])
}

fn perplexity() -> Value {
    json!({"conversations": [
        {"context_uuid": "p-1", "context_title": "Why granite?", "created_at": "2024-01-05T12:00:00.123456", "entries": [
            {"uuid": "e1", "query": "Why granite?", "answer": "It is hard.", "created_at": "2024-01-05T12:00:01.1"},
            {"uuid": "e2", "query": "And why still?", "answer": "It does not weather.", "created_at": "2024-01-05T12:01:00"}]},
        {"context_uuid": "p-2", "context_title": "Nothing", "created_at": "2024-01-05T12:05:00", "entries": [
            {"uuid": "e3", "query": "", "answer": "", "created_at": "2024-01-05T12:05:00"}]},
    ]})
}

const PERPLEXITY_MARKDOWN: &str = "\
<img src=\"https://r2cdn.perplexity.ai/pplx-full-logo-primary-dark%402x.png\" class=\"logo\" width=\"120\"/>

# Why is the sea salt?

Rivers bring it.[^1_1]

---

# And where is it least so?

The Baltic, where rivers are many.[^1_2]

<div style=\"text-align: center\">⁂</div>

[^1_1]: https://seas.example/rivers

[^1_2]: https://seas.example/baltic
";
