use deepsearch_rank::{SplitOptions, passages};
use proptest::prelude::*;

use crate::fixtures::page;

#[test]
fn a_heading_goes_with_what_follows() {
    let body = "This sentence fills the section with words so that it counts. ".repeat(6);
    let text = format!("First section\n{body}\nSecond section\n{body}");
    let passages = passages(
        0,
        &page("https://a.org/", "A", &text),
        &SplitOptions {
            tokens: 200,
            overlap: false,
        },
    );
    assert!(
        passages
            .iter()
            .any(|passage| passage.text.starts_with("Second section\nThis sentence"))
    );
    assert!(passages.iter().all(|passage| !passage.text.ends_with("section")));
}

#[test]
fn overlap_repeats_the_last_sentence_of_a_parted_paragraph() {
    let text = (0..30)
        .map(|n| format!("Sentence number {n} is here. "))
        .collect::<String>();
    let passages = passages(
        0,
        &page("https://a.org/", "A", &text),
        &SplitOptions {
            tokens: 60,
            overlap: true,
        },
    );
    assert!(passages.len() > 2);
    for pair in passages.windows(2) {
        assert!(pair[1].span.start < pair[0].span.end);
        assert!(pair[1].span.end > pair[0].span.end);
    }
}

#[test]
fn a_page_without_sentences_is_cut_anew() {
    let mut page = page("https://a.org/", "A", "One sentence. And another.");
    page.sentences.clear();
    assert_eq!(passages(0, &page, &SplitOptions::default()).len(), 1);
}

#[test]
fn an_empty_page_has_no_passages() {
    assert!(passages(0, &page("https://a.org/", "A", ""), &SplitOptions::default()).is_empty());
}

const ANY_TEXT: &str = "(([A-Z][a-zäß中文。 ]{0,40}[.!?]? |[0-9]{1,9}|\\n|日本語のテキスト。|x{200,400}| ){1,3}){0,20}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn passages_lie_on_the_bounds_of_sentences_and_cover_them(text in ANY_TEXT, tokens in 1_usize..200, overlap: bool) {
        let page = page("https://a.org/", "A", &text);
        let passages = passages(3, &page, &SplitOptions { tokens, overlap });
        for passage in &passages {
            prop_assert_eq!(passage.page, 3);
            prop_assert_eq!(&page.text[passage.span.range()], passage.text.as_str());
            prop_assert!(!passage.text.is_empty());
            // Only a part of a sentence that is too long may begin or end inside one.
            for sentence in page.sentences.iter().filter(|sentence| !passage.span.contains(**sentence)) {
                let apart = sentence.end <= passage.span.start || passage.span.end <= sentence.start;
                prop_assert!(apart || sentence.contains(passage.span));
            }
        }
        for (at, c) in page.text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            prop_assert!(passages.iter().any(|passage| passage.span.range().contains(&at)), "{} at {} is lost", c, at);
        }
    }
}
