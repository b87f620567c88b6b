//! App: every part built once and handed what it needs; the one place that knows them all.

use std::sync::{Arc, Mutex};

use deepsearch_auth::{Session, SignIns, Vault};
use deepsearch_cache::{Guarded, MemoryCache, RedisCache, TieredCache};
use deepsearch_core::{Cache, Clock, EngineEvent, EngineKind, PageFetcher, SearchEngine, Searcher, SystemClock};
use deepsearch_crawl::{CrawlOptions, Crawler, Reader};
use deepsearch_files::{Files, FilesOptions};
use deepsearch_llm::{Models, ModelsConfig, ProviderConfig};
use deepsearch_net::{Lookup, Network, Place, SystemLookup};
use deepsearch_postgres::SharedDatabase;
use deepsearch_search::{ENGINES, EngineConfig, EngineInfo, Failover, Guide, Http, HttpLimits, Limits};
use deepsearch_sqlite::{OpeningStep, Store, StoreOptions};
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::abstracts::{Abstracts, OrAbstract, Remembered};
use crate::changes::{self, Change};
use crate::config::{Config, PRIVACY, Resolved, is_secret};
use crate::counted::{Counted, Counter, NotedCache};
use crate::database::DatabaseView;
use crate::elsewhere::Elsewhere;
use crate::error::AppError;
use crate::favicons::Favicons;
use crate::folders;
use crate::health::{self, Kept};
use crate::local::{Alone, LocalFirst, PastChats, WholeGuide};
use crate::pictures::Pictures;
use crate::runs::Runs;
use crate::secrets;
use crate::session_cache;
use crate::sign_in::Standing;
use crate::sites::{self, Sifted, Sites};
use crate::sync::{Link, Syncing};

pub(crate) const STORE_FILE: &str = "deepsearch.sqlite";

/// How long answers that are stopped may take to be kept.
const CLOSING: std::time::Duration = std::time::Duration::from_secs(10);

/// How long a search waits for the team's database. Less than the tiers are waited for, so that it rests by itself.
const SHARED_CACHE_LIMIT: std::time::Duration = std::time::Duration::from_millis(400);

/// What an app is given from outside.
#[derive(Clone)]
pub struct AppOptions {
    pub config: Config,
    pub clock: Arc<dyn Clock>,
    /// How pages are fetched and parsed; the app only adds the network and what the settings say.
    pub crawl: CrawlOptions,
    /// How names are looked up, by every part.
    pub lookup: Arc<dyn Lookup>,
    /// Told what is being done to open the store.
    pub opening: watch::Sender<OpeningStep>,
}

impl AppOptions {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            clock: Arc::new(SystemClock),
            crawl: CrawlOptions::default(),
            lookup: Arc::new(SystemLookup),
            opening: watch::Sender::default(),
        }
    }
}

/// DeepSearch without a face. Cloning it gives another handle on the same parts.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<Parts>,
}

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Store,
    pub(crate) crawl: CrawlOptions,
    pub(crate) network: Network,
    pub(crate) wired: Mutex<Arc<Wired>>,
    pub(crate) runs: Arc<Runs>,
    /// Answers that are checked again now.
    pub(crate) rechecks: Arc<Runs>,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) tasks: TaskTracker,
    /// Ends what would go on for ever.
    pub(crate) closing: CancellationToken,
    pub(crate) files: Files,
    pub(crate) favicons: Arc<Favicons>,
    pub(crate) pictures: Pictures,
    pub(crate) vault: Vault,
    pub(crate) sign_ins: SignIns,
    pub(crate) standing: Standing,
    pub(crate) syncing: Syncing,
}

/// The parts that depend on settings; built anew when one changes.
pub(crate) struct Wired {
    pub(crate) settings: Resolved,
    pub(crate) web: Arc<Failover>,
    /// The web as it is asked: where the team shares its cache, what is asked is counted.
    pub(crate) asked_web: Arc<dyn Searcher>,
    /// The same past the cache: for an answer that is checked again.
    pub(crate) web_anew: Arc<dyn Searcher>,
    /// Engines of one kind of page, asked side by side.
    special: Vec<(EngineKind, Arc<Failover>, Arc<dyn Searcher>)>,
    counter: Option<Arc<Counter>>,
    pub(crate) database_view: Option<DatabaseView>,
    /// Only what the guide is sure of, beside the web.
    pub(crate) guide: Arc<dyn Searcher>,
    /// For who asks in the guide itself.
    pub(crate) whole_guide: Arc<dyn Searcher>,
    pub(crate) chats: Arc<dyn Searcher>,
    pub(crate) files: Arc<dyn Searcher>,
    pub(crate) crawler: Arc<Crawler>,
    pub(crate) fetcher: Arc<dyn PageFetcher>,
    pub(crate) models: Models,
    pub(crate) cache: Arc<TieredCache>,
    /// How the engines were doing when that was last kept.
    pub(crate) known_health: tokio::sync::Mutex<Vec<Kept>>,
    http: Http,
}

impl App {
    /// Opens the data folder and builds everything. Makes no request.
    ///
    /// # Errors
    /// [`AppError`] when the folder, the store or a setting cannot be used.
    pub async fn open(options: AppOptions) -> Result<Self, AppError> {
        let AppOptions {
            config,
            clock,
            mut crawl,
            lookup,
            opening,
        } = options;
        // Whoever embeds the app may have chosen a provider already; then that one stays.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        std::fs::create_dir_all(&config.home).map_err(|source| AppError::Folder {
            path: config.home.clone(),
            source,
        })?;
        let options = StoreOptions {
            clock: clock.clone(),
            opening,
            ..StoreOptions::default()
        };
        // The one takes the disk's time, the other the processor's.
        let trust = tokio::task::spawn_blocking(trust);
        let store = Store::open(config.home.join(STORE_FILE), options).await?;
        let trust = trust.await.map_err(|error| AppError::Network(error.into()))?;
        let trust = trust.map_err(|error| AppError::Network(error.into()))?;
        let network = Network::new(Some(trust), lookup);
        // Until the settings are known, nothing leaves.
        network.set_private(true);
        crawl.network = network.clone();
        let vault = Vault::new(&config.home);
        let sign_ins = SignIns::new(vault.clone(), &network, clock.clone())?;
        let reading = FilesOptions {
            reader: Reader::new(crawl.parser.clone(), clock.clone()),
            indexing: Reader::new(folders::in_the_background(&crawl.parser), clock.clone()),
            clock: clock.clone(),
        };
        let index = config.home.join(folders::INDEX_FILE);
        let (settings, standing, files) = tokio::join!(
            resolve(&config, &store, &vault),
            Standing::recall(&vault, &sign_ins),
            Files::open(&index, reading)
        );
        let (settings, files) = (settings?, files?);
        network.set_private(settings.is_private());
        folders::configure(&files, &settings);
        let favicons = Arc::new(Favicons::new(config.home.join("favicons")));
        let session = standing.session();
        let wired = Wired::build(settings, session.as_ref(), &store, &clock, &crawl, &favicons, &files)?;
        let inner = Parts {
            config,
            clock,
            store,
            crawl,
            network,
            wired: Mutex::new(Arc::new(wired)),
            runs: Arc::default(),
            rechecks: Arc::default(),
            changes: broadcast::Sender::new(changes::KEPT),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            files,
            favicons,
            pictures: Pictures::default(),
            vault,
            sign_ins,
            standing,
            syncing: Syncing::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The store: chats, messages, pages. Its verbs are the use cases where nothing is to be added to them.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Stops every answer, waits until what they had is kept, and closes the store.
    pub async fn close(&self) {
        self.inner.runs.stop_all();
        self.inner.rechecks.stop_all();
        self.inner.standing.stop_waiting();
        self.inner.closing.cancel();
        self.inner.syncing.stop.cancel();
        self.inner.tasks.close();
        // Quitting waits, then insists: what is journalled by then is kept as interrupted at the next start.
        if tokio::time::timeout(CLOSING, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!("an answer did not end in time");
        }
        let closed = async {
            let wired = self.wired();
            wired.cache.flush().await;
            if let Some(counter) = &wired.counter {
                counter.flush().await;
            }
            self.inner.files.close().await;
            self.inner.store.close().await;
        };
        if tokio::time::timeout(CLOSING, closed).await.is_err() {
            tracing::warn!("the store did not close in time; what was committed is kept");
        }
    }

    pub(crate) fn wired(&self) -> Arc<Wired> {
        Arc::clone(
            &self
                .inner
                .wired
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Whether private mode is on, by what the store says now: another program may have turned it on or off since this one
    /// looked. What is begun or handed out next is held to it.
    ///
    /// # Errors
    /// [`AppError`] when the settings cannot be read; where private mode was turned on, it holds by then.
    pub async fn heed_privacy(&self) -> Result<bool, AppError> {
        let parts = &self.inner;
        let stored = parts.store.list_settings().await?;
        let stored = stored.into_iter().filter(|(key, _)| key == PRIVACY).collect();
        let is_private = Resolved::new(&parts.config, stored).is_private();
        if is_private != parts.network.is_private() {
            // At once, since the rest may take a while or fail; what lets out again waits for all of it.
            if is_private {
                parts.network.set_private(true);
            }
            self.rewire().await?;
            self.tell_change(Change::Settings {
                keys: vec![PRIVACY.into()],
            });
        }
        Ok(is_private)
    }

    /// Reads the settings again and builds what depends on them, and on who is signed in. Answers under way go on with
    /// what they began with.
    pub(crate) async fn rewire(&self) -> Result<(), AppError> {
        let parts = &self.inner;
        self.keep_health(&self.wired()).await;
        let settings = resolve(&parts.config, &parts.store, &parts.vault).await?;
        // Before anything is built with it, and for what was built before: an answer under way goes on with what it has.
        parts.network.set_private(settings.is_private());
        folders::configure(&parts.files, &settings);
        let wired = Arc::new(Wired::build(
            settings,
            self.session().as_ref(),
            &parts.store,
            &parts.clock,
            &parts.crawl,
            &parts.favicons,
            &parts.files,
        )?);
        *parts.wired.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = wired;
        Ok(())
    }
}

/// Whom every connection trusts: those whom the system trusts. Made once for all clients, because each would read the
/// system's certificates anew.
fn trust() -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::with_platform_verifier()?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// All settings at this moment: stored ones, secrets, and what stands over them.
async fn resolve(config: &Config, store: &Store, vault: &Vault) -> Result<Resolved, AppError> {
    let user = store.lookup_user_settings().await?;
    let mut stored = secrets::read(vault).await?;
    stored.retain(|key, _| is_secret(key));
    stored.extend(
        store
            .list_settings()
            .await?
            .into_iter()
            .filter(|(key, _)| !is_secret(key)),
    );
    stored.insert("theme".into(), user.theme.into());
    stored.insert("language".into(), user.language.into());
    stored.insert("default_model".into(), user.default_model.unwrap_or_default().into());
    stored.insert("enable_search_by_default".into(), user.enable_search_by_default.into());
    stored.insert("max_search_results".into(), user.max_search_results.into());
    Ok(Resolved::new(config, stored))
}

impl Wired {
    fn build(
        settings: Resolved,
        session: Option<&Session>,
        store: &Store,
        clock: &Arc<dyn Clock>,
        crawl: &CrawlOptions,
        favicons: &Arc<Favicons>,
        files: &Files,
    ) -> Result<Self, AppError> {
        let network = |error: Box<dyn std::error::Error + Send + Sync>| AppError::Network(error);
        let mut crawl = crawl.clone();
        let net = crawl.network.clone();
        crawl.addresses.allow_private |= settings.flag("crawl.allow_private", false);
        let crawler = Arc::new(Crawler::new(crawl, clock.clone()).map_err(|error| network(error.into()))?);
        let guide = Arc::new(Guide::new(clock.clone()));
        let files = Arc::new(files.clone());
        let past = Arc::new(PastChats::new(store.clone()));
        let http = Http::new(HttpLimits::default(), &net, clock.clone()).map_err(|error| network(error.into()))?;
        let engines = ready_engines(&settings)
            .filter_map(|info| deepsearch_search::engine(info.id, engine_config(&settings, info), &http));
        let owned = owned_database(&settings, &net, clock);
        let sharing = match settings.flag("shared.search_cache", false) {
            true => sharing(&settings, session, &net, clock, owned.clone()),
            false => None,
        };
        let tiers = cache_tiers(&settings, &net, session, store, clock, sharing.as_ref());
        let cache = Arc::new(TieredCache::new(tiers, clock.clone()));
        let limits = Limits {
            side_by_side: side_by_side(&settings),
            ..Limits::default()
        };
        let web = Failover::new(
            engines.collect(),
            Some(Arc::clone(&cache) as Arc<dyn Cache>),
            clock.clone(),
            limits,
        );
        let known_health = tokio::sync::Mutex::new(health::recall(&web, &settings));
        let web = Arc::new(web);
        let counter = sharing.map(|Sharing { database, place }| Arc::new(Counter::new(database, place, net.clone())));
        let sites = Sites::of(&settings);
        let asked = |searcher: Arc<dyn Searcher>| -> Arc<dyn Searcher> {
            let searcher: Arc<dyn Searcher> = match &counter {
                None => searcher,
                Some(counter) => Arc::new(Counted {
                    searcher,
                    counter: counter.clone(),
                }),
            };
            Arc::new(Sifted {
                searcher,
                sites: sites.clone(),
            })
        };
        let asked_web = asked(web.clone());
        let web_anew = asked(Arc::new(web.anew()));
        let abstracts = Arc::new(Abstracts::new(clock.clone()));
        let special = SPECIAL.map(|kind| {
            let engines: Vec<_> = engines_of(kind, &settings)
                .filter_map(|info| deepsearch_search::engine(info.id, engine_config(&settings, info), &http))
                .collect();
            let limits = Limits {
                side_by_side: engines.len().max(1),
                ..Limits::default()
            };
            // Not cached: a question is kept under its words alone, and these are other answers to them.
            let failover = Arc::new(Failover::new(engines, None, clock.clone(), limits));
            let searcher = Arc::new(Sifted {
                searcher: failover.clone(),
                sites: sites.clone(),
            });
            let remembered = Remembered {
                searcher,
                abstracts: abstracts.clone(),
            };
            (kind, failover, Arc::new(remembered) as Arc<dyn Searcher>)
        });
        let fetcher: Arc<dyn PageFetcher> = Arc::new(OrAbstract {
            abstracts,
            fetcher: Arc::new(LocalFirst {
                guide: guide.clone(),
                chats: past.clone(),
                files: files.clone(),
                web: crawler.clone(),
                favicons: favicons.clone(),
            }),
        });
        Ok(Self {
            web,
            asked_web,
            web_anew,
            special: special.into(),
            counter,
            database_view: owned.map(DatabaseView::of),
            fetcher: Arc::new(sites::Guarded { fetcher, sites }),
            whole_guide: Arc::new(WholeGuide(guide.clone())),
            guide: Arc::new(Alone(guide)),
            chats: Arc::new(Alone(past)),
            files: Arc::new(Alone(files)),
            crawler,
            models: Models::new(models_config(&settings, net)).map_err(|error| network(error.into()))?,
            cache,
            known_health,
            http,
            settings,
        })
    }

    /// The engines of one kind of page, as they are asked.
    pub(crate) fn special(&self, kind: EngineKind) -> Option<Arc<dyn Searcher>> {
        let of_kind = self.special.iter().find(|(known, ..)| *known == kind);
        of_kind.map(|(_, _, searcher)| Arc::clone(searcher))
    }

    /// What happened to any engine since this was asked for the last time.
    pub(crate) fn take_engine_events(&self) -> Vec<EngineEvent> {
        let special = self.special.iter().flat_map(|(_, failover, _)| failover.take_events());
        self.web.take_events().into_iter().chain(special).collect()
    }

    /// How the engines of one kind of page are doing.
    pub(crate) fn special_health(&self) -> impl Iterator<Item = deepsearch_search::EngineHealth> {
        self.special.iter().flat_map(|(_, failover, _)| failover.health())
    }

    /// One engine by name, as it is set up, whether or not it is asked by itself.
    pub(crate) fn engine(&self, id: &str) -> Option<Arc<dyn SearchEngine>> {
        let info = ENGINES.iter().find(|info| info.id == id)?;
        deepsearch_search::engine(id, engine_config(&self.settings, info), &self.http)
    }
}

/// The kinds of page that have engines of their own.
pub(crate) const SPECIAL: [EngineKind; 3] = [EngineKind::Academic, EngineKind::Discussions, EngineKind::News];

/// The engines of a kind that can be asked as things stand.
///
/// In private mode there is none: also an engine on this computer searches elsewhere.
pub(crate) fn engines_of(kind: EngineKind, settings: &Resolved) -> impl Iterator<Item = &'static EngineInfo> + use<> {
    let usable = |info: &&EngineInfo| {
        let lacks = Lacks::of(info, settings);
        info.kind == kind && is_enabled(info, settings) && !lacks.key && !lacks.url && !settings.is_private()
    };
    let engines: Vec<&'static EngineInfo> = ENGINES.iter().filter(usable).collect();
    engines.into_iter()
}

/// The web engines that can be asked as things stand, in the order they are.
pub(crate) fn ready_engines(settings: &Resolved) -> impl Iterator<Item = &'static EngineInfo> + use<> {
    let order = settings.list("engines.order");
    let mut engines: Vec<&'static EngineInfo> = engines_of(EngineKind::Web, settings).collect();
    if order.is_empty() {
        // What a person took the trouble to set up goes before what everybody has.
        engines.sort_by_key(|info| !(info.needs_key || info.needs_url));
    } else {
        engines.retain(|info| order.iter().any(|id| id == info.id));
        engines.sort_by_key(|info| order.iter().position(|id| id == info.id));
    }
    engines.into_iter()
}

pub(crate) fn is_enabled(info: &EngineInfo, settings: &Resolved) -> bool {
    settings.flag(&format!("engines.{}.enabled", info.id), true)
}

/// What an engine cannot do without and was not given.
pub(crate) struct Lacks {
    pub(crate) key: bool,
    pub(crate) url: bool,
}

impl Lacks {
    pub(crate) fn of(info: &EngineInfo, settings: &Resolved) -> Self {
        let has = |what: &str| settings.text(&format!("engines.{}.{what}", info.id)).is_some();
        Self {
            key: info.needs_key && !has("key"),
            url: info.needs_url && !has("url"),
        }
    }
}

/// An engine that was set up answers alone; those that everybody has know less each, so two are asked at once.
fn side_by_side(settings: &Resolved) -> usize {
    ready_engines(settings)
        .next()
        .map_or(1, |first| if first.needs_key || first.needs_url { 1 } else { 2 })
}

pub(crate) fn engine_config(settings: &Resolved, info: &EngineInfo) -> EngineConfig {
    EngineConfig {
        key: settings.secret(&format!("engines.{}.key", info.id)),
        base_url: settings.url(&format!("engines.{}.url", info.id)),
    }
}

fn models_config(settings: &Resolved, network: Network) -> ModelsConfig {
    let provider = |name: String| {
        let config = ProviderConfig {
            key: settings.secret(&format!("models.{name}.key")),
            url: settings.url(&format!("models.{name}.url")),
            enabled: settings.flag(&format!("models.{name}.enabled"), true),
        };
        (name, config)
    };
    ModelsConfig {
        default_model: settings.text("default_model").map(str::to_owned),
        embedding_model: settings.text(crate::reranking::KEY).map(str::to_owned),
        providers: settings.names_under("models").into_iter().map(provider).collect(),
        discover_local: settings.flag("models.discover_local", true),
        network,
        ..ModelsConfig::default()
    }
}

/// The team's database as its owner, whose address is kept here; it is connected to with its first use.
fn owned_database(settings: &Resolved, network: &Network, clock: &Arc<dyn Clock>) -> Option<SharedDatabase> {
    network.check_place(&shared_place(settings)).ok()?;
    match SharedDatabase::connect_later(settings.text(crate::shared_database::URL)?) {
        Ok(database) => Some(database.with_clock(clock.clone())),
        Err(error) => {
            tracing::warn!(%error, "going on without the shared database");
            None
        }
    }
}

fn shared_place(settings: &Resolved) -> Place {
    Place::of(settings.text(crate::shared_database::URL).unwrap_or_default())
}

/// The team's database as who it is that searches, and where it is.
struct Sharing {
    database: SharedDatabase,
    place: Place,
}

/// As the device that is signed in; only where nobody is, as the owner.
fn sharing(
    settings: &Resolved,
    session: Option<&Session>,
    network: &Network,
    clock: &Arc<dyn Clock>,
    owned: Option<SharedDatabase>,
) -> Option<Sharing> {
    let link = match Link::of(settings, session) {
        Ok(Some(link)) => link,
        Ok(None) => {
            let place = shared_place(settings);
            return owned.map(|database| Sharing { database, place });
        }
        Err(error) => {
            tracing::warn!(%error, "going on without the shared database");
            return None;
        }
    };
    let place = link.place();
    network.check_place(&place).ok()?;
    match link.database() {
        Ok(database) => Some(Sharing {
            database: database.sparing().with_clock(clock.clone()),
            place,
        }),
        Err(error) => {
            tracing::warn!(%error, "going on without the shared database");
            None
        }
    }
}

fn cache_tiers(
    settings: &Resolved,
    network: &Network,
    session: Option<&Session>,
    store: &Store,
    clock: &Arc<dyn Clock>,
    sharing: Option<&Sharing>,
) -> Vec<Arc<dyn Cache>> {
    let mut tiers: Vec<Arc<dyn Cache>> = vec![Arc::new(MemoryCache::default())];
    let may_be_asked = |place: &Place| network.check_place(place).is_ok();
    // A Redis of one's own stands over the team's; the scope keeps others' entries apart.
    let redis = match settings.text("redis.url") {
        Some(url) => Some(Place::of(url))
            .filter(may_be_asked)
            .map(|place| (place, RedisCache::new(url, "local", clock.clone()))),
        None => session.and_then(|session| session_cache::of(session, network, clock)),
    };
    match redis {
        Some((place, Ok(cache))) => tiers.push(Arc::new(Elsewhere {
            cache,
            place,
            network: network.clone(),
        })),
        Some((_, Err(error))) => tracing::warn!(%error, "going on without Redis"),
        None => {}
    }
    tiers.push(Arc::new(store.search_cache()));
    if let Some(Sharing { database, place }) = sharing {
        let table = NotedCache {
            cache: database.search_cache(),
            place: place.clone(),
        };
        let table = Arc::new(Elsewhere {
            place: place.clone(),
            cache: table,
            network: network.clone(),
        });
        tiers.push(Arc::new(Guarded::new(table, "shared table", SHARED_CACHE_LIMIT)));
    }
    tiers
}
