use deepsearch_core::chat::{title_from_question, valid_title};
use proptest::prelude::*;

#[test]
fn a_title_is_trimmed_and_holds_500_code_points() {
    assert_eq!(valid_title("  Rust \n"), Ok("Rust"));
    assert!(valid_title(&"𝄞".repeat(500)).is_ok());
    assert!(valid_title(&"𝄞".repeat(501)).is_err());
    assert!(valid_title(" \n ").is_err());
}

proptest! {
    #[test]
    fn any_question_gives_a_title_that_may_be_written(question in "\\PC{0,400}") {
        let title = title_from_question(&question);
        prop_assert!(valid_title(&title).is_ok());
        prop_assert!(title.chars().count() <= 81);
    }
}
