//! The person's own folders: indexing 100,000 small files beside ripgrep's reading of the same tree, indexing again when
//! nothing or little has changed, searching meanwhile and afterwards, what watching costs while nothing happens, and what
//! memory large files take.
//!
//! The files are made up; `-- --files N` measures another number of them.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use deepsearch_core::{SearchEngine, SearchError, SearchQuery, SystemClock};
use deepsearch_crawl::{ParserOptions, Reader};
use deepsearch_files::{Files, FilesOptions, Rules};
use deepsearch_tests::bench::argument;
use words::Words;

#[path = "made_up/words.rs"]
mod words;

const PER_FOLDER: usize = 200;
const QUERIES: usize = 500;
const BETWEEN: Duration = Duration::from_millis(5);
const IDLE: Duration = Duration::from_secs(10);
/// Bytes of a large file, and how many of them there are.
const LARGE: usize = 4 << 20;
const LARGE_FILES: usize = 100;

#[tokio::main]
async fn main() -> Result<()> {
    let count = argument("--files")?.unwrap_or(100_000);
    let home = tempfile::tempdir()?;
    let tree = home.path().join("tree");
    let bytes = grow(&tree, count)?;
    let folders = count.div_ceil(PER_FOLDER);
    println!("files {count}: {:.1} MB in {folders} folders", bytes as f64 / 1e6);

    let clock = Arc::new(SystemClock);
    let reader = || Reader::new(ParserOptions::default(), clock.clone());
    let options = FilesOptions {
        reader: reader(),
        indexing: reader(),
        clock: clock.clone(),
    };
    let index = home.path().join("index.sqlite");
    let files = Files::open(&index, options).await?;
    let folder = std::fs::canonicalize(&tree)?;
    files.configure(vec![folder.clone()], Rules::default());

    index_all(&files, &tree, count).await?;
    let size = size(&index) as f64;
    println!(
        "files {count}: the index and its journal are {:.1} MB, {:.2} of the text",
        size / 1e6,
        size / bytes as f64
    );
    let started = Instant::now();
    ensure!(files.scan().await?.read == 0);
    println!(
        "files {count}: looked through with nothing changed in {:.2?}",
        started.elapsed()
    );
    let changed = change(&folder, count)?;
    let started = Instant::now();
    ensure!(files.scan().await?.read as usize == changed);
    println!(
        "files {count}: looked through with {changed} changed in {:.2?}",
        started.elapsed()
    );

    search(&files, count).await?;
    idle(&files, count).await?;
    large(&files, home.path()).await
}

/// Indexes some large files, and says how much memory that took at most.
async fn large(files: &Files, home: &Path) -> Result<()> {
    let tree = home.join("large");
    std::fs::create_dir(&tree)?;
    let mut words = Words::new(13);
    let text = words.text(LARGE / 8);
    for number in 0..LARGE_FILES {
        std::fs::write(tree.join(format!("{number}.txt")), format!("Volume {number}. {text}"))?;
    }
    files.configure(vec![std::fs::canonicalize(&tree)?], Rules::default());
    // The peak begins anew; where the system does not do that, it is said of nothing.
    let is_anew = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = peak();
    let started = Instant::now();
    ensure!(files.scan().await?.read as usize == LARGE_FILES);
    let took = started.elapsed();
    let size = text.len() as f64 / 1e6;
    match peak().zip(before).filter(|_| is_anew) {
        Some((peak, before)) => println!(
            "files: {LARGE_FILES} of {size:.1} MB are indexed in {took:.2?} with {} MB more than before",
            peak.saturating_sub(before) >> 20
        ),
        None => println!("files: what memory large files take is measured on Linux only"),
    }
    Ok(())
}

/// The most memory that this process held, in bytes.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes << 10)
}

/// Indexes everything, with questions asked meanwhile.
async fn index_all(files: &Files, tree: &Path, count: usize) -> Result<()> {
    let plain = read_plainly(tree)?.as_secs_f64();
    let ripgrep = ripgrep(tree);
    let started = Instant::now();
    let indexing = tokio::spawn({
        let files = files.clone();
        async move { files.scan().await }
    });
    let meanwhile = ask_until(files, || indexing.is_finished()).await?;
    let report = indexing.await??;
    let took = started.elapsed();
    ensure!(report.read as usize == count, "{report:?}");
    println!(
        "files {count}: indexed in {took:.2?}, {:.0} files/s; a plain read takes {plain:.2} s (ratio {:.1})",
        count as f64 / took.as_secs_f64(),
        took.as_secs_f64() / plain
    );
    match ripgrep.map(|took| took.as_secs_f64()) {
        Some(read) => {
            let (speed, ratio) = (count as f64 / read, took.as_secs_f64() / read);
            println!("files {count}: ripgrep reads {speed:.0} files/s (ratio {ratio:.1})");
        }
        None => println!("files {count}: ripgrep is not installed"),
    }
    told(
        &format!("files {count}: a question while it is indexed"),
        meanwhile,
        300,
    );
    Ok(())
}

/// Files of some hundred words each, one in twenty with a paragraph in Chinese; the sum of their sizes.
fn grow(tree: &Path, count: usize) -> Result<u64> {
    let mut words = Words::new(7);
    let mut bytes = 0;
    for number in 0..count {
        let path = place(tree, number);
        if number % PER_FOLDER == 0 {
            std::fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        }
        let text = format!("# Note {number}\n\n{}\n\n{}\n", words.text(120), words.message());
        bytes += text.len() as u64;
        std::fs::write(path, text)?;
    }
    Ok(bytes)
}

fn place(tree: &Path, number: usize) -> PathBuf {
    tree.join(format!("{}/{number}.md", number / PER_FOLDER))
}

fn change(tree: &Path, count: usize) -> Result<usize> {
    let changed = (count / 1_000).max(1);
    for number in 0..changed {
        std::fs::write(
            place(tree, number * (count / changed)),
            format!("Changed note {number}, at another length."),
        )?;
    }
    Ok(changed)
}

fn read_plainly(tree: &Path) -> Result<Duration> {
    let started = Instant::now();
    let mut open = vec![tree.to_owned()];
    let mut read = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            } else {
                read += std::fs::read(entry.path())?.len();
            }
        }
    }
    ensure!(read > 0);
    Ok(started.elapsed())
}

/// The time in which ripgrep reads all of it; `None` where it is not installed.
fn ripgrep(tree: &Path) -> Option<Duration> {
    let started = Instant::now();
    let mut search = Command::new("rg");
    search.args(["--no-config", "--fixed-strings", "zzzzqqqq"]).arg(tree);
    let ended = search.stdout(Stdio::null()).status().ok()?;
    // Nothing is found, which it says with 1.
    (ended.code() == Some(1)).then(|| started.elapsed())
}

fn size(index: &Path) -> u64 {
    let part = |suffix: &str| {
        let mut path = index.as_os_str().to_owned();
        path.push(suffix);
        std::fs::metadata(path).map_or(0, |file| file.len())
    };
    part("") + part("-wal")
}

async fn search(files: &Files, count: usize) -> Result<()> {
    let mut asked = 0;
    let enough = || {
        asked += 1;
        asked > QUERIES
    };
    let took = ask_until(files, enough).await?;
    ensure!(took.len() == QUERIES);
    told(&format!("files {count}: a question"), took, 100);
    Ok(())
}

/// Asks one question after another, with a pause between, until it is enough.
async fn ask_until(files: &Files, mut is_enough: impl FnMut() -> bool) -> Result<Vec<Duration>> {
    let mut words = Words::new(11);
    let mut took = Vec::new();
    while !is_enough() {
        let query = SearchQuery {
            text: words.text(5),
            locale: None,
            time_range: None,
            limit: 10,
        };
        let started = Instant::now();
        match files.search(&query).await {
            // That nothing is found is an answer too.
            Ok(_) | Err(SearchError::NoResults { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        took.push(started.elapsed());
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(took)
}

fn told(what: &str, mut took: Vec<Duration>, aim: u32) {
    took.sort();
    let last = took.len().saturating_sub(1);
    let at = |percent: usize| took.get(last * percent / 100).copied().unwrap_or_default();
    println!(
        "{what} takes {:.1?} (p50), {:.1?} (p99, aim ≤ {aim} ms)",
        at(50),
        at(99)
    );
}

/// Processor time while the folders are watched and nothing happens in them.
async fn idle(files: &Files, count: usize) -> Result<()> {
    let watching = files.clone();
    let watching = tokio::spawn(async move { watching.watch().await });
    // The first look belongs to the start.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut far = files.progress();
    far.wait_for(|progress| progress.folder.is_none()).await?;
    let before = processor_time();
    tokio::time::sleep(IDLE).await;
    let used = processor_time()
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before));
    match used {
        Some(used) => println!("files {count}: watching costs {used:.0?} of processor time in {IDLE:?} (aim ≤ 50 ms)"),
        None => println!("files {count}: what watching costs is measured on Linux only"),
    }
    watching.abort();
    Ok(())
}

/// User and system time of this process, in the hundredths of seconds that Linux counts in.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}
