//! What is dropped on the window: a folder is offered to be searched, a file is what the question rests on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::{Page, journey, until};
use deepsearch_tests::small_web::{SmallWeb, offline, searching};
use serde_json::{Value, json};

use crate::world::{MAIN, ask, marked, until_complete};

const LENS: &str = "The lens of the Zorvane lighthouse floats on 90 litres of mercury.";
const LEANS: &str = "The Zorvane lighthouse leans by 4 centimetres to the east.";

/// A disk with a folder of notes, a folder in it, and a file beside it. Their names are such as people give.
struct Disk {
    notes: PathBuf,
    inner: PathBuf,
    survey: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().canonicalize()?;
        let notes = path.join("Sea notes – été 100%");
        let disk = Self {
            inner: notes.join("old"),
            survey: path.join("survey #2.md"),
            notes,
            _folder: folder,
        };
        std::fs::create_dir_all(&disk.inner)?;
        write(
            &disk.notes.join("lens.md"),
            &format!("# The lens\n\nIt came by ship. {LENS}\n"),
        )?;
        write(
            &disk.notes.join("ferry.md"),
            "# The ferry\n\nIt leaves Port Ansgar at nine.\n",
        )?;
        write(&disk.survey, &format!("# Survey\n\n{LEANS}\n"))?;
        Ok(disk)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// Waits until the window is there for what is dropped: what it knows of models comes after it listens.
async fn until_ready(page: &Page) -> Result<()> {
    page.find("button", "^Model: ").await.map(drop)
}

fn folders(home: &Home) -> Result<Vec<Value>> {
    let told = home.run(["folders", "list", "--json"])?.succeeded()?.json()?;
    Ok(told["folders"].as_array().context("a list of folders")?.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_dropped_and_confirmed_is_searched_and_cited() -> Result<()> {
    journey(async |desktop| {
        let (home, disk) = (offline()?, Disk::new()?);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        until_ready(&main).await?;

        desktop.drop_on(MAIN, &[&disk.notes]).await?;
        main.shows("Search in .Sea notes – été 100%.\\?").await?;
        assert_eq!(folders(&home)?, [] as [Value; 0], "nothing is done before that");
        main.click("button", "^Cancel$").await?;
        main.lacks("Search in .Sea notes").await?;
        assert_eq!(folders(&home)?, [] as [Value; 0], "nor after a no");

        desktop.drop_on(MAIN, &[&disk.notes]).await?;
        main.shows("Search in .Sea notes").await?;
        main.click("button", "^Add$").await?;
        main.shows("is being looked through").await?;
        until("the folder to be read", async || {
            let known = folders(&home)?;
            Ok((known.len() == 1 && known[0]["files"] == json!(2)).then_some(()))
        })
        .await?;

        main.click("button", "^Where to look: ").await?;
        main.click("menuitemcheckbox", "^My files").await?;
        ask(&main, "What does the lens of the Zorvane lighthouse float on?").await?;
        main.shows("90 litres of mercury").await?;
        until_complete(&main).await?;
        main.click("button", "^Source 1: .*lens").await?;
        main.find("complementary", "Saved page").await?;
        assert_eq!(marked(&main).await?, LENS);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_searched_already_is_told_and_a_file_beside_it_is_taken() -> Result<()> {
    journey(async |desktop| {
        let (home, disk) = (offline()?, Disk::new()?);
        let notes = disk.notes.to_str().context("a name")?;
        home.run(["folders", "add", notes])?.succeeded()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        until_ready(&main).await?;

        desktop.drop_on(MAIN, &[&disk.inner]).await?;
        main.shows("which is searched already").await?;
        desktop.drop_on(MAIN, &[&disk.notes, &disk.survey]).await?;
        main.shows("été 100%. is searched already").await?;
        main.find("button", "^Remove survey #2\\.md").await?;
        assert_eq!(folders(&home)?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_dropped_is_all_that_its_question_rests_on() -> Result<()> {
    journey(async |desktop| {
        let (web, disk) = (SmallWeb::lighthouse().await?, Disk::new()?);
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        until_ready(&main).await?;

        desktop.drop_on(MAIN, &[&disk.survey]).await?;
        main.find("button", "^Remove survey #2\\.md").await?;
        ask(&main, "How far does the Zorvane lighthouse lean?").await?;
        main.shows("4 centimetres to the east").await?;
        until_complete(&main).await?;
        main.click("button", "^Source 1: ").await?;
        main.find("complementary", "Saved page").await?;
        assert_eq!(marked(&main).await?, LEANS);
        assert_eq!(web.engine.asked().len(), 0, "nobody was asked");
        assert_eq!(web.site.requests_in_all(), 0, "nothing was fetched");
        assert!(folders(&home)?.is_empty(), "and no folder is searched for it");
        Ok(())
    })
    .await
}
