//! Asking with nothing but what is built in.

use deepsearch_app::{AppError, AskRequest, ChatFilter, Depth, ResearchOptions, Scope, Turn};
use deepsearch_core::event::AnswerEvent;
use deepsearch_core::recheck::{Every, RecheckSchedule};
use deepsearch_core::{ErrorCode, Failure, MessageId, MessageState};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::app;

fn ask_guide(question: &str) -> AskRequest {
    AskRequest {
        question: question.into(),
        scope: Some(Scope::Guide),
        ..AskRequest::default()
    }
}

#[tokio::test]
async fn a_question_about_the_app_is_answered_by_the_guide_and_kept() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    // The guide needs no parser process, so this test needs no program beside itself.
    let mut events = Vec::new();
    let message = app
        .ask(ask_guide("how do I use my own SearXNG?"), |event| events.push(event))
        .await
        .unwrap();
    assert_eq!(message.state, MessageState::Complete);
    assert!(message.content.contains("[1]"), "{}", message.content);
    assert!(matches!(events.last(), Some(AnswerEvent::Finished { .. })));

    let open = app.open_chat(&message.chat_id, None, 10).await.unwrap();
    let answer = &open.messages[1];
    assert!(!answer.citations.is_empty());
    for citation in &answer.citations {
        let page = app
            .store()
            .lookup_page(&citation.page_id)
            .await
            .unwrap()
            .expect("the cited page is saved");
        assert_eq!(page.quote(citation.page_span), citation.quote);
        assert_eq!(
            citation.marker.slice(&message.content),
            format!("[{}]", citation.number)
        );
    }
}

#[tokio::test]
async fn another_answer_and_another_wording_stand_beside_the_first() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let first = app
        .ask(ask_guide("how do I use my own SearXNG?"), |_| {})
        .await
        .unwrap();
    let question = first.parent.clone().unwrap();
    let again = AskRequest {
        turn: Turn::Regenerating(question.clone()),
        ..ask_guide("")
    };
    let second = app.ask(again, |_| {}).await.unwrap();
    assert_ne!(first.id, second.id);
    let edited = AskRequest {
        turn: Turn::Editing(question.clone()),
        ..ask_guide("where are my chats stored?")
    };
    app.ask(edited, |_| {}).await.unwrap();
    assert_eq!(
        app.store().lookup_message(&first.id).await.unwrap().unwrap().content,
        first.content
    );
    assert_eq!(app.store().list_siblings(&first.id).await.unwrap().len(), 2);
    assert_eq!(app.store().list_siblings(&question).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_asked_of_nothing_known_fails_before_anything_is_saved() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let unknown = AskRequest {
        model: Some("nobody/nothing".into()),
        ..ask_guide("a question")
    };
    assert!(matches!(app.ask(unknown, |_| {}).await, Err(AppError::Model(_))));
    assert!(matches!(
        app.ask(ask_guide("  "), |_| {}).await,
        Err(AppError::Invalid(_))
    ));
    let nowhere = AskRequest {
        turn: Turn::Regenerating(MessageId::new()),
        ..ask_guide("")
    };
    assert!(app.ask(nowhere, |_| {}).await.is_err());
    assert!(
        app.store()
            .list_chats(Default::default(), None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_budget_of_money_is_refused_where_the_models_price_is_not_known() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[("DEEPSEARCH_MODELS__OPENAI__KEY", "k3y")]).await;
    let request = AskRequest {
        depth: Depth::Deep,
        model: Some("openai/gpt-5-mini".into()),
        research: ResearchOptions {
            money: Some(0.1),
            ..ResearchOptions::default()
        },
        ..ask_guide("How do backups work, and where are my chats stored?")
    };
    let refused = Failure::from(&app.ask(request.clone(), |_| {}).await.unwrap_err());
    assert_eq!(refused.code, ErrorCode::Invalid);
    assert!(refused.message.contains("openai/gpt-5-mini"), "{refused}");
    assert!(
        refused
            .hint
            .is_some_and(|hint| hint.contains("models.prices openai/gpt-5-mini="))
    );
    let chats = app.store().list_chats(Default::default(), None, 10).await.unwrap();
    assert!(chats.is_empty(), "nothing was begun");

    // What is made of sentences of the sources, on this computer, costs nothing.
    let free = AskRequest {
        model: Some("extractive".into()),
        ..request
    };
    let message = app.ask(free, |_| {}).await.unwrap();
    assert_eq!(message.state, MessageState::Complete);
    assert_eq!(app.research(&message.id).await.unwrap().budget.money, Some(0.1));
}

#[tokio::test]
async fn past_answers_are_a_source_of_new_ones() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    app.ask(ask_guide("how do I use my own SearXNG?"), |_| {})
        .await
        .unwrap();
    let again = AskRequest {
        scope: Some(Scope::Chats),
        ..ask_guide("what is the address of my SearXNG server?")
    };
    let message = app.ask(again, |_| {}).await.unwrap();
    assert!(
        message
            .sources
            .unwrap()
            .iter()
            .any(|source| source.url.starts_with("guide:") || source.url.starts_with("chat:"))
    );
}

#[tokio::test]
async fn going_on_with_a_chat_in_trash_brings_it_back() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let first = app
        .ask(ask_guide("how do I use my own SearXNG?"), |_| {})
        .await
        .unwrap();
    app.store().delete_chat(&first.chat_id).await.unwrap();
    let next = AskRequest {
        turn: Turn::In(first.chat_id.clone()),
        ..ask_guide("how do I make a backup?")
    };
    app.ask(next, |_| {}).await.unwrap();
    assert_eq!(
        app.store()
            .lookup_chat(&first.chat_id)
            .await
            .unwrap()
            .unwrap()
            .deleted_at,
        None
    );
}

#[tokio::test]
async fn whoever_asks_in_the_guide_gets_the_nearest_topics_where_none_fits() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let mut told = Vec::new();
    let question = "how to back up an iPhone to iCloud";
    let message = app.ask(ask_guide(question), |event| told.push(event)).await.unwrap();
    assert!(message.sources.is_some_and(|sources| !sources.is_empty()));
    let labelled = |event: &AnswerEvent| {
        matches!(event, AnswerEvent::Searched { engine, hits, .. }
            if engine == "guide (nearest topics)" && hits.iter().all(|hit| hit.title.starts_with("Nearest topic: ")))
    };
    assert!(told.iter().any(labelled), "{told:#?}");
    assert!(
        told.iter()
            .any(|event| matches!(event, AnswerEvent::SearchFailed { engine, .. } if engine == "guide"))
    );
}

#[tokio::test]
async fn a_scheduled_recheck_outlives_that_its_question_is_not_here_for_a_while() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let answer = app
        .ask(ask_guide("how do I use my own SearXNG?"), |_| {})
        .await
        .unwrap();
    let due = RecheckSchedule {
        every: Every::Daily,
        next_at: answer.created_at,
        failures: 0,
    };
    app.store()
        .update_recheck_schedule(&answer.id, Some(&due))
        .await
        .unwrap();
    // As when sync has brought the answer and not its question yet.
    let mut tx = app.store().begin_sync().await.unwrap();
    tx.delete_message(answer.parent.as_ref().unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(app.recheck_due().await.unwrap(), None);
    let kept = app.store().lookup_recheck_schedule(&answer.id).await.unwrap();
    assert_eq!(kept.map(|schedule| schedule.failures), Some(1));
}

#[tokio::test]
async fn what_is_stopped_before_it_has_a_place_leaves_no_chat() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let stop = CancellationToken::new();
    stop.cancel();
    let asked = app.ask_until(&stop, ask_guide("how do I make a backup?"), |_| {}).await;
    assert!(matches!(asked, Err(AppError::Cancelled)), "{asked:?}");
    let chats = app.store().list_chats(ChatFilter::default(), None, 10).await.unwrap();
    assert!(chats.is_empty(), "{chats:?}");
}
