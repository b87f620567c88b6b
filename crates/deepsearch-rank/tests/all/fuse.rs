use deepsearch_core::SearchHit;
use deepsearch_rank::{fuse, pick};
use proptest::prelude::*;

use crate::fixtures::hit;

fn urls(hits: &[SearchHit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.url.as_str()).collect()
}

#[test]
fn a_page_that_many_engines_find_comes_first() {
    let lists = [
        vec![hit("https://a.org/"), hit("https://b.org/")],
        vec![hit("https://c.org/"), hit("http://www.b.org")],
    ];
    assert_eq!(
        urls(&fuse(&lists)),
        ["https://b.org/", "https://a.org/", "https://c.org/"]
    );
}

#[test]
fn the_fullest_title_snippet_and_date_are_kept() {
    let date = chrono::DateTime::from_timestamp(1_700_000_000, 0);
    let short = SearchHit {
        title: "A long title that was cut …".into(),
        snippet: "Short.".into(),
        ..hit("https://a.org/")
    };
    let full = SearchHit {
        title: "A title".into(),
        snippet: "A longer snippet, cut …".into(),
        published_at: date,
        ..hit("https://a.org/#x")
    };
    let fused = fuse(&[vec![short], vec![full]]);
    assert_eq!(fused.len(), 1);
    assert_eq!(fused[0].title, "A title");
    assert_eq!(fused[0].snippet, "A longer snippet, cut …");
    assert_eq!(fused[0].published_at, date);
}

#[test]
fn one_list_counts_once_for_a_page() {
    let spam = vec![
        hit("https://s.org/"),
        hit("https://s.org/#a"),
        hit("https://s.org/#b"),
        hit("https://a.org/"),
    ];
    let lists = [spam, vec![hit("https://a.org/")]];
    assert_eq!(urls(&fuse(&lists)), ["https://a.org/", "https://s.org/"]);
}

#[test]
fn one_site_does_not_take_over() {
    let hits = vec![
        hit("https://a.org/1"),
        hit("https://www.a.org/2"),
        hit("https://a.org/3"),
        hit("https://b.org/"),
    ];
    assert_eq!(
        urls(&pick(hits.clone(), 3, 2)),
        ["https://a.org/1", "https://www.a.org/2", "https://b.org/"]
    );
    // Where nothing else was found, the rest of the site is better than nothing.
    assert_eq!(pick(hits, 4, 1).len(), 4);
}

#[test]
fn guide_topics_are_no_site() {
    let hits = vec![hit("guide:a"), hit("guide:b"), hit("guide:c"), hit("https://b.org/")];
    assert_eq!(urls(&pick(hits, 3, 1)), ["guide:a", "guide:b", "guide:c"]);
}

fn any_lists() -> impl Strategy<Value = Vec<Vec<SearchHit>>> {
    let any_hit = (
        "(http|https)://(www\\.)?[abc]\\.org/[xyz]?",
        "[ab]{0,4}(…)?",
        "[ab]{0,3}",
    )
        .prop_map(|(url, title, snippet)| SearchHit {
            title,
            snippet,
            ..hit(&url)
        });
    proptest::collection::vec(proptest::collection::vec(any_hit, 0..8), 0..5)
}

proptest! {
    #[test]
    fn the_order_of_the_lists_makes_no_difference(lists in any_lists(), seed in any::<usize>()) {
        let mut turned = lists.clone();
        turned.reverse();
        let middle = seed.checked_rem(turned.len()).unwrap_or(0);
        turned.rotate_left(middle);
        prop_assert_eq!(fuse(&lists), fuse(&turned));
    }

    #[test]
    fn no_page_is_lost_or_repeated(lists in any_lists()) {
        let fused = fuse(&lists);
        let key = |hit: &SearchHit| deepsearch_rank::canonical_url(&hit.url.parse().expect("a valid url"));
        let mut keys: Vec<String> = fused.iter().map(key).collect();
        keys.sort();
        let mut wanted: Vec<String> = lists.iter().flatten().map(key).collect();
        wanted.sort();
        wanted.dedup();
        prop_assert_eq!(keys, wanted);
    }
}
