use std::collections::BTreeSet;

use deepsearch_core::{ChatId, ErrorCode, MessageId, MessageState, Role, UserId};
use deepsearch_postgres::{DatabaseError, MessageCursor, Rule, SharedDatabase};
use futures::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use sqlx::Executor;

use crate::support::{Home, NOON, at, home, message};

async fn page_through(database: &SharedDatabase, user: &UserId, chat: &ChatId, size: u32) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    let mut before = None;
    loop {
        let page = database.list_messages(user, chat, before.as_ref(), size).await.unwrap();
        let Some(first) = page.first() else { return seen };
        before = Some(MessageCursor::before(first));
        seen.splice(0..0, page.into_iter().map(|message| message.id.to_string()));
    }
}

/// Messages as the web app writes them: many of one time, and times within one millisecond.
async fn insert_messages(home: &Home, chat: &ChatId, messages: &[(i64, String)]) {
    let mut raw = home.raw().await;
    for (micros, id) in messages {
        sqlx::query(
            r#"insert into "ai-app-template_message" (id, chat_id, role, content, created_at)
            values ($1, $2, 'user', 'm', timestamptz '2024-01-01' + $3 * interval '1 microsecond')
            on conflict do nothing"#,
        )
        .bind(id)
        .bind(chat.as_str())
        .bind(micros)
        .execute(&mut raw)
        .await
        .unwrap();
    }
}

/// On one database for all cases, emptied in between: making one takes longer than paging through it.
#[test]
fn paging_through_messages_of_any_times_loses_and_repeats_none() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(home) = runtime.block_on(home()) else { return };
    let user = runtime.block_on(home.user());
    let chat = runtime.block_on(home.chat(&user));
    let messages = proptest::collection::vec((0_i64..8, "[-A-Za-z0-9_é]{1,6}"), 0..60);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let outcome = runner.run(&(messages, 1_u32..11), |(mut messages, size)| {
        runtime.block_on(async {
            home.raw()
                .await
                .execute(r#"delete from "ai-app-template_message""#)
                .await
                .unwrap();
            insert_messages(&home, &chat, &messages).await;
            let mut known = BTreeSet::new();
            messages.retain(|(_, id)| known.insert(id.clone()));
            messages.sort();
            let expected: Vec<&str> = messages.iter().map(|(_, id)| id.as_str()).collect();
            prop_assert_eq!(page_through(&home.database, &user, &chat, size).await, expected);
            Ok(())
        })
    });
    outcome.unwrap();
}

/// The web app's own paging: by time alone, with a cursor that has lost its microseconds, as JavaScript's dates have.
async fn web_app_pages(home: &Home, chat: &ChatId) -> Vec<String> {
    let mut raw = home.raw().await;
    let mut seen = Vec::new();
    let mut before = i64::MAX;
    loop {
        let page: Vec<(String, i64)> = sqlx::query_as(
            r#"select id, floor(extract(epoch from created_at) * 1000)::bigint from "ai-app-template_message"
            where chat_id = $1 and created_at < to_timestamp(least($2, 99999999999999) / 1000.0)
            order by created_at desc limit 7"#,
        )
        .bind(chat.as_str())
        .bind(before)
        .fetch_all(&mut raw)
        .await
        .unwrap();
        let Some((_, last)) = page.last() else { break };
        before = *last;
        seen.extend(page.into_iter().map(|(id, _)| id));
    }
    seen.reverse();
    seen
}

#[tokio::test]
async fn the_web_apps_paging_by_time_alone_finds_each_of_our_messages_once() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    let mut expected = Vec::new();
    for batch in 0..5 {
        let messages: Vec<_> = (0..13).map(|n| message(&chat, &format!("{batch} {n}"), NOON)).collect();
        home.database.add_messages(&user, &chat, &messages).await.unwrap();
        expected.extend(messages.into_iter().map(|message| message.id.to_string()));
    }
    assert_eq!(web_app_pages(&home, &chat).await, expected);
}

#[tokio::test]
async fn times_rise_in_whole_milliseconds_also_when_many_write_at_once() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    let (mine, theirs) = (home.database.clone(), home.another().await);
    let writers = (0..16).map(|writer| {
        let database = if writer % 2 == 0 { mine.clone() } else { theirs.clone() };
        let (user, chat) = (user.clone(), chat.clone());
        let messages: Vec<_> = (0..5).map(|n| message(&chat, &format!("{writer} {n}"), NOON)).collect();
        tokio::spawn(async move { database.add_messages(&user, &chat, &messages).await })
    });
    for written in join_all(writers).await {
        assert_eq!(written.unwrap().unwrap(), 5);
    }
    let all = home.database.list_messages(&user, &chat, None, 100).await.unwrap();
    assert_eq!(all.len(), 80);
    assert!(all.windows(2).all(|pair| pair[0].created_at < pair[1].created_at));
    assert!(
        all.iter()
            .all(|message| message.created_at.timestamp_subsec_micros() % 1_000 == 0)
    );
    for batch in all.chunks(5) {
        let writers: BTreeSet<_> = batch.iter().map(|m| m.content.split_once(' ').unwrap().0).collect();
        assert_eq!(writers.len(), 1, "a batch stands together");
    }
    let touched = home.database.lookup_chat(&user, &chat).await.unwrap().unwrap();
    assert_eq!(touched.updated_at, all[79].created_at);
}

#[tokio::test]
async fn a_time_follows_the_web_apps_last_one_even_within_its_millisecond() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    insert_messages(&home, &chat, &[(1_500, "theirs".into())]).await;
    home.database
        .add_messages(&user, &chat, &[message(&chat, "ours", 0)])
        .await
        .unwrap();
    let all = home.database.list_messages(&user, &chat, None, 10).await.unwrap();
    assert_eq!(all[1].content, "ours");
    assert_eq!(
        (all[1].created_at - all[0].created_at).num_microseconds(),
        Some(500),
        "the next whole millisecond"
    );
}

#[tokio::test]
async fn a_chat_opens_with_its_first_100_messages_or_its_newest_page() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    let messages: Vec<_> = (0..120).map(|n| message(&chat, &n.to_string(), NOON)).collect();
    assert_eq!(home.database.add_messages(&user, &chat, &messages).await.unwrap(), 120);
    let opened = home
        .database
        .lookup_chat_with_messages(&user, &chat)
        .await
        .unwrap()
        .unwrap();
    let ends = |messages: &[deepsearch_core::Message]| {
        let content = |message: Option<&deepsearch_core::Message>| message.unwrap().content.clone();
        (messages.len(), content(messages.first()), content(messages.last()))
    };
    assert_eq!(ends(&opened.messages), (100, "0".into(), "99".into()));
    let newest = home.database.list_messages(&user, &chat, None, 50).await.unwrap();
    assert_eq!(ends(&newest), (50, "70".into(), "119".into()));
    let before = MessageCursor::before(&newest[0]);
    let older = home
        .database
        .list_messages(&user, &chat, Some(&before), 50)
        .await
        .unwrap();
    assert_eq!(ends(&older), (50, "20".into(), "69".into()));
}

#[tokio::test]
async fn several_messages_are_inserted_by_one_statement() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    // Counts statements, not rows.
    home.raw()
        .await
        .execute(
            r#"create table statement (n int);
            create function count_statement() returns trigger language plpgsql as
                $$ begin insert into statement values (1); return null; end $$;
            create trigger count_statement after insert on "ai-app-template_message"
                for each statement execute function count_statement()"#,
        )
        .await
        .unwrap();
    let messages: Vec<_> = (0..200).map(|n| message(&chat, &n.to_string(), NOON)).collect();
    home.database.add_messages(&user, &chat, &messages).await.unwrap();
    let statements: i64 = sqlx::query_scalar("select count(*) from statement")
        .fetch_one(&mut home.raw().await)
        .await
        .unwrap();
    assert_eq!(statements, 1);
}

#[tokio::test]
async fn an_id_of_another_chats_message_is_refused_and_nothing_is_added() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    let (theirs, mine) = (home.chat(&ada).await, home.chat(&bob).await);
    let kept = message(&theirs, "kept", NOON);
    home.database
        .add_messages(&ada, &theirs, std::slice::from_ref(&kept))
        .await
        .unwrap();
    let mut forged = message(&mine, "forged", NOON);
    forged.id = kept.id.clone();
    let batch = [message(&mine, "one more", NOON), forged];
    let refused = home.database.add_messages(&bob, &mine, &batch).await.unwrap_err();
    assert!(
        matches!(&refused, DatabaseError::Refused { field, rule: Rule::Taken, .. } if field == "id"),
        "{refused:?}"
    );
    assert_eq!(home.database.list_messages(&bob, &mine, None, 10).await.unwrap(), []);
    assert_eq!(
        home.database.lookup_message(&ada, &kept.id).await.unwrap(),
        Some(kept.clone())
    );
    assert_eq!(home.database.lookup_message(&bob, &kept.id).await.unwrap(), None);
    assert_eq!(home.database.list_messages(&bob, &theirs, None, 10).await.unwrap(), []);
}

#[rstest]
#[case::longest("a".repeat(100_000), true)]
#[case::too_long("a".repeat(100_001), false)]
#[case::longest_in_pairs("😀".repeat(50_000), true)]
#[case::too_long_in_pairs("😀".repeat(50_001), false)]
#[case::empty(String::new(), false)]
#[case::nul("a\0b".to_owned(), false)]
#[tokio::test]
async fn content_has_1_to_100000_utf16_units_that_the_database_can_keep(
    #[case] content: String,
    #[case] is_kept: bool,
) {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    let long = message(&chat, &content, NOON);
    let added = home
        .database
        .add_messages(&user, &chat, std::slice::from_ref(&long))
        .await;
    match &added {
        Ok(count) => assert_eq!(*count, 1),
        Err(error) => assert_eq!(error.code(), ErrorCode::Invalid, "{error}"),
    }
    assert_eq!(added.is_ok(), is_kept);
    assert_eq!(
        home.database.lookup_message(&user, &long.id).await.unwrap().is_some(),
        is_kept
    );
}

#[tokio::test]
async fn a_message_that_is_still_being_written_or_was_stopped_before_its_first_word_is_refused() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    for (state, content) in [(MessageState::Streaming, "so far"), (MessageState::Interrupted, "")] {
        let mut unfinished = message(&chat, content, NOON);
        unfinished.state = state;
        let refused = home
            .database
            .add_messages(&user, &chat, &[unfinished])
            .await
            .unwrap_err();
        assert!(matches!(refused, DatabaseError::Invalid(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn absent_sources_are_null_and_json_that_others_wrote_breaks_nothing() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    let plain = message(&chat, "plain", NOON);
    home.database
        .add_messages(&user, &chat, std::slice::from_ref(&plain))
        .await
        .unwrap();
    let mut raw = home.raw().await;
    let nulls: i64 = sqlx::query_scalar(
        r#"select count(*) from "ai-app-template_message" where sources is null and metadata is null"#,
    )
    .fetch_one(&mut raw)
    .await
    .unwrap();
    assert_eq!(nulls, 1, "and not the JSON value null");

    raw.execute(
        r#"update "ai-app-template_message" set sources = '[1, {"title": "kept", "url": 7}]',
            metadata = '{"tokens": "many", "b": 1}'"#,
    )
    .await
    .unwrap();
    let read = home.database.lookup_message(&user, &plain.id).await.unwrap().unwrap();
    let sources = read.sources.unwrap();
    assert_eq!(
        (sources.len(), sources[1].title.as_str()),
        (2, "kept"),
        "numbers do not shift"
    );
    assert_eq!(read.metadata.unwrap().other["tokens"], "many");

    raw.execute(
        r#"alter table "ai-app-template_message" drop constraint role_check;
        update "ai-app-template_message" set sources = 'null', metadata = '[]', role = 'tool'"#,
    )
    .await
    .unwrap();
    let read = home.database.lookup_message(&user, &plain.id).await.unwrap().unwrap();
    assert_eq!((read.role, read.sources, read.metadata), (Role::System, None, None));
}

#[tokio::test]
async fn a_batch_larger_than_one_statement_takes_is_added_whole() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    let messages: Vec<_> = (0..5_001).map(|n| message(&chat, &n.to_string(), NOON)).collect();
    assert_eq!(
        home.database.add_messages(&user, &chat, &messages).await.unwrap(),
        5_001
    );
    let newest = home.database.list_messages(&user, &chat, None, 2).await.unwrap();
    assert_eq!(
        newest.iter().map(|m| m.content.as_str()).collect::<Vec<_>>(),
        ["4999", "5000"]
    );
    assert_eq!(newest[1].created_at, at(NOON + 5_000));
    assert_eq!(
        home.database.lookup_message(&user, &MessageId::new()).await.unwrap(),
        None
    );
}
