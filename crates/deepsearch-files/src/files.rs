//! Files: the folders that are searched, as the app uses them. Cloning it gives another handle on the same index.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use deepsearch_core::Clock;
use deepsearch_crawl::Reader;
use serde::Serialize;
use tokio::sync::watch;
use url::Url;

use crate::engine::SCHEME;
use crate::error::FilesError;
use crate::index::Index;
use crate::scan;
use crate::walk::Part;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Also files and folders whose names begin with a dot.
    pub hidden: bool,
    /// Whether what `.gitignore` and `.ignore` name is left out.
    pub ignore_files: bool,
    /// The largest file, in bytes.
    pub largest: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            hidden: false,
            ignore_files: true,
            largest: 20 << 20,
        }
    }
}

/// What the folders are opened with.
#[derive(Debug, Clone)]
pub struct FilesOptions {
    /// Parses what is no plain text for an answer, in children of its own.
    pub reader: Reader,
    /// The same for the index, apart: whoever waits for an answer never waits behind a folder of PDFs.
    pub indexing: Reader,
    pub clock: Arc<dyn Clock>,
}

/// A folder as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct Folder {
    pub path: String,
    /// Whether it is there now: a disk may not be.
    pub exists: bool,
    pub files: u64,
    /// Files that could not be read.
    pub problems: u64,
}

/// A file that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct FolderProblem {
    pub path: String,
    pub reason: String,
}

/// How far looking through the folders is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, specta::Type)]
pub struct FolderProgress {
    /// The folder that is looked through; `None` when none is.
    pub folder: Option<String>,
    /// Files that were looked at in it.
    pub seen: u64,
    /// Those of them that were new or had changed, and were read.
    pub read: u64,
    pub paused: bool,
}

/// What looking through a folder came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, specta::Type)]
pub struct Report {
    pub seen: u64,
    pub read: u64,
    pub removed: u64,
    /// Files that turned out now to be unreadable, or to be so for another reason.
    pub problems: u64,
    /// The person paused before the end; what was read is kept.
    pub paused: bool,
}

impl Report {
    pub(crate) fn add(&mut self, other: Self) {
        self.seen += other.seen;
        self.read += other.read;
        self.removed += other.removed;
        self.problems += other.problems;
        self.paused |= other.paused;
    }
}

#[derive(Debug, Clone)]
pub struct Files {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) index: Index,
    pub(crate) options: FilesOptions,
    folders: RwLock<Vec<PathBuf>>,
    rules: Mutex<Rules>,
    pub(crate) progress: watch::Sender<FolderProgress>,
    /// One scan at a time: two would read everything twice.
    pub(crate) scanning: tokio::sync::Mutex<()>,
}

impl Files {
    /// Opens the index, which is made where there is none or none that can be used.
    ///
    /// # Errors
    /// [`FilesError::Index`].
    pub async fn open(index: &Path, options: FilesOptions) -> Result<Self, FilesError> {
        let inner = Inner {
            index: Index::open(index).await?,
            options,
            folders: RwLock::default(),
            rules: Mutex::default(),
            progress: watch::Sender::new(FolderProgress::default()),
            scanning: tokio::sync::Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub async fn close(&self) {
        self.pause();
        self.inner.index.close().await;
    }

    /// Says which folders are searched and what of them is read. What is of none is no longer found from now on, and goes
    /// from the index with the next scan.
    pub fn configure(&self, folders: Vec<PathBuf>, rules: Rules) {
        *self.inner.folders.write().unwrap_or_else(PoisonError::into_inner) = folders;
        *self.inner.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// A folder as it is to be kept: whole, real, and neither within another nor around one that stays.
    ///
    /// # Errors
    /// [`FilesError`] when it is no folder or lies within one that is searched already.
    pub fn check(&self, path: &Path) -> Result<PathBuf, FilesError> {
        let unusable = |source| FilesError::Folder {
            path: path.to_owned(),
            source,
        };
        let whole = std::fs::canonicalize(path).map_err(unusable)?;
        std::fs::read_dir(&whole).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotADirectory => FilesError::NoFolder { path: whole.clone() },
            _ => unusable(source),
        })?;
        if whole.to_str().is_none() {
            return Err(FilesError::Name { path: whole });
        }
        match self.folders().into_iter().find(|known| whole.starts_with(known)) {
            Some(within) if within != whole => Err(FilesError::Within { path: whole, within }),
            _ => Ok(whole),
        }
    }

    pub fn folders(&self) -> Vec<PathBuf> {
        self.inner
            .folders
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn rules(&self) -> Rules {
        *self.inner.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every folder with how much of it is indexed.
    ///
    /// # Errors
    /// [`FilesError::Index`].
    pub async fn list(&self) -> Result<Vec<Folder>, FilesError> {
        let mut listed = Vec::new();
        for path in self.folders() {
            let (files, problems) = self.inner.index.count(&path).await?;
            listed.push(Folder {
                exists: path.is_dir(),
                path: path.to_string_lossy().into_owned(),
                files,
                problems,
            });
        }
        Ok(listed)
    }

    /// Files that could not be read, by path, after one.
    ///
    /// # Errors
    /// [`FilesError::Index`].
    pub async fn problems(&self, after: &str, limit: u32) -> Result<Vec<FolderProblem>, FilesError> {
        let problems = self.inner.index.problems(after, limit.min(1_000)).await?;
        let problem = |(path, reason)| FolderProblem { path, reason };
        Ok(problems.into_iter().map(problem).collect())
    }

    /// Looks through every folder and brings the index to what is there. A folder that is not there now keeps what is
    /// known of it: its disk may come back. An index that turns out to be damaged is made anew.
    ///
    /// # Errors
    /// [`FilesError::Index`].
    pub async fn scan(&self) -> Result<Report, FilesError> {
        let damaged = self.inner.index.damaged();
        if !*damaged.borrow() {
            let scanned = self.scan_once().await;
            if !*damaged.borrow() {
                return scanned;
            }
        }
        let scanning = self.inner.scanning.lock().await;
        // Whoever scanned before may have made it anew.
        if *damaged.borrow() {
            self.inner.index.make_anew().await?;
        }
        drop(scanning);
        self.scan_once().await
    }

    async fn scan_once(&self) -> Result<Report, FilesError> {
        self.forget().await?;
        let mut report = Report::default();
        for folder in self.folders().iter().filter(|folder| folder.is_dir()) {
            report.add(scan::scan(self, &Part::whole(folder)).await?);
        }
        Ok(report)
    }

    /// Forgets what is in none of the folders.
    ///
    /// # Errors
    /// [`FilesError::Index`].
    pub async fn forget(&self) -> Result<(), FilesError> {
        // A scan that still runs would bring it back; it ends once its folder is none.
        let _one = self.inner.scanning.lock().await;
        self.inner.index.keep_only(&self.folders()).await
    }

    /// How far it is, now and from now on.
    pub fn progress(&self) -> watch::Receiver<FolderProgress> {
        self.inner.progress.subscribe()
    }

    /// Stops looking through folders after the files that are being read.
    pub fn pause(&self) {
        self.inner.progress.send_modify(|progress| progress.paused = true);
    }

    pub fn resume(&self) {
        self.inner.progress.send_modify(|progress| progress.paused = false);
    }

    pub fn is_paused(&self) -> bool {
        self.inner.progress.borrow().paused
    }

    /// The address of a file that a person handed over, wherever it lies.
    ///
    /// # Errors
    /// [`FilesError`] when there is no such file.
    pub async fn attach(&self, path: &Path) -> Result<Url, FilesError> {
        let unusable = |source| FilesError::Folder {
            path: path.to_owned(),
            source,
        };
        let whole = std::fs::canonicalize(path).map_err(unusable)?;
        let text = whole.to_str().ok_or_else(|| FilesError::Name { path: whole.clone() })?;
        let key = self.inner.index.attach(text).await?;
        Ok(address(&key, &whole))
    }

    /// Where the file of an address lies: one of a folder that is searched, or one that was handed over. `None` for others.
    ///
    /// # Errors
    /// [`FilesError::Index`].
    pub async fn path_of(&self, url: &Url) -> Result<Option<PathBuf>, FilesError> {
        let key = (url.scheme() == SCHEME).then(|| url.path().split('/').next()).flatten();
        match key {
            Some(key) => self.inner.index.path_of(key).await,
            None => Ok(None),
        }
    }
}

/// The address of a file: its key, and its name for people. Where it lies is not in it.
pub(crate) fn address(key: &str, path: &Path) -> Url {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut address = format!("{SCHEME}:{key}/");
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => address.push(byte.into()),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address.parse().expect("a scheme and escaped characters are an address")
}

/// The name that a file's address carries for people; `None` for what is no such address.
pub fn name_of(url: &Url) -> Option<String> {
    let (_, name) = (url.scheme() == SCHEME).then(|| url.path().split_once('/')).flatten()?;
    // Whatever is not plain was escaped, so that this reads it, too.
    let (name, _) = url::form_urlencoded::parse(name.as_bytes()).next()?;
    Some(name.into_owned())
}
