//! Models: which models there are, and one of them by its id. Looks for servers on this machine without being told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use deepsearch_core::{ChatModel, ModelError, ModelId, ModelInfo};
use deepsearch_net::Client;
use futures::future::join_all;
use recloser::{AsyncRecloser, Recloser};
use serde::Serialize;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::chat::ProviderModel;
use crate::config::ModelsConfig;
use crate::embedding::ProviderEmbedder;
use crate::extractive::{self, ExtractiveWriter};
use crate::listing::{self, Served};
use crate::provider::{KNOWN, Listing, Provider};

/// Lists are asked for anew after this long; those of this machine sooner, because models come and go there.
const REMOTE_LIST_FRESH: Duration = Duration::from_secs(600);
const LOCAL_LIST_FRESH: Duration = Duration::from_secs(15);

/// Embeddings that the breaker looks back on: each that times out has held up an answer.
const EMBEDDING_WINDOW: usize = 2;

/// Why [`Models::new`] failed.
#[derive(Debug, Error)]
#[error("the connection to model providers could not be set up")]
pub struct SetUpError(#[source] reqwest::Error);

/// All models that can be used. Makes no request until it is asked something.
pub struct Models {
    config: ModelsConfig,
    providers: Vec<Arc<Provider>>,
    breakers: HashMap<String, AsyncRecloser>,
    embedding_breaker: AsyncRecloser,
    /// For the web: through the system's proxy, where there is one.
    remote: Clients,
    /// For this machine: a proxy elsewhere could not reach it.
    local: Clients,
    lists: Mutex<HashMap<String, List>>,
}

/// One for what we ask ourselves, and one for the library that speaks to models.
struct Clients {
    ours: Client,
    library: reqwest::Client,
}

/// A provider of models as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct ProviderStatus {
    /// As settings and the ids of models write it.
    pub id: String,
    pub name: String,
    /// Whether its models are offered, as things are set.
    pub enabled: bool,
    pub needs_key: bool,
    pub has_key: bool,
    /// Where it is asked; `None` for a name of the person's own that has no address yet.
    pub url: Option<String>,
    /// Where a key is had.
    pub key_url: Option<&'static str>,
    /// Whether it runs on this machine.
    pub local: bool,
    /// Whether private mode holds it back.
    pub held_back: bool,
}

/// A provider's models as last told.
#[derive(Clone)]
struct List {
    served: Served,
    asked: Instant,
}

impl Models {
    /// # Errors
    /// [`SetUpError`] when the HTTP client cannot be built.
    pub fn new(config: ModelsConfig) -> Result<Self, SetUpError> {
        let providers = providers(&config);
        let breaker = |window: usize| {
            let recloser = Recloser::custom()
                .error_rate(0.5)
                .closed_len(window)
                .half_open_len(1)
                .open_wait(config.retry.rest)
                .build();
            AsyncRecloser::from(recloser)
        };
        let of_provider = |provider: &Arc<Provider>| (provider.id.clone(), breaker(config.retry.breaker_window));
        Ok(Self {
            breakers: providers.iter().map(of_provider).collect(),
            embedding_breaker: breaker(EMBEDDING_WINDOW),
            providers,
            remote: Clients::new(&config, |builder| builder)?,
            local: Clients::new(&config, reqwest::ClientBuilder::no_proxy)?,
            lists: Mutex::default(),
            config,
        })
    }

    /// The models of every provider that answers, the extractive writer last. A hosted provider that does not answer
    /// in time is there with the models last told, or with its default one.
    ///
    /// In private mode only those of this machine.
    pub async fn list(&self) -> Vec<ModelInfo> {
        let lists = join_all(self.providers.iter().map(|provider| self.list_of(provider))).await;
        let mut models: Vec<ModelInfo> = lists.into_iter().flatten().collect();
        models.retain(|model| model.local || !self.is_private());
        models.push(extractive::info());
        models
    }

    /// The models of this machine that embed, as far as their providers tell which do.
    pub async fn list_embedders(&self) -> Vec<ModelId> {
        let local = self.providers.iter().filter(|provider| provider.is_local());
        let lists = join_all(local.map(|provider| async move {
            let embedding = self.served_by(provider).await.embedding.into_iter();
            let own = |id: &ModelId| {
                id.split_once('/')
                    .is_some_and(|(_, name)| listing::runs_here(provider, name))
            };
            embedding.filter(own).collect::<Vec<_>>()
        }));
        lists.await.into_iter().flatten().collect()
    }

    /// A model that embeds, by its id. Whether there is one and whether it may be used is told when it is.
    pub fn embedder(&self, id: &str) -> ProviderEmbedder {
        let (provider, name) = id.split_once('/').unwrap_or(("", id));
        let provider = self.providers.iter().find(|known| known.id == provider);
        ProviderEmbedder {
            id: id.to_owned(),
            name: name.to_owned(),
            provider: provider.filter(|_| !name.trim().is_empty()).cloned(),
            client: self.local.ours.clone(),
            breaker: self.embedding_breaker.clone(),
        }
    }

    /// Every provider as it is set, those that are switched off included. Asks nobody.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        names(&self.config).map(|id| status(id, &self.config)).collect()
    }

    /// A model by its id, `provider/name` or `extractive`. Asks nothing of hosted providers.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] for a provider that is neither known nor configured; [`ModelError::KeyMissing`];
    /// [`ModelError::Private`] for a model elsewhere while private mode is on.
    pub async fn model(&self, id: &str) -> Result<Arc<dyn ChatModel>, ModelError> {
        if id == extractive::ID {
            return Ok(Arc::new(ExtractiveWriter::default()));
        }
        let unknown = || ModelError::Unknown { model: id.to_owned() };
        let (provider, name) = id
            .split_once('/')
            .filter(|(_, name)| !name.trim().is_empty())
            .ok_or_else(unknown)?;
        let provider = self
            .providers
            .iter()
            .find(|known| known.id == provider)
            .ok_or_else(unknown)?;
        if self.is_private() && !listing::runs_here(provider, name) {
            return Err(ModelError::Private { model: id.to_owned() });
        }
        if provider.lacks_key() {
            return Err(ModelError::KeyMissing {
                provider: provider.id.clone(),
            });
        }
        let context = self.context_of(provider, name).await;
        Ok(Arc::new(self.provider_model(provider, name, context)))
    }

    /// The configured default; else the first model found on this machine; else the first provider with a key; else the
    /// extractive writer. In private mode a default elsewhere is passed over: whoever turned that on chose as well.
    ///
    /// # Errors
    /// As [`Models::model`], for the configured default only: what a person chose is never silently replaced.
    pub async fn default(&self) -> Result<Arc<dyn ChatModel>, ModelError> {
        if let Some(id) = &self.config.default_model {
            match self.model(id).await {
                Err(ModelError::Private { .. }) => {}
                chosen => return chosen,
            }
        }
        let (local, hosted): (Vec<_>, Vec<_>) = self.providers.iter().partition(|provider| provider.is_local());
        let found = join_all(local.iter().map(|provider| self.list_of(provider))).await;
        let embeds = |info: &&ModelInfo| self.config.embedding_model.as_ref() == Some(&info.id);
        if let Some(info) = found.iter().flatten().find(|info| info.local && !embeds(info)) {
            return self.model(&info.id).await;
        }
        let with_key = hosted
            .iter()
            .find(|provider| provider.key.is_some() && provider.default_model.is_some())
            .filter(|_| !self.is_private());
        match with_key.and_then(|provider| Some(format!("{}/{}", provider.id, provider.default_model?))) {
            Some(id) => self.model(&id).await,
            None => self.model(extractive::ID).await,
        }
    }

    fn is_private(&self) -> bool {
        self.config.network.is_private()
    }

    async fn list_of(&self, provider: &Provider) -> Vec<ModelInfo> {
        self.served_by(provider).await.chat
    }

    async fn served_by(&self, provider: &Provider) -> Served {
        if provider.lacks_key() || (self.is_private() && !provider.is_local()) {
            return Served::default();
        }
        let last = self.lists.lock().await.get(&provider.id).cloned();
        let (fresh, within) = match provider.is_local() {
            true => (LOCAL_LIST_FRESH, self.config.probe_within),
            false => (REMOTE_LIST_FRESH, self.config.list_within),
        };
        if let Some(list) = last.as_ref().filter(|list| list.asked.elapsed() < fresh) {
            return list.served.clone();
        }
        match listing::models(provider, &self.clients_for(provider).ours, within).await {
            Ok(served) => {
                let list = List {
                    served: served.clone(),
                    asked: Instant::now(),
                };
                self.lists.lock().await.insert(provider.id.clone(), list);
                served
            }
            Err(error) => {
                tracing::debug!(provider = provider.id, %error, "no list of models");
                fallback(provider, last)
            }
        }
    }

    async fn context_of(&self, provider: &Provider, name: &str) -> usize {
        if provider.listing == Listing::Ollama {
            let client = &self.clients_for(provider).ours;
            return listing::ollama_context(provider, client, name, self.config.probe_within).await;
        }
        if provider.is_local() {
            self.list_of(provider).await;
        }
        let id = format!("{}/{name}", provider.id);
        let lists = self.lists.lock().await;
        let told = lists
            .get(&provider.id)
            .and_then(|list| list.served.chat.iter().find(|info| info.id == id));
        told.map_or_else(|| listing::known_context(provider, name), |info| info.context_tokens)
    }

    fn provider_model(&self, provider: &Arc<Provider>, name: &str, context: usize) -> ProviderModel {
        ProviderModel {
            info: listing::info(provider, name, context),
            name: name.to_owned(),
            provider: provider.clone(),
            client: genai::Client::builder()
                .with_reqwest(self.clients_for(provider).library.clone())
                .build()
                .expect("a client around a finished HTTP client cannot fail"),
            breaker: self.breakers[&provider.id].clone(),
            deadlines: if provider.is_local() {
                self.config.local
            } else {
                self.config.remote
            },
            retry: self.config.retry,
            network: self.config.network.clone(),
        }
    }

    fn clients_for(&self, provider: &Provider) -> &Clients {
        if provider.is_local() { &self.local } else { &self.remote }
    }
}

/// The providers that can be asked.
fn providers(config: &ModelsConfig) -> Vec<Arc<Provider>> {
    let all = names(config).filter_map(|id| Provider::new(id, config.providers.get(id)));
    all.filter(|provider| is_enabled(provider, config))
        .map(Arc::new)
        .collect()
}

/// The known ones in their order, then the person's own by name.
fn names(config: &ModelsConfig) -> impl Iterator<Item = &str> {
    let mut own: Vec<&str> = config.providers.keys().map(String::as_str).collect();
    own.retain(|id| KNOWN.iter().all(|known| known.id != *id));
    own.sort_unstable();
    KNOWN.iter().map(|known| known.id).chain(own)
}

/// Those on this machine without being configured only where they may be looked for.
fn is_enabled(provider: &Provider, config: &ModelsConfig) -> bool {
    match config.providers.get(&provider.id) {
        Some(configured) => configured.enabled,
        None => config.discover_local || !provider.is_local(),
    }
}

fn status(id: &str, config: &ModelsConfig) -> ProviderStatus {
    let known = KNOWN.iter().find(|known| known.id == id);
    let configured = config.providers.get(id);
    let provider = Provider::new(id, configured);
    ProviderStatus {
        id: id.to_owned(),
        name: known.map_or(id, |known| known.name).to_owned(),
        enabled: provider.as_ref().is_some_and(|provider| is_enabled(provider, config)),
        needs_key: provider.as_ref().is_some_and(Provider::needs_key),
        has_key: configured.is_some_and(|configured| configured.key.is_some()),
        url: provider.as_ref().map(|provider| provider.url.to_string()),
        key_url: known.and_then(|known| known.key_url),
        local: provider.as_ref().is_some_and(Provider::is_local),
        held_back: config.network.is_private() && provider.as_ref().is_some_and(|provider| !provider.is_local()),
    }
}

/// Never more certain than what is known: nothing for a server on this machine that is not there.
fn fallback(provider: &Provider, last: Option<List>) -> Served {
    if provider.is_local() {
        return Served::default();
    }
    if let Some(list) = last {
        return list.served;
    }
    let default = provider.default_model.filter(|_| provider.key.is_some());
    let default = default.map(|name| listing::info(provider, name, listing::known_context(provider, name)));
    Served {
        chat: default.into_iter().collect(),
        embedding: Vec::new(),
    }
}

impl Clients {
    fn new(
        config: &ModelsConfig,
        with: fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Self, SetUpError> {
        let set_up = |builder: reqwest::ClientBuilder| {
            with(builder)
                .connect_timeout(Duration::from_secs(10))
                .tcp_nodelay(true)
                .tcp_keepalive(Duration::from_secs(30))
        };
        Ok(Self {
            ours: config.network.client(set_up).map_err(SetUpError)?,
            library: config.network.library_client(set_up).map_err(SetUpError)?,
        })
    }
}
