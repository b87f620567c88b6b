//! A web of real documents on this machine: each folder is a site on a port of its own, with a robots.txt.
//!
//! Knows nothing of searching; [`crate::engines`] indexes what is served here.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::services::ServeDir;
use url::Url;

/// What robots.txt says unless a test says otherwise.
const ROBOTS: &str = "User-agent: *\nDisallow: /private/\n";

/// One folder served as a site. Dropping it ends the server.
#[derive(Debug)]
pub struct Site {
    base: Url,
    folder: PathBuf,
    requests: Requests,
    slowness: Slowness,
    server: JoinHandle<()>,
}

type Requests = Arc<Mutex<BTreeMap<String, usize>>>;
type Slowness = Arc<Mutex<Duration>>;

impl Site {
    /// Serves a folder with the usual robots.txt.
    ///
    /// # Errors
    /// When the folder is not there or no port is free.
    pub async fn serve(folder: impl AsRef<Path>) -> Result<Self> {
        Self::serve_with_robots(folder, ROBOTS).await
    }

    /// Serves a folder under the given robots.txt.
    ///
    /// # Errors
    /// When the folder is not there or no port is free.
    pub async fn serve_with_robots(folder: impl AsRef<Path>, robots: &str) -> Result<Self> {
        let folder = folder.as_ref().to_path_buf();
        anyhow::ensure!(folder.is_dir(), "`{}` is no folder", folder.display());
        let (requests, slowness) = (Requests::default(), Slowness::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("finding a free port")?;
        let base =
            Url::parse(&format!("http://{}/", listener.local_addr()?)).expect("an address and a port make a URL");
        let app = app(&folder, robots.to_owned(), Arc::clone(&requests), Arc::clone(&slowness));
        let server = tokio::spawn(async move {
            // Ends with the task, which the site's drop aborts.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            base,
            folder,
            requests,
            slowness,
            server,
        })
    }

    /// Has each page take so long from now on.
    ///
    /// # Panics
    /// When a server task has panicked.
    pub fn take(&self, time: Duration) {
        *self.slowness.lock().expect("no panic while it is slow") = time;
    }

    /// The same site, known by another port: that of a proxy before it.
    ///
    /// # Panics
    /// Never: an address with a host may have any port.
    #[must_use]
    pub fn known_by(mut self, port: u16) -> Self {
        self.base.set_port(Some(port)).expect("an address with a host");
        self
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The address of a file of the folder, `library/json.html`.
    ///
    /// # Panics
    /// When `path` is no relative path of a URL.
    pub fn url(&self, path: &str) -> Url {
        self.base.join(path).expect("a relative path")
    }

    /// How often a path was asked for.
    ///
    /// # Panics
    /// When a server task has panicked.
    pub fn requests(&self, path: &str) -> usize {
        self.requests
            .lock()
            .expect("no panic while counting")
            .get(path)
            .copied()
            .unwrap_or(0)
    }

    /// How often anything was asked for.
    ///
    /// # Panics
    /// When a server task has panicked.
    pub fn requests_in_all(&self) -> usize {
        self.requests.lock().expect("no panic while counting").values().sum()
    }

    /// The HTML files of the folder with their addresses, in order of path; links are passed by.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn html_files(&self) -> Result<Vec<(PathBuf, Url)>> {
        let mut files = Vec::new();
        collect_html(&self.folder, &mut files)?;
        files.sort();
        Ok(files
            .into_iter()
            .map(|file| {
                let path = file.strip_prefix(&self.folder).expect("found below the folder");
                let url = self.url(&path.to_string_lossy().replace('\\', "/"));
                (file, url)
            })
            .collect())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn app(folder: &Path, robots: String, requests: Requests, slowness: Slowness) -> Router {
    let count = move |request: Request, next: Next| {
        let path = request.uri().path().to_owned();
        let is_page = path.ends_with(".html");
        let time = *slowness.lock().expect("no panic while it is slow");
        *requests
            .lock()
            .expect("no panic while counting")
            .entry(path)
            .or_default() += 1;
        async move {
            if is_page && !time.is_zero() {
                tokio::time::sleep(time).await;
            }
            next.run(request).await
        }
    };
    let router = Router::new().route("/robots.txt", get(async move || robots));
    let router = if folder.join("index.html").is_file() {
        router
    } else {
        let index = index(folder);
        router.route("/", get(async move || Html(index)))
    };
    router.fallback_service(ServeDir::new(folder)).layer(from_fn(count))
}

/// A page of links to all others, for a folder that has none of its own.
fn index(folder: &Path) -> String {
    let mut files = Vec::new();
    // A folder that cannot be read serves an empty index: what is missing then shows in the test.
    let _ = collect_html(folder, &mut files);
    files.sort();
    let links: String = files
        .iter()
        .filter_map(|file| file.strip_prefix(folder).ok())
        .map(|path| {
            format!(
                "<li><a href=\"/{0}\">{0}</a></li>\n",
                path.to_string_lossy().replace('\\', "/")
            )
        })
        .collect();
    format!("<!doctype html><title>Index</title><ul>\n{links}</ul>")
}

fn collect_html(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing `{}`", folder.display()))? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            collect_html(&path, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "html") {
            found.push(path);
        }
    }
    Ok(())
}
