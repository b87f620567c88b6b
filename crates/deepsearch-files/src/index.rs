//! The index: what is known of each file, and the words to find it by, in a SQLite file of its own.
//!
//! The text itself is not kept: FTS5 holds only which terms are where, some two thirds of its size, and an answer reads the
//! file as it is now. Terms are those of `deepsearch_core::text`, so that files are found by the words that they are then
//! ranked by. A file that is damaged or of another version is made anew, because everything in it can be read again: when it
//! is opened, and when a query meets the damage.

use std::collections::{HashMap, HashSet};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use deepsearch_core::text::{content_terms, terms};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Row, SqlitePool};
use tokio::sync::watch;

use crate::error::{Doing, FilesError};

/// Raised whenever what stands in the index changes its meaning.
const VERSION: i64 = 2;
/// Which program read the files: another may read what this one cannot.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");
/// Terms of a question that are looked up.
const TERMS: usize = 12;
/// Matches that are ranked: scoring the matches of a common word in 100,000 files takes longer than a person waits.
const RANKED: i64 = 4_000;
/// Paths of dropped files that are remembered, the newest.
const ATTACHED: i64 = 10_000;

const SCHEMA: &str = "
    create table file (
        id integer primary key,
        key text not null unique,
        path text not null unique,
        size integer not null,
        modified integer not null,
        hash text not null,
        title text not null,
        lead text not null,
        problem text
    );
    create index file_problem on file (path) where problem is not null;
    create table attached (id integer primary key, key text not null unique, path text not null);
    create virtual table file_term using fts5 (title, path, text, content = '', contentless_delete = 1,
        tokenize = 'unicode61 remove_diacritics 0');
";

/// One file as the index knows it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) size: i64,
    pub(crate) modified: i64,
    /// Empty where its bytes were not read, or are to be read once more.
    pub(crate) hash: String,
    pub(crate) problem: Option<String>,
}

/// What is to be written of one file.
#[derive(Debug)]
pub(crate) enum Change {
    /// It was read, or it cannot be and `problem` says why.
    Put(Box<Entry>),
    /// Its bytes are what they were.
    Touch {
        id: i64,
        size: i64,
        modified: i64,
    },
    Remove {
        id: i64,
    },
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) size: i64,
    pub(crate) modified: i64,
    pub(crate) hash: String,
    pub(crate) title: String,
    pub(crate) lead: String,
    /// Title, path and text as terms; nothing of a file that cannot be read.
    pub(crate) terms: Option<[String; 3]>,
    pub(crate) problem: Option<String>,
}

/// A file that a question finds.
#[derive(Debug, Clone)]
pub(crate) struct Match {
    pub(crate) key: String,
    pub(crate) path: PathBuf,
    pub(crate) title: String,
    pub(crate) lead: String,
    pub(crate) modified: i64,
}

/// SQLite's primary result codes for a file that is damaged, or is no database at all.
const DAMAGED: [u32; 2] = [11, 26];

/// Whether what is in the file can never be read, so that it is lost already.
fn is_beyond_use(error: &FilesError) -> bool {
    match error {
        FilesError::Version { .. } => true,
        FilesError::Index {
            source: sqlx::Error::Database(error),
            ..
        } => {
            let code = error.code().and_then(|code| code.parse::<u32>().ok());
            code.is_some_and(|code| DAMAGED.contains(&(code & 0xff)))
        }
        _ => false,
    }
}

/// A file beside the index's own.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A file that says, to whichever program comes next, that the index is damaged.
fn mark(path: &Path) -> PathBuf {
    beside(path, "-damaged")
}

fn remove_files(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(path, suffix));
    }
    // Some systems keep a file that another program has open; then this is tried again.
    if !path.exists() {
        let _ = std::fs::remove_file(mark(path));
    }
}

#[derive(Debug)]
pub(crate) struct Index {
    path: PathBuf,
    pools: RwLock<Pools>,
    /// Whether a query met damage since it was opened or made anew.
    damaged: watch::Sender<bool>,
}

#[derive(Debug, Clone)]
struct Pools {
    readers: SqlitePool,
    writer: SqlitePool,
}

impl Pools {
    async fn open(path: &Path) -> Result<Self, FilesError> {
        const ACTION: &str = "open what is known";
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A power cut may take the last transactions, which are read again, and damages nothing.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(30));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await;
        let writer = writer.doing(ACTION)?;
        private(path);
        let mut tx = writer.begin_with("begin immediate").await.doing(ACTION)?;
        let version: i64 = sqlx::query_scalar("pragma user_version")
            .fetch_one(&mut *tx)
            .await
            .doing(ACTION)?;
        if version == 0 {
            sqlx::raw_sql(SCHEMA).execute(&mut *tx).await.doing(ACTION)?;
            let version = format!("pragma user_version = {VERSION}");
            sqlx::raw_sql(AssertSqlSafe(version))
                .execute(&mut *tx)
                .await
                .doing(ACTION)?;
        } else if version != VERSION {
            return Err(FilesError::Version { version });
        }
        let program = sqlx::query("create table if not exists reader (program text not null)");
        program.execute(&mut *tx).await.doing(ACTION)?;
        let program: Option<String> = sqlx::query_scalar("select program from reader")
            .fetch_optional(&mut *tx)
            .await
            .doing(ACTION)?;
        if program.as_deref() != Some(PROGRAM) {
            for statement in [
                "update file set hash = '' where problem is not null",
                "delete from reader",
            ] {
                sqlx::query(statement).execute(&mut *tx).await.doing(ACTION)?;
            }
            let query = sqlx::query("insert into reader (program) values (?)");
            query.bind(PROGRAM).execute(&mut *tx).await.doing(ACTION)?;
        }
        tx.commit().await.doing(ACTION)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true))
            .await;
        Ok(Self {
            readers: readers.doing(ACTION)?,
            writer,
        })
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl Index {
    pub(crate) async fn open(path: &Path) -> Result<Self, FilesError> {
        if mark(path).exists() {
            remove_files(path);
        }
        let pools = match Pools::open(path).await {
            // Another program may have it open, and a full disk is no fault of it.
            Err(error) if is_beyond_use(&error) => {
                tracing::warn!(%error, "the index of folders is made anew");
                remove_files(path);
                Pools::open(path).await?
            }
            opened => opened?,
        };
        Ok(Self {
            path: path.to_owned(),
            pools: RwLock::new(pools),
            damaged: watch::Sender::new(false),
        })
    }

    pub(crate) async fn close(&self) {
        self.pools().close().await;
    }

    /// Makes it anew, with nothing in it. Whoever asks it meanwhile is told that it is closed.
    pub(crate) async fn make_anew(&self) -> Result<(), FilesError> {
        tracing::warn!("the index of folders is damaged and made anew");
        self.close().await;
        remove_files(&self.path);
        let pools = Pools::open(&self.path).await?;
        *self.pools.write().unwrap_or_else(PoisonError::into_inner) = pools;
        self.damaged.send_replace(false);
        Ok(())
    }

    /// Whether a query met damage, now and from now on.
    pub(crate) fn damaged(&self) -> watch::Receiver<bool> {
        self.damaged.subscribe()
    }

    fn pools(&self) -> Pools {
        self.pools.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn readers(&self) -> SqlitePool {
        self.pools().readers
    }

    fn writer(&self) -> SqlitePool {
        self.pools().writer
    }

    /// Says what was being done when a query failed, and takes note of damage.
    fn failed(&self, action: &'static str) -> impl Fn(sqlx::Error) -> FilesError {
        move |source| {
            let error = FilesError::Index { action, source };
            if is_beyond_use(&error) && !self.damaged.send_replace(true) {
                tracing::warn!(%error, "the index of folders is damaged");
                let _ = std::fs::write(mark(&self.path), "");
            }
            error
        }
    }

    /// What is known of the files below a path, by their paths.
    pub(crate) async fn known(&self, below: &Path) -> Result<HashMap<String, Known>, FilesError> {
        let (exact, from, to) = range(below)?;
        let rows = sqlx::query(
            "select path, id, size, modified, hash, problem from file where path = ?1 or (path >= ?2 and path < ?3)",
        )
        .bind(exact)
        .bind(from)
        .bind(to)
        .fetch_all(&self.readers())
        .await
        .map_err(self.failed("list the files"))?;
        let known = |row: &sqlx::sqlite::SqliteRow| {
            let known = Known {
                id: row.get(1),
                size: row.get(2),
                modified: row.get(3),
                hash: row.get(4),
                problem: row.get(5),
            };
            (row.get(0), known)
        };
        Ok(rows.iter().map(known).collect())
    }

    /// Writes changes, all or none.
    pub(crate) async fn write(&self, changes: &[Change]) -> Result<(), FilesError> {
        const ACTION: &str = "write what was read";
        let mut tx = self
            .writer()
            .begin_with("begin immediate")
            .await
            .map_err(self.failed(ACTION))?;
        for change in changes {
            match change {
                Change::Put(entry) => put(&mut tx, entry).await.map_err(self.failed(ACTION))?,
                Change::Touch { id, size, modified } => {
                    let query = sqlx::query("update file set size = ?2, modified = ?3 where id = ?1");
                    query
                        .bind(id)
                        .bind(size)
                        .bind(modified)
                        .execute(&mut *tx)
                        .await
                        .map_err(self.failed(ACTION))?;
                }
                Change::Remove { id } => remove(&mut tx, *id).await.map_err(self.failed(ACTION))?,
            }
        }
        tx.commit().await.map_err(self.failed(ACTION))
    }

    /// Forgets every file that is below none of these.
    pub(crate) async fn keep_only(&self, folders: &[PathBuf]) -> Result<(), FilesError> {
        const ACTION: &str = "forget a folder";
        let rows = sqlx::query("select id, path from file")
            .fetch_all(&self.readers())
            .await
            .map_err(self.failed(ACTION))?;
        let is_gone = |path: &str| !folders.iter().any(|folder| Path::new(path).starts_with(folder));
        let gone: Vec<Change> = rows
            .iter()
            .filter(|row| is_gone(row.get(1)))
            .map(|row| Change::Remove { id: row.get(0) })
            .collect();
        for batch in gone.chunks(1_000) {
            self.write(batch).await?;
        }
        Ok(())
    }

    /// How many files below a path are indexed, and how many could not be read.
    pub(crate) async fn count(&self, below: &Path) -> Result<(u64, u64), FilesError> {
        let (exact, from, to) = range(below)?;
        let row =
            sqlx::query("select count(*), count(problem) from file where path = ?1 or (path >= ?2 and path < ?3)")
                .bind(exact)
                .bind(from)
                .bind(to)
                .fetch_one(&self.readers())
                .await
                .map_err(self.failed("count the files"))?;
        let (all, problems): (i64, i64) = (row.get(0), row.get(1));
        Ok(((all - problems).max(0) as u64, problems.max(0) as u64))
    }

    /// Files that could not be read, by path after one, and why.
    pub(crate) async fn problems(&self, after: &str, limit: u32) -> Result<Vec<(String, String)>, FilesError> {
        let query = sqlx::query_as(
            "select path, problem from file where problem is not null and path > ? order by path limit ?",
        );
        query
            .bind(after)
            .bind(limit)
            .fetch_all(&self.readers())
            .await
            .map_err(self.failed("list what could not be read"))
    }

    /// Remembers where a file lies that is in no folder.
    pub(crate) async fn attach(&self, path: &str) -> Result<String, FilesError> {
        const ACTION: &str = "remember a file";
        let key = key_of(path);
        let mut tx = self.writer().begin().await.map_err(self.failed(ACTION))?;
        sqlx::query("insert or replace into attached (key, path) values (?1, ?2)")
            .bind(&key)
            .bind(path)
            .execute(&mut *tx)
            .await
            .map_err(self.failed(ACTION))?;
        // Those that were dropped longest ago make room.
        sqlx::query("delete from attached where id <= (select max(id) from attached) - ?1")
            .bind(ATTACHED)
            .execute(&mut *tx)
            .await
            .map_err(self.failed(ACTION))?;
        tx.commit().await.map_err(self.failed(ACTION))?;
        Ok(key)
    }

    /// Where the file of a key lies.
    pub(crate) async fn path_of(&self, key: &str) -> Result<Option<PathBuf>, FilesError> {
        let query = sqlx::query_scalar::<_, String>(
            "select path from file where key = ?1 union all select path from attached where key = ?1 limit 1",
        );
        let path = query
            .bind(key)
            .fetch_optional(&self.readers())
            .await
            .map_err(self.failed("look up a file"))?;
        Ok(path.map(PathBuf::from))
    }

    /// The files that a question finds, best first, of those that changed since a moment. Those that have all its words come
    /// before those that have some.
    pub(crate) async fn search(
        &self,
        question: &str,
        since: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Match>, FilesError> {
        let mut seen = HashSet::new();
        let mut asked = content_terms(question);
        if asked.is_empty() {
            asked = terms(question);
        }
        asked.retain(|term| seen.insert(term.clone()));
        asked.truncate(TERMS);
        let quoted: Vec<String> = asked.iter().map(|term| format!("\"{term}\"")).collect();
        if quoted.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.matches(&quoted.join(" AND "), since, limit).await?;
        if found.len() < limit && quoted.len() > 1 {
            let some = self.rarest(quoted).await?;
            let known: HashSet<String> = found.iter().map(|found| found.key.clone()).collect();
            let more = self.matches(&some.join(" OR "), since, limit).await?;
            found.extend(more.into_iter().filter(|more| !known.contains(&more.key)));
            found.truncate(limit);
        }
        Ok(found)
    }

    /// The terms that say most, as many as can be ranked in time; never none.
    async fn rarest(&self, quoted: Vec<String>) -> Result<Vec<String>, FilesError> {
        let mut counted = Vec::new();
        for term in quoted {
            let query = sqlx::query_scalar::<_, i64>(
                "select count(*) from (select 1 from file_term where file_term match ?1 limit ?2)",
            );
            let count = query
                .bind(&term)
                .bind(RANKED)
                .fetch_one(&self.readers())
                .await
                .map_err(self.failed("search"))?;
            counted.push((count, term));
        }
        counted.sort();
        counted.retain(|(count, _)| *count > 0);
        let mut sum = 0;
        let fits = |(at, (count, _)): &(usize, (i64, String))| {
            sum += count;
            *at == 0 || sum <= RANKED
        };
        Ok(counted
            .into_iter()
            .enumerate()
            .take_while(fits)
            .map(|(_, (_, term))| term)
            .collect())
    }

    async fn matches(&self, expression: &str, since: Option<i64>, limit: usize) -> Result<Vec<Match>, FilesError> {
        if expression.is_empty() {
            return Ok(Vec::new());
        }
        // The newest matches alone are ranked; a question whose words are that common names nothing better.
        let rows = sqlx::query(
            "with newest as materialized (select rowid from file_term where file_term match ?1
                and (?4 is null or exists (select 1 from file where id = file_term.rowid and modified >= ?4))
                order by rowid desc limit ?2)
             select key, file.path, file.title, lead, modified from file_term join file on file.id = file_term.rowid
             where file_term match ?1 and file_term.rowid >= (select min(rowid) from newest)
                and (?4 is null or modified >= ?4)
             order by bm25(file_term, 6.0, 3.0, 1.0) limit ?3",
        )
        .bind(expression)
        .bind(RANKED)
        .bind(limit as i64)
        .bind(since)
        .fetch_all(&self.readers())
        .await
        .map_err(self.failed("search"))?;
        let found = |row: &sqlx::sqlite::SqliteRow| Match {
            key: row.get(0),
            path: PathBuf::from(row.get::<String, _>(1)),
            title: row.get(2),
            lead: row.get(3),
            modified: row.get(4),
        };
        Ok(rows.iter().map(found).collect())
    }
}

/// The name of a file in its address. Made of the path, so that an index that was made anew has the same; it says nothing
/// of where the file lies to whoever sees the address.
pub(crate) fn key_of(path: &str) -> String {
    hex::encode(&Sha256::digest(path.as_bytes())[..12])
}

/// The terms of a text, as the index holds them: between blanks, nothing that FTS5 could cut once more.
pub(crate) fn as_terms(text: &str) -> String {
    terms(text).join(" ")
}

async fn put(tx: &mut sqlx::SqliteConnection, entry: &Entry) -> Result<(), sqlx::Error> {
    let known: Option<i64> = sqlx::query_scalar("select id from file where path = ?")
        .bind(&entry.path)
        .fetch_optional(&mut *tx)
        .await?;
    if let Some(id) = known {
        remove(&mut *tx, id).await?;
    }
    let id = sqlx::query(
        "insert into file (key, path, size, modified, hash, title, lead, problem) values (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(key_of(&entry.path))
    .bind(&entry.path)
    .bind(entry.size)
    .bind(entry.modified)
    .bind(&entry.hash)
    .bind(&entry.title)
    .bind(&entry.lead)
    .bind(&entry.problem)
    .execute(&mut *tx)
    .await?
    .last_insert_rowid();
    if let Some([title, path, text]) = &entry.terms {
        let query = sqlx::query("insert into file_term (rowid, title, path, text) values (?, ?, ?, ?)");
        query
            .bind(id)
            .bind(title)
            .bind(path)
            .bind(text)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

async fn remove(tx: &mut sqlx::SqliteConnection, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query("delete from file_term where rowid = ?")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from file where id = ?")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// A path, and where the paths below it begin and end in the order of bytes.
fn range(below: &Path) -> Result<(String, String, String), FilesError> {
    let name = || FilesError::Name { path: below.to_owned() };
    let exact = below.to_str().ok_or_else(name)?.to_owned();
    let stem = exact.trim_end_matches(MAIN_SEPARATOR);
    let (from, to) = (format!("{stem}{MAIN_SEPARATOR}"), format!("{stem}{}", AFTER_SEPARATOR));
    Ok((exact, from, to))
}

/// The character after the separator: `0` after `/`, `]` after `\`.
const AFTER_SEPARATOR: char = if MAIN_SEPARATOR == '/' { '0' } else { ']' };

/// Names and beginnings of a person's files are nobody else's business.
#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
}

#[cfg(not(unix))]
fn private(_path: &Path) {}
