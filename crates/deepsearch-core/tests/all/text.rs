use deepsearch_core::Span;
use deepsearch_core::text::{content_terms, sentences, terms};
use proptest::prelude::*;
use rstest::rstest;

fn cut(text: &str) -> Vec<&str> {
    sentences(text).into_iter().map(|span| span.slice(text)).collect()
}

#[rstest]
#[case::plain("One is here. Two is there! Is three?", &["One is here.", "Two is there!", "Is three?"])]
#[case::abbreviations("Dr. Smith met e.g. Mr. Jones. He left.", &["Dr. Smith met e.g. Mr. Jones.", "He left."])]
#[case::initials("J. K. Rowling wrote it. It sold.", &["J. K. Rowling wrote it.", "It sold."])]
#[case::numbers("Pi is 3.14 or so. Yes.", &["Pi is 3.14 or so.", "Yes."])]
#[case::ends_with_abbreviation("He works at Acme Inc. It is large.", &["He works at Acme Inc.", "It is large."])]
#[case::lines("A heading\nA sentence. Another.\n\n- an item", &["A heading", "A sentence.", "Another.", "- an item"])]
#[case::notes("It lies in France.[3] It was built.[12][4] See [5] there.", &["It lies in France.[3]", "It was built.[12][4]", "See [5] there."])]
#[case::japanese("速いです。安全です。", &["速いです。", "安全です。"])]
#[case::empty(" \n ", &[])]
fn text_is_cut_where_sentences_end(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(cut(text), expected);
}

#[test]
fn terms_fold_case_diacritics_and_endings() {
    assert_eq!(terms("Cafés Running"), terms("cafe run"));
    assert_eq!(terms("Ｒｕｓｔ"), terms("rust"));
    assert_eq!(
        content_terms("the history of the Rust language"),
        terms("history Rust language")
    );
}

#[test]
fn scripts_without_spaces_are_matched_by_pairs() {
    assert_eq!(terms("東京都"), ["東京", "京都"]);
    assert_eq!(terms("猫"), ["猫"]);
}

#[test]
fn a_span_that_does_not_fit_is_empty_and_never_a_panic() {
    assert_eq!(Span::new(2, 9).slice("abc"), "");
    assert_eq!(Span::new(1, 2).slice("ä"), "");
}

proptest! {
    #[test]
    fn sentences_are_in_order_trimmed_and_lose_nothing(text in "[ \\n.!?a-zA-ZäÄ0-9。「」東京\\[\\]()\"']{0,300}") {
        let spans = sentences(&text);
        prop_assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
        let kept: String = spans.iter().flat_map(|span| span.slice(&text).chars()).filter(|c| !c.is_whitespace()).collect();
        let all: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        prop_assert_eq!(kept, all);
        for span in spans {
            let sentence = span.slice(&text);
            prop_assert_eq!(sentence, sentence.trim());
        }
    }
}
