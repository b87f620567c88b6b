//! Asking in the person's own folders: an answer leads to the exact sentence of a file, what changes is read again, what cannot
//! be read is told, and a file that is handed over is all that its question rests on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use deepsearch_tests::cli::Home;
use deepsearch_tests::needs;
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{
    SmallWeb, finished, hold_citations, message_of, offline, open_chat, page, searching, sources, text,
};

const MINUTES: &str = "# Minutes of 3 March\n\nThe committee of the Quellbrook allotments met in the old boathouse.\n\n\
    The water levy of the Quellbrook allotments was set at 38 euros a year. The gate is to be painted green in May.\n";

/// A folder of a person's, beside the data folder.
struct Desk {
    home: Home,
    folder: TempDir,
}

impl Desk {
    fn new(home: Home) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self { home, folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        Ok(std::fs::write(path, content)?)
    }

    /// Adds the folder, which looks through it.
    fn add(&self) -> Result<Value> {
        let folder = self.folder.path().display().to_string();
        self.home
            .run(["folders", "add", &folder, "--json"])?
            .succeeded()?
            .json()
    }

    fn scan(&self) -> Result<Value> {
        self.home.run(["folders", "scan", "--json"])?.succeeded()?.json()
    }

    fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let ran = self.home.run(["ask", "--json"].iter().chain(arguments))?.succeeded()?;
        finished(&ran)
    }

    /// The quotes of an answer, each held against its saved page.
    fn quotes(&self, message: &Value) -> Result<Vec<String>> {
        let chat = open_chat(&self.home, message)?;
        ensure!(
            hold_citations(&self.home, &chat, message)? > 0,
            "nothing is cited in {message}"
        );
        let citations = message_of(&chat, &message["id"])?["citations"].as_array();
        Ok(citations
            .into_iter()
            .flatten()
            .map(|citation| text(&citation["quote"]))
            .collect())
    }
}

fn is_of_a_file(url: &str) -> bool {
    url.starts_with("files:")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_with_the_exact_sentence_of_a_file_and_stays_so_when_the_file_changes() -> Result<()> {
    let desk = Desk::new(offline()?)?;
    desk.write("club/minutes.md", MINUTES)?;
    desk.write(
        "club/garden.html",
        page("The garden", "Beans grow beside the northern wall of the garden."),
    )?;
    desk.write(
        "letters/aunt.txt",
        "Dear Ines, the apricots were wonderful. Yours, Odile.",
    )?;
    let report = desk.add()?;
    assert_eq!(
        (&report["read"], &report["problems"]),
        (&3.into(), &0.into()),
        "{report}"
    );

    let question = "How much is the water levy of the Quellbrook allotments?";
    let levy = "The water levy of the Quellbrook allotments was set at 38 euros a year.";
    let first = desk.ask(&["--in", "files", question])?;
    assert!(desk.quotes(&first)?.iter().any(|quote| quote == levy), "{first}");
    assert!(
        sources(&first).iter().all(|url| is_of_a_file(url)),
        "{:?}",
        sources(&first)
    );
    // Where a file lies is in none of what is kept with a chat, which may be synced.
    let folder = desk.folder.path().display().to_string();
    assert!(!open_chat(&desk.home, &first)?.to_string().contains(&folder));

    desk.write("club/minutes.md", MINUTES.replace("38 euros", "41 euros and 50 cents"))?;
    let report = desk.scan()?;
    assert_eq!((&report["seen"], &report["read"]), (&3.into(), &1.into()), "{report}");
    let second = desk.ask(&["--in", "files", question])?;
    assert!(text(&second["content"]).contains("41 euros and 50 cents"), "{second}");
    assert!(
        desk.quotes(&first)?.iter().any(|quote| quote == levy),
        "what was cited before still stands as it stood"
    );

    // The command says where: the file as it is now where that still says it, and else the text that was saved.
    let place = |message: &Value| -> Result<Value> {
        let id = text(&message["id"]);
        let cited = desk.home.run(["citations", &id, "--json"])?.succeeded()?.json()?;
        let cited = cited.as_array().into_iter().flatten();
        let found = cited
            .into_iter()
            .find(|sentence| text(&sentence["quote"]).contains("water levy"));
        found.cloned().context("the cited sentence")
    };
    let minutes = desk.path("club/minutes.md").display().to_string();
    let (was, is) = (place(&first)?, place(&second)?);
    assert_eq!(
        (&was["path"], &was["file_line"]),
        (&minutes.as_str().into(), &Value::Null),
        "{was}"
    );
    assert_eq!(was["quote"], levy);
    assert_eq!(
        (&is["path"], &is["file_line"]),
        (&minutes.as_str().into(), &5.into()),
        "{is}"
    );
    let printed = desk.home.run(["citations", &text(&second["id"])])?.succeeded()?;
    assert!(printed.stdout.contains(&format!("{minutes}:5\n")), "{}", printed.stdout);
    assert!(printed.stdout.contains("41 euros and 50 cents"), "{}", printed.stdout);

    desk.home.run(["folders", "remove", &folder])?.succeeded()?;
    assert_eq!(
        place(&second)?["path"],
        Value::Null,
        "of a folder that was removed nothing is known"
    );
    let nothing = desk.home.run(["ask", "--in", "files", question])?;
    assert_eq!(nothing.code, Some(7), "{}", nothing.stderr);
    assert!(desk.path("club/minutes.md").is_file(), "nothing in the folder changes");
    desk.quotes(&second)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_with_its_reason_until_it_can_be() -> Result<()> {
    let desk = Desk::new(offline()?)?;
    desk.write("minutes.md", MINUTES)?;
    desk.write(
        "broken.pdf",
        [b"%PDF-1.7\n1 0 obj <</Type /Cat".as_slice(), &[0xAB; 2_000]].concat(),
    )?;
    desk.write("broken.docx", b"PK\x03\x04 this is where a document was")?;
    let report = desk.add()?;
    assert_eq!(
        (&report["read"], &report["problems"]),
        (&3.into(), &2.into()),
        "{report}"
    );
    let problems = || -> Result<Vec<(String, String)>> {
        let told = desk.home.run(["folders", "problems", "--json"])?.succeeded()?.json()?;
        let told = told.as_array().context("a list of problems")?.iter();
        Ok(told
            .map(|problem| (text(&problem["path"]), text(&problem["reason"])))
            .collect())
    };
    let told = problems()?;
    let names: Vec<&str> = told
        .iter()
        .filter_map(|(path, _)| Path::new(path).file_name()?.to_str())
        .collect();
    assert_eq!(names, ["broken.docx", "broken.pdf"]);
    assert!(
        told.iter()
            .all(|(_, reason)| reason.len() > 10 && reason.ends_with('.')),
        "{told:?}"
    );
    desk.ask(&["--in", "files", "What colour is the gate to be painted?"])?;
    // It is not tried again for nothing, and is as good as any other once it is whole.
    assert_eq!(desk.scan()?["read"], 0);
    std::fs::remove_file(desk.path("broken.docx"))?;
    std::fs::rename(desk.path("broken.pdf"), desk.path("repaired.txt"))?;
    desk.write("repaired.txt", "The heron nests at the third sluice.")?;
    desk.scan()?;
    assert_eq!(problems()?, []);
    let found = desk.ask(&["--in", "files", "Where does the heron nest?"])?;
    assert_eq!(desk.quotes(&found)?, ["The heron nests at the third sluice."]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_handed_over_is_all_that_its_question_rests_on() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let desk = Desk::new(searching(&web.engine)?)?;
    desk.write(
        "survey.md",
        "# Survey\n\nThe Zorvane lighthouse leans by 4 centimetres to the east.\n",
    )?;
    let file = desk.path("survey.md").display().to_string();
    let answer = desk.ask(&["--file", &file, "How far does the Zorvane lighthouse lean?"])?;
    assert_eq!(
        desk.quotes(&answer)?,
        ["The Zorvane lighthouse leans by 4 centimetres to the east."]
    );
    assert!(sources(&answer).iter().all(|url| is_of_a_file(url)));
    assert_eq!(web.engine.asked().len(), 0, "nobody was asked");
    assert_eq!(web.site.requests_in_all(), 0, "nothing was fetched");
    // Answered again, or asked in other words, it is asked of the file still.
    let chat = open_chat(&desk.home, &answer)?;
    let asked = text(&message_of(&chat, &answer["id"])?["parent"]);
    let files = message_of(&chat, &answer["parent"])?["files"].clone();
    assert_eq!(files[0]["name"], "survey.md", "{files}");
    for again in [
        &["--regenerate", &asked][..],
        &["--edit", &asked, "Does the Zorvane lighthouse lean to the east?"],
    ] {
        let answer = desk.ask(again)?;
        assert_eq!(
            desk.quotes(&answer)?,
            ["The Zorvane lighthouse leans by 4 centimetres to the east."],
            "{again:?}"
        );
    }
    assert_eq!(web.engine.asked().len(), 0, "nobody was asked");
    let gone = desk.home.run(["ask", "--file", &format!("{file}.old"), "And now?"])?;
    assert!(
        gone.code != Some(0) && gone.stderr.contains("survey.md.old"),
        "{}",
        gone.stderr
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_stand_beside_the_web_where_both_are_named_and_the_chat_remembers_it() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let desk = Desk::new(searching(&web.engine)?)?;
    desk.write(
        "survey.md",
        "# Survey\n\nThe Zorvane lighthouse leans by 4 centimetres to the east.\n",
    )?;
    desk.add()?;
    let both = |message: &Value| {
        let (files, pages): (Vec<_>, Vec<_>) = sources(message).into_iter().partition(|url| is_of_a_file(url));
        !files.is_empty() && !pages.is_empty()
    };
    let first = desk.ask(&["--in", "web,files", "Zorvane lighthouse"])?;
    assert!(both(&first), "{:?}", sources(&first));
    let chat = text(&first["chat_id"]);
    let second = desk.ask(&["--chat", &chat, "The tower of the Zorvane lighthouse"])?;
    assert!(both(&second), "{:?}", sources(&second));
    let third = desk.ask(&["--chat", &chat, "--in", "files", "How far does the lighthouse lean?"])?;
    assert!(
        sources(&third).iter().all(|url| is_of_a_file(url)),
        "{:?}",
        sources(&third)
    );
    // Without being named, files are not shown to whoever writes the answer.
    let other = desk.ask(&["How high is the Zorvane lighthouse?"])?;
    assert!(
        !sources(&other).iter().any(|url| is_of_a_file(url)),
        "{:?}",
        sources(&other)
    );
    let refused = desk.home.run(["ask", "--in", "files,chats", "Zorvane"])?;
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_that_are_blocked_or_not_among_those_that_are_wanted_are_neither_shown_nor_read() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let ask = |key: &str, value: &str| {
        let home = searching(&web.engine)?.set(key, value);
        home.run(["ask", "--json", "How high is the Zorvane lighthouse?"])
    };
    for (key, value) in [("sites.block", "127.0.0.1"), ("sites.allow", "example.org")] {
        let ran = ask(key, value)?;
        assert_eq!(ran.code, Some(7), "{key} {value}: {}", ran.stderr);
        assert_eq!(web.site.requests_in_all(), 0, "{key} {value}");
    }
    let wanted = finished(&ask("sites.allow", "127.0.0.1,example.org")?.succeeded()?)?;
    assert!(text(&wanted["content"]).contains("47 metres"), "{wanted}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_real_manuals_is_indexed_and_answers_questions_about_them() -> Result<()> {
    const PAGES: usize = 60;
    let Some(corpus) = needs::corpus() else {
        return Ok(());
    };
    let desk = Desk::new(offline()?)?;
    let files = std::fs::read_dir(corpus.join("python/library"))?;
    let mut manuals: Vec<PathBuf> = files.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    manuals.retain(|path| path.extension().is_some_and(|kind| kind == "html"));
    manuals.sort();
    // The one that is asked about, and those that follow it.
    let first = manuals.iter().position(|path| path.ends_with("json.html"));
    let manuals = &manuals[first.context("a manual of json")?..][..PAGES];
    for manual in manuals {
        let name = manual.file_name().context("a file has a name")?;
        std::fs::copy(manual, desk.folder.path().join(name))?;
    }
    let report = desk.add()?;
    assert_eq!(
        (&report["read"], &report["problems"]),
        (&PAGES.into(), &0.into()),
        "{report}"
    );
    let answer = desk.ask(&["--in", "files", "How does json.dumps handle NaN and Infinity?"])?;
    assert!(text(&answer["content"]).to_lowercase().contains("nan"), "{answer}");
    assert!(sources(&answer)[0].ends_with("/json.html"), "{:?}", sources(&answer));
    desk.quotes(&answer)?;
    Ok(())
}
