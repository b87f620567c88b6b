//! The way in and out: an archive of another assistant comes in by the system's dialog, is read in a chat, and goes out.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use deepsearch_tests::desktop::{Desktop, journey, until};
use deepsearch_tests::small_web::offline;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const QUESTION: &str = "How high is the Zorvane lighthouse?";
const ANSWER: &str = "The Zorvane lighthouse is **47 metres** high.";

/// An export of ChatGPT as it is downloaded: chats, one of them empty, and files beside them.
fn chatgpt(path: &Path) -> Result<()> {
    let message = |id: &str, parent: Option<&str>, child: Option<&str>, role: &str, says: &str, at: f64| {
        let children: Vec<_> = child.into_iter().collect();
        json!({"id": id, "parent": parent, "children": children, "message": {
            "id": id, "author": {"role": role}, "create_time": at, "status": "finished_successfully",
            "content": {"content_type": "text", "parts": [says]},
        }})
    };
    let chat = |id: &str, title: &str, mapping: Value, node: &str| {
        json!({"id": id, "conversation_id": id, "title": title, "create_time": 1_700_000_000.0,
            "update_time": 1_700_000_100.0, "mapping": mapping, "current_node": node})
    };
    let lighthouse = json!({
        "q": message("q", None, Some("a"), "user", QUESTION, 1_700_000_000.0),
        "a": message("a", Some("q"), None, "assistant", ANSWER, 1_700_000_100.0),
    });
    let empty = json!({"x": {"id": "x", "parent": null, "children": [], "message": null}});
    let chats = json!([
        chat("c1", "The lighthouse", lighthouse, "a"),
        chat("c2", "New chat", empty, "x")
    ]);
    let mut zip = ZipWriter::new(std::fs::File::create(path)?);
    zip.start_file("conversations.json", SimpleFileOptions::default())?;
    zip.write_all(chats.to_string().as_bytes())?;
    zip.start_file("chat.html", SimpleFileOptions::default())?;
    zip.write_all(b"<html></html>")?;
    zip.finish()?;
    Ok(())
}

/// Types a path into the system's dialog, which is the window in front, and accepts it.
pub(crate) async fn answer_dialog(desktop: &Desktop, before: &[String], path: &Path) -> Result<()> {
    let title = until("the system's dialog", async || {
        let windows = desktop.windows().await?;
        Ok(windows.into_iter().find(|window| !before.contains(window)))
    })
    .await?;
    desktop.until_focused(&title).await?;
    // The field that takes a path; what stands in it gives way.
    desktop.press("ctrl+l").await?;
    desktop.press("ctrl+a").await?;
    desktop.type_text(path.to_str().context("a path")?).await?;
    // The first may only accept what the dialog proposes; a slow one is given time before it is asked again.
    for _ in 0..3 {
        desktop.press("Return").await?;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if !desktop.windows().await?.contains(&title) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    desktop.until_window(&title, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_chatgpt_comes_in_is_read_and_goes_out() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let folder = tempfile::tempdir()?;
        let (archive, out) = (folder.path().join("chatgpt.zip"), folder.path().join("out.html"));
        chatgpt(&archive)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("button", "^Settings").await?;
        main.click("button", "^Data").await?;
        let before = desktop.windows().await?;
        main.click("button", "^Import chats").await?;
        answer_dialog(desktop, &before, &archive).await?;

        // What is in it, before anything is kept.
        main.shows("In this file").await?;
        main.shows("Chats from ChatGPT\\s*1").await?;
        main.shows("Chats in which nothing is said").await?;
        main.click("button", "^Import$").await?;
        main.shows("Chats imported\\s*1").await?;

        main.click("link|button", "^The lighthouse").await?;
        main.shows("47 metres").await?;

        main.click("button", "^More for “The lighthouse”").await?;
        main.click("menuitem", "^Export").await?;
        let before = desktop.windows().await?;
        main.click("menuitem", "^HTML").await?;
        answer_dialog(desktop, &before, &out).await?;
        let document = until("the exported file", async || Ok(std::fs::read_to_string(&out).ok())).await?;
        assert!(
            document.contains(QUESTION) && document.contains("47 metres"),
            "{document}"
        );
        assert!(!folder.path().join("out.html.part").exists());

        // Again it changes nothing.
        main.click("button", "^Settings").await?;
        main.click("button", "^Data").await?;
        let before = desktop.windows().await?;
        main.click("button", "^Import chats").await?;
        answer_dialog(desktop, &before, &archive).await?;
        main.shows("All of it is here already").await?;
        Ok(())
    })
    .await
}
