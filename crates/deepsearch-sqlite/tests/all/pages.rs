use chrono::TimeDelta;
use deepsearch_core::{ErrorCode, MediaType, MessageId, PageId};
use deepsearch_sqlite::{HistoryQuery, NewTurn, Store};
use url::Url;

use crate::support::{ask, complete, home, journal_pages, page};

#[tokio::test]
async fn a_page_comes_back_as_it_was_read() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let mut bare = page("guide:searxng", "Wie geht’s? 日本語。これは文です。\nEnde.");
    bare.author = None;
    bare.published_at = None;
    bare.favicon = None;
    bare.language = None;
    bare.html = None;
    bare.media_type = MediaType::Text;
    let pages = [page("https://example.com/a?b=c#d", "One. Two!\n\nThree?"), bare];
    journal_pages(&store, &turn.answer.id, &pages).await;
    for page in pages {
        assert_eq!(store.lookup_page(&page.id).await.unwrap(), Some(page));
    }
    assert_eq!(store.lookup_page(&PageId::new()).await.unwrap(), None);
}

#[tokio::test]
async fn pages_are_listed_in_the_order_of_the_sources() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let pages: Vec<_> = (0..12)
        .map(|number| {
            page(
                &format!("https://example.com/{}", 12 - number),
                &format!("Page {number}."),
            )
        })
        .collect();
    journal_pages(&store, &turn.answer.id, &pages).await;
    assert_eq!(store.list_pages_of(&turn.answer.id).await.unwrap(), pages);
}

#[tokio::test]
async fn what_two_chats_read_is_saved_once() {
    let (home, store) = home().await;
    let (first, second) = (ask(&store, "one").await, ask(&store, "two").await);
    let saved = page("https://example.com/", "The same text.");
    let mut read_again = page("https://example.com/", "The same text.");
    read_again.fetched_at += TimeDelta::days(1);
    let first_ids = journal_pages(&store, &first.answer.id, std::slice::from_ref(&saved)).await;
    let second_ids = journal_pages(&store, &second.answer.id, &[read_again]).await;
    assert_eq!(first_ids, [saved.id]);
    assert_eq!(second_ids, first_ids);
    let mut raw = home.raw().await;
    let pages: i64 = sqlx::query_scalar("select count(*) from page")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(pages, 1);
}

#[tokio::test]
async fn a_page_that_has_changed_is_saved_beside_the_old_one() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let url = Url::parse("https://example.com/news").unwrap();
    let old = page(url.as_str(), "Yesterday's news.");
    let mut new = page(url.as_str(), "Today's news.");
    new.fetched_at += TimeDelta::days(1);
    journal_pages(&store, &turn.answer.id, &[new.clone(), old.clone()]).await;
    assert_eq!(store.find_page_by_url(&url).await.unwrap().unwrap().id, new.id);
    assert_eq!(store.lookup_page(&old.id).await.unwrap(), Some(old.clone()));

    // Read once more, the old text is the newest again.
    let mut back = page(url.as_str(), "Yesterday's news.");
    back.fetched_at += TimeDelta::days(2);
    let next = ask(&store, "q2").await;
    journal_pages(&store, &next.answer.id, &[back]).await;
    assert_eq!(store.find_page_by_url(&url).await.unwrap().unwrap().id, old.id);
    let unknown = Url::parse("https://example.com/unknown").unwrap();
    assert_eq!(store.find_page_by_url(&unknown).await.unwrap(), None);
}

#[tokio::test]
async fn the_same_page_under_two_numbers_is_one_page() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let twice = page("https://example.com/", "Once.");
    let ids = journal_pages(&store, &turn.answer.id, &[twice.clone(), twice.clone()]).await;
    assert_eq!(ids, [twice.id.clone(), twice.id]);
    assert_eq!(store.list_pages_of(&turn.answer.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn text_is_kept_compressed() {
    let (home, store) = home().await;
    let turn = ask(&store, "q").await;
    let long = page(
        "https://example.com/",
        &"A sentence that repeats itself. ".repeat(3_000),
    );
    journal_pages(&store, &turn.answer.id, std::slice::from_ref(&long)).await;
    let mut raw = home.raw().await;
    let (text, sentences): (i64, i64) = sqlx::query_as("select length(text), length(sentences) from page")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert!(text < 2_000, "{text} bytes of {}", long.text.len());
    assert_eq!(sentences, 3_000 * 2);
}

#[tokio::test]
async fn a_damaged_page_is_named_as_such_and_does_not_hide_the_others() {
    let (home, store) = home().await;
    let turn = ask(&store, "q").await;
    let pages = [
        page("https://example.com/1", "One."),
        page("https://example.com/2", "Two."),
    ];
    journal_pages(&store, &turn.answer.id, &pages).await;
    let mut raw = home.raw().await;
    sqlx::query("update page set text = x'00ff', sentences = x'ff' where id = ?")
        .bind(pages[0].id.as_str())
        .execute(&mut raw)
        .await
        .unwrap();
    assert_eq!(
        store.lookup_page(&pages[0].id).await.unwrap_err().code(),
        ErrorCode::Storage
    );
    assert_eq!(store.list_pages_of(&turn.answer.id).await.unwrap(), pages[1..]);
    let evidence = store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(evidence.pages.len(), 2, "the list of sources needs no text");
}

async fn pages_found(store: &Store, text: &str) -> usize {
    let query = HistoryQuery {
        text: text.into(),
        limit: 20,
        ..HistoryQuery::default()
    };
    let hits = store.search_history(&query).await.unwrap().hits;
    hits.iter().filter(|hit| hit.url.is_some()).count()
}

#[tokio::test]
async fn a_page_goes_with_the_last_message_that_refers_to_it_and_is_not_found_any_more() {
    let (_home, store) = home().await;
    let (read_by_both, read_by_one) = (
        page("https://example.com/tower", "The tower is of granite."),
        page("https://example.com/lamp", "The lamp burns rapeseed."),
    );
    let first = ask(&store, "one").await;
    let both = [read_by_both.clone(), read_by_one.clone()];
    journal_pages(&store, &first.answer.id, &both).await;
    store
        .finish_answer(&first.answer.id, complete("It is [1][2]."))
        .await
        .unwrap();
    let next = NewTurn {
        chat: Some(first.chat.id.clone()),
        question: "two".into(),
        ..NewTurn::default()
    };
    let second = store.begin_answer(next).await.unwrap();
    journal_pages(&store, &second.answer.id, std::slice::from_ref(&read_by_both)).await;
    store
        .finish_answer(&second.answer.id, complete("It is [1]."))
        .await
        .unwrap();
    assert_eq!(
        (
            pages_found(&store, "granite").await,
            pages_found(&store, "rapeseed").await
        ),
        (1, 1)
    );

    // As when another device deleted it.
    let delete = async |id: &MessageId| {
        let mut tx = store.begin_sync().await.unwrap();
        tx.delete_message(id).await.unwrap();
        tx.commit().await.unwrap();
    };
    delete(&first.answer.id).await;
    assert!(
        store.lookup_page(&read_by_both.id).await.unwrap().is_some(),
        "the other rests on it"
    );
    assert_eq!(store.lookup_page(&read_by_one.id).await.unwrap(), None);
    assert_eq!(
        (
            pages_found(&store, "granite").await,
            pages_found(&store, "rapeseed").await
        ),
        (1, 0)
    );

    delete(&second.question.id).await;
    assert!(
        store.lookup_page(&read_by_both.id).await.unwrap().is_some(),
        "a question rests on nothing"
    );
    delete(&second.answer.id).await;
    assert_eq!(store.lookup_page(&read_by_both.id).await.unwrap(), None);
    assert_eq!(pages_found(&store, "granite").await, 0);
    assert_eq!(store.find_page_by_url(&read_by_both.url).await.unwrap(), None);
}
