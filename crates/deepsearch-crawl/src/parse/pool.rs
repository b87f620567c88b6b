//! The parent's side: a bounded number of parser children, each with one page at a time.
//!
//! A child that fails, hangs or is interrupted is killed and forgotten; the next page starts another. Dropping a parse
//! kills its child too, because its stream would be out of step.

use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deepsearch_core::FetchError;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::child::MEMORY_VARIABLE;
use super::{Job, Parsed, Trouble, frame};
use crate::options::ParserOptions;
use crate::soft::Soft;

/// A pool of parser children.
#[derive(Debug)]
pub(crate) struct ParserPool {
    options: ParserOptions,
    places: Semaphore,
    idle: Mutex<Vec<Worker>>,
}

#[derive(Debug)]
struct Worker {
    /// Held because dropping it kills the child.
    _child: Child,
    input: ChildStdin,
    output: ChildStdout,
    pages: usize,
}

impl ParserPool {
    pub(crate) fn new(options: ParserOptions) -> Arc<Self> {
        Arc::new(Self {
            places: Semaphore::new(options.children.max(1)),
            idle: Mutex::new(Vec::new()),
            options,
        })
    }

    pub(crate) fn time(&self) -> Duration {
        self.options.time
    }

    /// Parses one document in a child.
    ///
    /// # Errors
    /// [`FetchError`] when the document gives no page, or costs its child.
    pub(crate) async fn parse(&self, job: &Job, bytes: &[u8]) -> Result<Parsed, FetchError> {
        let _place = self.places.acquire().await.expect("this semaphore is never closed");
        let mut worker = self.worker().map_err(|error| FetchError::Unparsable {
            url: job.url.clone(),
            detail: format!(
                "the parser `{}` cannot be started: {error}",
                self.options.command.program.display()
            ),
        })?;
        match timeout(self.options.time, worker.parse(job, bytes)).await {
            Ok(Ok(outcome)) => {
                self.keep(worker);
                outcome.map_err(|trouble| failure(job, trouble))
            }
            Ok(Err(error)) => {
                tracing::debug!(url = %job.url, %error, "a parser child was lost");
                let detail = "its parser stopped, which happens on damaged or hostile documents".into();
                Err(failure(job, Trouble::Unparsable(detail)))
            }
            Err(_) => Err(FetchError::TimedOut {
                url: job.url.clone(),
                limit: self.options.time,
            }),
        }
    }

    fn worker(&self) -> io::Result<Worker> {
        let idle = self.idle.lock().expect("no code panics while it holds this lock").pop();
        idle.map_or_else(|| Worker::start(&self.options), Ok)
    }

    fn keep(&self, worker: Worker) {
        if worker.pages < self.options.pages {
            self.idle
                .lock()
                .expect("no code panics while it holds this lock")
                .push(worker);
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
            _child: child,
            input,
            output,
            pages: 0,
        })
    }

    async fn parse(&mut self, job: &Job, bytes: &[u8]) -> io::Result<Result<Parsed, Trouble>> {
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
