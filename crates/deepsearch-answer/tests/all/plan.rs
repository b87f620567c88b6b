//! Whether and what to search for.

use std::time::Duration;

use deepsearch_answer::plan::{depends_on_history, needs_search, plan};
use deepsearch_answer::{Question, SearchMode};
use deepsearch_core::{Role, Turn};
use rstest::rstest;

use crate::fakes::FakeModel;

const LIMIT: Duration = Duration::from_secs(5);

fn after(history: &[(Role, &str)], text: &str) -> Question {
    let turns = history
        .iter()
        .map(|(role, content)| Turn {
            role: *role,
            content: (*content).into(),
        })
        .collect();
    Question {
        history: turns,
        ..Question::new(text)
    }
}

#[rstest]
#[case("Thanks!", false)]
#[case("Hello", false)]
#[case("What is a monad?", true)]
#[case("hello world in rust", true)]
fn small_talk_needs_no_search(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(needs_search(&Question::new(text)), expected);
}

#[test]
fn work_on_the_chat_itself_needs_no_search() {
    let chat = [(Role::User, "What is Rust?"), (Role::Assistant, "A language.")];
    assert!(!needs_search(&after(&chat, "Please translate that to German")));
    assert!(needs_search(&after(&[], "Please translate that to German")));
    assert!(needs_search(&after(&chat, "Summarize https://example.com/this")));
}

#[test]
fn the_mode_stands_above_the_question() {
    let asked = |search, text: &str| {
        needs_search(&Question {
            search,
            ..Question::new(text)
        })
    };
    assert!(asked(SearchMode::Always, "Thanks!"));
    assert!(!asked(SearchMode::Never, "What is a monad?"));
}

#[rstest]
#[case("and in Germany?", true)]
#[case("Who invented it?", true)]
#[case("How tall is the Eiffel tower?", false)]
#[case("Compare PostgreSQL and SQLite performance", false)]
fn a_follow_up_that_leans_on_the_chat_is_known(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(depends_on_history(text), expected);
}

#[tokio::test]
async fn a_first_question_is_searched_as_it_is_without_asking_the_model() {
    let model = FakeModel::saying(&[]);
    let plan = plan(&Question::new("  What is\n a monad? "), &model, LIMIT).await;
    assert_eq!(plan.queries, ["What is a monad?"]);
    assert!(model.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_follow_up_is_reworded_by_the_model_and_only_plain_lines_are_taken() {
    let model = FakeModel::saying(&[])
        .planning("1. \"who invented Rust\"\n2. Rust inventor\n\n3. Graydon Hoare\n4. more\n5. and more");
    let question = after(
        &[(Role::User, "What is Rust?"), (Role::Assistant, "A language.")],
        "Who invented it?",
    );
    let plan = plan(&question, &model, LIMIT).await;
    assert_eq!(plan.queries, ["who invented Rust", "Rust inventor", "Graydon Hoare"]);
    assert_eq!(plan.question, "who invented Rust");
}

#[tokio::test]
async fn a_very_long_question_becomes_a_query_that_engines_take() {
    let text = format!("Please read this. {} What does it mean?", "lorem ipsum ".repeat(9_000));
    let plan = plan(&Question::new(text), &FakeModel::saying(&[]), LIMIT).await;
    assert!(plan.queries[0].chars().count() <= 380);
    assert!(plan.queries[0].starts_with("Please read this.") && plan.queries[0].ends_with("What does it mean?"));
}

#[tokio::test]
async fn addresses_in_the_question_are_read_and_not_searched_for() {
    let plan = plan(
        &Question::new("Summarise (https://example.com/a_b), please"),
        &FakeModel::saying(&[]),
        LIMIT,
    )
    .await;
    assert_eq!(
        plan.urls.iter().map(url::Url::as_str).collect::<Vec<_>>(),
        ["https://example.com/a_b"]
    );
    assert_eq!(plan.queries, ["Summarise please"]);
}
