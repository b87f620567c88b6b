use std::collections::BTreeSet;

use chrono::TimeDelta;
use deepsearch_core::{Account, Session, UserSettings, VerificationToken};
use deepsearch_postgres::{RowKey, Table};
use sqlx::Executor;

use crate::support::{Home, NOON, at, chat, home, message, user};
use crate::users::account;

pub(crate) const CANARY: &str = "canary-9f3e";

/// Some rows in each table, and a canary in each secret.
pub(crate) async fn fill(home: &Home, people: usize) {
    for n in 0..people {
        let user = user(&format!("user{n}@example.com"));
        let database = &home.database;
        database.add_user(&user).await.unwrap();
        let secret = |what: &str| Some(format!("{CANARY} {what} {n}"));
        let account = Account {
            refresh_token: secret("refresh"),
            access_token: secret("access"),
            id_token: secret("id"),
            session_state: secret("state"),
            ..account(&user.id, "github")
        };
        database.add_account(&account).await.unwrap();
        let session = Session {
            session_token: format!("{}{CANARY} session {n}", if n % 2 == 0 { "ds1:" } else { "" }),
            user_id: user.id.clone(),
            expires: at(NOON + 1_000 * (n as i64 % 4)),
        };
        database.add_session(&session).await.unwrap();
        let token = VerificationToken {
            identifier: user.email.clone(),
            token: format!("{CANARY} verification {n}"),
            expires: at(NOON),
        };
        database.add_verification_token(&token).await.unwrap();
        let chat = chat("A chat", NOON);
        let messages = [message(&chat.id, &"long ".repeat(100), NOON)];
        database
            .add_chat_with_messages(&user.id, &chat, &messages)
            .await
            .unwrap();
        database
            .update_user_settings(&user.id, &UserSettings::default())
            .await
            .unwrap();
    }
    home.raw()
        .await
        .execute(sqlx::AssertSqlSafe(format!(
            r#"insert into "ai-app-template_search_cache" (query, results, expires_at)
            select 'q' || n, '{{}}', now() from generate_series(1, {people}) as n"#
        )))
        .await
        .unwrap();
}

#[tokio::test]
async fn every_column_of_every_table_is_known() {
    let Some(home) = home().await else { return };
    for table in Table::ALL {
        let live: Vec<String> = sqlx::query_scalar(
            "select attname::text from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
            order by attnum",
        )
        .bind(format!("\"ai-app-template_{}\"", table.name()))
        .fetch_all(&mut home.raw().await)
        .await
        .unwrap();
        let shown = home.database.list_rows(table, None, 1).await.unwrap().columns;
        let shown: BTreeSet<&str> = shown.iter().map(|column| column.name).collect();
        assert_eq!(shown, live.iter().map(String::as_str).collect());
        assert_eq!(Table::named(table.name()), Some(table));
        assert_eq!(Table::named(&format!("ai-app-template_{}", table.name())), Some(table));
    }
    assert_eq!(Table::named("pg_authid"), None);
}

#[tokio::test]
async fn each_table_is_counted() {
    let Some(home) = home().await else { return };
    fill(&home, 3).await;
    let tables = home.database.list_tables().await.unwrap();
    assert_eq!(tables.len(), 8);
    for summary in tables {
        assert_eq!((summary.rows, summary.is_estimate), (3, false), "{:?}", summary.table);
    }
}

#[tokio::test]
async fn a_large_table_is_estimated() {
    let Some(home) = home().await else { return };
    home.raw()
        .await
        .execute(
            r#"insert into "ai-app-template_search_cache" (query, results, expires_at)
            select 'q', '{}', now() from generate_series(1, 120000);
            analyze "ai-app-template_search_cache""#,
        )
        .await
        .unwrap();
    let tables = home.database.list_tables().await.unwrap();
    let cache = tables
        .iter()
        .find(|summary| summary.table == Table::SearchCache)
        .unwrap();
    assert!(cache.is_estimate);
    assert!((110_000..130_000).contains(&cache.rows), "{}", cache.rows);
}

#[tokio::test]
async fn pages_of_each_table_lose_and_repeat_no_row() {
    let Some(home) = home().await else { return };
    fill(&home, 7).await;
    for table in Table::ALL {
        let mut seen = Vec::new();
        let mut after: Option<RowKey> = None;
        loop {
            let page = home.database.list_rows(table, after.as_ref(), 3).await.unwrap();
            seen.extend(page.rows);
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!(seen.len(), 7, "{table:?}");
        let all = home.database.list_rows(table, None, 200).await.unwrap();
        assert_eq!(all.next, None);
        assert_eq!(seen, all.rows, "{table:?}");
    }
}

#[tokio::test]
async fn tokens_are_never_shown_not_even_by_the_keys_of_pages() {
    let Some(home) = home().await else { return };
    fill(&home, 5).await;
    let mut masked = 0;
    for table in Table::ALL {
        let page = home.database.list_rows(table, None, 4).await.unwrap();
        let whole = serde_json::to_string(&page).unwrap();
        assert!(!whole.contains(CANARY), "{table:?}: {whole}");
        for (column, head) in page.columns.iter().enumerate().filter(|(_, head)| head.is_masked) {
            assert_eq!(page.rows[0][column].as_deref(), Some("•••"), "{}", head.name);
            masked += 1;
        }
    }
    assert_eq!(masked, 6);
    let sessions = home.database.list_sessions(None, 10).await.unwrap();
    assert!(!serde_json::to_string(&sessions).unwrap().contains(CANARY));
}

#[tokio::test]
async fn long_cells_are_cut_and_null_is_not_a_text() {
    let Some(home) = home().await else { return };
    fill(&home, 1).await;
    let page = home.database.list_rows(Table::Message, None, 10).await.unwrap();
    let cell = |name: &str| {
        let column = page.columns.iter().position(|head| head.name == name).unwrap();
        page.rows[0][column].clone()
    };
    let content = cell("content").unwrap();
    assert_eq!((content.chars().count(), content.ends_with('…')), (201, true));
    assert_eq!(cell("sources"), None);
}

#[tokio::test]
async fn a_page_after_an_odd_key_is_a_page_and_no_statement() {
    let Some(home) = home().await else { return };
    fill(&home, 2).await;
    for odd in ["'; drop table x; --", "", "\\", "999999999999999999999", "-1"] {
        for table in Table::ALL {
            for length in 0..3 {
                let key = RowKey(vec![odd.to_owned(); length]);
                home.database.list_rows(table, Some(&key), 10).await.unwrap();
            }
        }
    }
    assert_eq!(home.database.list_tables().await.unwrap()[0].rows, 2);
}

#[tokio::test]
async fn the_view_only_reads() {
    let Some(home) = home().await else { return };
    fill(&home, 1).await;
    // Were one of its transactions able to write, the function behind this rule would.
    home.raw()
        .await
        .execute(
            r#"create table trace (n int);
            create function trace() returns text language plpgsql volatile as
                $$ begin insert into trace values (1); return 'traced'; end $$;
            alter table "ai-app-template_user" rename to kept;
            create view "ai-app-template_user" as
                select id, trace()::varchar as name, email, email_verified, image, is_admin from kept"#,
        )
        .await
        .unwrap();
    let refused = home.database.list_rows(Table::User, None, 10).await.unwrap_err();
    assert_eq!(refused.code(), deepsearch_core::ErrorCode::ReadOnly);
}

#[tokio::test]
async fn sessions_are_paged_and_ended_by_what_is_shown_of_them() {
    let Some(home) = home().await else { return };
    fill(&home, 9).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = home.database.list_sessions(after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        seen.extend(page);
    }
    assert_eq!(seen.len(), 9);
    assert!(seen.windows(2).all(|pair| pair[0].expires >= pair[1].expires));
    assert_eq!(seen.iter().filter(|session| session.is_device).count(), 5);
    let ended = &seen[4];
    assert!(home.database.end_session(&ended.id).await.unwrap());
    assert!(!home.database.end_session(&ended.id).await.unwrap());
    assert!(!home.database.end_session("").await.unwrap());
    home.clock.advance(TimeDelta::seconds(-10));
    let left = home.database.list_sessions(None, 50).await.unwrap();
    assert_eq!(left.len(), 8);
    assert!(left.iter().all(|session| session.id != ended.id));
}
