//! The parent's side: a bounded number of parser children, each with one page at a time.
//!
//! A child that fails, hangs or is interrupted is killed and forgotten; the next page starts another. Dropping a parse
//! kills its child too, because its stream would be out of step. A child without work is let go after a while, so that
//! an app at rest holds no parsers.

use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use deepsearch_core::FetchError;
use serde::de::DeserializeOwned;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::child::MEMORY_VARIABLE;
use super::{Job, Trouble, frame};
use crate::options::ParserOptions;
use crate::soft::Soft;

/// A pool of parser children.
#[derive(Debug)]
pub(crate) struct ParserPool {
    options: ParserOptions,
    places: Semaphore,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    workers: Vec<Worker>,
    /// Whether a task already waits to let idle children go.
    is_watched: bool,
}

#[derive(Debug)]
struct Worker {
    /// Dropping it kills the child.
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    pages: usize,
    idle_since: Instant,
}

/// A document above this many bytes leaves its child so large that a new one is cheaper than keeping it.
const LARGE: usize = 4 << 20;

impl ParserPool {
    pub(crate) fn new(options: ParserOptions) -> Arc<Self> {
        Arc::new(Self {
            places: Semaphore::new(options.children.max(1)),
            idle: Mutex::default(),
            options,
        })
    }

    pub(crate) fn time(&self) -> Duration {
        self.options.time
    }

    /// Has one document read in a child: `T` is what its kind of job comes to.
    ///
    /// # Errors
    /// [`FetchError`] when the document gives nothing, or costs its child.
    pub(crate) async fn run<T: DeserializeOwned>(self: &Arc<Self>, job: &Job, bytes: &[u8]) -> Result<T, FetchError> {
        let _place = self.places.acquire().await.expect("this semaphore is never closed");
        let mut worker = self.worker().map_err(|error| FetchError::ParserLost {
            url: job.url.clone(),
            detail: format!(
                "the parser `{}` cannot be started: {error}",
                self.options.command.program.display()
            ),
        })?;
        match timeout(self.options.time, worker.run(job, bytes)).await {
            Ok(Ok(outcome)) => {
                self.keep(worker, bytes.len());
                outcome.map_err(|trouble| failure(job, trouble))
            }
            Ok(Err(error)) => {
                tracing::debug!(url = %job.url, %error, "a parser child was lost");
                Err(FetchError::ParserLost {
                    url: job.url.clone(),
                    detail: "its parser stopped, which happens on damaged or hostile documents".into(),
                })
            }
            Err(_) => Err(FetchError::TimedOut {
                url: job.url.clone(),
                limit: self.options.time,
            }),
        }
    }

    fn worker(&self) -> io::Result<Worker> {
        let mut idle = self.idle();
        while let Some(mut worker) = idle.workers.pop() {
            // It may have been killed while it waited, which must not cost a page.
            if matches!(worker.child.try_wait(), Ok(None)) {
                return Ok(worker);
            }
        }
        drop(idle);
        Worker::start(&self.options)
    }

    fn keep(self: &Arc<Self>, mut worker: Worker, document: usize) {
        if worker.pages >= self.options.pages || document > LARGE {
            return;
        }
        worker.idle_since = Instant::now();
        let mut idle = self.idle();
        idle.workers.push(worker);
        if !std::mem::replace(&mut idle.is_watched, true) {
            tokio::spawn(let_idle_go(Arc::downgrade(self), self.options.idle));
        }
    }

    /// Lets go of the children that have waited too long; whether any are left.
    fn let_go(&self) -> bool {
        let mut idle = self.idle();
        idle.workers
            .retain(|worker| worker.idle_since.elapsed() < self.options.idle);
        idle.is_watched = !idle.workers.is_empty();
        idle.is_watched
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().expect("no code panics while it holds this lock")
    }
}

/// Ends when no child waits any more, or the pool is gone.
async fn let_idle_go(pool: Weak<ParserPool>, after: Duration) {
    loop {
        sleep(after).await;
        if !pool.upgrade().is_some_and(|pool| pool.let_go()) {
            return;
        }
    }
}

impl Worker {
    fn start(options: &ParserOptions) -> io::Result<Self> {
        let mut command = Command::new(&options.command.program);
        command
            .args(&options.command.args)
            // Nothing of the app's environment, which may hold keys; Windows cannot start a program without its root.
            .env_clear()
            .envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)))
            .env(MEMORY_VARIABLE, options.memory.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // Ctrl-C is for the app, which still wants to keep what has come.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let missing = || io::Error::other("it has no standard input or output");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        Ok(Self {
            child,
            input,
            output,
            pages: 0,
            idle_since: Instant::now(),
        })
    }

    async fn run<T: DeserializeOwned>(&mut self, job: &Job, bytes: &[u8]) -> io::Result<Result<T, Trouble>> {
        self.pages += 1;
        frame::send(&mut self.input, &serde_json::to_vec(job)?).await?;
        frame::send(&mut self.input, bytes).await?;
        Ok(serde_json::from_slice(&frame::receive(&mut self.output).await?)?)
    }
}

fn failure(job: &Job, trouble: Trouble) -> FetchError {
    let url = job.url.clone();
    match trouble {
        Trouble::Soft(Soft::Empty) => FetchError::Empty { url },
        Trouble::Soft(Soft::SignIn) => FetchError::SignIn { url },
        Trouble::Soft(Soft::Captcha) => FetchError::Captcha { url },
        Trouble::Soft(Soft::NeedsScript) => FetchError::NeedsScript { url },
        Trouble::Unparsable(detail) => FetchError::Unparsable { url, detail },
    }
}
