use deepsearch_core::{ErrorCode, MessageState};

use crate::support::{Home, ask, complete, home, interrupted, journal_pages, page, source};

#[tokio::test]
async fn what_was_journalled_survives_the_end_of_its_process() {
    let home = Home::new();
    let store = home.open().await;
    let turn = ask(&store, "q").await;
    let pages = [
        page("https://example.com/a", "A sentence."),
        page("https://example.com/b", "Another."),
    ];
    journal_pages(&store, &turn.answer.id, &pages).await;
    for chunk in ["The ", "first ", "words", " 日本語 [2]"] {
        store.journal_text(&turn.answer.id, chunk).await.unwrap();
    }
    drop(store);

    let store = home.open().await;
    let kept = store.lookup_message(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(kept.state, MessageState::Interrupted);
    assert_eq!(kept.content, "The first words 日本語 [2]");
    assert_eq!(
        kept.sources.unwrap()[1].url,
        "https://example.com/b",
        "[2] still leads to its source"
    );
    let evidence = store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(evidence.pages[1].page_id, pages[1].id);

    let outbox = store.list_outbox(10).await.unwrap();
    assert!(outbox.iter().any(|entry| entry.entity_id == turn.answer.id.as_str()));
}

#[tokio::test]
async fn an_answer_that_was_cut_off_twice_keeps_both_parts() {
    let home = Home::new();
    let store = home.open().await;
    let turn = ask(&store, "q").await;
    store.journal_text(&turn.answer.id, "One. ").await.unwrap();
    drop(store);
    let store = home.open().await;
    store.begin_continue(&turn.answer.id).await.unwrap();
    store.journal_text(&turn.answer.id, "Two.").await.unwrap();
    drop(store);
    let store = home.open().await;
    let kept = store.lookup_message(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.state, kept.content.as_str()),
        (MessageState::Interrupted, "One. Two.")
    );
}

#[tokio::test]
async fn the_text_so_far_is_seen_while_an_answer_is_written() {
    let (home, store) = home().await;
    let turn = ask(&store, "q").await;
    for number in 0..12 {
        store
            .journal_text(&turn.answer.id, &format!("{number} "))
            .await
            .unwrap();
    }
    let other_window = home.open().await;
    let seen = other_window.list_messages(&turn.chat.id, None, 1).await.unwrap();
    assert_eq!(seen[0].content, "0 1 2 3 4 5 6 7 8 9 10 11 ");
}

#[tokio::test]
async fn a_finished_answer_leaves_nothing_in_the_journal_and_takes_no_more() {
    let (home, store) = home().await;
    let turn = ask(&store, "q").await;
    store.journal_text(&turn.answer.id, "All").await.unwrap();
    store
        .finish_answer(&turn.answer.id, complete("All of it."))
        .await
        .unwrap();
    let mut raw = home.raw().await;
    let chunks: i64 = sqlx::query_scalar("select count(*) from journal")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(chunks, 0);
    for error in [
        store.journal_text(&turn.answer.id, "late").await.unwrap_err(),
        store.journal_sources(&turn.answer.id, &[], &[]).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::NotFound);
    }
    assert_eq!(
        store.lookup_message(&turn.answer.id).await.unwrap().unwrap().content,
        "All of it."
    );
}

#[tokio::test]
async fn a_source_without_its_page_or_with_a_bad_address_is_refused() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let page = page("https://example.com/", "Text.");
    let good = source(&page);
    let mut bad = good.clone();
    bad.url = "not an address".into();
    for (sources, pages) in [(vec![good], vec![]), (vec![bad], vec![page])] {
        let error = store
            .journal_sources(&turn.answer.id, &sources, &pages)
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Invalid);
    }
    assert_eq!(store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap().pages, []);
}

#[tokio::test]
async fn stopping_keeps_sources_and_the_text_that_came() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let pages = [page("https://example.com/a", "A sentence.")];
    journal_pages(&store, &turn.answer.id, &pages).await;
    store.journal_text(&turn.answer.id, "Some [1]").await.unwrap();
    let kept = store
        .finish_answer(&turn.answer.id, interrupted("Some [1]"))
        .await
        .unwrap();
    assert_eq!(kept.sources.unwrap(), [source(&pages[0])]);
    assert_eq!(store.list_pages_of(&turn.answer.id).await.unwrap(), pages);
}
