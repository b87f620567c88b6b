//! Nothing on this machine or its networks is spoken to, however its address is written, resolved or redirected to.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::{FetchError, PageFetcher};
use deepsearch_crawl::{AddressRules, CrawlOptions, is_public};
use deepsearch_net::Lookup;
use tokio::net::UdpSocket;
use url::Url;

use crate::support::{Always, Web, article, crawler, crawler_with, fetch, html, options, redirect};

/// Hosts that lead inside, `PORT` aside: every range that is not global, in every notation a browser takes.
const INSIDE: &[&str] = &[
    // this machine, in every notation
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7F000001",
    "017700000001",
    "0x7f.1",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.0.0.01",
    "0177.0x0.0.1",
    "127.0.0x1",
    "127.0x000001",
    "0000177.1",
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "0.0",
    "0.1.2.3",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "LocalHost.",
    "foo.localhost",
    "a.b.localhost.",
    "ｌｏｃａｌｈｏｓｔ",
    "loc%61lhost",
];

/// As [`INSIDE`]: networks and special ranges.
const SPECIAL: &[&str] = &[
    "10.0.0.1",
    "10.255.255.255",
    "167772161",
    "0xa.1",
    "012.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.0.1",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "172.16.0.1",
    "172.31.255.254",
    "0xac.0x10.1",
    "192.0.0.1",
    "192.0.0.171",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.1.1",
    "3232235777",
    "0xc0a80101",
    "192.168.257",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    "0xffffffff",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::FFFF:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[64:ff9b:1:ffff::10.0.0.1]",
    "[100::1]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[2002:a9fe:a9fe::]",
    "[2002:c0a8:101::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fd00::1]",
    "[fd00:ec2::254]",
    "[fdff:ffff::1]",
    "[fe80::1]",
    "[fe80::a9fe:a9fe]",
    "[febf::1]",
    "[fec0::1]",
    "[ff01::1]",
    "[ff02::1]",
    "[ff05::2]",
    "[4000::1]",
    "[e000::1]",
];

/// Names that somebody's DNS server gives inside addresses to.
const NAMED: &[&str] = &[
    "inside.example",
    "127.0.0.1.nip.example",
    "metadata.google.internal",
    "router.local",
    "db",
    "intranet",
    "xn--e1afmkfd.example",
    "1.0.0.127.in-addr.arpa",
    "under_score.example",
    "a.example.",
];

fn public_on(port: u16) -> CrawlOptions {
    let mut options = options();
    // The canary's port is opened, so that only the address can be what is refused.
    options.addresses = AddressRules {
        ports: vec![80, 443, port],
        ..AddressRules::default()
    };
    options.limits.connect = Duration::from_millis(300);
    options
}

#[tokio::test]
async fn no_way_of_writing_an_inside_address_leads_inside() {
    let canary = Web::saying(html(article("canary"))).await;
    let crawler = crawler_with(
        public_on(canary.address.port()),
        Always(vec![Ipv4Addr::LOCALHOST.into()]),
    );
    let hosts: Vec<&str> = [INSIDE, SPECIAL, NAMED].concat();
    let mut refused = 0;
    for host in hosts {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{}/", canary.address.port());
            let url = Url::parse(&url).unwrap_or_else(|error| panic!("{url}: {error}"));
            match crawler.fetch(&url).await {
                Err(FetchError::Refused { .. }) => refused += 1,
                other => panic!("{url} gave {other:?}"),
            }
        }
    }
    assert!(refused >= 200, "only {refused} forms were tried");
    assert_eq!(canary.requests().len(), 0);
}

#[tokio::test]
async fn the_canary_sings_when_it_is_allowed_to() {
    let canary = Web::saying(html(article("canary"))).await;
    let url = Url::parse(&format!("http://inside.example:{}/", canary.address.port())).unwrap();
    let page = crawler_with(options(), Always(vec![Ipv4Addr::LOCALHOST.into()]))
        .fetch(&url)
        .await
        .unwrap();
    assert!(page.text.contains("canary"));
    assert_eq!(canary.requests(), ["/"]);
}

#[tokio::test]
async fn only_the_webs_schemes_ports_and_plain_addresses_are_read() {
    let rules = AddressRules::default();
    for url in [
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org:70/",
        "data:text/html,hi",
        "javascript:alert(1)",
        "blob:https://example.org/1",
        "ws://example.org/",
        "ssh://example.org/",
        "about:blank",
        "jar:http://a!/b",
        "https://user@example.org/",
        "https://user:pass@example.org/",
        "https://:pass@example.org/",
        "http://example.org:22/",
        "http://example.org:25/",
        "http://example.org:6379/",
        "https://example.org:8443/",
        "http://example.org:0/",
        "http://8.8.8.8:53/",
    ] {
        let url = Url::parse(url).unwrap();
        assert!(rules.check_url(&url).is_err(), "{url}");
        assert!(
            matches!(fetch(public_on(80), &url).await, Err(FetchError::Refused { .. })),
            "{url}"
        );
    }
    for url in [
        "https://example.org/",
        "http://example.org:80/",
        "http://example.org:443/",
        "http://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ] {
        assert_eq!(rules.check_url(&Url::parse(url).unwrap()), Ok(()), "{url}");
    }
}

#[tokio::test]
async fn private_rules_still_close_the_clouds_metadata() {
    let rules = options().addresses;
    for url in [
        "http://169.254.169.254/",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://100.64.0.1/",
        "http://[::ffff:127.0.0.1]/",
    ] {
        assert!(rules.check_url(&Url::parse(url).unwrap()).is_err(), "{url}");
    }
    for url in [
        "http://localhost:8080/",
        "http://192.168.1.1/",
        "http://[::1]:3000/",
        "http://10.0.0.1/",
    ] {
        assert!(rules.check_url(&Url::parse(url).unwrap()).is_ok(), "{url}");
    }
}

#[test]
fn the_edges_of_the_ranges_are_where_iana_has_them() {
    for (ip, public) in [
        ("9.255.255.255", true),
        ("10.0.0.0", false),
        ("11.0.0.0", true),
        ("100.63.255.255", true),
        ("100.64.0.0", false),
        ("100.127.255.255", false),
        ("100.128.0.0", true),
        ("126.255.255.255", true),
        ("128.0.0.0", true),
        ("169.253.255.255", true),
        ("169.255.0.0", true),
        ("172.15.255.255", true),
        ("172.32.0.0", true),
        ("192.0.1.0", true),
        ("192.167.255.255", true),
        ("192.169.0.0", true),
        ("198.17.255.255", true),
        ("198.20.0.0", true),
        ("223.255.255.255", true),
        ("224.0.0.0", false),
        ("1.1.1.1", true),
        ("2606:4700::1111", true),
        ("2a00:1450::1", true),
        ("2001:200::1", true),
        ("2001:1ff::1", false),
        ("2003::1", true),
        ("2002::1", false),
        ("1fff::1", false),
        ("3ffe::1", true),
        ("3fff:1000::1", true),
    ] {
        assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
    }
}

#[tokio::test]
async fn one_inside_address_among_public_ones_refuses_the_name() {
    let canary = Web::saying(html(article("canary"))).await;
    let mixed = Always(vec!["93.184.215.14".parse().unwrap(), Ipv4Addr::LOCALHOST.into()]);
    let url = Url::parse(&format!("http://mixed.example:{}/", canary.address.port())).unwrap();
    let outcome = crawler_with(public_on(canary.address.port()), mixed).fetch(&url).await;
    assert!(matches!(outcome, Err(FetchError::Refused { .. })), "{outcome:?}");
    assert_eq!(canary.requests().len(), 0);
}

#[tokio::test]
async fn a_redirect_inside_is_refused_at_every_hop() {
    let canary = Web::saying(html(article("canary"))).await;
    let port = canary.address.port();
    let web = Web::start(move |path| match path.strip_prefix("/to/") {
        Some(target) => redirect(&percent_decoded(target).replace("PORT", &port.to_string())),
        None => redirect("/to/http%3A%2F%2F127.0.0.1:PORT%2F"),
    })
    .await;
    let mut options = public_on(port);
    options.addresses.also = vec![web.address];
    let crawler = crawler_with(options, Always(vec![Ipv4Addr::LOCALHOST.into()]));
    for target in [
        "http://127.0.0.1:PORT/",
        "//127.0.0.1:PORT/",
        "http://2130706433:PORT/",
        "http://[::ffff:127.0.0.1]:PORT/",
        "http://localhost:PORT/",
        "http://inside.example:PORT/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://user:pass@127.0.0.1:PORT/",
    ] {
        let url = web.url(&format!("/to/{}", target.replace('/', "%2F")));
        let outcome = crawler.fetch(&url).await;
        assert!(
            matches!(outcome, Err(FetchError::Refused { .. })),
            "{target}: {outcome:?}"
        );
    }
    let outcome = crawler.fetch(&web.url("/two-hops")).await;
    assert!(matches!(outcome, Err(FetchError::Refused { .. })), "{outcome:?}");
    assert_eq!(canary.requests().len(), 0);
    assert!(web.requests().len() >= 11, "the redirecting server was really asked");
}

#[tokio::test]
async fn a_name_that_changes_its_mind_between_answers_reaches_nothing() {
    let canary = Web::saying(html(article("canary"))).await;
    let dns = RebindingDns::start().await;
    let crawler = crawler_with(public_on(canary.address.port()), dns.lookup());
    let url = Url::parse(&format!("http://rebind.example:{}/", canary.address.port())).unwrap();

    // The first answer is public: the connection must go there, and not ask again.
    let first = crawler.fetch(&url).await;
    assert!(
        matches!(first, Err(FetchError::Unreachable { .. } | FetchError::TimedOut { .. })),
        "{first:?}"
    );
    assert_eq!(dns.asked(), 1, "one connection resolves once");

    for _ in 0..5 {
        let later = crawler.fetch(&url).await;
        assert!(matches!(later, Err(FetchError::Refused { .. })), "{later:?}");
    }
    assert_eq!(dns.asked(), 6);
    assert_eq!(canary.requests().len(), 0);
}

#[tokio::test]
async fn robots_txt_is_no_way_inside_either() {
    let canary = Web::saying(html(article("canary"))).await;
    let mut options = public_on(canary.address.port());
    options.manners.robots = true;
    let url = Url::parse(&format!("http://inside.example:{}/", canary.address.port())).unwrap();
    let outcome = crawler_with(options.clone(), Always(vec![Ipv4Addr::LOCALHOST.into()]))
        .fetch(&url)
        .await;
    assert!(matches!(outcome, Err(FetchError::Refused { .. })), "{outcome:?}");

    // A public site's robots.txt that redirects inside is a site without rules.
    let target = format!("http://127.0.0.1:{}/robots.txt", canary.address.port());
    let web = Web::start(move |path| {
        if path == "/robots.txt" {
            redirect(&target)
        } else {
            html(article("outside"))
        }
    })
    .await;
    options.addresses.also = vec![web.address];
    assert!(crawler(options).fetch(&web.url("/page")).await.is_ok());
    assert_eq!(canary.requests().len(), 0);
}

fn percent_decoded(text: &str) -> String {
    text.replace("%2F", "/").replace("%3A", ":")
}

/// A DNS server over UDP that answers the first question with a public address and all later ones with 127.0.0.1.
struct RebindingDns {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl RebindingDns {
    async fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
                let ip = if is_first { [93, 184, 215, 14] } else { [127, 0, 0, 1] };
                drop(socket.send_to(&dns_answer(&buffer[..length], ip), from).await);
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn lookup(&self) -> OverUdp {
        OverUdp(self.address)
    }
}

/// The question repeated, with one A record that may be kept for no time at all.
fn dns_answer(question: &[u8], ip: [u8; 4]) -> Vec<u8> {
    let mut answer = question.to_vec();
    answer[2..4].copy_from_slice(&[0x81, 0x80]);
    answer[6..8].copy_from_slice(&[0, 1]);
    answer.extend_from_slice(&[0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
    answer.extend_from_slice(&ip);
    answer
}

/// A resolver that asks one DNS server for the A record of a name.
struct OverUdp(SocketAddr);

#[async_trait]
impl Lookup for OverUdp {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in host.split('.') {
            query.push(u8::try_from(label.len()).unwrap());
            query.extend_from_slice(label.as_bytes());
        }
        query.extend_from_slice(&[0, 0, 1, 0, 1]);
        socket.send_to(&query, self.0).await?;
        let mut buffer = [0; 512];
        let (length, _) = socket.recv_from(&mut buffer).await?;
        let ip: [u8; 4] = buffer[length - 4..length].try_into().unwrap();
        Ok(vec![Ipv4Addr::from(ip).into()])
    }
}
