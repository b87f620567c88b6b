//! Limits: how often one network address may ask, and which address that is behind proxies.
//!
//! Counted in memory by each gateway: of two gateways each allows as much. What must hold across them (mails to one
//! address, the pace of polls, codes that are good once) is counted in the database.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use axum::http::HeaderMap;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

use crate::config;

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    Request,
    /// It tries a secret, or makes us ask or send something elsewhere.
    Attempt,
}

pub(crate) struct Limits {
    requests: DefaultKeyedRateLimiter<IpAddr>,
    attempts: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    trusted: Vec<IpNet>,
}

impl Limits {
    pub(crate) fn new(config: &config::Limits, trusted: &[IpNet]) -> Self {
        let keyed = |each_minute: u32| {
            let each_minute = NonZeroU32::new(each_minute).unwrap_or(NonZeroU32::MIN);
            RateLimiter::keyed(Quota::per_minute(each_minute))
        };
        Self {
            requests: keyed(config.requests_per_minute),
            attempts: keyed(config.attempts_per_minute),
            clock: DefaultClock::default(),
            trusted: trusted.to_vec(),
        }
    }

    /// Counts a request; of one too many it says after how many seconds to come again.
    pub(crate) fn check(&self, caller: IpAddr, cost: Cost) -> Result<(), u64> {
        let key = network(caller);
        let limiter = match cost {
            Cost::Request => &self.requests,
            Cost::Attempt => &self.attempts,
        };
        limiter
            .check_key(&key)
            .map_err(|refused| refused.wait_time_from(self.clock.now()).as_secs() + 1)
    }

    /// Forgets those who have not asked for a while.
    pub(crate) fn tidy(&self) {
        self.requests.retain_recent();
        self.attempts.retain_recent();
    }

    /// Who asks: the peer, or whom trusted proxies say they ask for. The list is read from its end, because anybody can
    /// write its beginning.
    pub(crate) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut caller = peer.to_canonical();
        let forwarded: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        for address in forwarded.iter().rev() {
            if !self.trusted.iter().any(|net| net.contains(&caller)) {
                break;
            }
            match address.trim().parse::<IpAddr>() {
                Ok(address) => caller = address.to_canonical(),
                Err(_) => break,
            }
        }
        caller
    }
}

/// One household has one address of IPv4, or one /64 of IPv6.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(trusted: &[&str]) -> Limits {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let config = config::Limits {
            requests_per_minute: 100,
            attempts_per_minute: 2,
            connections: 1,
        };
        Limits::new(&config, &trusted)
    }

    fn forwarded(list: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", list.parse().unwrap());
        headers
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn nobody_hides_behind_a_header_that_they_wrote_themselves() {
        let strict = limits(&[]);
        assert_eq!(
            strict.caller(ip("203.0.113.7"), &forwarded("1.2.3.4")),
            ip("203.0.113.7")
        );
        let behind = limits(&["10.0.0.0/8"]);
        assert_eq!(
            behind.caller(ip("10.0.0.1"), &forwarded("1.2.3.4, 203.0.113.7")),
            ip("203.0.113.7")
        );
        assert_eq!(
            behind.caller(ip("10.0.0.1"), &forwarded("203.0.113.7, 10.0.0.2")),
            ip("203.0.113.7")
        );
        assert_eq!(behind.caller(ip("10.0.0.1"), &forwarded("rubbish")), ip("10.0.0.1"));
        assert_eq!(
            behind.caller(ip("::ffff:10.0.0.1"), &forwarded("203.0.113.7")),
            ip("203.0.113.7")
        );
    }

    #[test]
    fn a_household_of_ipv6_is_counted_as_one() {
        let limits = limits(&[]);
        assert!(limits.check(ip("2001:db8::1"), Cost::Attempt).is_ok());
        assert!(limits.check(ip("2001:db8::2"), Cost::Attempt).is_ok());
        let wait = limits.check(ip("2001:db8::3"), Cost::Attempt).unwrap_err();
        assert!((1..=31).contains(&wait), "{wait}");
        assert!(limits.check(ip("2001:db8:0:1::1"), Cost::Attempt).is_ok());
        assert!(limits.check(ip("2001:db8::1"), Cost::Request).is_ok());
    }
}
