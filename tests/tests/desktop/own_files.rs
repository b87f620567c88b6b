//! The person's own folders in the window: added by the system's dialog, asked in, cited at the sentence, the file opened.

use anyhow::{Context, Result};
use deepsearch_tests::desktop::{journey, until};
use deepsearch_tests::small_web::offline;

use crate::carrying::answer_dialog;
use crate::world::ask;

const SENTENCE: &str = "The water levy of the Quellbrook allotments was set at 38 euros a year.";

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_added_and_its_file_is_cited_at_the_sentence_and_opened() -> Result<()> {
    journey(async |desktop| {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("minutes.txt");
        let padding = "The minutes of the boathouse go on about the weather and the hedges.\n".repeat(80);
        std::fs::write(&file, format!("{padding}\n{SENTENCE}\n\n{padding}"))?;
        let home = offline()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("button", "^Settings").await?;
        main.click("button", "^Folders").await?;
        main.shows("No folders yet").await?;
        let before = desktop.windows().await?;
        main.click("button", "^Add a folder").await?;
        answer_dialog(desktop, &before, folder.path()).await?;
        main.shows("Up to date").await?;
        main.shows("1 file").await?;

        main.click("button", "^New chat").await?;
        main.click("button", "^Where to look").await?;
        main.click("menuitem|menuitemradio", "^My files").await?;
        ask(&main, "How high is the water levy of the Quellbrook allotments?").await?;
        main.shows("38 euros a year").await?;
        main.click("button", "^Source 1: ").await?;
        let marked = "
            const mark = document.querySelector('aside mark');
            const [place, frame] = [mark, mark?.closest('aside')].map((shown) => shown?.getBoundingClientRect());
            return place && place.top >= frame.top && place.bottom <= innerHeight ? mark.textContent.trim() : ''";
        let marked = main.until("the sentence in sight in the reader", marked).await?;
        assert_eq!(marked, SENTENCE);

        assert_eq!(desktop.opened(), Vec::<String>::new());
        main.click("button", "^Open the file").await?;
        let opened = until("the file to be opened", async || Ok(desktop.opened().pop())).await?;
        let name = file.file_name().and_then(|name| name.to_str()).context("a name")?;
        assert!(opened.ends_with(name), "{opened}");
        Ok(())
    })
    .await
}
