use deepsearch_core::{EngineKind, FetchError, PageFetcher, SearchEngine};
use deepsearch_search::Guide;
use url::Url;

use crate::{Stopped, kind, query};

fn guide() -> Guide {
    Guide::new(Stopped::at_noon())
}

async fn topics(question: &str) -> Vec<String> {
    let found = guide().search(&query(question)).await;
    let hits = found.map(|results| results.hits).unwrap_or_default();
    hits.into_iter()
        .map(|hit| hit.url.strip_prefix("guide:").unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_question_about_the_app_finds_its_topic_first() {
    let mut wrong = Vec::new();
    for (question, topic) in [
        ("how do I use my own SearXNG?", "searxng"),
        ("How can I connect DeepSearch to my SearXNG server", "searxng"),
        ("set up searxng", "searxng"),
        ("SearXNG answers with 403", "searxng"),
        ("Where do I get a Brave API key?", "brave"),
        ("how to make a backup", "backup"),
        ("use a local model with Ollama", "local-models"),
        ("how do I use it offline", "offline"),
        ("I want DeepSearch to search with my private searx instance", "searxng"),
        ("why does searxng return forbidden", "searxng"),
        ("how do I configure a Redis cache", "redis"),
        ("does it work without internet", "offline"),
        ("where are my chats stored on disk", "data-folder"),
        ("restore an old backup", "backup"),
        ("which search engines can I use", "engines"),
        ("use OpenAI with my own key", "hosted-models"),
        ("connect LM Studio", "local-models"),
        ("what do the numbers in brackets mean", "citations"),
        ("is my data sent anywhere? privacy", "privacy"),
        ("search old conversations", "history"),
        ("get the output as JSON in a script", "scripting"),
        ("tavily api token", "tavily"),
        ("move the data directory", "data-folder"),
        // Written after the index was tuned to those above.
        ("my searxng server gives status 429", "searxng"),
        ("can I use Exa with DeepSearch?", "exa"),
        ("how do I sign up for Serper", "serper"),
        ("run everything without a network", "offline"),
        ("how to see which models are available", "models"),
        ("change the settings from the environment", "settings"),
        ("can deepsearch read a PDF", "reading"),
        ("share the search cache through Redis", "redis"),
        ("something is broken, what can I do to troubleshoot", "troubleshooting"),
        ("first steps with DeepSearch", "getting-started"),
        ("how to undo a deletion with a backup", "backup"),
        ("does llama.cpp work", "local-models"),
        ("turn on private mode", "private-mode"),
        ("what is private mode in DeepSearch", "private-mode"),
        ("show the ledger of an answer", "ledger"),
        ("which hosts were contacted for my answer", "ledger"),
        ("how many tokens did I use this month", "usage"),
        ("what did my models cost per month", "usage"),
        ("put chats into a collection", "collections"),
        ("how do I tag a chat", "collections"),
        ("keep a saved search", "collections"),
        ("archive many chats at once", "collections"),
        ("check an old answer again", "recheck"),
        ("have an answer checked again every week by itself", "recheck"),
        ("recheck an answer on a schedule", "recheck"),
    ] {
        let found = topics(question).await;
        if found.first().map(String::as_str) != Some(topic) {
            wrong.push((question, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_question_about_something_else_finds_nothing() {
    let mut wrong = Vec::new();
    for question in [
        "capital of France",
        "What is the capital of France?",
        "how do I bake bread?",
        "who won the world cup in 1998",
        "how do I use chopsticks?",
        "best way to remove coffee stains",
        "symptoms of the flu",
        "when was the Eiffel tower built",
        "what is the weather in Zurich tomorrow",
        "東京の天気",
        "wie backe ich Brot?",
        "",
        "???",
        "how do I do it",
        "how to learn to play the piano",
        "is climate change real",
        "history of the Roman empire",
        "who is the president of Brazil",
        "how many calories are in an apple",
        "compare the iPhone and Android phones",
        "cheap flights to Tokyo",
        "explain quantum entanglement",
        "why is the sky blue",
        "Rust lifetimes explained",
        "how does photosynthesis work",
        "best restaurants near me",
        "the key of C major",
        "how do I open a bank account",
        // Written after the index was tuned to those above.
        "population of Germany",
        "recipe for pancakes without eggs",
        "what time is it in New York",
        "difference between TCP and UDP",
        "who wrote War and Peace",
        "symptoms of burnout at work",
        "how to fix a flat tire",
        "python list comprehension examples",
        "latest news about the election",
        "distance from Earth to the Moon",
        "what is a sentence in grammar",
        "local restaurants that open early",
        "how to back up an iPhone to iCloud",
        "the meaning of life",
        "make money online fast",
    ] {
        let found = guide().search(&query(question)).await;
        if kind(&found) != "no results" {
            wrong.push((question, topics(question).await));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn every_topic_is_found_by_its_own_title_and_can_be_read() {
    let guide = guide();
    assert_eq!(guide.kind(), EngineKind::Guide);
    assert!(guide.topics().count() >= 1);
    for (id, title) in guide.topics() {
        assert!(!title.is_empty(), "`{id}` begins with a title");
        let found = topics(title).await;
        assert_eq!(found.first().map(String::as_str), Some(id), "{title}");
        let page = guide
            .fetch(&Url::parse(&format!("guide:{id}#part")).unwrap())
            .await
            .unwrap();
        assert_eq!(
            (page.title.as_str(), page.url.as_str()),
            (title, format!("guide:{id}").as_str())
        );
        assert!(page.text.starts_with(title) && !page.text.contains("\n## "));
        assert!(page.sentences.len() > 2, "{id}");
        assert_eq!(page.content_hash.len(), 64);
    }
}

#[tokio::test]
async fn the_text_of_a_topic_reads_like_the_page() {
    let page = guide().fetch(&Url::parse("guide:searxng").unwrap()).await.unwrap();
    assert!(page.text.contains("deepsearch settings set engines.searxng.url"));
    assert!(!page.text.contains('`'), "code is text, without its marks");
    assert!(page.html.unwrap().contains("<h1>"));
}

#[tokio::test]
async fn only_topics_can_be_fetched() {
    let fetch = async |address: &str| guide().fetch(&Url::parse(address).unwrap()).await;
    assert!(matches!(
        fetch("guide:no-such-topic").await,
        Err(FetchError::Unknown { .. })
    ));
    assert!(matches!(
        fetch("guide:../secrets").await,
        Err(FetchError::Unknown { .. })
    ));
    assert!(matches!(
        fetch("https://example.org/").await,
        Err(FetchError::Refused { .. })
    ));
}

#[tokio::test]
async fn the_nearest_topics_are_offered_only_as_what_they_are() {
    let question = query("how to back up an iPhone to iCloud");
    assert_eq!(kind(&guide().search(&question).await), "no results");
    let nearest = guide().nearest(&question);
    assert!((1..=3).contains(&nearest.len()), "{nearest:#?}");
    assert!(
        nearest.iter().all(|hit| hit.title.starts_with("Nearest topic: ")),
        "{nearest:#?}"
    );
    assert!(
        guide().nearest(&query("東京の天気")).is_empty(),
        "nothing is near to everything"
    );
}
