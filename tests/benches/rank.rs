//! How well and how fast passages are ranked, beside plain BM25 (crate `bm25`) on the same passages.
//!
//! Each question of `rank/questions.tsv` has ten pages of the manuals: the nearest by a rough index, with the page that
//! answers it. A passage is right when it holds the phrase given there, or another one that says the same; what each
//! ranking puts first was looked through for those. Numbers of the ranking are chosen by the
//! questions marked `tuning`; what they are worth, the `held-out` ones say. `-- --each` tells the place of the right
//! passage for each of the former, and what stood first. `-- --embedder URL MODEL` names an embedding model behind an
//! OpenAI-compatible address of this machine, and measures what it adds when it puts our passages in order. On the
//! held-out questions all-MiniLM-L6-v2 adds a fifth: MRR@10 0.404 → 0.486, nDCG@10 0.426 → 0.505.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bm25::{Document, Language, SearchEngineBuilder};
use chrono::DateTime;
use deepsearch_core::text::sentences;
use deepsearch_core::{Embedder, MediaType, Page, PageId};
use deepsearch_llm::{Models, ModelsConfig, ProviderConfig};
use deepsearch_rank::{CountedPage, RankOptions, SplitOptions, nearness};
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::needs;
use url::Url;

const MANUALS: &[&str] = &["apache/en", "django", "git", "postgresql", "python", "sqlite"];
/// As many as an engine gives at once; the pipeline reads eight of them.
const PAGES: usize = 10;
/// How far down a list is looked.
const DEPTH: usize = 10;
/// How often a ranking of ours is timed.
const TIMES: usize = 5;
/// How many passages are put in order by what they mean: as many as in an answer.
const FOREMOST: usize = 31;

struct Question {
    is_held_out: bool,
    text: String,
    document: String,
    phrases: Vec<String>,
}

fn main() -> Result<()> {
    let Some(corpus) = needs::corpus() else {
        return Ok(());
    };
    let questions = questions()?;
    let index = index(&corpus)?;
    let mut read = HashMap::new();
    let mut asked = Vec::new();
    for question in &questions {
        asked.push((question, pages(question, &index, &corpus, &mut read)?));
    }
    if std::env::args().any(|argument| argument == "--each") {
        return tell_each(&asked);
    }
    let reranker = Reranker::of_arguments()?;
    let found = asked.iter().filter(|(_, pages)| pages.was_found).count();
    println!(
        "rank: {} questions; the rough index gives the right page for {found} of them, the others have it last",
        questions.len()
    );
    for (order, by_address) in [("as the engine orders them", false), ("by address", true)] {
        if by_address {
            for (_, pages) in &mut asked {
                pages.list.sort_by(|left, right| left.url.cmp(&right.url));
            }
        }
        for (half, is_held_out) in [("tuning", false), ("held-out", true)] {
            let of_half = || asked.iter().filter(|(question, _)| question.is_held_out == is_held_out);
            let ours = measure(of_half(), TIMES, ours)?;
            let plain = measure(of_half(), TIMES, plain_bm25)?;
            println!("rank, pages {order}, {half}: {ours}");
            println!("rank, pages {order}, {half}: {plain} with plain BM25");
            if let Some(reranker) = &reranker {
                let reranked = measure(of_half(), 1, |question, pages| reranker.rank(question, pages))?;
                println!("rank, pages {order}, {half}: {reranked} reranked by {}", reranker.model);
            }
        }
    }
    Ok(())
}

fn questions() -> Result<Vec<Question>> {
    let lines = include_str!("rank/questions.tsv").lines().skip(1);
    lines
        .map(|line| {
            let [half, text, document, phrase] = line.split('\t').collect::<Vec<_>>()[..] else {
                anyhow::bail!("not four columns: `{line}`");
            };
            Ok(Question {
                is_held_out: half == "held-out",
                text: text.into(),
                document: document.into(),
                phrases: phrase.split(" || ").map(normal).collect(),
            })
        })
        .collect()
}

impl Question {
    fn is_answered_by(&self, passage: &str) -> bool {
        let passage = normal(passage);
        self.phrases.iter().any(|phrase| passage.contains(phrase))
    }
}

fn index(corpus: &Path) -> Result<LocalIndex> {
    let mut files = Vec::new();
    for manual in MANUALS {
        add_files(&corpus.join(manual), &mut files).with_context(|| format!("listing the manual `{manual}`"))?;
    }
    files.sort();
    let mut index = LocalIndex::default();
    for file in files {
        let html = std::fs::read(&file)?;
        index.add(address(file.strip_prefix(corpus)?), &String::from_utf8_lossy(&html));
    }
    Ok(index)
}

fn add_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            add_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            files.push(path);
        }
    }
    Ok(())
}

/// Each manual is a site of its own.
fn address(document: &Path) -> Url {
    let mut parts = document.iter().map(|part| part.to_string_lossy());
    let manual = parts.next().unwrap_or_default();
    let path: Vec<_> = parts.collect();
    Url::parse(&format!("https://{manual}.example.org/{}", path.join("/"))).expect("names of files make an address")
}

fn document(address: &Url) -> String {
    let manual = address.host_str().and_then(|host| host.split('.').next());
    format!("{}{}", manual.unwrap_or_default(), address.path())
}

struct Pages {
    list: Vec<Page>,
    /// Whether the right one was among what the index gave.
    was_found: bool,
}

fn pages(question: &Question, index: &LocalIndex, corpus: &Path, read: &mut HashMap<String, Page>) -> Result<Pages> {
    let hits = index.search(&question.text, PAGES);
    let mut documents: Vec<String> = hits.iter().map(|hit| document(&hit.url)).collect();
    let was_found = documents.contains(&question.document);
    if !was_found {
        documents.truncate(PAGES - 1);
        documents.push(question.document.clone());
    }
    let mut list = Vec::new();
    for name in documents {
        if !read.contains_key(&name) {
            read.insert(name.clone(), page(corpus, &name)?);
        }
        list.push(read[&name].clone());
    }
    Ok(Pages { list, was_found })
}

fn page(corpus: &Path, document: &str) -> Result<Page> {
    let html = std::fs::read(corpus.join(document)).with_context(|| format!("reading `{document}`"))?;
    let url = address(Path::new(document));
    // A page of nothing but links has no text, and no passages then.
    let (title, text) = deepsearch_crawl::extract_html(&String::from_utf8_lossy(&html), &url)
        .map(|found| (found.title, found.text))
        .unwrap_or_default();
    Ok(Page {
        id: PageId::from_stored(document),
        url,
        title,
        author: None,
        site_name: None,
        published_at: None,
        favicon: None,
        picture: None,
        language: Some("en".into()),
        media_type: MediaType::Html,
        sentences: sentences(&text),
        text,
        html: None,
        fetched_at: DateTime::default(),
        content_hash: document.into(),
    })
}

/// The texts of passages, best first.
type Ranking = fn(&str, &[Page]) -> Vec<String>;

/// Ours, put in order by an embedding model as the pipeline has it done.
struct Reranker {
    model: String,
    embedder: Arc<dyn Embedder>,
    runtime: tokio::runtime::Runtime,
}

impl Reranker {
    /// The one that the command line names.
    fn of_arguments() -> Result<Option<Self>> {
        let mut named = std::env::args().skip_while(|argument| argument != "--embedder").skip(1);
        let Some(url) = named.next() else { return Ok(None) };
        let model = named.next().context("`--embedder` wants an address and a model")?;
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let provider = ProviderConfig {
            url: Some(Url::parse(&url).with_context(|| format!("reading the address `{url}`"))?),
            ..ProviderConfig::default()
        };
        let mut config = ModelsConfig::default();
        config.providers.insert("bench".into(), provider);
        let embedder = Models::new(config)?.embedder(&format!("bench/{model}"));
        embedder.check()?;
        Ok(Some(Self {
            model,
            embedder: Arc::new(embedder),
            runtime: tokio::runtime::Runtime::new()?,
        }))
    }

    #[expect(clippy::expect_used, reason = "a benchmark whose model fails measures nothing")]
    fn rank(&self, question: &str, pages: &[Page]) -> Vec<String> {
        let ranking = deepsearch_rank::Ranking::new(question, &[], RankOptions::new(DateTime::default()));
        let counted: Vec<CountedPage> = pages.iter().map(|page| ranking.count(page)).collect();
        let foremost = ranking.foremost(FOREMOST, pages, &counted);
        let texts: Vec<String> = std::iter::once(question).chain(foremost).map(str::to_owned).collect();
        let embedded = self.embedder.embed(&texts, Duration::from_secs(60));
        let vectors = self.runtime.block_on(embedded).expect("the model embeds");
        let near = nearness(&vectors[0], &vectors[1..]);
        let ranked = ranking.choose_by(&near, pages, &counted);
        ranked.into_iter().map(|passage| passage.text).collect()
    }
}

fn ours(question: &str, pages: &[Page]) -> Vec<String> {
    let options = RankOptions::new(DateTime::default());
    let ranked = deepsearch_rank::rank(question, &[], pages, &options);
    ranked.into_iter().map(|passage| passage.text).collect()
}

fn plain_bm25(question: &str, pages: &[Page]) -> Vec<String> {
    let passages = passages(pages).into_iter().enumerate();
    let documents = passages.map(|(number, text)| Document::new(number, text));
    let engine = SearchEngineBuilder::<usize>::with_documents(Language::English, documents).build();
    let ranked = engine.search(question, DEPTH);
    ranked.into_iter().map(|result| result.document.contents).collect()
}

/// All of them, split as ours are.
fn passages(pages: &[Page]) -> Vec<String> {
    let options = SplitOptions {
        tokens: RankOptions::new(DateTime::default()).passage_tokens,
        ..SplitOptions::default()
    };
    let split = pages
        .iter()
        .flat_map(|page| deepsearch_rank::passages(0, page, &options));
    split.map(|passage| passage.text).collect()
}

fn tell_each(asked: &[(&Question, Pages)]) -> Result<()> {
    for (question, pages) in asked.iter().filter(|(question, _)| !question.is_held_out) {
        let place = |ranking: Ranking| {
            let ranked = ranking(&question.text, &pages.list);
            let at = ranked.iter().position(|text| question.is_answered_by(text));
            let first: String = ranked.first().map_or("", |text| text).chars().take(200).collect();
            (at.map_or("-".into(), |at| (at + 1).to_string()), normal(&first))
        };
        let ((ours, first), (plain, plain_first)) = (place(ours), place(plain_bm25));
        println!(
            "{ours:>3} {plain:>3}  {}\n         {first}\n         {plain_first}",
            question.text
        );
    }
    Ok(())
}

#[derive(Default)]
struct Measured {
    questions: f64,
    reciprocal_rank: f64,
    first_is_right: f64,
    ndcg: f64,
    took: Vec<Duration>,
}

fn measure<'a>(
    asked: impl Iterator<Item = &'a (&'a Question, Pages)>,
    times: usize,
    ranking: impl Fn(&str, &[Page]) -> Vec<String>,
) -> Result<Measured> {
    let mut measured = Measured::default();
    for (question, pages) in asked {
        let mut ranked = Vec::new();
        for _ in 0..times {
            let started = Instant::now();
            ranked = ranking(&question.text, &pages.list);
            measured.took.push(started.elapsed());
        }
        let is_right = |text: &String| question.is_answered_by(text);
        let count = passages(&pages.list).iter().filter(|text| is_right(text)).count();
        ensure!(
            count > 0,
            "no passage of `{}` holds what answers `{}`: correct tests/benches/rank/questions.tsv",
            question.document,
            question.text
        );
        measured.add(&ranked.iter().map(is_right).collect::<Vec<_>>(), count);
    }
    Ok(measured)
}

impl Measured {
    /// A list with which of its places are right, and how many right ones there are in all.
    fn add(&mut self, places: &[bool], count: usize) {
        let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let right = || (0..places.len().min(DEPTH)).filter(|place| places[*place]);
        self.questions += 1.0;
        self.reciprocal_rank += right().next().map_or(0.0, |place| 1.0 / (place as f64 + 1.0));
        self.first_is_right += f64::from(u8::from(right().next() == Some(0)));
        self.ndcg += right().map(gain).sum::<f64>() / (0..count.min(DEPTH)).map(gain).sum::<f64>();
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mean = |sum: f64| sum / self.questions;
        let mut took = self.took.clone();
        took.sort_unstable();
        let median = took.get(took.len() / 2).copied().unwrap_or_default();
        write!(
            out,
            "MRR@{DEPTH} {:.3}, hit@1 {:.3}, nDCG@{DEPTH} {:.3} ({} questions), {:.1} ms a question",
            mean(self.reciprocal_rank),
            mean(self.first_is_right),
            mean(self.ndcg),
            self.questions,
            median.as_secs_f64() * 1_000.0
        )
    }
}

/// One space for any white space, and typographic marks as typed: a phrase may run over the end of a line.
fn normal(text: &str) -> String {
    let plain = text.replace(['“', '”'], "\"").replace('’', "'").to_lowercase();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
