//! A folder of files, and an index over it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SystemClock};
use deepsearch_crawl::{ParserCommand, ParserOptions, Reader};
use deepsearch_files::{Files, FilesOptions, Rules};
use tempfile::TempDir;

pub(crate) struct Desk {
    home: TempDir,
    pub(crate) files: Files,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let home = TempDir::new().unwrap();
        std::fs::create_dir(home.path().join("documents")).unwrap();
        let files = open(&home.path().join("index.sqlite")).await;
        let desk = Self { home, files };
        desk.configure(Rules::default());
        desk
    }

    pub(crate) fn configure(&self, rules: Rules) {
        let folder = std::fs::canonicalize(self.home.path().join("documents")).unwrap();
        self.files.configure(vec![folder], rules);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        std::fs::canonicalize(self.home.path().join("documents"))
            .unwrap()
            .join(name)
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.home.path().join("index.sqlite")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) async fn hits(&self, question: &str) -> Vec<SearchHit> {
        found(&self.files, &query(question)).await
    }

    /// The names of the files that a question finds.
    pub(crate) async fn names(&self, question: &str) -> Vec<String> {
        let hits = self.hits(question).await;
        hits.iter()
            .map(|hit| hit.url.rsplit('/').next().unwrap().to_owned())
            .collect()
    }

    pub(crate) async fn problem(&self, name: &str) -> Option<String> {
        let path = self.path(name);
        let problems = self.files.problems("", 100).await.unwrap();
        problems
            .into_iter()
            .find(|problem| Path::new(&problem.path) == path)
            .map(|problem| problem.reason)
    }
}

pub(crate) async fn found(files: &Files, query: &SearchQuery) -> Vec<SearchHit> {
    match files.search(query).await {
        Ok(found) => found.hits,
        Err(SearchError::NoResults { .. }) => Vec::new(),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn query(text: &str) -> SearchQuery {
    SearchQuery {
        text: text.into(),
        locale: None,
        time_range: None,
        limit: 10,
    }
}

pub(crate) async fn open(index: &Path) -> Files {
    open_with(index, parser().unwrap_or_default()).await
}

pub(crate) async fn open_with(index: &Path, parser: PathBuf) -> Files {
    let options = ParserOptions {
        command: ParserCommand {
            program: parser,
            args: Vec::new(),
        },
        ..ParserOptions::default()
    };
    let clock = Arc::new(SystemClock);
    let options = FilesOptions {
        reader: Reader::new(options.clone(), clock.clone()),
        indexing: Reader::new(options, clock.clone()),
        clock,
    };
    Files::open(index, options).await.unwrap()
}

/// The parsers' child, which the whole workspace's tests build beside this test.
pub(crate) fn parser() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.parent()?.parent()?.to_owned();
    let program = folder.join(format!("deepsearch-parse{}", std::env::consts::EXE_SUFFIX));
    program.is_file().then_some(program)
}

/// Whether what needs the parser can be tested here; says so where it cannot.
#[expect(clippy::print_stderr, reason = "a test that passes by says so")]
pub(crate) fn has_parser() -> bool {
    let has = parser().is_some();
    assert!(
        has || std::env::var_os("DEEPSEARCH_TEST_COMPLETE").is_none(),
        "the parser is not built"
    );
    if !has {
        eprintln!("passed by: `deepsearch-parse` is not built; run the tests of the whole workspace");
    }
    has
}
