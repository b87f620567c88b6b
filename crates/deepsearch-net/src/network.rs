//! Network: how clients are made, and how private mode holds all of them back.
//!
//! Three doors stand behind each other. A request is checked before it is sent. No connection is made, whoever asks for
//! it, unless its address was checked. And a name that is not this computer's is never looked up, because asking for it
//! would tell which one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use reqwest::ClientBuilder;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::ClientConfig;
use thiserror::Error;
use tower_layer::Layer;
use tower_service::Service;
use url::{Host, Url};

use crate::client::Client;
use crate::lookup::{Lookup, SystemLookup};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

tokio::task_local! {
    /// Set while something runs whose address was checked.
    static CHECKED: ();
}

/// What private mode holds back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("private mode is on, and `{host}` is not on this computer")]
pub struct Leaves {
    pub host: String,
}

/// Whom to trust, how names are looked up, and whether private mode is on. Cloning it gives another handle on the same.
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
}

struct Shared {
    is_private: AtomicBool,
    tls: Option<ClientConfig>,
    lookup: Arc<dyn Lookup>,
}

impl Network {
    /// `tls` says whom to trust; `None` asks the system anew for each client, which reads all of its certificates.
    pub fn new(tls: Option<ClientConfig>, lookup: Arc<dyn Lookup>) -> Self {
        Self {
            shared: Arc::new(Shared {
                is_private: AtomicBool::new(false),
                tls,
                lookup,
            }),
        }
    }

    /// Holds for every client at once, those that were made before included.
    pub fn set_private(&self, is_private: bool) {
        self.shared.is_private.store(is_private, Ordering::SeqCst);
    }

    pub fn is_private(&self) -> bool {
        self.shared.is_private.load(Ordering::SeqCst)
    }

    /// Whether an address may be spoken to as things stand.
    ///
    /// # Errors
    /// [`Leaves`] in private mode, for every address that is not this computer's.
    pub fn check(&self, url: &Url) -> Result<(), Leaves> {
        if self.is_private() && !is_local(url) {
            return Err(Leaves { host: host_of(url) });
        }
        Ok(())
    }

    /// Whether a server of another kind may be connected to as things stand.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn check_place(&self, place: &Place) -> Result<(), Leaves> {
        if self.is_private() && !place.local {
            let host = place.host.clone();
            return Err(Leaves { host });
        }
        Ok(())
    }

    /// Runs what connects by itself, as a library does that was given [`Network::library_client`]: to this address.
    ///
    /// # Errors
    /// As [`Network::check`]; then nothing runs.
    pub async fn through<F: Future>(&self, url: &Url, work: F) -> Result<F::Output, Leaves> {
        self.check(url)?;
        Ok(CHECKED.scope((), work).await)
    }

    /// A client that `with` has set up. Follows no redirect by itself, because each request is checked and counted, and
    /// decompresses nothing, so that what came over the wire can be counted.
    ///
    /// # Errors
    /// When the TLS provider or the system's certificates cannot be used.
    pub fn client(&self, with: impl FnOnce(ClientBuilder) -> ClientBuilder) -> reqwest::Result<Client> {
        Ok(Client::new(self.library_client(with)?, self.clone()))
    }

    /// The same for a library that wants the HTTP client itself. It can connect only within [`Network::through`] while
    /// private mode is on, and whoever uses it tells the ledger.
    ///
    /// # Errors
    /// As [`Network::client`].
    #[expect(clippy::disallowed_methods, reason = "this is the place where clients are made")]
    pub fn library_client(
        &self,
        with: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> reqwest::Result<reqwest::Client> {
        let builder = reqwest::Client::builder();
        let builder = match &self.shared.tls {
            Some(tls) => builder.tls_backend_preconfigured(tls.clone()),
            None => builder,
        };
        let names = Names {
            network: self.clone(),
            otherwise: None,
        };
        let builder = with(builder.dns_resolver(names));
        builder
            .redirect(reqwest::redirect::Policy::none())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connector_layer(Gate { network: self.clone() })
            .build()
    }

    /// A resolver of a client's own, which is asked only for what may be asked for.
    pub fn resolver<R: Resolve + 'static>(&self, own: R) -> impl Resolve + use<R> {
        Names {
            network: self.clone(),
            otherwise: Some(Arc::new(own)),
        }
    }

    pub fn lookup(&self) -> Arc<dyn Lookup> {
        Arc::clone(&self.shared.lookup)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new(None, Arc::new(SystemLookup))
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("is_private", &self.is_private())
            .finish_non_exhaustive()
    }
}

/// Whether an address is this computer's own.
pub fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => is_local_name(name),
        None => false,
    }
}

/// By RFC 6761 these mean this computer, whatever a resolver would say.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// What a person knows an address by.
pub fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Where something of another kind is connected to: a database, a Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As a person knows it.
    pub host: String,
    /// Whether it is this computer.
    pub local: bool,
}

impl Place {
    /// By a host's name or address alone.
    pub fn named(host: &str) -> Self {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let local = match bare.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            // A path of a socket, or no host at all, is a place on this computer.
            Err(_) => bare.is_empty() || bare.starts_with('/') || is_local_name(bare),
        };
        let host = host.to_owned();
        Self { host, local }
    }

    /// By an address such as `redis://host:6379`; one that cannot be read is taken for elsewhere.
    pub fn of(address: &str) -> Self {
        let Ok(url) = Url::parse(address) else {
            return Self {
                host: "an address that cannot be read".into(),
                local: false,
            };
        };
        // Parameters may name another host than the address does.
        let hosts = url
            .query_pairs()
            .filter(|(name, _)| name == "host" || name == "hostaddr");
        let all_local = hosts.map(|(_, host)| Self::named(&host)).all(|place| place.local);
        let named = Self::named(url.host_str().unwrap_or_default());
        Self {
            host: host_of(&url),
            local: named.local && all_local,
        }
    }
}

/// What private mode held back, where that is why this failed.
pub fn leaves<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Leaves> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.find_map(|error| error.downcast_ref::<Leaves>())
}

/// Names as clients look them up.
struct Names {
    network: Network,
    otherwise: Option<Arc<dyn Resolve>>,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        if self.network.is_private() {
            let addresses = if is_local_name(name.as_str()) {
                let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
                Ok(Box::new(both.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
            } else {
                let host = name.as_str().to_owned();
                Err(Leaves { host }.into())
            };
            return Box::pin(std::future::ready(addresses));
        }
        if let Some(own) = &self.otherwise {
            return own.resolve(name);
        }
        let lookup = self.network.lookup();
        Box::pin(async move {
            let addresses = lookup.lookup(name.as_str()).await?;
            // Port 0 stands for the URL's own.
            Ok(Box::new(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// Stands before every connection of every client.
#[derive(Clone)]
struct Gate {
    network: Network,
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, connector: S) -> Gated<S> {
        Gated {
            network: self.network.clone(),
            connector,
        }
    }
}

#[derive(Clone)]
struct Gated<S> {
    network: Network,
    connector: S,
}

impl<S, R> Service<R> for Gated<S>
where
    S: Service<R>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: R) -> Self::Future {
        // The destination is hidden from us here, so it is those who were not checked that are refused.
        if self.network.is_private() && CHECKED.try_with(|()| ()).is_err() {
            let host = "an address that was not checked".to_owned();
            return Box::pin(std::future::ready(Err(Leaves { host }.into())));
        }
        let connecting = self.connector.call(destination);
        Box::pin(async move { connecting.await.map_err(Into::into) })
    }
}
