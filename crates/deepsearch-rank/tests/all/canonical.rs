use deepsearch_rank::canonical_url;
use proptest::prelude::*;
use url::Url;

fn canonical(url: &str) -> String {
    canonical_url(&Url::parse(url).expect("a valid url"))
}

#[test]
fn two_addresses_of_one_page_compare_equal() {
    for other in [
        "http://example.org/a/b?x=1&y=2",
        "https://www.example.org/a/b?y=2&x=1",
        "https://example.org:443/a/b/?x=1&y=2#part",
        "HTTP://EXAMPLE.org:80/a/b?utm_source=feed&x=1&utm_medium=rss&y=2",
        "https://m.example.org/a/b?x=1&y=2&gclid=abc&fbclid=def&ref=home",
        "https://amp.example.org/%61/b?x=1&y=2&amp=1",
        "https://www.google.com/amp/s/www.example.org/a/b?x=1&y=2",
        "https://example.org/a/b/index.html?x=1&y=2",
        "https://user:secret@example.org./a/b?&x=1&y=2&",
    ] {
        assert_eq!(canonical(other), "https://example.org/a/b?x=1&y=2", "{other}");
    }
    assert_eq!(
        canonical("https://de.m.wikipedia.org/wiki/Berlin"),
        canonical("http://de.wikipedia.org/wiki/Berlin#Geschichte")
    );
    assert_eq!(
        canonical("https://example.org/caf%c3%a9"),
        canonical("https://example.org/café")
    );
}

#[test]
fn different_pages_stay_different() {
    for (a, b) in [
        ("https://example.org/a", "https://example.org/A"),
        ("https://example.org/a", "https://example.com/a"),
        ("https://example.org/a?id=1", "https://example.org/a?id=2"),
        ("https://example.org:8080/a", "https://example.org/a"),
        ("https://m.co.uk/a", "https://co.uk/a"),
        ("https://example.org/wiki/amp", "https://example.org/wiki"),
        ("https://example.org/#/inbox", "https://example.org/#/sent"),
        (
            "https://en.wikipedia.org/wiki/Rust",
            "https://de.wikipedia.org/wiki/Rust",
        ),
        ("guide:searxng", "guide:models"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
    ] {
        assert_ne!(canonical(a), canonical(b));
    }
}

#[test]
fn local_addresses_are_kept_as_they_are() {
    assert_eq!(canonical("guide:searxng#top"), "guide:searxng");
    assert_eq!(canonical("chat:chat_1/msg_2"), "chat:chat_1/msg_2");
}

proptest! {
    #[test]
    fn a_canonical_address_is_its_own(host in "[a-z]{1,8}(\\.[a-z]{2,6}){1,3}", path in "(/[a-zA-Z0-9%._~-]{0,6}){0,4}", query in "([a-z_]{1,6}=[a-z0-9%+]{0,4}&?){0,4}") {
        if let Ok(url) = Url::parse(&format!("http://{host}{path}?{query}")) {
            let once = canonical_url(&url);
            let twice = canonical_url(&Url::parse(&once).expect("a canonical address is an address"));
            prop_assert_eq!(once, twice);
        }
    }
}
