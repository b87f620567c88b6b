//! A cache of search results on another computer, held to private mode each time it is asked: an answer that began before
//! private mode was turned on still has it, and its words are not to leave any more.

use async_trait::async_trait;
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{Cache, CacheError};
use deepsearch_net::{Network, Place};

/// In private mode it knows nothing and keeps nothing, unless it is on this computer.
pub(crate) struct Elsewhere<C> {
    pub(crate) cache: C,
    pub(crate) place: Place,
    pub(crate) network: Network,
}

impl<C> Elsewhere<C> {
    fn may_be_asked(&self) -> bool {
        self.network.check_place(&self.place).is_ok()
    }
}

#[async_trait]
impl<C: Cache> Cache for Elsewhere<C> {
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        match self.may_be_asked() {
            true => self.cache.lookup(query).await,
            false => Ok(None),
        }
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        match self.may_be_asked() {
            true => self.cache.add(entry).await,
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use deepsearch_net::SystemLookup;

    use super::*;

    /// Counts how often it is asked.
    #[derive(Clone, Default)]
    struct Asked(Arc<AtomicUsize>);

    #[async_trait]
    impl Cache for Asked {
        async fn lookup(&self, _query: &str) -> Result<Option<SearchCache>, CacheError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(None)
        }

        async fn add(&self, _entry: SearchCache) -> Result<(), CacheError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    #[tokio::test]
    async fn private_mode_that_is_turned_on_later_holds_back_a_cache_elsewhere_and_none_here() {
        let network = Network::new(None, Arc::new(SystemLookup));
        let at = |host: &str| {
            let asked = Asked::default();
            let cache = Elsewhere {
                cache: asked.clone(),
                place: Place::named(host),
                network: network.clone(),
            };
            (cache, asked)
        };
        let ((there, asked_there), (here, asked_here)) = (at("cache.example.org"), at("127.0.0.1"));
        for private in [false, true] {
            network.set_private(private);
            for cache in [&there, &here] {
                assert!(cache.lookup("lighthouse").await.unwrap().is_none());
            }
        }
        assert_eq!(asked_there.0.load(Ordering::SeqCst), 1);
        assert_eq!(asked_here.0.load(Ordering::SeqCst), 2);
    }
}
