use std::collections::BTreeSet;

use chrono::TimeDelta;
use deepsearch_core::{ChatCursor, ChatId, ErrorCode, Role, UserId};
use deepsearch_postgres::{ChatList, DatabaseError, Rule, SharedDatabase};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sqlx::Executor;

use crate::support::{Home, NOON, chat, home, message};

async fn page_through(database: &SharedDatabase, user: &UserId, which: ChatList, size: u32) -> Vec<ChatId> {
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = database.list_chats(user, which, after.as_ref(), size).await.unwrap();
        let Some(last) = page.last() else { return seen };
        after = Some(ChatCursor::after(last));
        seen.extend(page.into_iter().map(|chat| chat.id));
    }
}

/// Chats as the web app makes them: times in microseconds, any ids, some of them in Trash.
async fn insert_chats(home: &Home, user: &UserId, chats: &[(i64, String, bool)]) {
    let mut raw = home.raw().await;
    for (micros, id, is_deleted) in chats {
        sqlx::query(
            r#"insert into "ai-app-template_chat" (id, user_id, title, updated_at, deleted_at)
            values ($1, $2, 't', timestamptz '2024-01-01' + $3 * interval '1 microsecond', case when $4 then now() end)
            on conflict do nothing"#,
        )
        .bind(id)
        .bind(user.as_str())
        .bind(micros)
        .bind(is_deleted)
        .execute(&mut raw)
        .await
        .unwrap();
    }
}

/// On one database for all cases, emptied in between: making one takes longer than paging through it.
#[test]
fn paging_through_chats_loses_and_repeats_none() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(home) = runtime.block_on(home()) else { return };
    let user = runtime.block_on(home.user());
    let chats = proptest::collection::vec((0_i64..6, "[-A-Za-z0-9_é]{1,6}", any::<bool>()), 0..40);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let outcome = runner.run(&(chats, 1_u32..9), |(mut chats, size)| {
        runtime.block_on(async {
            home.raw()
                .await
                .execute(r#"delete from "ai-app-template_chat""#)
                .await
                .unwrap();
            insert_chats(&home, &user, &chats).await;
            let mut known = BTreeSet::new();
            chats.retain(|(_, id, _)| known.insert(id.clone()));
            chats.sort_by(|a, b| (b.0, &b.1).cmp(&(a.0, &a.1)));
            for (which, is_trash) in [(ChatList::Active, false), (ChatList::Trash, true)] {
                let expected: Vec<&str> = chats
                    .iter()
                    .filter(|(_, _, is_deleted)| *is_deleted == is_trash)
                    .map(|(_, id, _)| id.as_str())
                    .collect();
                let seen = page_through(&home.database, &user, which, size).await;
                let seen: Vec<&str> = seen.iter().map(ChatId::as_str).collect();
                prop_assert_eq!(seen, expected);
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_page_of_the_list_has_at_most_50_chats_of_this_user() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    for (user, count) in [(&ada, 53), (&bob, 3)] {
        let chats: Vec<_> = (0..count).map(|n| (n, format!("{user} {n}"), false)).collect();
        insert_chats(&home, user, &chats).await;
    }
    let page = home
        .database
        .list_chats(&ada, ChatList::Active, None, 1_000)
        .await
        .unwrap();
    assert_eq!(page.len(), 50);
    assert_eq!(page[0].id.as_str(), format!("{ada} 52"), "the last active first");
    assert_eq!(
        page_through(&home.database, &ada, ChatList::Active, 1_000).await.len(),
        53
    );
    assert_eq!(
        page_through(&home.database, &bob, ChatList::Active, 1_000).await.len(),
        3
    );
}

#[tokio::test]
async fn a_chat_and_its_first_message_are_there_together_or_not_at_all() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let new = chat("New Chat", NOON);
    let mut hello = message(&new.id, "Hello! How can I help you today?", NOON + 5);
    hello.role = Role::System;
    home.database
        .add_chat_with_messages(&user, &new, std::slice::from_ref(&hello))
        .await
        .unwrap();
    let opened = home
        .database
        .lookup_chat_with_messages(&user, &new.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(opened.messages, [hello.clone()]);
    assert_eq!(opened.chat.title, "New Chat");
    assert_eq!(opened.chat.updated_at, hello.created_at, "the message is activity");

    // The message's id is taken, so there is no second chat either.
    let second = chat("Second", NOON);
    let refused = home
        .database
        .add_chat_with_messages(&user, &second, &[hello])
        .await
        .unwrap_err();
    assert!(
        matches!(refused, DatabaseError::Refused { rule: Rule::Taken, .. }),
        "{refused:?}"
    );
    assert_eq!(home.database.lookup_chat(&user, &second.id).await.unwrap(), None);
    let again = home
        .database
        .add_chat_with_messages(&user, &new, &[])
        .await
        .unwrap_err();
    assert!(
        matches!(again, DatabaseError::Refused { rule: Rule::Taken, .. }),
        "{again:?}"
    );
}

#[tokio::test]
async fn anothers_chat_is_neither_seen_nor_changed_by_its_id() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    let id = home.chat(&ada).await;
    let before = home.database.lookup_chat(&ada, &id).await.unwrap().unwrap();
    let database = &home.database;
    assert_eq!(database.lookup_chat(&bob, &id).await.unwrap(), None);
    assert_eq!(database.lookup_chat_with_messages(&bob, &id).await.unwrap(), None);
    let stolen = message(&id, "mine now", NOON);
    let refusals = [
        database.rename_chat(&bob, &id, "t").await.unwrap_err(),
        database.delete_chat(&bob, &id).await.unwrap_err(),
        database.restore_chat(&bob, &id).await.unwrap_err(),
        database.delete_chat_forever(&bob, &id).await.unwrap_err(),
        database.add_messages(&bob, &id, &[stolen]).await.unwrap_err(),
    ];
    assert!(
        refusals.iter().all(|refusal| refusal.code() == ErrorCode::NotFound),
        "{refusals:?}"
    );
    let mut copy = chat("A copy", NOON);
    copy.id = id.clone();
    let refused = database.add_chat(&bob, &copy).await.unwrap_err();
    assert!(
        matches!(refused, DatabaseError::Refused { rule: Rule::Taken, .. }),
        "{refused:?}"
    );
    assert_eq!(database.lookup_chat(&ada, &id).await.unwrap(), Some(before));
}

#[tokio::test]
async fn trash_is_emptied_of_what_has_been_there_for_long_and_of_nothing_else() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    let [old, young, kept] = [home.chat(&ada).await, home.chat(&ada).await, home.chat(&ada).await];
    let others = home.chat(&bob).await;
    home.database.delete_chat(&ada, &old).await.unwrap();
    home.database.delete_chat(&bob, &others).await.unwrap();
    home.clock.advance(TimeDelta::days(2));
    home.database.delete_chat(&ada, &young).await.unwrap();
    home.clock.advance(TimeDelta::days(29));
    assert_eq!(
        home.database
            .purge_deleted_chats(&ada, TimeDelta::days(30))
            .await
            .unwrap(),
        1
    );
    for (user, id, is_there) in [
        (&ada, &old, false),
        (&ada, &young, true),
        (&ada, &kept, true),
        (&bob, &others, true),
    ] {
        assert_eq!(home.database.lookup_chat(user, id).await.unwrap().is_some(), is_there);
    }
}

#[tokio::test]
async fn a_time_that_the_web_app_wrote_is_never_moved_back() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let id = home.chat(&user).await;
    home.raw()
        .await
        .execute(r#"update "ai-app-template_chat" set updated_at = '2031-01-01 00:00:00.000001+00'"#)
        .await
        .unwrap();
    let renamed = home.database.rename_chat(&user, &id, "t").await.unwrap();
    assert_eq!(renamed.updated_at.to_rfc3339(), "2031-01-01T00:00:00.000001+00:00");
    home.database
        .add_messages(&user, &id, &[message(&id, "m", NOON)])
        .await
        .unwrap();
    let read = home.database.lookup_chat(&user, &id).await.unwrap().unwrap();
    assert_eq!(read.updated_at, renamed.updated_at);
}
