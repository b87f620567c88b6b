//! Papers, discussions and news through `ask --in`: the engine of that kind is asked and no engine of the web, what it
//! found is read and cited, and a paper is shown with its year and its DOI.

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::kinds_of_page::{self, Article, Paper, Thread};
use deepsearch_tests::local_web::Site;
use deepsearch_tests::ports::nobody;
use deepsearch_tests::scripted_server::ScriptedServer;
use serde_json::Value;
use tempfile::TempDir;

use crate::research::answer_of;
use crate::world::{SmallWeb, hold_citations, open_chat, page, searching, text};

const QUESTION: &str = "How bright is the Fresnel lens of the Zorvane lighthouse?";

/// A site with one page that can be read, and an engine of the web that is not to be asked.
struct World {
    web: SmallWeb,
    site: Site,
    _folder: TempDir,
}

impl World {
    async fn with(name: &str, title: &str, says: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join(name), page(title, says))?;
        Ok(Self {
            web: SmallWeb::lighthouse().await?,
            site: Site::serve(folder.path()).await?,
            _folder: folder,
        })
    }

    /// Every engine of a kind of its own leads to where nobody listens, but this one.
    fn home(&self, engine: &str, server: &ScriptedServer) -> Result<Home> {
        let nobody = nobody()?;
        let mut home = searching(&self.web.engine)?.set("default_model", "extractive");
        for other in ["openalex", "arxiv", "hackernews", "stackexchange", "reddit", "gdelt"] {
            let url = if other == engine { server.base() } else { &nobody };
            home = home.set(&format!("engines.{other}.url"), url.as_str());
        }
        Ok(home)
    }

    /// Asks in a place, and holds what every such answer promises.
    fn ask(&self, home: &Home, place: &str) -> Result<Value> {
        let message = answer_of(&home.run(["ask", "--in", place, "--json", QUESTION])?.succeeded()?)?;
        let chat = open_chat(home, &message)?;
        assert!(hold_citations(home, &chat, &message)? > 0, "{message}");
        assert!(
            self.web.engine.asked().is_empty(),
            "no engine of the whole web is asked"
        );
        Ok(message)
    }
}

fn source<'a>(message: &'a Value, url: &str) -> Result<&'a Value> {
    let mut sources = message["sources"].as_array().into_iter().flatten();
    let found = sources.find(|source| source["url"] == url);
    found.with_context(|| format!("{url} is no source of {message}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_is_cited_with_its_year_and_its_doi_and_where_it_cannot_be_read_its_abstract_is() -> Result<()> {
    let says = "The Fresnel lens of the Zorvane lighthouse shines with 400 kilocandela.\n\
                It was measured in two nights from a boat three miles away.";
    let world = World::with("lens.html", "Journal of coastal optics", says).await?;
    let paper = |title, year, doi, says, page: &str| Paper {
        title,
        year,
        doi,
        authors: &["Ada Brinkvold", "Maren Oltwick", "Jon Tarvel"],
        journal: "Journal of Coastal Optics",
        says,
        page: world.site.url(page),
    };
    let papers = vec![
        paper(
            "Photometry of the Zorvane lens",
            2018,
            "10.5555/coast.2018.41",
            "We measure how bright the Fresnel lens of the Zorvane lighthouse is.",
            "lens.html",
        ),
        paper(
            "Mercury baths under Fresnel lenses",
            1999,
            "10.5555/coast.1999.7",
            "The Fresnel lens of the Zorvane lighthouse floats on nine litres of mercury. We show that its bath makes the \
             light of the lighthouse no less bright, and that a child can turn it with one hand on a calm day.",
            "closed.html",
        ),
    ];
    let engine = kinds_of_page::openalex(papers).await?;
    let home = world.home("openalex", &engine)?;
    let message = world.ask(&home, "academic")?;

    let read = source(&message, world.site.url("lens.html").as_str())?;
    assert_eq!(read["title"], "Photometry of the Zorvane lens (2018)");
    let snippet = text(&read["snippet"]);
    assert!(snippet.starts_with("doi:10.5555/coast.2018.41"), "{snippet}");
    let closed = source(&message, world.site.url("closed.html").as_str())?;
    assert_eq!(closed["title"], "Mercury baths under Fresnel lenses (1999)");
    let snippet = text(&closed["snippet"]);
    assert!(snippet.starts_with("doi:10.5555/coast.1999.7"), "{snippet}");
    let content = text(&message["content"]);
    assert!(content.contains("400 kilocandela"), "from the page itself: {content}");

    let plain = home.run(["ask", "--in", "academic", QUESTION])?.succeeded()?;
    let (_, list) = plain.stdout.split_once("Sources").context("a list of sources")?;
    for shown in ["(2018), doi:10.5555/coast.2018.41", "(1999), doi:10.5555/coast.1999.7"] {
        assert!(list.contains(shown), "{shown} in {list}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discussion_is_cited_and_what_the_engine_told_of_one_that_cannot_be_read() -> Result<()> {
    let says = "The Fresnel lens of the Zorvane lighthouse is as bright as 400 kilocandela.\nI asked its last keeper.";
    let world = World::with("thread.html", "How bright is the Zorvane lens?", says).await?;
    let threads = vec![
        Thread {
            title: "How bright is the Zorvane lens?",
            body: "I saw it from thirty miles.",
            score: 12,
            answers: 3,
            page: world.site.url("thread.html"),
        },
        Thread {
            title: "Is the Zorvane lighthouse brighter than Halden?",
            body: "With binoculars the Fresnel lens of the Zorvane lighthouse looks twice as bright as that of Halden, \
                   though both burn the same lamp behind the glass.",
            score: 4,
            answers: 1,
            page: world.site.url("away.html"),
        },
    ];
    let engine = kinds_of_page::stack_exchange(threads).await?;
    let home = world.home("stackexchange", &engine)?;
    let message = world.ask(&home, "discussions")?;
    source(&message, world.site.url("thread.html").as_str())?;
    let away = source(&message, world.site.url("away.html").as_str())?;
    assert_eq!(away["title"], "Is the Zorvane lighthouse brighter than Halden?");
    let content = text(&message["content"]);
    assert!(content.contains("400 kilocandela"), "{content}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn news_are_read_and_cited() -> Result<()> {
    let says =
        "The Fresnel lens of the Zorvane lighthouse is bright again: it shines with 400 kilocandela since Sunday.";
    let world = World::with("news.html", "Zorvane lighthouse shines again", says).await?;
    let articles = vec![Article {
        title: "Zorvane lighthouse shines again",
        seen: "20261122T103000Z",
        country: "Norway",
        page: world.site.url("news.html"),
    }];
    let engine = kinds_of_page::gdelt(articles).await?;
    let home = world.home("gdelt", &engine)?;
    let message = world.ask(&home, "news")?;
    let article = source(&message, world.site.url("news.html").as_str())?;
    assert_eq!(article["title"], "Zorvane lighthouse shines again");
    let content = text(&message["content"]);
    assert!(content.contains("400 kilocandela"), "{content}");
    assert_eq!(engine.asked().len(), 1);
    Ok(())
}
