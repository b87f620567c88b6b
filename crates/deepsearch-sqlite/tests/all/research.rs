//! Promises of researches: the state and the text of the report are kept together, edits are given until they are kept,
//! and pages stay as long as somebody needs them.

use deepsearch_core::research::{PlanEdit, ResearchBudget, ResearchState};
use deepsearch_core::{ErrorCode, MessageId, MessageState};
use deepsearch_sqlite::Store;
use sqlx::Row;

use crate::support::{Home, ask, complete, home, interrupted, page};

fn state() -> ResearchState {
    ResearchState::new("How high is it?", ResearchBudget::default())
}

fn add(question: &str) -> PlanEdit {
    PlanEdit::Add {
        question: question.into(),
        before: None,
    }
}

async fn content(store: &Store, id: &MessageId) -> String {
    store.lookup_message(id).await.unwrap().unwrap().content
}

async fn page_count(home: &Home) -> i64 {
    let row = sqlx::query("select count(*) from page")
        .fetch_one(&mut home.raw().await)
        .await
        .unwrap();
    row.get(0)
}

#[tokio::test]
async fn after_a_kill_there_are_the_last_state_and_the_text_that_belongs_to_it() {
    let (home, store) = home().await;
    let answer = ask(&store, "q").await.answer.id;
    let mut kept = state();
    store.keep_research(&answer, &kept, "", 0).await.unwrap();
    kept.lead = Some("It is high.".into());
    store.journal_text(&answer, "words of another time").await.unwrap();
    store.keep_research(&answer, &kept, "It is high.", 0).await.unwrap();
    std::mem::forget(store); // A killed process closes nothing.
    let mut raw = home.raw().await;
    sqlx::query("update message set owner = 'a process that has gone' where owner is not null")
        .execute(&mut raw)
        .await
        .unwrap();

    let store = home.open().await;
    let message = store.lookup_message(&answer).await.unwrap().unwrap();
    assert_eq!(
        (message.state, message.content.as_str()),
        (MessageState::Interrupted, "It is high.")
    );
    assert_eq!(store.lookup_research(&answer).await.unwrap(), Some(kept));
}

#[tokio::test]
async fn a_report_of_an_earlier_stop_stays_until_there_is_a_word_of_the_next() {
    let (_home, store) = home().await;
    let answer = ask(&store, "q").await.answer.id;
    store.keep_research(&answer, &state(), "", 0).await.unwrap();
    store
        .finish_answer(&answer, interrupted("What was found so far."))
        .await
        .unwrap();
    store.begin_continue(&answer).await.unwrap();
    store.keep_research(&answer, &state(), "", 0).await.unwrap();
    assert_eq!(content(&store, &answer).await, "What was found so far.");
    store.keep_research(&answer, &state(), "The report.", 0).await.unwrap();
    assert_eq!(content(&store, &answer).await, "The report.");
}

#[tokio::test]
async fn an_edit_is_given_until_a_state_that_holds_it_is_kept() {
    let (home, store) = home().await;
    let answer = ask(&store, "q").await.answer.id;
    store.keep_research(&answer, &state(), "", 0).await.unwrap();
    // Another program changes the plan.
    let other = home.open().await;
    other.edit_research(&answer, &add("Who built it?")).await.unwrap();
    other.edit_research(&answer, &PlanEdit::Finish).await.unwrap();

    let given = store.keep_research(&answer, &state(), "", 0).await.unwrap();
    assert_eq!(
        given.iter().map(|(_, edit)| edit.clone()).collect::<Vec<_>>(),
        [add("Who built it?"), PlanEdit::Finish]
    );
    let again = store.keep_research(&answer, &state(), "", given[0].0).await.unwrap();
    assert_eq!(again, given[1..]);
    assert_eq!(store.list_research_edits(&answer).await.unwrap(), given[1..]);
    assert!(
        store
            .keep_research(&answer, &state(), "", given[1].0)
            .await
            .unwrap()
            .is_empty()
    );
    // Numbers are never given twice, or an edit would be taken for one that was kept.
    other.edit_research(&answer, &PlanEdit::Agree).await.unwrap();
    let next = store.keep_research(&answer, &state(), "", given[1].0).await.unwrap();
    assert!(next[0].0 > given[1].0);
}

#[tokio::test]
async fn a_plan_takes_no_endless_list_of_edits_and_none_without_a_research() {
    let (_home, store) = home().await;
    let answer = ask(&store, "q").await.answer.id;
    let refused = store.edit_research(&answer, &PlanEdit::Finish).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotFound);
    store.keep_research(&answer, &state(), "", 0).await.unwrap();
    for _ in 0..200 {
        store.edit_research(&answer, &PlanEdit::Agree).await.unwrap();
    }
    let refused = store.edit_research(&answer, &PlanEdit::Agree).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Invalid);
}

#[tokio::test]
async fn only_who_writes_the_answer_keeps_its_research() {
    let (home, store) = home().await;
    let answer = ask(&store, "q").await.answer.id;
    let other = home.open().await;
    let refused = other.keep_research(&answer, &state(), "", 0).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotFound);
    assert!(
        other
            .add_research_pages(&answer, &[page("https://a.example/", "a")])
            .await
            .is_err()
    );
    store.keep_research(&answer, &state(), "", 0).await.unwrap();
    store.finish_answer(&answer, complete("done")).await.unwrap();
    assert!(store.keep_research(&answer, &state(), "more", 0).await.is_err());
}

#[tokio::test]
async fn pages_stay_while_they_are_needed_and_go_with_who_needed_them() {
    let (home, store) = home().await;
    let turn = ask(&store, "q").await;
    let answer = turn.answer.id.clone();
    store.keep_research(&answer, &state(), "", 0).await.unwrap();
    let (cited, spare) = (page("https://a.example/", "cited"), page("https://b.example/", "spare"));
    let ids = store
        .add_research_pages(&answer, &[cited.clone(), spare.clone()])
        .await
        .unwrap();
    let again = store
        .add_research_pages(&answer, &[page("https://a.example/", "cited")])
        .await
        .unwrap();
    assert_eq!(again, ids[..1], "what was saved before keeps its id");
    let read = store.list_research_pages(&answer).await.unwrap();
    assert_eq!(
        read.iter().map(|page| page.text.as_str()).collect::<Vec<_>>(),
        ["cited", "spare"]
    );

    let source = deepsearch_core::Source {
        title: "A".into(),
        url: "https://a.example/".into(),
        snippet: String::new(),
        favicon: None,
    };
    store.journal_sources(&answer, &[source], &[cited]).await.unwrap();
    store.finish_answer(&answer, complete("It is [1].")).await.unwrap();
    store.release_research_pages(&answer).await.unwrap();
    assert_eq!(page_count(&home).await, 1, "what the report cites stays");

    let stopped = ask(&store, "another").await;
    store.keep_research(&stopped.answer.id, &state(), "", 0).await.unwrap();
    store.add_research_pages(&stopped.answer.id, &[spare]).await.unwrap();
    store.finish_answer(&stopped.answer.id, interrupted("")).await.unwrap();
    assert_eq!(
        page_count(&home).await,
        2,
        "what a stopped research read can still be needed"
    );
    for chat in [&stopped.chat.id, &turn.chat.id] {
        store.delete_chat(chat).await.unwrap();
        store.delete_chat_forever(chat).await.unwrap();
    }
    assert_eq!(page_count(&home).await, 0);
    assert_eq!(store.lookup_research(&answer).await.unwrap(), None);
}

#[tokio::test]
async fn researches_are_listed_the_latest_first() {
    let (home, store) = home().await;
    let mut answers = Vec::new();
    for question in ["first", "second"] {
        let answer = ask(&store, question).await.answer.id;
        store.keep_research(&answer, &state(), "", 0).await.unwrap();
        home.clock.advance(chrono::TimeDelta::seconds(1));
        answers.insert(0, answer);
    }
    assert_eq!(store.list_researches(10).await.unwrap(), answers);
    assert_eq!(store.list_researches(1).await.unwrap(), answers[..1]);
}
