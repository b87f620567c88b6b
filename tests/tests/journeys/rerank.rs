//! Passages that a local embedding model puts in order: what is cited first, what is told and written down, and that
//! nothing is asked elsewhere and no answer waits.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use deepsearch_tests::cli::{Home, Ran};
use deepsearch_tests::embedding_server::{EmbeddingServer, Manner};
use deepsearch_tests::model_server::Script;
use serde_json::Value;

use crate::private::outward;
use crate::purpose::answering;
use crate::world::{SmallWeb, finished, hold_citations, open_chat, searching, sources, text, with_model};

const QUESTION: &str = "How tall is the Zorvane lighthouse?";
const KEY: &str = "rank.embedding_model";

/// By its words alone the first page is the better one.
const PAGES: &[(&str, &str, &str)] = &[
    (
        "asking.html",
        "How tall is the Zorvane lighthouse?",
        "How tall is the Zorvane lighthouse? Many visitors ask how tall the Zorvane lighthouse is, and nobody on the \
         pier tells them how tall the lighthouse at Zorvane is.",
    ),
    (
        "saying.html",
        "A beacon of grey granite",
        "From its foot to the tip of its lantern the beacon at Zorvane measures 47 metres. It was built of grey granite \
         by people from the island of Ummel, and its keepers lived in it.",
    ),
];

fn reranked(ran: &Ran) -> Result<Value> {
    let event = ran.events_of("reranked")?.pop();
    event.with_context(|| format!("nothing was said of reranking in\n{}\n{}", ran.stdout, ran.stderr))
}

fn first_source(ran: &Ran) -> Result<String> {
    let first = sources(&finished(ran)?).into_iter().next().context("a source")?;
    Ok(first.rsplit('/').next().unwrap_or_default().to_owned())
}

/// The same pages as files of the person's.
fn folder() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for (name, title, text) in PAGES {
        let file = folder.path().join(name).with_extension("md");
        std::fs::write(file, format!("# {title}\n\n{text}\n"))?;
    }
    Ok(folder)
}

struct World {
    web: SmallWeb,
    embeddings: EmbeddingServer,
}

impl World {
    async fn with(manner: Manner) -> Result<Self> {
        Ok(Self {
            web: SmallWeb::of(PAGES).await?,
            embeddings: EmbeddingServer::start(manner, |text| text == QUESTION || text.contains("47 metres")).await?,
        })
    }

    fn home(&self) -> Result<Home> {
        let home = searching(&self.web.engine)?;
        Ok(home.set("models.ollama.url", self.embeddings.ollama().as_str()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_means_the_answer_is_cited_first_and_the_ledger_has_what_was_sent() -> Result<()> {
    let world = World::with(Manner::Good).await?;
    let model = answering(|_| Script::text("The beacon at Zorvane measures 47 metres [1].")).await?;
    let home = with_model(world.home()?, &model);
    let plain = home.run(["ask", "--json", QUESTION])?.succeeded()?;
    assert_eq!(first_source(&plain)?, "asking.html", "so the words have it");
    assert!(plain.events_of("reranked")?.is_empty());
    assert!(
        world.embeddings.texts().is_empty(),
        "nobody is asked unless a person chose it"
    );

    home.run(["settings", "set", KEY, "ollama/all-minilm"])?.succeeded()?;
    let ran = home.run(["ask", "--json", QUESTION])?.succeeded()?;
    assert_eq!(first_source(&ran)?, "saying.html");
    let told = reranked(&ran)?;
    assert_eq!(
        (text(&told["model"]).as_str(), &told["failure"]),
        ("ollama/all-minilm", &Value::Null)
    );
    let message = finished(&ran)?;
    let chat = open_chat(&home, &message)?;
    assert_eq!(hold_citations(&home, &chat, &message)?, 1);

    let sent = world.embeddings.texts().pop().context("the last request")?;
    assert_eq!(
        (sent[0].as_str(), sent.len() as u64 - 1),
        (QUESTION, told["passages"].as_u64().unwrap_or(0))
    );
    assert!(sent.iter().any(|text| text.contains("47 metres")));
    let ledger = home
        .run(["ledger", &text(&message["id"]), "--json"])?
        .succeeded()?
        .json()?;
    let texts = ledger[0]["ledger"]["texts"]
        .as_array()
        .or_else(|| ledger["ledger"]["texts"].as_array());
    let of_embedder = |text: &&Value| text["model"] == "ollama/all-minilm";
    let kept: Vec<&Value> = texts.into_iter().flatten().filter(of_embedder).collect();
    let turns = kept.last().context("the texts are in the ledger")?["turns"].as_array();
    let kept_texts: Vec<String> = turns.into_iter().flatten().map(|turn| text(&turn["content"])).collect();
    assert_eq!(kept_texts, sent);
    assert!(
        kept.iter().all(|text| text["local"] == true),
        "nothing of it left this computer"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_language_model_it_is_the_first_source_too_and_in_private_mode_as_well() -> Result<()> {
    let world = World::with(Manner::Good).await?;
    let openai = world.embeddings.openai();
    let home = world.home()?.set("models.mine.url", openai.as_str());
    let home = home.set(KEY, "mine/all-minilm:latest");
    let ran = home.run(["ask", "--json", QUESTION])?.succeeded()?;
    assert_eq!(first_source(&ran)?, "saying.html");
    let folder = folder()?;
    home.run(["folders", "add", &folder.path().to_string_lossy()])?
        .succeeded()?;
    home.run(["settings", "set", "privacy.mode", "private"])?.succeeded()?;
    let ran = home.run(["ask", "--json", "--in", "files", QUESTION])?.succeeded()?;
    assert_eq!(reranked(&ran)?["failure"], Value::Null, "it is on this computer");
    let first = &finished(&ran)?["sources"][0]["title"];
    assert!(
        text(first).contains("beacon"),
        "the person's own files are put in order too: {first}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_hangs_or_lies_leaves_the_words_in_their_order_and_says_so() -> Result<()> {
    for (manner, code) in [(Manner::Hangs, "timed_out"), (Manner::Forgetful, "upstream")] {
        let world = World::with(manner).await?;
        let home = world.home()?.set(KEY, "ollama/all-minilm");
        let started = Instant::now();
        let ran = home.run(["ask", "--json", QUESTION])?.succeeded()?;
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
        assert_eq!(first_source(&ran)?, "asking.html");
        assert_eq!(reranked(&ran)?["failure"]["code"], code);
        let words = home.run(["ask", QUESTION])?.succeeded()?.stderr;
        assert!(words.contains("Passages stay in the order of their words"), "{words}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_elsewhere_is_refused_and_never_asked() -> Result<()> {
    let web = SmallWeb::of(PAGES).await?;
    let canary = TcpListener::bind((outward(), 0))?;
    canary.set_nonblocking(true)?;
    let address = canary.local_addr()?;
    if address.ip().is_loopback() {
        // Without a network there is no address that is not this computer's alone.
        return Ok(());
    }
    let home = searching(&web.engine)?;
    let home = home.set("models.cloud.url", &format!("http://{address}/v1"));
    for id in ["cloud/bge-m3", "openai/text-embedding-3-small"] {
        let refused = home.run(["settings", "set", KEY, id])?;
        assert_ne!(refused.code, Some(0));
        assert!(refused.stderr.contains("is not on this computer"), "{}", refused.stderr);
    }
    for id in ["all-minilm", "/all-minilm", "ollama/"] {
        let refused = home.run(["settings", "set", KEY, id])?;
        assert!(
            refused.stderr.contains("write provider/name"),
            "{id}: {}",
            refused.stderr
        );
    }
    let unknown = home.run(["settings", "set", KEY, "nobody/model"])?;
    assert!(unknown.stderr.contains("nobody/model"), "{}", unknown.stderr);

    // A file or the environment may say so all the same.
    let home = home.set(KEY, "cloud/bge-m3");
    let folder = folder()?;
    home.run(["folders", "add", &folder.path().to_string_lossy()])?
        .succeeded()?;
    for mode in ["off", "private"] {
        home.run(["settings", "set", "privacy.mode", mode])?.succeeded()?;
        // The doctor asks whom it may ask which models it has; of that nothing is said here.
        while canary.accept().is_ok() {}
        let ran = home
            .run(["ask", "--json", "--in", "files", "--model", "extractive", QUESTION])?
            .succeeded()?;
        assert_eq!(reranked(&ran)?["failure"]["code"], "refused");
        let asked = canary.accept();
        assert!(asked.is_err(), "{mode}: somebody asked: {asked:?}");
        let doctor = home.run(["doctor"])?;
        assert!(
            doctor.stdout.contains("only a model of this computer"),
            "{}",
            doctor.stdout
        );
    }
    let asked = canary.accept().map(|(_, from)| from);
    assert!(
        asked
            .as_ref()
            .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
        "somebody asked: {asked:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_models_that_could_are_listed_and_the_doctor_says_whether_the_chosen_one_works() -> Result<()> {
    let world = World::with(Manner::Good).await?;
    let home = world.home()?;
    let listed = home.run(["models", "--json"])?.succeeded()?.json()?;
    assert_eq!(listed["embedding"]["offered"][0], "ollama/all-minilm:latest");
    assert_eq!(listed["embedding"]["chosen"], Value::Null);
    let models = listed["models"].as_array().context("models")?;
    assert!(
        models.iter().all(|model| model["provider"] != "ollama"),
        "it cannot answer: {listed}"
    );
    let told = home.run(["models"])?.succeeded()?;
    assert!(
        told.stdout.contains("ollama/all-minilm:latest  embeds"),
        "{}",
        told.stdout
    );

    home.run(["settings", "set", KEY, "ollama/all-minilm:latest"])?
        .succeeded()?;
    let told = home.run(["models"])?.succeeded()?;
    assert!(told.stdout.contains("~ ollama/all-minilm:latest"), "{}", told.stdout);
    let doctor = home.run(["doctor"])?;
    assert!(
        doctor
            .stdout
            .contains("ollama/all-minilm:latest puts passages in order"),
        "{}",
        doctor.stdout
    );
    home.run(["settings", "set", KEY, "ollama/mxbai-embed-large"])?
        .succeeded()?;
    let doctor = home.run(["doctor"])?;
    assert!(
        doctor.stdout.contains("ollama pull mxbai-embed-large"),
        "{}",
        doctor.stdout
    );
    home.run(["settings", "set", KEY, ""])?.succeeded()?;
    let listed = home.run(["models", "--json"])?.succeeded()?.json()?;
    assert_eq!(listed["embedding"]["chosen"], Value::Null, "empty is off");
    Ok(())
}
