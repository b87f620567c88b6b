use std::collections::HashMap;

use deepsearch_core::{ChatId, ErrorCode, MessageId, MessageMetadata, MessageState, Role};
use deepsearch_sqlite::{NewTurn, Store};
use proptest::prelude::*;
use rstest::rstest;

use crate::support::{answered, ask, complete, follow_up, home, interrupted};

async fn shown(store: &Store, chat: &ChatId) -> Vec<String> {
    let messages = store.list_messages(chat, None, 1_000).await.unwrap();
    messages.into_iter().map(|message| message.content).collect()
}

async fn edit(store: &Store, chat: &ChatId, question: &MessageId, text: &str) -> deepsearch_sqlite::Turn {
    let turn = NewTurn {
        chat: Some(chat.clone()),
        edits: Some(question.clone()),
        question: text.into(),
        ..NewTurn::default()
    };
    store.begin_answer(turn).await.unwrap()
}

#[tokio::test]
async fn a_question_is_saved_with_the_place_for_its_answer() {
    let (_home, store) = home().await;
    let turn = ask(&store, "What is a monad?").await;
    assert_eq!(
        (turn.question.role, turn.question.state),
        (Role::User, MessageState::Complete)
    );
    assert_eq!(
        (turn.answer.role, turn.answer.state),
        (Role::Assistant, MessageState::Streaming)
    );
    assert_eq!(turn.answer.parent.as_ref(), Some(&turn.question.id));
    assert!(turn.answer.created_at > turn.question.created_at);
    assert_eq!(turn.chat.leaf.as_ref(), Some(&turn.answer.id));
    assert_eq!(store.lookup_chat(&turn.chat.id).await.unwrap(), Some(turn.chat));
    assert_eq!(
        store.lookup_message(&turn.question.id).await.unwrap(),
        Some(turn.question)
    );
    assert_eq!(store.lookup_message(&turn.answer.id).await.unwrap(), Some(turn.answer));
}

#[tokio::test]
async fn what_a_question_was_asked_with_and_where_its_answer_looks_is_kept_before_anything_is_written() {
    let (_home, store) = home().await;
    let metadata = |places: serde_json::Value| {
        let mut metadata = MessageMetadata::default();
        metadata.other.insert("places".into(), places);
        Some(metadata)
    };
    let files = vec!["files:b/two.txt".to_owned(), "files:a/one.txt".to_owned()];
    let asked = NewTurn {
        question: "What do they say?".into(),
        files: files.clone(),
        answer_metadata: metadata(serde_json::json!(["files"])),
        ..NewTurn::default()
    };
    let turn = store.begin_answer(asked).await.unwrap();
    let answer = store.lookup_message(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(answer.metadata, metadata(serde_json::json!(["files"])));
    assert_eq!(store.list_attached_files(&turn.question.id).await.unwrap(), files);
    assert_eq!(
        turn.question.metadata, None,
        "the addresses are not in what goes to other machines"
    );
    let none: Vec<String> = Vec::new();
    assert_eq!(store.list_attached_files(&turn.answer.id).await.unwrap(), none);
    assert_eq!(store.list_attached_files(&MessageId::new()).await.unwrap(), none);

    let again = metadata(serde_json::json!(["web"]));
    let second = store.begin_regenerate(&turn.question.id, again.clone()).await.unwrap();
    let second = store.lookup_message(&second.answer.id).await.unwrap().unwrap();
    assert_eq!(second.metadata, again);
}

#[tokio::test]
async fn a_follow_up_continues_the_branch_that_is_shown() {
    let (_home, store) = home().await;
    let first = answered(&store, "q1", "a1").await;
    let second = follow_up(&store, &first, "q2", "a2").await;
    assert_eq!(second.question.parent, Some(first.answer.id));
    assert_eq!(shown(&store, &first.chat.id).await, ["q1", "a1", "q2", "a2"]);
}

#[rstest]
#[case::empty("")]
#[case::only_white_space(" \n ")]
#[case::too_long(&"a".repeat(100_001))]
#[tokio::test]
async fn a_question_that_cannot_be_kept_leaves_no_chat_behind(#[case] question: &str) {
    let (_home, store) = home().await;
    let turn = NewTurn {
        question: question.into(),
        ..NewTurn::default()
    };
    assert_eq!(store.begin_answer(turn).await.unwrap_err().code(), ErrorCode::Invalid);
    assert_eq!(store.list_chats(Default::default(), None, 10).await.unwrap(), []);
    assert_eq!(store.count_outbox().await.unwrap(), 0);
}

#[tokio::test]
async fn a_question_to_an_unknown_chat_or_below_a_stranger_is_refused() {
    let (_home, store) = home().await;
    let here = answered(&store, "q", "a").await;
    let elsewhere = answered(&store, "other", "a").await;
    let turns = [
        NewTurn {
            chat: Some(ChatId::new()),
            ..NewTurn::default()
        },
        NewTurn {
            chat: Some(here.chat.id.clone()),
            parent: Some(elsewhere.answer.id),
            ..NewTurn::default()
        },
        NewTurn {
            chat: Some(here.chat.id.clone()),
            edits: Some(MessageId::new()),
            ..NewTurn::default()
        },
    ];
    for turn in turns {
        let turn = NewTurn {
            question: "q".into(),
            ..turn
        };
        assert_eq!(store.begin_answer(turn).await.unwrap_err().code(), ErrorCode::NotFound);
    }
    assert_eq!(shown(&store, &here.chat.id).await, ["q", "a"]);
}

#[tokio::test]
async fn editing_a_question_makes_a_sibling_and_keeps_the_old_branch() {
    let (_home, store) = home().await;
    let first = answered(&store, "q1", "a1").await;
    follow_up(&store, &first, "q2", "a2").await;
    let edited = edit(&store, &first.chat.id, &first.question.id, "q1, better").await;
    store.finish_answer(&edited.answer.id, complete("b1")).await.unwrap();

    assert_eq!(edited.question.parent, None);
    assert_eq!(shown(&store, &first.chat.id).await, ["q1, better", "b1"]);
    let siblings = store.list_siblings(&first.question.id).await.unwrap();
    assert_eq!(siblings, [first.question.id.clone(), edited.question.id]);

    let end = store.show_branch(&first.question.id).await.unwrap();
    assert_eq!(shown(&store, &first.chat.id).await, ["q1", "a1", "q2", "a2"]);
    assert_eq!(
        store.lookup_chat(&first.chat.id).await.unwrap().unwrap().leaf,
        Some(end)
    );
}

#[tokio::test]
async fn another_answer_stands_beside_the_first() {
    let (_home, store) = home().await;
    let first = answered(&store, "q", "one way").await;
    let second = store.begin_regenerate(&first.question.id, None).await.unwrap();
    store
        .finish_answer(&second.answer.id, complete("another way"))
        .await
        .unwrap();
    assert_eq!(shown(&store, &first.chat.id).await, ["q", "another way"]);
    let siblings = store.list_siblings(&second.answer.id).await.unwrap();
    assert_eq!(siblings, [first.answer.id.clone(), second.answer.id]);
    store.show_branch(&first.answer.id).await.unwrap();
    assert_eq!(shown(&store, &first.chat.id).await, ["q", "one way"]);

    let error = store.begin_regenerate(&first.answer.id, None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Invalid, "an answer has no answers");
}

#[tokio::test]
async fn a_message_of_the_shown_branch_is_shown_there_although_a_newer_branch_holds_it_too() {
    let (_home, store) = home().await;
    let first = answered(&store, "q1", "a1").await;
    let old = follow_up(&store, &first, "q2", "a2").await;
    edit(&store, &first.chat.id, &old.question.id, "q2, better").await;
    store.show_branch(&old.answer.id).await.unwrap();
    let sent = store.list_outbox(100).await.unwrap().last().unwrap().seq;

    for message in [&first.question.id, &old.answer.id] {
        assert_eq!(store.show_branch(message).await.unwrap(), old.answer.id);
    }
    assert_eq!(shown(&store, &first.chat.id).await, ["q1", "a1", "q2", "a2"]);
    assert_eq!(
        store.list_outbox(100).await.unwrap().last().unwrap().seq,
        sent,
        "nothing has changed"
    );
}

#[tokio::test]
async fn showing_another_branch_is_no_activity() {
    let (_home, store) = home().await;
    let first = answered(&store, "q", "one way").await;
    store.begin_regenerate(&first.question.id, None).await.unwrap();
    let before = store.lookup_chat(&first.chat.id).await.unwrap().unwrap().updated_at;
    store
        .delete_outbox(store.list_outbox(100).await.unwrap().last().unwrap().seq)
        .await
        .unwrap();
    store.show_branch(&first.answer.id).await.unwrap();
    assert_eq!(
        store.lookup_chat(&first.chat.id).await.unwrap().unwrap().updated_at,
        before
    );
    let outbox = store.list_outbox(100).await.unwrap();
    assert_eq!(outbox.len(), 1, "other devices show the same branch");
    assert_eq!(outbox[0].entity_id, first.chat.id.as_str());
}

#[tokio::test]
async fn an_interrupted_answer_is_continued_where_it_stopped() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    store
        .finish_answer(&turn.answer.id, interrupted("Half of "))
        .await
        .unwrap();
    let continued = store.begin_continue(&turn.answer.id).await.unwrap();
    assert_eq!(
        (continued.answer.state, continued.answer.content.as_str()),
        (MessageState::Streaming, "Half of ")
    );
    assert_eq!(continued.question, turn.question);
    store.journal_text(&turn.answer.id, "it").await.unwrap();
    let seen = store.lookup_message(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(seen.content, "Half of it");
    let whole = store
        .finish_answer(&turn.answer.id, complete("Half of it all."))
        .await
        .unwrap();
    assert_eq!(store.lookup_message(&turn.answer.id).await.unwrap(), Some(whole));

    let error = store.begin_continue(&turn.answer.id).await.unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::Invalid,
        "a complete answer has nothing to continue"
    );
}

#[tokio::test]
async fn an_answer_can_be_finished_twice_but_not_changed() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let first = store.finish_answer(&turn.answer.id, complete("Done.")).await.unwrap();
    let again = store.finish_answer(&turn.answer.id, complete("Done.")).await.unwrap();
    assert_eq!(first, again);
    store
        .finish_answer(&turn.answer.id, complete("Something else."))
        .await
        .unwrap_err();
    assert_eq!(store.lookup_message(&turn.answer.id).await.unwrap(), Some(first));
    let unknown = store.finish_answer(&MessageId::new(), complete("x")).await.unwrap_err();
    assert_eq!(unknown.code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn an_answer_that_cannot_be_kept_stays_as_it_was_journalled() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    store.journal_text(&turn.answer.id, "So far.").await.unwrap();
    let outbox = store.list_outbox(100).await.unwrap();
    for content in ["", &"a".repeat(100_001)] {
        let error = store
            .finish_answer(&turn.answer.id, complete(content))
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Invalid);
    }
    let kept = store.lookup_message(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.state, kept.content.as_str()),
        (MessageState::Streaming, "So far.")
    );
    assert_eq!(store.list_outbox(100).await.unwrap(), outbox);
}

#[tokio::test]
async fn an_answer_interrupted_before_its_first_word_is_kept() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let kept = store.finish_answer(&turn.answer.id, interrupted("")).await.unwrap();
    assert_eq!((kept.state, kept.content.as_str()), (MessageState::Interrupted, ""));
}

#[tokio::test]
async fn an_interrupted_answer_is_never_shorter_than_what_was_journalled() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    store.journal_text(&turn.answer.id, "One. ").await.unwrap();
    store.journal_text(&turn.answer.id, "Two.").await.unwrap();
    let kept = store
        .finish_answer(&turn.answer.id, interrupted("One. "))
        .await
        .unwrap();
    assert_eq!(kept.content, "One. Two.");
}

#[tokio::test]
async fn metadata_of_a_finished_answer_is_kept() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let metadata = MessageMetadata {
        model: Some("extractive".into()),
        processing_time: Some(12.0),
        ..MessageMetadata::default()
    };
    let mut finished = complete("a");
    finished.metadata = Some(metadata.clone());
    store.finish_answer(&turn.answer.id, finished).await.unwrap();
    let read = store.lookup_message(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(read.metadata, Some(metadata));
}

#[derive(Debug, Clone)]
enum Step {
    FollowUp,
    Below(usize),
    Edit(usize),
    Regenerate(usize),
    Show(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::FollowUp),
        (0_usize..100).prop_map(Step::Below),
        (0_usize..100).prop_map(Step::Edit),
        (0_usize..100).prop_map(Step::Regenerate),
        (0_usize..100).prop_map(Step::Show),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn branches_overwrite_nothing_and_pages_follow_the_shown_one(
        steps in proptest::collection::vec(step(), 1..25),
        page_size in 1_u32..5,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_home, store) = home().await;
            let start = answered(&store, "start", "yes").await;
            let chat = start.chat.id.clone();
            let mut questions = vec![start.question.id.clone()];
            let mut answers = vec![start.answer.id.clone()];
            let mut parents: HashMap<MessageId, Option<MessageId>> =
                [(start.question.id, None), (start.answer.id, start.answer.parent)].into();
            for step in steps {
                let ask = |parent: Option<&MessageId>, edits: Option<&MessageId>| store.begin_answer(NewTurn {
                    chat: Some(chat.clone()),
                    parent: parent.cloned(),
                    edits: edits.cloned(),
                    question: "next".into(),
                    ..NewTurn::default()
                });
                let turn = match step {
                    Step::FollowUp => ask(None, None).await,
                    Step::Below(at) => ask(Some(&answers[at % answers.len()]), None).await,
                    Step::Edit(at) => ask(None, Some(&questions[at % questions.len()])).await,
                    Step::Regenerate(at) => store.begin_regenerate(&questions[at % questions.len()], None).await,
                    Step::Show(at) => {
                        let target = answers[at % answers.len()].clone();
                        let end = store.show_branch(&target).await.unwrap();
                        assert!(path(&parents, &end).contains(&target), "the branch shown holds the message");
                        continue;
                    }
                };
                let turn = turn.unwrap();
                if parents.insert(turn.question.id.clone(), turn.question.parent.clone()).is_none() {
                    questions.push(turn.question.id);
                }
                answers.push(turn.answer.id.clone());
                parents.insert(turn.answer.id, turn.answer.parent);
            }

            for (id, parent) in &parents {
                assert_eq!(&store.lookup_message(id).await.unwrap().unwrap().parent, parent);
            }
            let leaf = store.lookup_chat(&chat).await.unwrap().unwrap().leaf.unwrap();
            let mut seen = Vec::new();
            let mut before: Option<MessageId> = None;
            loop {
                let page = store.list_messages(&chat, before.as_ref(), page_size).await.unwrap();
                let Some(first) = page.first() else { break };
                before = Some(first.id.clone());
                seen.splice(0..0, page.into_iter().map(|message| message.id));
            }
            assert_eq!(seen, path(&parents, &leaf));
        });
    }
}

fn path(parents: &HashMap<MessageId, Option<MessageId>>, leaf: &MessageId) -> Vec<MessageId> {
    let mut path: Vec<MessageId> = std::iter::successors(Some(leaf.clone()), |id| parents[id].clone()).collect();
    path.reverse();
    path
}
