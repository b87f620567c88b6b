//! The server: which address leads where, what every request passes through, and how it begins and ends.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use chrono::TimeDelta;
use deepsearch_core::sync::{DEVICE_TRANSACTION_LIMIT, FEED_HELD_LONG};
use deepsearch_postgres::{DatabaseError, FeedHorizon};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use uuid::Uuid;

use crate::device::Caller;
use crate::gateway::{Gateway, Parts, chain};
use crate::limits::Cost;
use crate::metrics;
use crate::token::json_answer;
use crate::trouble::Trouble;
use crate::{account, authorize, callback, consent, device, discovery, email, pages, token};

/// Longest that a request may take to be sent, and to be answered.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);
/// Nothing that is sent here is larger.
const BODY_LIMIT: usize = 16 * 1024;
const HEADERS_LIMIT: usize = 32 * 1024;
/// How long requests under way may go on after the end was asked for.
const CLOSING: Duration = Duration::from_secs(20);
const READY_WITHIN: Duration = Duration::from_secs(2);

/// How often it is asked whether a day has gone since deletions were forgotten.
const COLLECT_EACH: Duration = Duration::from_secs(60 * 60);
const TIDY_EACH: Duration = Duration::from_secs(60);
const WATCH_EACH: Duration = Duration::from_secs(10);
/// Every so many rounds of tidying, the roles of devices that were signed out are dropped.
const ROLES_EACH: u32 = 10;
/// How long it is remembered that a code was redeemed, so that a late replay is noticed.
const REPLAYS_NOTICED: TimeDelta = TimeDelta::hours(24);

impl Gateway {
    /// Every address that the public reaches.
    pub fn router(&self) -> Router {
        let parts = &self.parts;
        let costs = |cost| from_fn_with_state((Arc::clone(parts), cost), limit);
        let attempts = Router::new()
            .route("/token", post(token::token))
            .route("/device_authorization", post(device::begin))
            .route("/revoke", post(account::revoke_token))
            .route("/sign-in/{way}", get(authorize::start))
            .route("/callback/email", get(email::callback))
            .route("/callback/{provider}", get(callback::callback))
            .route("/email", post(email::send))
            .route("/consent", post(consent::decide))
            .route("/device", post(device::typed))
            .route_layer(costs(Cost::Attempt));
        let requests = Router::new()
            .route("/", get(home))
            .route("/.well-known/oauth-authorization-server", get(discovery::describe))
            .route("/authorize", get(authorize::authorize))
            .route("/choose", get(authorize::choose))
            .route("/consent", get(consent::ask))
            .route("/device", get(device::ask))
            .route("/account", get(account::show).delete(account::delete))
            .route("/account/devices/{id}", delete(account::revoke_device))
            .route("/account/sign-out", post(account::sign_out))
            .route("/account/sign-out-everywhere", post(account::sign_out_everywhere))
            .route("/account/export", get(account::export))
            .route_layer(costs(Cost::Request));
        let free = Router::new()
            .route(pages::style_path(), get(pages::style))
            .route("/icon.svg", get(pages::icon))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready));
        attempts
            .merge(requests)
            .merge(free)
            .fallback(nothing_here)
            .with_state(Arc::clone(parts))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                ANSWERED_WITHIN,
            ))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(Arc::clone(parts), observe))
    }

    /// Answers until `stop` is cancelled, then lets what is under way end. `metrics` is for Prometheus alone.
    ///
    /// # Errors
    /// When the listener breaks.
    pub async fn serve(
        &self,
        listener: TcpListener,
        metrics: Option<TcpListener>,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let background = stop.child_token();
        let chores = tokio::spawn({
            let (gateway, background) = (self.clone(), background.clone());
            async move {
                tokio::join!(
                    gateway.keep_house(background.clone()),
                    background.run_until_cancelled(gateway.collect())
                )
            }
        });
        let parts = Arc::clone(&self.parts);
        let metrics_router = Router::new()
            .route("/metrics", get(show_metrics))
            .with_state(Arc::clone(&parts));
        let for_prometheus = metrics.map(|listener| {
            tokio::spawn(accept(
                listener,
                metrics_router,
                16,
                Arc::clone(&parts),
                background.clone(),
            ))
        });
        let connections = parts.config.limits.connections;
        let served = accept(listener, self.router(), connections, parts, stop).await;
        background.cancel();
        // What broke there has been logged there.
        let _ = chores.await;
        if let Some(task) = for_prometheus {
            let _ = task.await;
        }
        self.parts.database.close().await;
        served
    }

    /// Forgets what is over, and watches over devices that hold others up.
    async fn keep_house(&self, stop: CancellationToken) {
        let mut held = Held::default();
        let mut tidy = tokio::time::interval(TIDY_EACH);
        let mut watch = tokio::time::interval(WATCH_EACH);
        let mut round = 0_u32;
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                _ = watch.tick() => self.watch(&mut held).await,
                _ = tidy.tick() => {
                    round = round.wrapping_add(1);
                    self.tidy(round.is_multiple_of(ROLES_EACH)).await
                }
            };
            self.parts.metrics.database_up.set(i64::from(done.is_ok()));
            if let Err(error) = done {
                tracing::warn!(error = chain(&error), "housekeeping was put off");
            }
        }
    }

    async fn watch(&self, held: &mut Held) -> Result<(), DatabaseError> {
        let parts = &self.parts;
        let ended = parts.database.end_long_transactions(DEVICE_TRANSACTION_LIMIT).await?;
        if ended > 0 {
            tracing::warn!(ended, "transactions of devices were too long and have been ended");
        }
        let (since, is_news) = held.look(parts.database.feed_horizon().await?, Instant::now());
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        parts.metrics.feed_held_seconds.set(seconds);
        if is_news {
            tracing::warn!(
                seconds,
                "a transaction that does not end holds up what devices see; pg_stat_activity shows whose it is"
            );
        }
        Ok(())
    }

    /// Forgets old deletions, once a day among all gateways.
    async fn collect(&self) {
        let mut each = tokio::time::interval(COLLECT_EACH);
        loop {
            each.tick().await;
            match self.parts.database.collect_daily().await {
                Ok(None) => {}
                Ok(Some(forgotten)) => {
                    self.parts.metrics.forgotten.inc_by(forgotten);
                    tracing::info!(forgotten, "deletions that every device has seen are forgotten");
                }
                Err(error) => tracing::warn!(error = chain(&error), "forgetting old deletions was put off"),
            }
        }
    }

    async fn tidy(&self, roles: bool) -> Result<(), DatabaseError> {
        let parts = &self.parts;
        parts.limits.tidy();
        parts
            .database
            .delete_expired_sign_ins(parts.now() - REPLAYS_NOTICED)
            .await?;
        parts
            .database
            .delete_links_sent(parts.now() - email::COUNTED_FOR)
            .await?;
        parts.level_search_cache().await?;
        if roles {
            parts.database.drop_revoked_devices().await?;
        }
        Ok(())
    }
}

/// Since when the feed is held up by the same transaction.
#[derive(Default)]
struct Held {
    by: Option<(u64, Instant)>,
    is_told: bool,
}

impl Held {
    /// How long it has been, and whether that is to be told now.
    fn look(&mut self, feed: FeedHorizon, now: Instant) -> (Duration, bool) {
        let Some((_, since)) = self.by.filter(|(by, _)| feed.is_held() && *by == feed.horizon) else {
            self.by = feed.is_held().then_some((feed.horizon, now));
            self.is_told = false;
            return (Duration::ZERO, false);
        };
        let lasts = now.duration_since(since);
        let is_long = lasts >= FEED_HELD_LONG;
        (lasts, is_long && !std::mem::replace(&mut self.is_told, is_long))
    }
}

/// Takes connections, so many at once, and ends gracefully.
async fn accept(
    listener: TcpListener,
    router: Router,
    at_once: usize,
    parts: Arc<Parts>,
    stop: CancellationToken,
) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(at_once));
    let graceful = GracefulShutdown::new();
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&room).acquire_owned() => permit.map_err(io::Error::other)?,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // One connection failed, or there are no file handles for now: neither is the end.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, peer, router.clone()));
        let open = parts.metrics.connections.clone();
        tokio::spawn(async move {
            open.inc();
            if let Err(error) = connection.await {
                tracing::debug!(error = chain(&error), "a connection broke off");
            }
            open.dec();
            drop(permit);
        });
    }
    if tokio::time::timeout(CLOSING, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests did not end in time");
    }
    Ok(())
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
struct Peer(IpAddr);

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    // Small answers must not wait to be joined to others; where it cannot be set, they do.
    let _ = stream.set_nodelay(true);
    let service = router.layer(axum::Extension(Peer(peer.ip())));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(HEADERS_LIMIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
}

/// Names who asks, puts the common headers on every answer, counts it and writes it down: never with its query, which may
/// hold a code.
async fn observe(State(parts): State<Arc<Parts>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let peer = request
        .extensions()
        .get::<Peer>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
    let caller = parts.limits.caller(peer, request.headers());
    request.extensions_mut().insert(Caller(caller));
    let method = known_method(request.method().as_str());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let mut response = next.run(request).await;
    let https = parts.config.public_url.scheme() == "https";
    for (name, value) in pages::common_headers(https) {
        response.headers_mut().entry(name).or_insert(value);
    }
    let id = Uuid::new_v4().simple().to_string();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    let (status, seconds) = (response.status().as_u16(), began.elapsed().as_secs_f64());
    let counted = metrics::Request {
        method,
        route: route.clone(),
        status,
    };
    parts.metrics.requests.get_or_create(&counted).inc();
    let timed = metrics::Route { route: route.clone() };
    parts.metrics.seconds.get_or_create(&timed).observe(seconds);
    if route != "/healthz" && route != "/readyz" {
        let milliseconds = (seconds * 1000.0).round();
        tracing::info!(id, method, route, status, milliseconds, %caller, "answered");
    }
    response
}

/// A made-up method must not make a row of its own in the metrics.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

async fn limit(State((parts, cost)): State<(Arc<Parts>, Cost)>, request: Request, next: Next) -> Response {
    let caller = request
        .extensions()
        .get::<Caller>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |caller| caller.0);
    let Err(seconds) = parts.limits.check(caller, cost) else {
        return next.run(request).await;
    };
    let for_people = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes().windows(9).any(|part| part == b"text/html"));
    if for_people {
        let frame = parts.frame(authorize::browser_lang(request.headers()));
        return Trouble::Limited(seconds).page(&parts, &frame, None);
    }
    parts.metrics.limited.inc();
    let mut response = json_answer(&json!({
        "error": "slow_down",
        "error_description": format!("too many requests from your network; wait {seconds} s"),
    }));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

async fn home(State(parts): State<Arc<Parts>>, headers: axum::http::HeaderMap) -> Response {
    let frame = parts.frame(authorize::browser_lang(&headers));
    let t = frame.lang.texts();
    crate::trouble::notice(&frame, (&t.sign_in_title, &t.home_text), &[]).into_response()
}

async fn nothing_here(State(parts): State<Arc<Parts>>, headers: axum::http::HeaderMap) -> Response {
    Trouble::NotFound.page(&parts, &parts.frame(authorize::browser_lang(&headers)), None)
}

async fn ready(State(parts): State<Arc<Parts>>) -> Response {
    let asked = tokio::time::timeout(READY_WITHIN, parts.database.ping()).await;
    let up = matches!(asked, Ok(Ok(())));
    parts.metrics.database_up.set(i64::from(up));
    if up {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
    }
}

async fn show_metrics(State(parts): State<Arc<Parts>>) -> Response {
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], parts.metrics.text()).into_response()
}

/// What a panic says is written by the hook, to the logs; who asked learns only that it was not their mistake.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("an answer broke off in a panic");
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on our side. Try again in a moment.\n",
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_one_transaction_holds_up_is_told_once_and_counted_all_along() {
        let (start, mut held) = (Instant::now(), Held::default());
        let mut look = |after: u64, horizon, reached| {
            let (lasts, is_told) = held.look(FeedHorizon { horizon, reached }, start + Duration::from_secs(after));
            (lasts.as_secs(), is_told)
        };
        assert_eq!(look(0, 7, 7), (0, false));
        assert_eq!(look(10, 7, 9), (0, false));
        assert_eq!(look(20, 8, 9), (0, false), "another transaction");
        assert_eq!(look(50, 8, 30), (30, false));
        assert_eq!(look(80, 8, 30), (60, true));
        assert_eq!(look(90, 8, 31), (70, false));
        assert_eq!(look(100, 31, 31), (0, false));
    }
}
