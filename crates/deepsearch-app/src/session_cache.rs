//! The team's search cache as a sign-in told of it: a user of Redis for this device, with keys of its person alone.
//!
//! What a gateway says is held against what it promises before a question goes there: keys under another's prefix would
//! let whoever made it poison or watch what this person searches for.

use std::sync::Arc;

use deepsearch_auth::Session;
use deepsearch_cache::{RedisCache, RedisPlace, key_prefix};
use deepsearch_core::{CacheError, Clock};
use deepsearch_net::{Network, Place};
use secrecy::ExposeSecret;
use url::Url;

/// The tier of a session; `None` where the team has none, it may not be asked in private mode, or what was told of it is
/// not to be trusted.
pub(crate) fn of(
    session: &Session,
    network: &Network,
    clock: &Arc<dyn Clock>,
) -> Option<(Place, Result<RedisCache, CacheError>)> {
    let redis = session.about.redis.as_ref()?;
    let at = Place::of(&redis.url);
    if network.check_place(&at).is_err() {
        return None;
    }
    if !is_private(&redis.url) {
        tracing::warn!("the team's search cache is not used: it would be reached without encryption");
        return None;
    }
    if !redis.shared && redis.prefix != key_prefix(&session.about.user.id) {
        tracing::warn!("the team's search cache is not used: it is said to be one's own, and its keys are not");
        return None;
    }
    let password = session.redis_password.as_ref().map(ExposeSecret::expose_secret);
    let place = RedisPlace {
        url: &redis.url,
        user: redis.user.as_deref(),
        password,
        prefix: &redis.prefix,
    };
    Some((at, RedisCache::at(&place, clock.clone())))
}

/// Whether nobody between here and there can read along.
fn is_private(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    url.scheme() == "rediss" || (url.scheme() == "redis" && is_here)
}
