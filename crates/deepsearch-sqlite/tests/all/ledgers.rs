use chrono::DateTime;
use deepsearch_core::{AnswerLedger, Contact, Errand, Ledger, MessageId, Role, SentText, SentTurn};
use deepsearch_sqlite::Store;

use crate::support::{answered, home};

fn contact(host: &str, errand: Errand) -> Contact {
    Contact {
        host: host.into(),
        errand,
        service: "exa".into(),
        local: false,
        requests: 3,
        bytes_out: 17,
        bytes_in: u64::from(u32::MAX) + 5,
    }
}

fn ledger_of(message: &MessageId, contacts: Vec<Contact>) -> AnswerLedger {
    let turn = |role, content: &str| SentTurn {
        role,
        content: content.into(),
    };
    let text = |turns| SentText {
        model: "openai/gpt-5-mini".into(),
        host: "api.openai.com".into(),
        local: false,
        times: 2,
        bytes: 9,
        sha256: "ab".repeat(32),
        turns,
    };
    AnswerLedger {
        message_id: message.clone(),
        at: DateTime::from_timestamp_millis(1_700_000_000_123).unwrap(),
        private: true,
        ledger: Ledger {
            contacts,
            texts: vec![
                text(Some(vec![turn(Role::System, "Be brief."), turn(Role::User, "¿Qué?")])),
                text(None),
            ],
            unlisted: 4,
        },
    }
}

async fn rows(store: &crate::support::Home) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in ["ledger", "contact", "sent_text"] {
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")));
        counts.push(count.fetch_one(&mut store.raw().await).await.unwrap());
    }
    counts
}

#[tokio::test]
async fn a_ledger_comes_back_as_it_was_and_a_later_one_takes_its_place() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    assert_eq!(store.lookup_ledger(&turn.answer.id).await.unwrap(), None);
    let all = Errand::ALL
        .into_iter()
        .map(|errand| contact("exa.ai", errand))
        .collect();
    let first = ledger_of(&turn.answer.id, all);
    store.keep_ledger(&first).await.unwrap();
    assert_eq!(store.lookup_ledger(&turn.answer.id).await.unwrap(), Some(first));
    let nothing = AnswerLedger {
        ledger: Ledger::default(),
        ..ledger_of(&turn.answer.id, Vec::new())
    };
    store.keep_ledger(&nothing).await.unwrap();
    assert_eq!(
        store.lookup_ledger(&turn.answer.id).await.unwrap(),
        Some(nothing),
        "known to be nothing is not unknown"
    );
    assert_eq!(rows(&home).await, [1, 0, 0]);
}

#[tokio::test]
async fn a_ledger_goes_with_its_chat_and_there_is_none_of_a_message_that_is_not_there() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let kept = ledger_of(&turn.answer.id, vec![contact("a.example", Errand::Page)]);
    store.keep_ledger(&kept).await.unwrap();
    assert_eq!(store.list_ledgers(&turn.chat.id).await.unwrap(), [kept]);
    store.delete_chat_forever(&turn.chat.id).await.unwrap();
    assert_eq!(rows(&home).await, [0, 0, 0]);
    let stray = ledger_of(&MessageId::new(), Vec::new());
    assert!(store.keep_ledger(&stray).await.is_err());
    assert_eq!(rows(&home).await, [0, 0, 0]);
}

#[tokio::test]
async fn a_text_that_is_damaged_is_as_good_as_too_large_and_the_rest_is_told() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let kept = ledger_of(&turn.answer.id, vec![contact("a.example", Errand::Page)]);
    store.keep_ledger(&kept).await.unwrap();
    damage(&home).await;
    let told = store.lookup_ledger(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(told.ledger.contacts, kept.ledger.contacts);
    assert!(
        told.ledger
            .texts
            .iter()
            .all(|text| text.turns.is_none() && text.bytes == 9)
    );
    let _: &Store = &store;
}

async fn damage(home: &crate::support::Home) {
    let query = sqlx::query("update sent_text set turns = x'00ff' where turns is not null");
    query.execute(&mut home.raw().await).await.unwrap();
}

#[tokio::test]
async fn what_belongs_to_an_answer_follows_it_to_another_id() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    store
        .keep_ledger(&ledger_of(&turn.answer.id, vec![contact("api.exa.ai", Errand::Search)]))
        .await
        .unwrap();
    let before = rows(&home).await;
    let mut tx = store.begin_sync().await.unwrap();
    let new = tx.renumber_message(&turn.answer.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rows(&home).await, before);
    assert!(store.lookup_ledger(&turn.answer.id).await.unwrap().is_none());
    assert_eq!(store.lookup_ledger(&new).await.unwrap().unwrap().message_id, new);

    // Whichever table comes: it follows by itself, or stands in that function.
    let by_hand: Vec<String> = sqlx::query_scalar(
        "select name from sqlite_master join pragma_foreign_key_list(name) as key
         where type = 'table' and key.\"table\" = 'message' and key.on_update <> 'CASCADE' order by name",
    )
    .fetch_all(&mut home.raw().await)
    .await
    .unwrap();
    let function = include_str!("../../src/sync/messages.rs");
    for table in by_hand {
        let (changed, deleted) = (
            format!("update {table} set message_id"),
            format!("delete from {table} where message_id"),
        );
        assert!(function.contains(&changed) || function.contains(&deleted), "{table}");
    }
}
