use deepsearch_rank::estimate_tokens;
use proptest::prelude::*;

/// Texts with the tokens that cl100k and o200k make of them, the greater of the two.
#[test]
fn no_script_is_underestimated() {
    assert_eq!(estimate_tokens(""), 0);
    for (text, at_least) in [
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("你好，世界", 5),
        ("fn main() { println!(\"{}\", 1 + 1); }", 13),
        ("1234567890", 4),
    ] {
        assert!(estimate_tokens(text) >= at_least, "{text}: {}", estimate_tokens(text));
    }
}

proptest! {
    #[test]
    fn more_text_never_takes_fewer_tokens(text in ".{0,80}", cut in 0_usize..80) {
        let part: String = text.chars().take(cut).collect();
        prop_assert!(estimate_tokens(&part) <= estimate_tokens(&text) + 1);
    }
}
