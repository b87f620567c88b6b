use chrono::Duration;
use deepsearch_core::Page;
use deepsearch_rank::{RankOptions, Ranking, estimate_tokens, rank};
use proptest::prelude::*;

use crate::fixtures::{now, page};

fn options() -> RankOptions {
    RankOptions::new(now())
}

#[test]
fn the_passage_that_answers_comes_first() {
    let pages = [
        page("https://a.org/", "Gardening", "Tomatoes need sun.\nWater them daily."),
        page(
            "https://b.org/",
            "Databases",
            "PostgreSQL stores rows in heap pages. VACUUM reclaims the space of dead rows.",
        ),
    ];
    let passages = rank("How does VACUUM reclaim space?", &[], &pages, &options());
    assert_eq!(passages[0].page, 1);
    assert!((passages[0].score - 1.0).abs() < f32::EPSILON);
}

#[test]
fn copies_are_folded_into_the_better_page() {
    let text = "The borrow checker makes sure that references never outlive the values they point to, at no cost.";
    let pages = [
        page("https://a.org/", "A", text),
        page("https://copy.org/", "The borrow checker", text),
    ];
    let passages = rank("What does the borrow checker do?", &[], &pages, &options());
    assert_eq!(passages.len(), 1);
    assert_eq!(passages[0].page, 0);
}

#[test]
fn newer_pages_go_first_only_when_asked_for() {
    let mut old = page(
        "https://a.org/",
        "Release",
        "The newest release of the tool is version four, says the team.",
    );
    let mut new = page(
        "https://b.org/",
        "Release",
        "Version five is the newest release of the tool, the makers say.",
    );
    old.published_at = Some(now() - Duration::days(900));
    new.published_at = Some(now() - Duration::days(1));
    let pages = [old, new];
    assert_eq!(rank("newest release of the tool", &[], &pages, &options())[0].page, 0);
    let fresh = RankOptions {
        prefer_fresh: true,
        ..options()
    };
    assert_eq!(rank("newest release of the tool", &[], &pages, &fresh)[0].page, 1);
}

#[test]
fn where_no_word_is_shared_the_start_of_each_page_is_given() {
    let pages = [
        page("https://a.jp/", "東京", "東京は日本の首都です。"),
        page("https://b.jp/", "大阪", "大阪は大きな都市です。"),
    ];
    let passages = rank("capital city", &[], &pages, &options());
    assert_eq!(passages.len(), 2);
    assert!(passages.iter().all(|passage| passage.score == 0.0));
}

#[test]
fn nothing_comes_of_nothing() {
    assert!(rank("anything", &[], &[], &options()).is_empty());
    assert!(rank("", &[], &[page("https://a.org/", "", "")], &options()).is_empty());
}

fn any_pages() -> impl Strategy<Value = Vec<Page>> {
    let text = "((alpha|beta|gamma|delta|epsilon|中文|Überall|[a-z]{1,9})( |\\. |\\n|, )){0,120}";
    proptest::collection::vec(text, 0..6).prop_map(|texts| {
        texts
            .iter()
            .enumerate()
            .map(|(at, text)| page(&format!("https://h{}.org/{at}", at % 3), "Alpha and beta", text))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_budget_is_exceeded(pages in any_pages(), answer_tokens in 0_usize..400, page_tokens in 0_usize..200, passage_tokens in 1_usize..100) {
        let options = RankOptions { answer_tokens, page_tokens, passage_tokens, ..options() };
        let passages = rank("alpha beta", &["gamma".into()], &pages, &options);
        let tokens = |page: Option<usize>| passages.iter().filter(|passage| page.is_none_or(|page| passage.page == page)).map(|passage| estimate_tokens(&passage.text)).sum::<usize>();
        prop_assert!(tokens(None) <= answer_tokens);
        for page in 0..pages.len() {
            prop_assert!(tokens(Some(page)) <= page_tokens);
        }
    }

    #[test]
    fn ranking_is_repeatable_and_scores_lie_between_0_and_1(pages in any_pages()) {
        let passages = rank("alpha beta", &["gamma delta".into()], &pages, &options());
        prop_assert_eq!(&passages, &rank("alpha beta", &["gamma delta".into()], &pages, &options()));
        for passage in &passages {
            prop_assert!((0.0..=1.0).contains(&passage.score));
            prop_assert_eq!(&pages[passage.page].text[passage.span.range()], passage.text.as_str());
        }
    }
}

/// Three pages, worse by their words from first to last.
fn three_pages() -> [Page; 3] {
    [
        page(
            "https://a.org/",
            "Towers",
            "How tall is the tower? Everybody asks how tall the tower is.",
        ),
        page(
            "https://b.org/",
            "Towers",
            "A tall tower stands by the sea, and many people come to see it.",
        ),
        page(
            "https://c.org/",
            "Beacons",
            "From its foot to its lantern the tower measures 47 metres.",
        ),
    ]
}

fn ranked_by(nearness: &[f32], pages: &[Page], options: &RankOptions) -> Vec<deepsearch_core::Passage> {
    let ranking = Ranking::new("How tall is the tower?", &[], options.clone());
    let counted: Vec<_> = pages.iter().map(|page| ranking.count(page)).collect();
    ranking.choose_by(nearness, pages, &counted)
}

fn order(passages: &[deepsearch_core::Passage]) -> Vec<usize> {
    passages.iter().map(|passage| passage.page).collect()
}

#[test]
fn the_foremost_are_given_in_the_order_of_their_words() {
    let pages = three_pages();
    let ranking = Ranking::new("How tall is the tower?", &[], options());
    let counted: Vec<_> = pages.iter().map(|page| ranking.count(page)).collect();
    let texts: Vec<&str> = pages.iter().map(|page| page.text.as_str()).collect();
    assert_eq!(ranking.foremost(9, &pages, &counted), texts);
    assert_eq!(ranking.foremost(2, &pages, &counted), texts[..2]);
    let silent = Ranking::new("人口", &[], options());
    let counted: Vec<_> = pages.iter().map(|page| silent.count(page)).collect();
    assert!(silent.foremost(9, &pages, &counted).is_empty(), "no word is shared");
}

#[test]
fn what_is_nearer_in_meaning_goes_first_and_takes_the_score_of_that_place() {
    let pages = three_pages();
    let by_words = ranked_by(&[], &pages, &options());
    assert_eq!(order(&by_words), [0, 1, 2]);
    let by_meaning = ranked_by(&[0.2, 0.1, 0.7], &pages, &options());
    assert_eq!(order(&by_meaning), [2, 0, 1]);
    assert!((by_meaning[0].score - 1.0).abs() < f32::EPSILON);
    assert!(by_meaning.windows(2).all(|two| two[0].score >= two[1].score));
}

#[test]
fn a_nearness_that_agrees_with_the_words_changes_nothing() {
    let pages = three_pages();
    assert_eq!(
        ranked_by(&[0.9, 0.5, 0.1], &pages, &options()),
        rank("How tall is the tower?", &[], &pages, &options())
    );
}

#[test]
fn what_was_not_compared_stays_behind_what_was() {
    let pages = three_pages();
    assert_eq!(order(&ranked_by(&[-0.5, 0.4], &pages, &options())), [1, 0, 2]);
    let more_than_there_are = [0.1, 0.2, 0.3, 0.9, 0.9];
    assert_eq!(order(&ranked_by(&more_than_there_are, &pages, &options())), [2, 1, 0]);
}

#[test]
fn where_new_pages_are_wanted_what_is_little_nearer_and_much_older_stays_behind() {
    let mut pages = three_pages();
    pages[0].published_at = Some(now() - Duration::days(1));
    pages[1].published_at = Some(now() - Duration::days(1));
    pages[2].published_at = Some(now() - Duration::days(900));
    let fresh = RankOptions {
        prefer_fresh: true,
        ..options()
    };
    assert_eq!(order(&ranked_by(&[0.6, 0.5, 0.7], &pages, &fresh)), [0, 1, 2]);
    assert_eq!(order(&ranked_by(&[0.6, 0.5, 0.7], &pages, &options())), [2, 0, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_order_by_meaning_exceeds_a_budget_or_makes_anything_up(
        pages in any_pages(), nearness in proptest::collection::vec(proptest::num::f32::ANY, 0..40), answer_tokens in 0_usize..400, page_tokens in 0_usize..200,
    ) {
        let options = RankOptions { answer_tokens, page_tokens, passage_tokens: 20, ..options() };
        let ranking = Ranking::new("alpha beta", &[], options.clone());
        let counted: Vec<_> = pages.iter().map(|page| ranking.count(page)).collect();
        let passages = ranking.choose_by(&nearness, &pages, &counted);
        let tokens = |page: Option<usize>| passages.iter().filter(|passage| page.is_none_or(|page| passage.page == page)).map(|passage| estimate_tokens(&passage.text)).sum::<usize>();
        prop_assert!(tokens(None) <= answer_tokens);
        for page in 0..pages.len() {
            prop_assert!(tokens(Some(page)) <= page_tokens);
        }
        let mut spans: Vec<_> = passages.iter().map(|passage| (passage.page, passage.span)).collect();
        spans.sort_unstable();
        spans.dedup();
        prop_assert_eq!(spans.len(), passages.len(), "no passage comes twice");
        for passage in &passages {
            prop_assert!((0.0..=1.0).contains(&passage.score));
            prop_assert_eq!(&pages[passage.page].text[passage.span.range()], passage.text.as_str());
        }
    }
}
