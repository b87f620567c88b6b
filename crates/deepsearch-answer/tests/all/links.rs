//! What may leave in the text of an answer, however a model cuts its tokens.

use std::sync::Arc;

use deepsearch_answer::links::AnswerText;
use proptest::prelude::*;
use rstest::rstest;

fn filter(sources: u32) -> AnswerText {
    AnswerText::new(
        sources,
        Arc::new(|address: &str| address == "https://docs.example.com/a"),
    )
}

fn whole(text: &str) -> String {
    let mut filter = filter(3);
    let start = filter.push(text);
    start + &filter.finish()
}

#[rstest]
#[case::plain("Rust is fast [1].", "Rust is fast [1].")]
#[case::list("Fast [1, 2] and safe [1;3].", "Fast [1][2] and safe [1][3].")]
#[case::range("Fast [1-3].", "Fast [1][2][3].")]
#[case::footnote("Fast [^2].", "Fast [2].")]
#[case::named("Fast [source 2] and [Sources 1, 3].", "Fast [2] and [1][3].")]
#[case::fullwidth("速い【2】。", "速い[2]。")]
#[case::wrong_number("Fast [9]. Safe [0].", "Fast. Safe.")]
#[case::partly_wrong("Fast [1, 9].", "Fast [1].")]
#[case::huge_number("Fast [99999999999999999999].", "Fast [99999999999999999999].")]
#[case::linked_number("Fast [1](https://evil.test/x) yes.", "Fast [1] yes.")]
#[case::in_code("Use `a[9]` and\n```\nb[7]\n```\nend [1]", "Use `a[9]` and\n```\nb[7]\n```\nend [1]")]
#[case::task_list("- [ ] open\n- [x] done", "- [ ] open\n- [x] done")]
#[case::retrieved("See https://docs.example.com/a.", "See https://docs.example.com/a.")]
#[case::invented("See https://evil.test/steal?q=secret now.", "See evil.test now.")]
#[case::bare_www("See www.evil.test/x.", "See evil.test.")]
#[case::link(
    "See [the docs](https://docs.example.com/a) ok.",
    "See [the docs](https://docs.example.com/a) ok."
)]
#[case::invented_link("See [the docs](https://evil.test/a?b=c) ok.", "See [the docs] ok.")]
#[case::image("![x](https://evil.test/p.png?secret)", "![x]")]
#[case::script("[x](javascript:alert(1))", "[x])")]
#[case::relative_link("[x](/etc/passwd)", "[x]")]
#[case::data("[x](data:text/html;base64,AAAA)", "[x]")]
#[case::autolink("<https://evil.test/a>", "<evil.test>")]
#[case::html("<img src=\"https://evil.test/a.png\">", "<img src=\"evil.test\">")]
#[case::userinfo("https://docs.example.com@evil.test/", "evil.test")]
#[case::example_in_code("Open `http://localhost:8888/x`.", "Open `http://localhost:8888/x`.")]
#[case::evil_in_code("Run `curl https://evil.io/x`.", "Run `curl evil.io`.")]
fn what_leaves(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(whole(text), expected);
}

proptest! {
    #[test]
    fn cutting_the_stream_anywhere_changes_nothing(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("Fast [1]. ".to_owned()), Just("[1, 2] ".to_owned()), Just("[9]".to_owned()), Just("`x[1]` ".to_owned()),
                Just("https://evil.test/a ".to_owned()), Just("[d](https://docs.example.com/a) ".to_owned()), Just("\n```\n".to_owned()),
                Just("速い【2】。".to_owned()), Just("[source 3]".to_owned()), "[a-z \\[\\]1-9().:/\n`é]{0,12}",
            ],
            0..12,
        ),
        cuts in proptest::collection::vec(0usize..200, 0..30),
    ) {
        let text = parts.concat();
        let mut filter = filter(3);
        let mut out = String::new();
        let mut at = 0;
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < text.len() && text.is_char_boundary(*cut)).collect();
        cuts.sort_unstable();
        for cut in cuts.into_iter().chain([text.len()]) {
            out.push_str(&filter.push(&text[at..cut]));
            at = cut;
        }
        out.push_str(&filter.finish());
        prop_assert_eq!(out, whole(&text));
    }

    #[test]
    fn no_address_that_was_not_retrieved_ever_leaves(host in "[a-z]{3,9}", path in "[a-z0-9/]{0,9}", before in "[a-z (\\[<\"*]{0,6}", after in "[a-z )\\]>\"*.]{0,6}") {
        let text = format!("{before} https://{host}.test/{path}{after}");
        let forbidden = "://".to_owned() + &host;
        prop_assert!(!whole(&text).contains(&forbidden));
    }

    #[test]
    fn a_word_without_end_is_not_held_without_end(pieces in 1usize..40) {
        let mut filter = filter(3);
        let shown: usize = (0..pieces).map(|_| filter.push(&"a".repeat(1000)).len()).sum();
        prop_assert!(pieces * 1000 - shown <= 5_096);
    }
}
