//! Which addresses the crawler may speak to: public web servers, and nothing on this machine or its networks.
//!
//! A page names its own links and redirects, so a hostile one could otherwise make us read a router, a cloud's
//! metadata service or a local database. A URL is checked before anything is sent, and every name again as it is
//! resolved: if one of its addresses is not global the name is refused, because a client may connect to any of them.
//! The connection goes to exactly the addresses that were checked, so a name cannot change its mind in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use deepsearch_net::Lookup;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use url::{Host, Url};

/// What may be spoken to. The default is the public web.
#[derive(Debug, Clone)]
pub struct AddressRules {
    /// Opens this machine, private networks and any port: for tests, development and intranets. Link-local addresses
    /// (where clouds keep their credentials) stay closed.
    pub allow_private: bool,
    /// Ports that may be spoken to.
    pub ports: Vec<u16>,
    /// Single addresses that may be spoken to although they are not public, when a URL names them literally.
    pub also: Vec<SocketAddr>,
}

impl Default for AddressRules {
    fn default() -> Self {
        Self {
            allow_private: false,
            ports: vec![80, 443],
            also: Vec::new(),
        }
    }
}

/// Why an address is not spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Forbidden {
    #[error("only http and https addresses are read")]
    Scheme,
    #[error("it carries a user name or password")]
    Credentials,
    #[error("it names no host")]
    NoHost,
    #[error("port {0} is not one of the web's")]
    Port(u16),
    #[error("{0} is not an address on the public internet")]
    NotPublic(IpAddr),
    #[error("the name means this machine")]
    LocalName,
    #[error("the name has no address")]
    NoAddress,
}

impl AddressRules {
    /// Checks all that can be known of a URL before its name is resolved.
    ///
    /// # Errors
    /// [`Forbidden`] says which rule it breaks.
    pub fn check_url(&self, url: &Url) -> Result<(), Forbidden> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Forbidden::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::Credentials);
        }
        let port = url.port_or_known_default().ok_or(Forbidden::Scheme)?;
        // The URL parser has already turned decimal, octal, hexadecimal and short forms into plain addresses.
        let literal = match url.host().ok_or(Forbidden::NoHost)? {
            Host::Domain(name) => return self.check_name(name).and_then(|()| self.check_port(port)),
            Host::Ipv4(ip) => IpAddr::V4(ip),
            Host::Ipv6(ip) => IpAddr::V6(ip),
        };
        if self.also.contains(&SocketAddr::new(literal, port)) {
            return Ok(());
        }
        self.check_ip(literal)?;
        self.check_port(port)
    }

    /// Checks one address.
    ///
    /// # Errors
    /// [`Forbidden::NotPublic`].
    pub fn check_ip(&self, ip: IpAddr) -> Result<(), Forbidden> {
        if is_public(ip) || (self.allow_private && is_private(ip)) {
            Ok(())
        } else {
            Err(Forbidden::NotPublic(ip))
        }
    }

    fn check_port(&self, port: u16) -> Result<(), Forbidden> {
        if self.allow_private || self.ports.contains(&port) {
            Ok(())
        } else {
            Err(Forbidden::Port(port))
        }
    }

    fn check_name(&self, name: &str) -> Result<(), Forbidden> {
        let name = name.trim_end_matches('.');
        if name.is_empty() {
            return Err(Forbidden::NoHost);
        }
        let is_local = name == "localhost" || name.ends_with(".localhost");
        if is_local && !self.allow_private {
            return Err(Forbidden::LocalName);
        }
        Ok(())
    }
}

/// The HTTP client's resolver: looks a name up once and hands on its addresses only when all of them may be used.
pub(crate) struct GuardedResolver {
    pub(crate) rules: AddressRules,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, lookup) = (self.rules.clone(), Arc::clone(&self.lookup));
        Box::pin(async move {
            let addresses = lookup.lookup(name.as_str()).await?;
            if addresses.is_empty() {
                return Err(Forbidden::NoAddress.into());
            }
            for ip in &addresses {
                rules.check_ip(*ip)?;
            }
            // Port 0 stands for the URL's own port, which was checked with the URL.
            Ok(Box::new(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// Whether packets to this address leave for the public internet (IANA's special-purpose registries).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !V4_SPECIAL.iter().any(|(network, bits)| v4_in(ip, *network, *bits)),
        // Only 2000::/3 is given out as global unicast; all else is local, multicast, mapped, translated or reserved.
        IpAddr::V6(ip) => {
            v6_in(ip, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                && !V6_SPECIAL.iter().any(|(network, bits)| v6_in(ip, *network, *bits))
        }
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

const V4_SPECIAL: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // "this network"; 0.0.0.0 reaches this machine
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // a cloud's host agent, inside otherwise public space
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, cloud metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24),  // AMT
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(192, 175, 48, 0), 24),  // AS112
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

const V6_SPECIAL: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: carries any IPv4 address
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

fn v4_in(ip: Ipv4Addr, network: Ipv4Addr, bits: u32) -> bool {
    (ip.to_bits() ^ network.to_bits()).leading_zeros() >= bits
}

fn v6_in(ip: Ipv6Addr, network: Ipv6Addr, bits: u32) -> bool {
    (ip.to_bits() ^ network.to_bits()).leading_zeros() >= bits
}
