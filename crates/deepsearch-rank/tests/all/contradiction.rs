//! Promises of contradiction: what cannot both be so is told, and two things are not taken for one.

use deepsearch_rank::{Disagreement, contradicts};
use rstest::rstest;

#[rstest]
#[case::a_height(
    "Mont Blanc is 4,808 metres high.",
    "Mont Blanc is 4,810 m high.",
    Disagreement::Number
)]
#[case::a_share(
    "The Zorvex reactor converts 41 percent of its heat into power.",
    "The Zorvex reactor converts 37 % of the heat into power.",
    Disagreement::Number
)]
#[case::money(
    "The Elbe bridge cost 120 million euros.",
    "The Elbe bridge cost €95 million.",
    Disagreement::Number
)]
#[case::a_year(
    "Rust was first released in 2012.",
    "Rust was first released in 2015.",
    Disagreement::Date
)]
#[case::a_day(
    "The lighthouse opened on 5 March 1924.",
    "The lighthouse was opened on 7 April 1924.",
    Disagreement::Date
)]
#[case::a_denial(
    "The Halden valve needs regular maintenance.",
    "The Halden valve does not need regular maintenance.",
    Disagreement::Denial
)]
#[case::an_opposite(
    "Exports of copper rose sharply in 2020.",
    "Exports of copper fell sharply in 2020.",
    Disagreement::Denial
)]
#[case::german(
    "Der Leuchtturm von Halden ist 41 Meter hoch.",
    "Der Leuchtturm von Halden ist 38 Meter hoch.",
    Disagreement::Number
)]
fn what_cannot_both_be_so_is_a_contradiction(#[case] one: &str, #[case] other: &str, #[case] what: Disagreement) {
    assert_eq!(contradicts(one, other), Some(what), "{one} / {other}");
    assert_eq!(
        contradicts(other, one),
        Some(what),
        "it makes no difference who is asked first"
    );
}

#[rstest]
#[case::the_same_in_other_words("Mont Blanc is 4,808 metres high.", "Mont Blanc is 4.808 km high.")]
#[case::one_is_rough("Mont Blanc is about 4,800 metres high.", "Mont Blanc is 4,808 metres high.")]
#[case::one_says_more("Rust was released in 2015.", "Rust was released on 15 May 2015.")]
#[case::two_versions(
    "Python 3.12 was released in October 2023.",
    "Python 3.13 was released in October 2024."
)]
#[case::two_times(
    "The city had 8.1 million people in 2010.",
    "The city had 8.6 million people in 2020."
)]
#[case::two_things(
    "Rust was created by Graydon Hoare in 2006.",
    "Zig was created by Andrew Kelley in 2016."
)]
#[case::two_persons("Ada Lovelace was born in 1815.", "Alan Turing was born in 1912.")]
#[case::two_measures("The tower is 41 metres high.", "The tower is 9 metres wide.")]
#[case::it_leans_on_what_was_said("It appeared in 2016.", "It appeared in 2006.")]
#[case::a_question("Was Rust released in 2012?", "Rust was released in 2015.")]
#[case::two_counts_of_two_kinds("The harbour has 12 cranes.", "The harbour handles 12,000 ships a year.")]
#[case::another_subject("The north mast is 40 metres high.", "The south wall is 12 metres high.")]
#[case::denied_of_another("Copper conducts heat well.", "Glass does not conduct heat well.")]
#[case::nothing_in_common("Bananas ripen in spring.", "The parliament met on Tuesday.")]
fn two_things_are_not_taken_for_one(#[case] one: &str, #[case] other: &str) {
    assert_eq!(contradicts(one, other), None, "{one} / {other}");
    assert_eq!(contradicts(other, one), None);
}
