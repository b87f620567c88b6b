//! How well and how fast pages are read, beside each extraction crate alone.
//!
//! Quality: word F1 (lower-cased words, as multisets) against the true main content, the mean over the pages of each
//! type, then over the types. The model was trained on these very pages, so its line here flatters it; what it does on
//! pages it has not seen is what `extraction/train.py` prints, and is given here as recorded.
//!
//! `DEEPSEARCH_PAGES` names the folder of pages; `-- --rows FILE` writes what `train.py` reads instead of measuring.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use url::Url;

/// Deep pages overflow the usual stack of some of the crates measured.
const STACK: usize = 1 << 29;

struct Page {
    id: String,
    kind: String,
    url: Url,
    html: String,
    truth: String,
}

fn main() -> Result<()> {
    let work = std::thread::Builder::new().stack_size(STACK).spawn(run)?;
    work.join().unwrap_or_else(|_| anyhow::bail!("the benchmark panicked"))
}

fn run() -> Result<()> {
    let folder = std::env::var_os("DEEPSEARCH_PAGES").map_or_else(|| "../../shared/pages".into(), PathBuf::from);
    if !folder.join("truth").is_dir() {
        println!(
            "extraction: left out, no pages in `{}`; DEEPSEARCH_PAGES names another folder",
            folder.display()
        );
        return Ok(());
    }
    let pages = pages(&folder)?;
    let mut arguments = std::env::args().skip_while(|argument| argument != "--rows").skip(1);
    if let Some(file) = arguments.next() {
        return write_rows(&pages, Path::new(&file));
    }
    std::panic::set_hook(Box::new(|_| {}));
    let ours = measure(&pages, |page| {
        deepsearch_crawl::extract_html(&page.html, &page.url).map_or_else(|_| String::new(), |found| found.text)
    });
    let crates: Vec<(&str, Measured)> = CRATES
        .iter()
        .map(|(name, read)| (*name, measure(&pages, read)))
        .collect();
    report(&ours, &crates);
    Ok(())
}

/// Reads the text of a page.
type Reader = fn(&Page) -> String;

const CRATES: &[(&str, Reader)] = &[
    ("rs-trafilatura", |page| {
        let options = rs_trafilatura::Options {
            url: Some(page.url.to_string()),
            ..Default::default()
        };
        rs_trafilatura::extract_with_options(&page.html, &options).map_or_else(|_| String::new(), |it| it.content_text)
    }),
    ("trafilatura", |page| trafilatura_text(page, false)),
    ("trafilatura with fallback", |page| trafilatura_text(page, true)),
    ("libreadability", |page| {
        libreadability::extract(&page.html, Some(page.url.as_str()))
            .map_or_else(|_| String::new(), |it| it.text_content)
    }),
    ("dom_smoothie", |page| {
        let config = dom_smoothie::Config {
            text_mode: dom_smoothie::TextMode::Formatted,
            ..Default::default()
        };
        let reader = dom_smoothie::Readability::new(page.html.as_str(), Some(page.url.as_str()), Some(config)).ok();
        let article = reader.and_then(|mut reader| reader.parse().ok());
        article.map_or_else(String::new, |article| article.text_content.to_string())
    }),
];

fn trafilatura_text(page: &Page, fallback: bool) -> String {
    let options = trafilatura::Options::default()
        .with_url(page.url.clone())
        .with_fallback(fallback);
    trafilatura::extract(&page.html, &options).map_or_else(|_| String::new(), |it| it.content_text)
}

struct Measured {
    kinds: BTreeMap<String, f64>,
    pages_a_second: f64,
}

impl Measured {
    fn overall(&self) -> f64 {
        self.kinds.values().sum::<f64>() / self.kinds.len().max(1) as f64
    }
}

/// Reads every page; a crate that panics on one has read nothing there.
fn measure(pages: &[Page], read: impl Fn(&Page) -> String) -> Measured {
    let safely = |page| catch_unwind(AssertUnwindSafe(|| read(page))).unwrap_or_default();
    pages.iter().take(10).for_each(|page| drop(safely(page)));
    let start = worked();
    let texts: Vec<String> = pages.iter().map(safely).collect();
    let spent = worked().saturating_sub(start);
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (page, text) in pages.iter().zip(texts) {
        let (sum, count) = sums.entry(page.kind.clone()).or_default();
        *sum += f1(&text, &page.truth);
        *count += 1.0;
    }
    let kinds = sums
        .into_iter()
        .map(|(kind, (sum, count))| (kind, sum / count))
        .collect();
    Measured {
        kinds,
        pages_a_second: pages.len() as f64 / spent.as_secs_f64(),
    }
}

/// How long this thread has had a core, so that a busy machine does not slow what is measured; where the system does
/// not tell, how long it has been running.
fn worked() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn f1(found: &str, truth: &str) -> f64 {
    let (found, truth) = (counted(found), counted(truth));
    let both: usize = truth
        .iter()
        .map(|(word, count)| count.min(found.get(word).unwrap_or(&0)))
        .sum();
    let all = found.values().sum::<usize>() + truth.values().sum::<usize>();
    if all == 0 { 1.0 } else { 2.0 * both as f64 / all as f64 }
}

fn counted(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    let is_gap = |char: char| !char.is_alphanumeric() && char != '_';
    for word in text.to_lowercase().split(is_gap).filter(|word| !word.is_empty()) {
        *words.entry(word.to_owned()).or_insert(0) += 1;
    }
    words
}

fn report(ours: &Measured, crates: &[(&str, Measured)]) {
    let line = |name: &str, it: &Measured| {
        let kinds = it
            .kinds
            .iter()
            .map(|(kind, f1)| format!("{kind} {f1:.3}"))
            .collect::<Vec<_>>()
            .join(", ");
        println!("extraction {name}: {:.3} F1 ({kinds})", it.overall());
        println!("extraction {name}: {:.0} pages/s on one core", it.pages_a_second);
    };
    line("ours", ours);
    crates.iter().for_each(|(name, it)| line(name, it));
    let best = crates.iter().max_by(|a, b| a.1.overall().total_cmp(&b.1.overall()));
    let Some((name, best)) = best else { return };
    let ratio = ours.overall() / best.overall();
    println!(
        "extraction quality: {:.3} F1 (ratio {ratio:.2} of {name} alone, aim 0.85)",
        ours.overall()
    );
    for (kind, f1) in &ours.kinds {
        let rival = crates
            .iter()
            .filter_map(|(_, it)| it.kinds.get(kind))
            .copied()
            .fold(0.0, f64::max);
        println!(
            "extraction {kind}: {f1:.3} F1 (ratio {:.2} of the best crate there, aim 1.00)",
            f1 / rival
        );
    }
    println!("extraction on pages not trained on: {CROSS_VALIDATED:.3} F1 (as recorded by train.py, aim 0.85)");
    let speed = ours.pages_a_second;
    println!(
        "extraction speed: {speed:.0} pages/s (ratio {:.1} of {name}, aim 150 pages/s)",
        speed / best.pages_a_second
    );
}

/// Five folds by site, mean of two shuffles, when `model.txt` was last written.
const CROSS_VALIDATED: f64 = 0.802;

fn pages(folder: &Path) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder.join("truth"))? {
        let path = entry?.path();
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let truth: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
        let packed = std::fs::File::open(folder.join(format!("html/{id}.html.gz")))?;
        let mut html = Vec::new();
        flate2::read::GzDecoder::new(packed)
            .read_to_end(&mut html)
            .with_context(|| format!("unpacking page {id}"))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let url = text(&truth["url"])
            .parse()
            .or_else(|_| Url::parse("https://example.com/"))?;
        let kind = text(&truth["_internal"]["page_type"]["primary"]);
        let html = String::from_utf8_lossy(&html).into_owned();
        pages.push(Page {
            id,
            kind,
            url,
            html,
            truth: text(&truth["ground_truth"]["main_content"]),
        });
    }
    pages.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(pages)
}

fn write_rows(pages: &[Page], file: &Path) -> Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(file).with_context(|| format!("writing `{}`", file.display()))?);
    for page in pages {
        let mut row = serde_json::to_value(deepsearch_crawl::training_rows(&page.html, &page.url))?;
        for (name, value) in [("id", &page.id), ("kind", &page.kind), ("truth", &page.truth)] {
            row[name] = json!(value);
        }
        row["url"] = json!(page.url);
        writeln!(out, "{row}")?;
    }
    Ok(out.flush()?)
}
