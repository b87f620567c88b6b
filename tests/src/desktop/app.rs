//! The app, started under WebKit's driver: its windows as pages, its process to be measured or killed.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};
use deepsearch_servers::free_port;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;

use super::page::Page;
use super::processes::{self, Processes, Tree};
use super::{network, until};
use crate::cli::Home;

/// The circumstances of a start.
#[derive(Debug, Clone, Default)]
pub struct Start {
    pub args: Vec<String>,
    pub network: Network,
    pub environment: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    #[default]
    There,
    /// Nothing but this machine itself can be reached.
    Gone,
}

/// The running app. It goes on running when this is dropped: a picture may still be taken of it.
#[derive(Debug)]
pub struct App {
    client: Client,
    driver: u32,
    process: u32,
    started: SystemTime,
    _way_in: Option<JoinHandle<()>>,
}

impl App {
    pub(super) async fn start(processes: &mut Processes, program: &Path, home: &Home, start: &Start) -> Result<Self> {
        let port = free_port()?;
        let mut driver = match start.network {
            Network::There => processes.command("WebKitWebDriver"),
            Network::Gone => isolated(processes, "WebKitWebDriver"),
        };
        driver
            .args([format!("--port={port}"), "--host=127.0.0.1".into()])
            .envs(home.environment())
            .envs(start.environment.iter().map(|(name, value)| (name, value)))
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        let driver = processes.spawn(driver)?.id();
        let (port, way_in) = match start.network {
            Network::There => (port, None),
            Network::Gone => {
                let (port, task) = network::way_in(driver, port).await?;
                (port, Some(task))
            }
        };
        until("the driver", async || Ok(answers(port).await.then_some(()))).await?;
        #[expect(clippy::disallowed_methods, reason = "a start is measured in real time")]
        let started = SystemTime::now();
        let address = format!("http://127.0.0.1:{port}");
        let mut client = ClientBuilder::new(HttpConnector::new());
        client.capabilities(capabilities(program, &start.args));
        let client = tokio::time::timeout(super::PATIENCE, client.connect(&address))
            .await
            .context("the app shows no window that can be driven")?
            .context("starting the app")?;
        // Otherwise the app would be closed with the last client, before a picture is taken of a failure.
        client.clone().persist().await?;
        let is_app = |process: &processes::Process| {
            process.parent == driver
                && process
                    .arguments
                    .first()
                    .is_some_and(|first| Path::new(first) == program)
        };
        let process = processes::all()
            .into_iter()
            .find(is_app)
            .context("finding the app's process")?;
        Ok(Self {
            client,
            driver,
            process: process.id,
            started,
            _way_in: way_in,
        })
    }

    /// A main window, once there is one.
    ///
    /// # Errors
    /// When none comes.
    pub async fn main(&self) -> Result<Page> {
        self.page("index.html").await
    }

    /// The quick-ask window, shown or not, once there is one.
    ///
    /// # Errors
    /// When none comes.
    pub async fn quick(&self) -> Result<Page> {
        self.page("quick.html").await
    }

    /// Has the window that it began with show an address.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn goto(&self, address: &str) -> Result<Page> {
        let handle = self.client.window().await?;
        self.client
            .goto(address)
            .await
            .with_context(|| format!("opening {address}"))?;
        Ok(Page::new(self.client.clone(), handle))
    }

    async fn page(&self, file: &str) -> Result<Page> {
        let page = until(file, async || Ok(self.pages(file).await?.into_iter().next())).await?;
        page.until("the page to be loaded", "return document.readyState === 'complete'")
            .await?;
        Ok(page)
    }

    /// All windows with this file.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn pages(&self, file: &str) -> Result<Vec<Page>> {
        let mut pages = Vec::new();
        for handle in self.client.windows().await? {
            self.client.switch_to_window(handle.clone()).await?;
            let url = self.client.current_url().await?;
            // A custom scheme's first page may have no file in its address.
            let shown = url.path().trim_start_matches('/');
            if shown == file || (shown.is_empty() && file == "index.html") {
                pages.push(Page::new(self.client.clone(), handle));
            }
        }
        Ok(pages)
    }

    /// When it was told to start.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// The app's process and all that it started.
    pub fn processes(&self) -> Tree {
        Tree::of(self.process)
    }

    pub fn is_running(&self) -> bool {
        !Tree::of(self.process).0.is_empty()
    }

    /// Waits until the app has ended by itself, then ends its driver.
    ///
    /// # Errors
    /// When it goes on running.
    pub async fn until_ended(self) -> Result<()> {
        until("the app to end", async || Ok((!self.is_running()).then_some(()))).await?;
        processes::kill(self.driver);
        Ok(())
    }

    /// Ends it without a last word, as a crash or the power would.
    ///
    /// # Errors
    /// When it goes on running.
    pub async fn kill(self) -> Result<()> {
        // Its web processes would end by themselves, only later.
        for process in self.processes().0 {
            processes::kill(process.id);
        }
        self.until_ended().await
    }

    /// Ends it as the desktop does when the person logs out.
    ///
    /// # Errors
    /// When it goes on running.
    pub async fn quit(self) -> Result<()> {
        // The driver closes the windows with the session.
        let _ = self.client.clone().close().await;
        let _ = Command::new("kill")
            .arg(self.process.to_string())
            .stderr(std::process::Stdio::null())
            .status();
        self.until_ended().await
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}

fn isolated(processes: &Processes, program: &str) -> Command {
    let mut words = network::without(program).into_iter();
    let mut command = processes.command(words.next().unwrap_or_default());
    command.args(words);
    command
}

async fn answers(port: u16) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        stream
            .write_all(b"GET /status HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await?;
        // The way into another namespace takes connections before anybody is at its end.
        stream.read(&mut [0; 12]).await
    };
    let told = tokio::time::timeout(std::time::Duration::from_secs(2), ask).await;
    told.is_ok_and(|told: std::io::Result<usize>| told.is_ok_and(|length| length > 0))
}

fn capabilities(program: &Path, args: &[String]) -> Map<String, Value> {
    let app = json!({ "binary": program, "args": args });
    Map::from_iter([("webkitgtk:browserOptions".to_owned(), app)])
}
