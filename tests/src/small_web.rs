//! A web of a few pages with an engine that knows them, and data folders that reach nothing else: where most journeys
//! begin.

use std::sync::Arc;

use anyhow::Result;
use tempfile::TempDir;

use crate::cli::Home;
use crate::engines::FakeEngine;
use crate::local_index::LocalIndex;
use crate::local_web::Site;
use crate::model_server::ModelServer;
use crate::ports::nobody;

/// The model of a [`ModelServer`], as it is chosen with `--model`.
pub const SCRIPTED: &str = "scripted/scripted";

/// What the sites have for an icon.
const ICON: &[u8] = include_bytes!("../../icons/32x32.png");

/// A data folder whose engines all lead to where nobody listens: nothing reaches the real web by mistake.
///
/// # Errors
/// When no port is free, or a folder cannot be made.
pub fn offline() -> Result<Home> {
    let nobody = nobody()?;
    let home = Home::new()?.set("models.discover_local", "false");
    Ok(["wikipedia", "duckduckgo"].iter().fold(home, |home, engine| {
        home.set(&format!("engines.{engine}.url"), nobody.as_str())
    }))
}

/// A data folder that asks this SearXNG and nothing else.
///
/// # Errors
/// When no port is free, or a folder cannot be made.
pub fn searching(engine: &FakeEngine) -> Result<Home> {
    Ok(offline()?
        .set("engines.order", "searxng")
        .set("engines.searxng.url", engine.base().as_str()))
}

/// The same folder with this model, which then answers when none is named.
pub fn with_model(home: Home, model: &ModelServer) -> Home {
    home.set("models.scripted.url", model.base().as_str())
        .set("default_model", SCRIPTED)
}

/// A site of a few pages, and a SearXNG that knows them.
#[derive(Debug)]
pub struct SmallWeb {
    pub site: Site,
    pub engine: FakeEngine,
    folder: TempDir,
}

impl SmallWeb {
    /// Pages by name, title and paragraphs.
    ///
    /// # Errors
    /// When they cannot be written or served.
    pub async fn of(pages: &[(&str, &str, &str)]) -> Result<Self> {
        Self::behind(pages, |_| Ok(None)).await
    }

    /// The same, its site behind a proxy: `proxy` is told the site's port and gives that of the proxy.
    ///
    /// # Errors
    /// When they cannot be written or served.
    pub async fn behind(pages: &[(&str, &str, &str)], proxy: impl FnOnce(u16) -> Result<Option<u16>>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for (name, title, text) in pages {
            std::fs::write(folder.path().join(name), page(title, text))?;
        }
        std::fs::write(folder.path().join("favicon.ico"), ICON)?;
        let site = Site::serve(folder.path()).await?;
        let site = match proxy(site.base().port().unwrap_or(80))? {
            Some(port) => site.known_by(port),
            None => site,
        };
        let index = LocalIndex::of(&[&site], &[])?;
        let engine = FakeEngine::start("searxng", Arc::new(index)).await?;
        Ok(Self { site, engine, folder })
    }

    /// Has a page say something else from now on. The engine goes on knowing what it said.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn rewrite(&self, name: &str, title: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.folder.path().join(name), page(title, text))?)
    }

    /// Takes a page off the site. The engine goes on finding it.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove(&self, name: &str) -> Result<()> {
        Ok(std::fs::remove_file(self.folder.path().join(name))?)
    }

    /// Three pages about one lighthouse, which no model and no real page knows.
    ///
    /// # Errors
    /// When they cannot be written or served.
    pub async fn lighthouse() -> Result<Self> {
        Self::of(LIGHTHOUSE).await
    }
}

/// What the pages of [`SmallWeb::lighthouse`] say.
pub const LIGHTHOUSE: &[(&str, &str, &str)] = &[
    (
        "height.html",
        "The Zorvane lighthouse: height and tower",
        "The Zorvane lighthouse is 47 metres high. Its tower was built of grey granite from the island of Ummel.\n\
         The lantern room is reached by 212 steps, and visitors may climb it from April to October.",
    ),
    (
        "history.html",
        "History of the Zorvane lighthouse",
        "The Zorvane lighthouse was first lit in 1871. The engineer Maren Oltwick designed it after two ships were \
         lost on the reef.\nThe lamp burned rapeseed oil until 1904, when it was changed to electricity.",
    ),
    (
        "visit.html",
        "Visiting the Zorvane lighthouse",
        "A ferry to the Zorvane lighthouse leaves Port Ansgar at nine in the morning. The crossing takes forty minutes \
         in calm weather.\nTickets for the lighthouse are sold on board, and children under six travel free.",
    ),
];

/// A page as a site would have it, one paragraph a line.
pub fn page(title: &str, text: &str) -> String {
    let paragraphs: String = text.lines().map(|line| format!("<p>{line}</p>\n")).collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><title>{title}</title></head><body><nav><a href=\"/\">Home</a></nav>\
         <main><article><h1>{title}</h1>\n{paragraphs}</article></main></body></html>"
    )
}
