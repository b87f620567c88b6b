//! Carrying chats from one data folder to another, evidence included.

use std::io::Write;
use std::time::{Duration, Instant};

use deepsearch_app::{App, AppError, AskRequest, BulkChange, ChatFilter, ExportChoice, Format, Reason, Scope, Turn};
use deepsearch_core::ChatId;
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::app;

async fn all(app: &App) -> serde_json::Value {
    let mut out = Vec::new();
    let unwritable = |source| AppError::Unwritable {
        path: "memory".into(),
        source,
    };
    app.write_chats(&ExportChoice::All, Format::Json, &mut out, &unwritable, |_| {})
        .await
        .unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    value.as_object_mut().unwrap().remove("exported_at");
    value
}

#[tokio::test]
async fn what_was_exported_and_imported_is_the_same_and_stays_so() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let from = app(one.path(), &[]).await;
    let request = AskRequest {
        question: "how do I use my own SearXNG?".into(),
        scope: Some(Scope::Guide),
        ..AskRequest::default()
    };
    from.ask(request, |_| {}).await.unwrap();
    let (file, go) = (one.path().join("all.json"), CancellationToken::new());
    assert_eq!(
        from.export_to(&file, &ExportChoice::All, Format::Json, |_| {})
            .await
            .unwrap(),
        1
    );

    let to = app(other.path(), &[]).await;
    let preview = to.preview_import(&file, &go, |_| {}).await.unwrap();
    assert_eq!((preview.messages, preview.added), (2, 1));
    assert_eq!(all(&to).await["chats"].as_array().unwrap().len(), 0);
    let report = to.import_archive(&file, &go, |_| {}).await.unwrap();
    assert_eq!((report.added, report.left_out.len()), (1, 0), "{report:?}");
    assert_eq!(all(&to).await, all(&from).await);

    let preview = to.preview_import(&file, &go, |_| {}).await.unwrap();
    assert_eq!((preview.added, preview.extended, preview.unchanged), (0, 0, 1));
    let again = to.import_archive(&file, &go, |_| {}).await.unwrap();
    assert_eq!((again.added, again.extended, again.unchanged), (0, 0, 1));
    assert_eq!(all(&to).await, all(&from).await);
}

#[tokio::test]
async fn a_file_that_holds_no_chats_is_refused_and_changes_nothing() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let (file, go) = (home.path().join("notes.json"), CancellationToken::new());
    std::fs::write(&file, "{\"a\": 1}").unwrap();
    let refused = app.import_archive(&file, &go, |_| {}).await;
    assert!(matches!(refused, Err(AppError::Archive { .. })), "{refused:?}");
}

/// An export of ChatGPT with so many chats.
fn chatgpt(chats: usize) -> String {
    let chat = |at: usize| {
        serde_json::json!({
            "id": format!("chat-{at}"), "title": format!("Chat {at}"),
            "create_time": 1_700_000_000.0, "update_time": 1_700_000_100.0, "current_node": "b",
            "mapping": {
                "a": {"id": "a", "parent": null, "children": ["b"], "message": {"id": format!("{at}-a"),
                    "author": {"role": "user"}, "create_time": 1_700_000_000.0,
                    "content": {"content_type": "text", "parts": [format!("What is it, number {at}?")]}}},
                "b": {"id": "b", "parent": "a", "children": [], "message": {"id": format!("{at}-b"),
                    "author": {"role": "assistant"}, "create_time": 1_700_000_100.0,
                    "content": {"content_type": "text", "parts": ["It is this."]}}},
            },
        })
    };
    serde_json::json!((0..chats).map(chat).collect::<Vec<_>>()).to_string()
}

#[tokio::test]
async fn an_import_that_is_stopped_keeps_whole_chats_says_so_and_goes_on_where_it_was() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let (file, stop) = (home.path().join("conversations.json"), CancellationToken::new());
    std::fs::write(&file, chatgpt(20)).unwrap();
    let report = app
        .import_archive(&file, &stop, |report| {
            if report.added == 3 {
                stop.cancel();
            }
        })
        .await
        .unwrap();
    assert_eq!((report.added, report.stopped), (3, true), "{report:?}");
    for chat in all(&app).await["chats"].as_array().unwrap() {
        assert_eq!(chat["messages"].as_array().unwrap().len(), 2, "{chat}");
    }
    let rest = app
        .import_archive(&file, &CancellationToken::new(), |_| {})
        .await
        .unwrap();
    assert_eq!((rest.added, rest.unchanged, rest.stopped), (17, 3, false), "{rest:?}");
}

#[tokio::test]
async fn an_export_that_is_dropped_leaves_nothing_and_what_was_there_as_it_was() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let (file, out) = (home.path().join("conversations.json"), home.path().join("all.json"));
    std::fs::write(&file, chatgpt(20)).unwrap();
    app.import_archive(&file, &CancellationToken::new(), |_| {})
        .await
        .unwrap();
    std::fs::write(&out, "what was there").unwrap();
    // Files of the person's own, whatever they are called.
    let (own, other) = (home.path().join("all.json.part"), home.path().join("other"));
    std::fs::write(&other, "somebody's").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&other, &own).unwrap();
    #[cfg(not(unix))]
    std::fs::write(&own, "somebody's").unwrap();
    let stop = CancellationToken::new();
    let exporting = app.export_to(&out, &ExportChoice::All, Format::Json, |progress| {
        if progress.done == 5 {
            stop.cancel();
        }
    });
    assert!(stop.run_until_cancelled(exporting).await.is_none(), "it was stopped");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "what was there");
    let parts = std::fs::read_dir(home.path()).unwrap().flatten();
    let parts = parts.filter(|entry| entry.path().extension().is_some_and(|end| end == "part"));
    assert_eq!(parts.count(), 1, "the person's own");
    app.export_to(&out, &ExportChoice::All, Format::Json, |_| {})
        .await
        .unwrap();
    assert_ne!(std::fs::read_to_string(&out).unwrap(), "what was there");
    for kept in [&own, &other] {
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "somebody's");
    }
}

#[cfg(unix)]
#[test]
fn stopping_an_import_ends_the_reading_too() {
    let home = tempdir().unwrap();
    let path = home.path().join("endless.json");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(b"[\"").unwrap();
    // A text that takes many minutes to be read to its end; it takes no room on the disk.
    file.set_len(256 << 30).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let begun = Instant::now();
    runtime.block_on(async {
        let app = app(home.path(), &[]).await;
        let stop = CancellationToken::new();
        let stopping = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            stop.cancel();
        };
        let (report, ()) = tokio::join!(app.import_archive(&path, &stop, |_| {}), stopping);
        assert!(report.unwrap().stopped);
        // Whoever only looks no longer has stopped it as well.
        let go = CancellationToken::new();
        let looking = app.preview_import(&path, &go, |_| {});
        let _ = tokio::time::timeout(Duration::from_millis(300), looking).await;
    });
    // Waits for the threads that still read.
    drop(runtime);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn all_chats_as_markdown_are_a_zip_that_can_be_imported() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let from = app(one.path(), &[]).await;
    let (file, out) = (one.path().join("conversations.json"), one.path().join("all.zip"));
    let go = CancellationToken::new();
    std::fs::write(&file, chatgpt(3).replace("Chat 1", "Chat 0")).unwrap();
    from.import_archive(&file, &go, |_| {}).await.unwrap();
    let mut told = Vec::new();
    let count = from
        .export_to(&out, &ExportChoice::All, Format::Markdown, |progress| {
            told.push((progress.done, progress.total));
        })
        .await
        .unwrap();
    assert_eq!((count, told), (3, vec![(0, 3), (1, 3), (2, 3), (3, 3)]));
    let to = app(other.path(), &[]).await;
    let report = to.import_archive(&out, &go, |_| {}).await.unwrap();
    assert_eq!((report.added, report.messages), (3, 6), "{report:?}");
}

#[tokio::test]
async fn one_chat_is_a_pdf_and_all_are_a_zip_of_them() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let (file, go) = (home.path().join("conversations.json"), CancellationToken::new());
    std::fs::write(&file, chatgpt(2)).unwrap();
    app.import_archive(&file, &go, |_| {}).await.unwrap();
    let chats = all(&app).await;
    let id = ChatId::parse(chats["chats"][0]["chat"]["id"].as_str().unwrap().to_owned()).unwrap();
    let (one, zip) = (home.path().join("one.pdf"), home.path().join("all.zip"));
    match app.export_to(&one, &ExportChoice::of([id]), Format::Pdf, |_| {}).await {
        // A system without fonts says what to do instead, and leaves nothing.
        Err(AppError::Typeset { .. }) => return assert!(!one.exists()),
        written => assert_eq!(written.unwrap(), 1),
    }
    assert!(std::fs::read(&one).unwrap().starts_with(b"%PDF-"));
    assert_eq!(
        app.export_to(&zip, &ExportChoice::All, Format::Pdf, |_| {})
            .await
            .unwrap(),
        2
    );
    assert!(std::fs::read(&zip).unwrap().starts_with(b"PK"));
}

#[tokio::test]
async fn a_chat_in_trash_stays_there_and_what_was_written_since_is_what_is_shown() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let (file, go) = (home.path().join("conversations.json"), CancellationToken::new());
    std::fs::write(&file, chatgpt(2)).unwrap();
    app.import_archive(&file, &go, |_| {}).await.unwrap();
    let chats = app.store().list_chats(ChatFilter::default(), None, 10).await.unwrap();
    app.store().delete_chat(&chats[0].id).await.unwrap();
    let request = AskRequest {
        question: "how do I use my own SearXNG?".into(),
        turn: Turn::In(chats[1].id.clone()),
        scope: Some(Scope::Guide),
        ..AskRequest::default()
    };
    let answer = app.ask(request, |_| {}).await.unwrap();

    // Both went on elsewhere, too.
    let mut longer: serde_json::Value = serde_json::from_str(&chatgpt(2)).unwrap();
    for (at, chat) in longer.as_array_mut().unwrap().iter_mut().enumerate() {
        chat["mapping"]["b"]["children"] = serde_json::json!(["c"]);
        chat["mapping"]["c"] = serde_json::json!({"id": "c", "parent": "b", "children": [], "message": {
            "id": format!("{at}-c"), "author": {"role": "user"}, "create_time": 1_700_000_200.0,
            "content": {"content_type": "text", "parts": ["And that?"]}}});
        chat["current_node"] = "c".into();
    }
    std::fs::write(&file, longer.to_string()).unwrap();
    let report = app.import_archive(&file, &go, |_| {}).await.unwrap();
    assert_eq!(report.extended, 2);
    assert_eq!(report.left_out.get(&Reason::InTrash), Some(&1), "{report:?}");
    let shown = app.store().list_messages(&chats[1].id, None, 10).await.unwrap();
    assert_eq!(shown.last().unwrap().id, answer.id);
}

/// An app with four chats: two are in a collection, one of them in the archive; two have a tag, one of them in Trash.
async fn sorted(home: &std::path::Path) -> App {
    let app = app(home, &[]).await;
    let file = home.join("conversations.json");
    std::fs::write(&file, chatgpt(4)).unwrap();
    app.import_archive(&file, &CancellationToken::new(), |_| {})
        .await
        .unwrap();
    let store = app.store();
    let ids: Vec<ChatId> = ids(&app).await;
    let collection = Some(store.add_collection("Zweite Heimat").await.unwrap().id);
    store
        .change_chats(&ids[..2], &BulkChange::Move { collection })
        .await
        .unwrap();
    store.archive_chat(&ids[1], true).await.unwrap();
    let tag = BulkChange::Tag {
        name: "to read".into(),
        on: true,
    };
    store.change_chats(&ids[2..], &tag).await.unwrap();
    store.delete_chat(&ids[3]).await.unwrap();
    app
}

async fn ids(app: &App) -> Vec<ChatId> {
    let chats = all(app).await;
    let ids = chats["chats"].as_array().unwrap().iter();
    ids.map(|chat| ChatId::parse(chat["chat"]["id"].as_str().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_collection_and_a_tag_go_out_alone_and_come_in_sorted_as_they_were() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let (from, to) = (sorted(one.path()).await, app(other.path(), &[]).await);
    let go = CancellationToken::new();
    let collection = from.collection_named("ZWEITE heimat").await.unwrap().id;
    let tag = from.tag_named("TO READ").await.unwrap().name;
    let choices = [
        (
            ExportChoice::Collection { collection },
            2,
            "deepsearch-chats-Zweite-Heimat",
        ),
        (ExportChoice::Tag { tag }, 1, "deepsearch-chats-to-read"),
    ];
    for (choice, count, name) in &choices {
        let told = from.export_name(choice, Format::Json).await.unwrap();
        assert_eq!(told, (format!("{name}.json"), "json"));
        let told = from.export_name(choice, Format::Html).await.unwrap();
        assert_eq!(told, (format!("{name}-html.zip"), "zip"));
        for (format, begins) in [(Format::Markdown, "PK"), (Format::Html, "PK"), (Format::Json, "{")] {
            let file = one.path().join("some");
            assert_eq!(from.export_to(&file, choice, format, |_| {}).await.unwrap(), *count);
            assert!(
                std::fs::read(&file).unwrap().starts_with(begins.as_bytes()),
                "{format:?}"
            );
        }
        // The JSON was written last.
        let report = to.import_archive(&one.path().join("some"), &go, |_| {}).await.unwrap();
        assert_eq!((report.added, report.left_out.len()), (*count, 0), "{report:?}");
    }
    for id in ids(&to).await {
        let (was, is) = (
            from.archived_chat(&id).await.unwrap(),
            to.archived_chat(&id).await.unwrap(),
        );
        assert!(!was.labels.is_empty());
        assert_eq!(is.labels, was.labels);
    }
    assert_eq!(to.collection_named("Zweite Heimat").await.unwrap().chats, 1);
    assert_eq!(ids(&to).await.len(), 3);
}

#[tokio::test]
async fn an_unknown_collection_is_told_with_those_that_there_are_and_an_empty_one_makes_no_file() {
    let home = tempdir().unwrap();
    let app = sorted(home.path()).await;
    let failure = deepsearch_core::Failure::from(app.collection_named("Nowhere").await.unwrap_err());
    assert_eq!(failure.message, "There is no collection `Nowhere`.");
    assert_eq!(failure.hint.as_deref(), Some("There are: `Zweite Heimat`."));
    let failure = deepsearch_core::Failure::from(app.tag_named("nothing").await.unwrap_err());
    assert_eq!(failure.hint.as_deref(), Some("There are: `to read`."));

    let collection = app.store().add_collection("Empty").await.unwrap().id;
    let (empty, out) = (ExportChoice::Collection { collection }, home.path().join("empty.zip"));
    let refused = app.export_to(&out, &empty, Format::Html, |_| {}).await;
    assert!(matches!(refused, Err(AppError::NothingIn { .. })), "{refused:?}");
    let refused = app.export_name(&empty, Format::Html).await;
    assert!(matches!(refused, Err(AppError::NothingIn { .. })), "{refused:?}");
    assert!(!out.exists());
}

#[tokio::test]
async fn a_chat_whose_collection_cannot_be_made_comes_in_and_the_report_says_so() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let from = sorted(one.path()).await;
    let (file, go) = (one.path().join("all.json"), CancellationToken::new());
    from.export_to(&file, &ExportChoice::All, Format::Json, |_| {})
        .await
        .unwrap();
    let hostile = std::fs::read_to_string(&file).unwrap();
    let hostile = hostile.replace("\"tags\":[\"to read\"]", "\"tags\":[\"to read\",7]");
    std::fs::write(&file, hostile).unwrap();
    let to = app(other.path(), &[]).await;
    for number in 0..200 {
        to.store().add_collection(&format!("{number}")).await.unwrap();
    }
    let report = to.import_archive(&file, &go, |_| {}).await.unwrap();
    // Two whose collection there is no room for, and one tag that is no text.
    assert_eq!(
        (report.added, report.left_out.get(&Reason::Label)),
        (3, Some(&3)),
        "{report:?}"
    );
    let told = report.notes.iter().filter(|note| note.what.contains("Zweite Heimat"));
    assert_eq!(told.count(), 2, "{:?}", report.notes);
    assert_eq!(to.tag_named("to read").await.unwrap().chats, 1);
}
