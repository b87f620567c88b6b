//! A world whose every server has a recording proxy before it, so that what a ledger tells can be held against what went by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use deepsearch_servers::{Exchange, RecordingProxy};
use deepsearch_tests::cli::Home;
use deepsearch_tests::engines::Mood;
use deepsearch_tests::model_server::ModelServer;
use serde_json::Value;

use crate::ledger::{self, Counts, Line};
use crate::research::{Coast, slow_model};
use crate::world::{SCRIPTED, offline};

/// How long who takes its time takes: longer than any journey waits before it goes on.
const SLOW: Duration = Duration::from_secs(5);

/// A coast with its engine and a model, all behind proxies.
pub(crate) struct Recorded {
    coast: Coast,
    _model: ModelServer,
    sites: Vec<RecordingProxy>,
    engine: RecordingProxy,
    model: RecordingProxy,
    addresses: [String; 2],
    slow: Arc<Mutex<Option<&'static str>>>,
}

/// Something that is asked for again and again: a search, a page, or this of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turns {
    Search,
    Page,
    Model(&'static str),
}

impl Recorded {
    pub(crate) async fn start() -> Result<Self> {
        let mut sites = Vec::new();
        let coast = Coast::behind(|port| {
            let proxy = RecordingProxy::before(port)?;
            let known_by = proxy.port();
            sites.push(proxy);
            Ok(Some(known_by))
        })
        .await?;
        let slow = Arc::new(Mutex::new(None::<&'static str>));
        let is_slow = Arc::clone(&slow);
        let server = slow_model(move |asked| {
            let slow = is_slow.lock().expect("no panic while it is slow");
            slow.filter(|what| asked.contains(what))
                .map_or(Duration::ZERO, |_| SLOW)
        })
        .await?;
        let (engine, engine_url) = ledger::before(coast.engine.base())?;
        let (model, model_url) = ledger::before(&server.base())?;
        Ok(Self {
            coast,
            _model: server,
            sites,
            engine,
            model,
            addresses: [engine_url, model_url],
            slow,
        })
    }

    /// A data folder that asks this engine and this model.
    pub(crate) fn home(&self) -> Result<Home> {
        let [engine, model] = &self.addresses;
        Ok(offline()?
            .set("engines.order", "searxng")
            .set("engines.searxng.url", engine)
            .set("models.scripted.url", model)
            .set("default_model", SCRIPTED))
    }

    /// Has this take its time from now on, and nothing else.
    pub(crate) fn slow_down(&self, what: Option<Turns>) {
        self.coast.engine.be(match what {
            Some(Turns::Search) => Mood::Slow(SLOW),
            _ => Mood::Answers,
        });
        for site in &self.coast.sites {
            site.take(match what {
                Some(Turns::Page) => SLOW,
                _ => Duration::ZERO,
            });
        }
        *self.slow.lock().expect("no panic while it is slow") = match what {
            Some(Turns::Model(asked)) => Some(asked),
            _ => None,
        };
    }

    /// How often it was asked for so far.
    pub(crate) fn count(&self, what: Turns) -> usize {
        let exchanges = match what {
            Turns::Search => self.engine.exchanges(),
            Turns::Page => self.sites.iter().flat_map(RecordingProxy::exchanges).collect(),
            Turns::Model(_) => self.model.exchanges(),
        };
        let is_it = |one: &&Exchange| match what {
            Turns::Search => true,
            Turns::Page => one.target.ends_with(".html"),
            Turns::Model(asked) => String::from_utf8_lossy(&one.body).contains(asked),
        };
        exchanges.iter().filter(is_it).count()
    }

    /// What the proxies saw so far.
    pub(crate) fn seen(&self) -> BTreeMap<Line, Counts> {
        let mut all = BTreeMap::new();
        for site in &self.sites {
            all.extend(ledger::seen(site, ledger::of_a_site));
        }
        all.extend(ledger::seen(&self.engine, |_| ("search", "searxng")));
        all.extend(ledger::seen(&self.model, ledger::of_a_model));
        all
    }

    /// How often a model was given text.
    pub(crate) fn texts(&self) -> u64 {
        self.model.exchanges().iter().filter(|one| one.method == "POST").count() as u64
    }
}

/// What came to be seen after `before`.
pub(crate) fn since(now: &BTreeMap<Line, Counts>, before: &BTreeMap<Line, Counts>) -> BTreeMap<Line, Counts> {
    let less = |(line, counts): (&Line, &Counts)| {
        let earlier = before.get(line).copied().unwrap_or_default();
        let counts = (counts.0 - earlier.0, counts.1 - earlier.1, counts.2 - earlier.2);
        (line.clone(), counts)
    };
    now.iter().map(less).filter(|(_, counts)| counts.0 > 0).collect()
}

/// Only what left: requests and bytes.
pub(crate) fn left(lines: &BTreeMap<Line, Counts>) -> BTreeMap<Line, (u64, u64)> {
    let out = |(line, counts): (Line, Counts)| (line, (counts.0, counts.1));
    without_icons(lines).into_iter().map(out).collect()
}

/// A site's icon is nobody's to wait for: it may be on its way when a program ends.
pub(crate) fn without_icons(lines: &BTreeMap<Line, Counts>) -> BTreeMap<Line, Counts> {
    let mut lines = lines.clone();
    lines.retain(|(_, errand, _), _| errand != "icon");
    lines
}

/// How often a ledger tells that a model was given text.
pub(crate) fn times(ledger: &Value) -> u64 {
    let texts = ledger["ledger"]["texts"].as_array().into_iter().flatten();
    texts.filter_map(|text| text["times"].as_u64()).sum()
}
