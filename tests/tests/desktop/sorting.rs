//! Sorting chats in the window: a collection made on the way, several chats changed at once, and all of it undone.

use anyhow::Result;
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::journey;
use deepsearch_tests::small_web::offline;
use fantoccini::key::Key;
use serde_json::Value;

fn listed(home: &Home, narrowed: &[&str]) -> Result<Vec<Value>> {
    let args = [&["chats", "list", "--json"], narrowed].concat();
    let listed = home.run(args)?.succeeded()?.json()?;
    Ok(listed.as_array().cloned().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_are_put_into_a_collection_and_several_go_and_come_back_together() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        for question in ["how do I use my own SearXNG?", "how do I make a backup?"] {
            home.run(["ask", "--in", "guide", question])?.succeeded()?;
        }
        let app = desktop.start(&home).await?;
        let main = app.main().await?;

        main.hover("button", "^how do I make a backup").await?;
        main.click("button", "^More for .*backup").await?;
        main.click("menuitem", "^Move to collection").await?;
        main.write("textbox", "^Find a collection", "Set up").await?;
        main.press(&[Key::Enter.into()]).await?;
        main.shows("Moved to .Set up").await?;
        main.find("button", "^Set up").await?;
        assert_eq!(listed(&home, &["--collection", "Set up"])?.len(), 1);

        let before = listed(&home, &[])?;
        main.hover("button", "^how do I make a backup").await?;
        main.click("button", "^More for .*backup").await?;
        main.click("menuitem", "^Select").await?;
        main.click("checkbox", "SearXNG").await?;
        main.shows("2 selected").await?;
        main.click("button", "^Move to Trash").await?;
        main.shows("2 chats moved to Trash").await?;
        assert_eq!(listed(&home, &[])?.len(), 0);
        main.press(&[Key::Control.into(), 'z']).await?;
        main.find("button", "^how do I make a backup").await?;
        assert_eq!(listed(&home, &[])?, before, "each as it was");
        assert_eq!(listed(&home, &["--collection", "Set up"])?.len(), 1);

        // What the command sorts is seen in the window.
        let id = before[0]["id"].as_str().unwrap_or_default().to_owned();
        home.run(["chats", "tag", "Seen", &id])?.succeeded()?;
        main.reload().await?;
        main.shows("Seen").await?;
        Ok(())
    })
    .await
}
