//! Carrying chats from one data folder to another, evidence included.

use std::ops::ControlFlow;

use deepsearch_app::{AppError, AskRequest, Scope};
use tempfile::tempdir;

use crate::app;

async fn all(app: &deepsearch_app::App) -> serde_json::Value {
    let mut out = Vec::new();
    let unwritable = |source| AppError::Unwritable {
        path: "memory".into(),
        source,
    };
    app.write_json(None, &mut out, &unwritable).await.unwrap();
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
    let file = one.path().join("all.json");
    assert_eq!(from.export_chats(&file).await.unwrap(), 1);

    let to = app(other.path(), &[]).await;
    let preview = to.preview_import(&file).await.unwrap();
    assert_eq!((preview.messages, preview.added), (2, 0));
    assert_eq!(all(&to).await["chats"].as_array().unwrap().len(), 0);
    let report = to.import_archive(&file, |_| ControlFlow::Continue(())).await.unwrap();
    assert_eq!((report.added, report.left_out.len()), (1, 0), "{report:?}");
    assert_eq!(all(&to).await, all(&from).await);

    let again = to.import_archive(&file, |_| ControlFlow::Continue(())).await.unwrap();
    assert_eq!((again.added, again.extended, again.unchanged), (0, 0, 1));
    assert_eq!(all(&to).await, all(&from).await);
}

#[tokio::test]
async fn a_file_that_holds_no_chats_is_refused_and_changes_nothing() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let file = home.path().join("notes.json");
    std::fs::write(&file, "{\"a\": 1}").unwrap();
    let refused = app.import_archive(&file, |_| ControlFlow::Continue(())).await;
    assert!(matches!(refused, Err(AppError::Archive { .. })), "{refused:?}");
}
