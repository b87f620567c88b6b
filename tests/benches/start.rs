//! The command as a person starts it: how long until it has answered, with a million messages beside an empty store,
//! and how much memory it takes at its peak.
//!
//! The large store is the one that the benchmark `history` builds. The command is the one `DEEPSEARCH_TEST_BIN` names,
//! which `cargo xtask bench` builds as it builds the benchmarks.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use deepsearch_tests::bench::percentile;
use deepsearch_tests::cli::Home;
use deepsearch_tests::engines::FakeEngine;
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::local_web::Site;
use deepsearch_tests::needs;
use serde_json::{Value, json};
use tempfile::TempDir;

const STARTS: usize = 40;
const AIM: f64 = 1.2;
const LIST: [&str; 5] = ["chats", "list", "--limit", "1", "--json"];
/// How often memory is looked at. The peak is kept by the system; only what grows in the last instant is missed.
const LOOK_EVERY: Duration = Duration::from_millis(3);

#[tokio::main]
async fn main() -> Result<()> {
    let empty = Home::new()?;
    match large_store() {
        Some(folder) => {
            measure_start(&empty, &folder)?;
            tell_peak(
                "opening a million messages",
                listing(&empty, &folder)?.stdout(Stdio::null()),
            )?;
        }
        None => println!("start: left out, there is no store of a million messages; the benchmark `history` builds it"),
    }
    tell_peak("opening an empty store", empty.command(LIST)?.stdout(Stdio::null()))?;
    measure_ask().await?;
    measure_reading(&empty)
}

/// The newest edition of the large store that is whole.
fn large_store() -> Option<PathBuf> {
    let kept = std::fs::read_dir(env!("CARGO_TARGET_TMPDIR")).ok()?;
    let whole = kept.filter_map(|entry| Some(entry.ok()?.path())).filter(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("history-") && name.ends_with("-1000000") && folder.join("whole").exists()
    });
    whole.max_by_key(|folder| {
        std::fs::metadata(folder.join("whole"))
            .and_then(|file| file.modified())
            .ok()
    })
}

fn listing(home: &Home, folder: &Path) -> Result<Command> {
    let mut command = home.command(LIST)?;
    command.env("DEEPSEARCH_HOME", folder);
    Ok(command)
}

fn measure_start(empty: &Home, large: &Path) -> Result<()> {
    // Both once before they count: the first start of all makes the empty store.
    once(&mut listing(empty, large)?)?;
    once(&mut empty.command(LIST)?)?;
    let (mut full, mut none) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        full.push(once(&mut listing(empty, large)?)?);
        none.push(once(&mut empty.command(LIST)?)?);
    }
    for percent in [50, 95] {
        let (full, none) = (percentile(&mut full, percent), percentile(&mut none, percent));
        println!(
            "start with a million messages, p{percent}: {full:.1} ms (ratio {:.2} of an empty store's {none:.1} ms, aim ≤ {AIM})",
            full / none
        );
    }
    Ok(())
}

fn once(command: &mut Command) -> Result<Duration> {
    let started = Instant::now();
    let output = command.output().context("starting the command")?;
    let took = started.elapsed();
    ensure!(
        output.status.success(),
        "the command failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(took)
}

/// A question to the web, without a model: engine, pages, parsers, store, answer.
async fn measure_ask() -> Result<()> {
    let Some(corpus) = needs::corpus() else {
        println!("memory of an ask: left out, the documents are missing");
        return Ok(());
    };
    let site = Site::serve(corpus.join("python")).await?;
    let index = LocalIndex::of(&[&site], &["/library/"])?;
    let engine = FakeEngine::start("searxng", Arc::new(index)).await?;
    let home = Home::new()?
        .set("engines.order", "searxng")
        .set("engines.searxng.url", engine.base().as_str())
        .set("models.discover_local", "false");
    let told = home.path().join("told");
    let mut command = home.command(["ask", "--json", "How do I sort a list of dictionaries by a key?"])?;
    command.stdout(File::create(&told)?);
    // The site and the engine live on while it runs.
    tokio::task::spawn_blocking(move || tell_peak("an ask", &mut command)).await??;
    let read = std::fs::read_to_string(told)?
        .matches("\"source_read\",\"url\":\"http")
        .count();
    println!("start: the ask read {read} pages of the web");
    Ok(())
}

/// All pages of the extraction corpus in one batch.
fn measure_reading(home: &Home) -> Result<()> {
    let folder = std::env::var_os("DEEPSEARCH_PAGES").map_or_else(|| "../../shared/pages".into(), PathBuf::from);
    if !folder.join("html").is_dir() {
        println!(
            "memory of a batch: left out, no pages in `{}`; DEEPSEARCH_PAGES names another folder",
            folder.display()
        );
        return Ok(());
    }
    let batch = Batch::unpack(&folder)?;
    let mut command = home.command(["read", "--batch"])?;
    command
        .stdin(File::open(batch.folder.path().join("lines"))?)
        .stdout(Stdio::null());
    let seconds = tell_peak(&format!("reading {} pages in a batch", batch.pages), &mut command)?;
    println!(
        "start: the batch took {seconds:.1} s ({:.0} pages/s)",
        batch.pages as f64 / seconds
    );
    Ok(())
}

/// Pages and the lines that ask for them.
struct Batch {
    folder: TempDir,
    pages: usize,
}

impl Batch {
    fn unpack(packed: &Path) -> Result<Self> {
        let batch = Self {
            folder: tempfile::tempdir()?,
            pages: std::fs::read_dir(packed.join("html"))?.count(),
        };
        let mut lines = File::create(batch.folder.path().join("lines"))?;
        for entry in std::fs::read_dir(packed.join("html"))? {
            let path = entry?.path();
            let id = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .replace(".html.gz", "");
            let mut html = Vec::new();
            flate2::read::GzDecoder::new(File::open(&path)?).read_to_end(&mut html)?;
            let file = batch.folder.path().join(format!("{id}.html"));
            std::fs::write(&file, html)?;
            let truth = std::fs::read(packed.join(format!("truth/{id}.json"))).unwrap_or_default();
            let url = serde_json::from_slice::<Value>(&truth).unwrap_or_default()["url"].take();
            let url = url
                .as_str()
                .filter(|url| url.starts_with("http"))
                .unwrap_or("https://example.com/");
            writeln!(lines, "{}", json!({ "id": id, "html_file": file, "url": url }))?;
        }
        Ok(batch)
    }
}

/// Runs a command and tells its peak of memory; gives the seconds it took.
fn tell_peak(what: &str, command: &mut Command) -> Result<f64> {
    let started = Instant::now();
    let mut child = command.stderr(Stdio::null()).spawn().context("starting the command")?;
    let mut peak = Peak::default();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak.look(child.id());
        std::thread::sleep(LOOK_EVERY);
    };
    let took = started.elapsed().as_secs_f64();
    ensure!(status.success(), "the command ended with {status}");
    match peak.own {
        0 => println!("peak memory of {what}: not known on this system"),
        own => println!(
            "peak memory of {what}: {} MB, with its parsers {} MB ({took:.2} s)",
            own >> 10,
            (own + peak.parsers) >> 10
        ),
    }
    Ok(took)
}

/// In kB of resident memory.
#[derive(Default)]
struct Peak {
    own: u64,
    /// All children at one time.
    parsers: u64,
}

impl Peak {
    fn look(&mut self, process: u32) {
        self.own = self.own.max(high_water(process).unwrap_or(0));
        let parsers = children(process).iter().filter_map(|child| high_water(*child)).sum();
        self.parsers = self.parsers.max(parsers);
    }
}

fn children(process: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|number| parent(*number) == Some(process)).collect()
}

fn parent(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold anything, blanks and brackets too; state and parent come after it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// The most resident memory a process has had so far.
fn high_water(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}
