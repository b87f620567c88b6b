//! The shared database as a device syncs with it, held against what `SyncRemote` promises, beside a web app's writes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::sync::{
    Change, ChatRow, EntityKind, FeedCursor, FlagsRow, MessageEvidence, MessageExtras, MessageRow, PROTOCOL, PageBody,
    Push, PushAnswer, PushRow, RemoteError, Row, ServerInfo, SettingRow, SyncRemote,
};
use deepsearch_core::{ChatId, Clock, Labels, MessageId, SystemClock};
use deepsearch_postgres::{SharedDatabase, SharedSync};
use secrecy::SecretString;
use serde_json::json;
use sqlx::PgConnection;

use crate::cluster::{Cluster, Device, admit, connect, run, text};

/// A and B, with a device each, and the web app's own connection.
struct World {
    a: SharedSync,
    device: Device,
    b: SharedSync,
    web: PgConnection,
    owner: SharedDatabase,
}

async fn world(cluster: &Cluster) -> World {
    let (url, owner) = cluster.migrated().await;
    let mut web = connect(&url).await;
    run(
        &mut web,
        r#"insert into "ai-app-template_user" (id, email) values ('A', 'a@example.com'), ('B', 'b@example.com')"#,
    )
    .await;
    let device = admit(&owner, &url, "A").await;
    let other = admit(&owner, &url, "B").await;
    World {
        a: sync(&device).await,
        b: sync(&other).await,
        device,
        web,
        owner,
    }
}

pub(crate) async fn sync(device: &Device) -> SharedSync {
    let token = SecretString::from(device.token.clone());
    SharedSync::new(SharedDatabase::connect_device(&device.url, token).await.unwrap())
}

/// Everything from a cursor on, in pages.
pub(crate) async fn all(remote: &SharedSync, mut after: FeedCursor, limit: u32) -> (Vec<Change>, FeedCursor) {
    let mut changes = Vec::new();
    loop {
        let page = remote.pull(after, limit).await.unwrap();
        changes.extend(page.changes);
        after = page.next;
        if !page.has_more {
            return (changes, after);
        }
    }
}

pub(crate) async fn pushed(remote: &SharedSync, rows: Vec<PushRow>) -> Vec<PushAnswer> {
    let server = remote.pull(FeedCursor::default(), 1).await.unwrap().server;
    let push = Push {
        epoch: server.epoch,
        seen: server.reached,
        protocol: PROTOCOL,
        rows,
    };
    remote.push(&push).await.unwrap().answers
}

pub(crate) fn names(changes: &[Change]) -> Vec<String> {
    let name = |change: &Change| match change {
        Change::Upsert(Row::Chat(row)) => format!("chat {} {}", row.id, row.title),
        Change::Upsert(Row::Flags(row)) => format!("flags {}", row.chat_id),
        Change::Upsert(Row::Message(row)) => format!("message {} {}", row.id, row.content),
        Change::Upsert(Row::Setting(row)) => format!("setting {} {}", row.key, row.value),
        Change::Delete { kind, id } => format!("no {} {id}", kind.as_str()),
        Change::Unknown => "unknown".to_owned(),
    };
    changes.iter().map(name).collect()
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

pub(crate) fn chat(id: &str, title: &str, updated: i64) -> PushRow {
    PushRow::Chat {
        row: ChatRow {
            id: ChatId::from_stored(id),
            title: title.into(),
            created_at: at(0),
            updated_at: at(updated),
            deleted_at: None,
        },
        known: false,
    }
}

pub(crate) fn message(id: &str, chat: &str, content: &str) -> MessageRow {
    MessageRow {
        id: MessageId::from_stored(id),
        chat_id: ChatId::from_stored(chat),
        role: "assistant".into(),
        content: content.into(),
        sources: None,
        metadata: None,
        created_at: at(1),
        extras: None,
    }
}

fn extras(is_interrupted: bool, evidence: Option<MessageEvidence>) -> Option<MessageExtras> {
    Some(MessageExtras {
        parent: Some(MessageId::from_stored("m0")),
        interrupted: is_interrupted,
        follow_ups: vec!["Why?".into()],
        evidence,
    })
}

fn flags_of(row: FlagsRow, seen_at: Option<DateTime<Utc>>) -> PushRow {
    PushRow::Flags { row, seen_at }
}

fn sent(row: MessageRow) -> PushRow {
    PushRow::Message(Box::new(row))
}

fn applied(answer: &PushAnswer) -> DateTime<Utc> {
    match answer {
        PushAnswer::Applied { at } => *at,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_web_app_writes_and_deletes_is_in_the_feed_once_an_entity() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    run(
        &mut world.web,
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('c', 'A', 'one'), ('d', 'A', 'two'), ('x', 'B', 'no');
        insert into "ai-app-template_message" (id, chat_id, role, content, created_at) values
            ('m2', 'c', 'user', 'second', now() + interval '1 second'), ('m1', 'c', 'user', 'first', now()),
            ('n', 'd', 'user', 'other', now()), ('o', 'x', 'user', 'not A''s', now())"#,
    )
    .await;
    let (changes, cursor) = all(&world.a, FeedCursor::default(), 100).await;
    let mut found = names(&changes);
    found[2..].sort();
    assert_eq!(
        found,
        [
            "chat c one",
            "chat d two",
            "message m1 first",
            "message m2 second",
            "message n other"
        ]
    );

    // Some web apps save a chat by deleting its messages and inserting them anew.
    run(
        &mut world.web,
        r#"begin; delete from "ai-app-template_message" where chat_id = 'c';
        insert into "ai-app-template_message" (id, chat_id, role, content) values ('m1', 'c', 'user', 'edited'); commit;
        update "ai-app-template_chat" set title = 'renamed' where id = 'c';
        update "ai-app-template_chat" set title = title where id = 'd';
        delete from "ai-app-template_message" where id = 'n'"#,
    )
    .await;
    let (changes, cursor) = all(&world.a, cursor, 100).await;
    assert_eq!(
        names(&changes),
        ["no message m2", "message m1 edited", "chat c renamed", "no message n"]
    );

    run(&mut world.web, r#"delete from "ai-app-template_chat" where id = 'c'"#).await;
    let (changes, cursor) = all(&world.a, cursor, 100).await;
    assert_eq!(names(&changes), ["no chat c"], "its messages go with it");
    assert_eq!(all(&world.a, cursor, 100).await.0, []);
    let (changes, _) = all(&world.a, FeedCursor::default(), 100).await;
    assert_eq!(
        names(&changes),
        ["chat d two", "no message m2", "no message n", "no chat c"]
    );
}

/// Transactions that overlap, end in any order, or not at all, while a device reads on: what it has at the end is what
/// the tables have.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_misses_nothing_however_transactions_overlap() {
    const WRITERS: u32 = 6;
    const EACH: u32 = 40;
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    run(
        &mut world.web,
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('c', 'A', 'one')"#,
    )
    .await;
    let url = world
        .device
        .url
        .replace(&format!("{}:pw-{}", world.device.role, world.device.id), "postgres");
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let url = url.clone();
            tokio::spawn(async move {
                let mut web = connect(&url).await;
                for turn in 0..EACH {
                    let (pause, ends) = (
                        f64::from((writer * 7 + turn * 3) % 11) / 1000.0,
                        (writer + turn) % 5 != 0,
                    );
                    run(
                        &mut web,
                        &format!(
                            r#"begin; insert into "ai-app-template_message" (id, chat_id, role, content)
                            values ('m-{writer}-{turn}', 'c', 'user', 'x'); select pg_sleep({pause});
                            delete from "ai-app-template_message" where id = 'm-{writer}-{}'; {}"#,
                            turn.saturating_sub(3),
                            if ends { "commit" } else { "rollback" }
                        ),
                    )
                    .await;
                }
            })
        })
        .collect();
    let (mut cursor, mut held) = (FeedCursor::default(), BTreeSet::new());
    let mut has_ended = false;
    loop {
        let was_over = has_ended;
        has_ended = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let page = world.a.pull(cursor, 20).await.unwrap();
        for change in &page.changes {
            match change {
                Change::Upsert(Row::Message(row)) => held.insert(row.id.to_string()),
                Change::Delete { id, .. } => held.remove(id),
                _ => false,
            };
        }
        cursor = page.next;
        if was_over && !page.has_more {
            break;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let there: Vec<String> = sqlx::query_scalar(r#"select id from "ai-app-template_message" order by id"#)
        .fetch_all(&mut world.web)
        .await
        .unwrap();
    assert!(there.len() > 20);
    assert_eq!(held.into_iter().collect::<Vec<_>>(), there);
}

#[tokio::test]
async fn an_open_transaction_holds_the_horizon_back_and_what_it_commits_comes() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let insert =
        |id: &str| format!(r#"insert into "ai-app-template_chat" (id, user_id, title) values ('{id}', 'A', 'x')"#);
    let url = cluster.server.url(world.device.url.rsplit('/').next().unwrap());
    let mut slow = connect(&url).await;
    run(&mut slow, &format!("begin; {}", insert("slow"))).await;
    run(&mut world.web, &insert("quick")).await;
    let (changes, cursor) = all(&world.a, FeedCursor::default(), 100).await;
    assert_eq!(
        names(&changes),
        Vec::<String>::new(),
        "a smaller transaction may still commit"
    );
    run(&mut slow, "commit").await;
    let (changes, _) = all(&world.a, cursor, 100).await;
    assert_eq!(names(&changes), ["chat slow x", "chat quick x"]);
}

#[tokio::test]
async fn pages_of_any_size_hold_the_same() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    run(
        &mut world.web,
        r#"insert into "ai-app-template_chat" (id, user_id, title) select 'c' || n, 'A', 'x' from generate_series(1, 9) n;
        insert into "ai-app-template_message" (id, chat_id, role, content)
            select 'm' || n, 'c1', 'user', repeat('long ', 1200000) from generate_series(1, 6) n;
        delete from "ai-app-template_chat" where id in ('c2', 'c9')"#,
    )
    .await;
    let (whole, end) = all(&world.a, FeedCursor::default(), 5000).await;
    let first = world.a.pull(FeedCursor::default(), 5000).await.unwrap();
    assert!(first.has_more, "36 megabytes do not come at once");
    assert!(first.changes.len() > 7 && first.changes.len() < whole.len());
    assert_eq!(whole.len(), 15);
    for limit in [1, 2, 4, 15, 16] {
        let (changes, last) = all(&world.a, FeedCursor::default(), limit).await;
        assert_eq!(names(&changes), names(&whole), "{limit}");
        assert!(last >= end);
    }
    assert_eq!(world.a.count_changes(FeedCursor::default()).await.unwrap(), 15);
    assert_eq!(world.a.count_changes(end).await.unwrap(), 0);
}

#[tokio::test]
async fn the_greater_time_and_title_win_a_chat() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let answers = pushed(
        &world.a,
        vec![
            chat("c", "mine", 10),
            chat("c", "mine", 10),
            chat("c", "later", 11),
            chat("c", "older", 9),
        ],
    )
    .await;
    assert_eq!(applied(&answers[0]), at(10));
    assert_eq!(answers[1], PushAnswer::Duplicate);
    assert_eq!(applied(&answers[2]), at(11));
    let PushAnswer::Superseded(winner) = &answers[3] else {
        panic!("{answers:?}")
    };
    assert!(matches!(&**winner, Row::Chat(row) if row.title == "later" && row.updated_at == at(11)));
    // Equal times: the title that is greater by its bytes.
    let answers = pushed(&world.a, vec![chat("c", "LATER", 11), chat("c", "ärger", 11)]).await;
    assert!(matches!(answers[0], PushAnswer::Superseded(_)));
    assert_eq!(applied(&answers[1]), at(11));
    // Deleted for ever is gone, also for a device that never heard of it.
    assert_eq!(
        applied(&pushed(&world.a, vec![PushRow::DeleteChat(ChatId::from_stored("c"))]).await[0]).timestamp() / 60,
        SystemClock.now().timestamp() / 60
    );
    let answers = pushed(
        &world.a,
        vec![PushRow::DeleteChat(ChatId::from_stored("c")), chat("c", "again", 99)],
    )
    .await;
    assert_eq!(answers, [PushAnswer::Duplicate, PushAnswer::Gone]);
    let PushRow::Chat { row, .. } = chat("never", "x", 1) else {
        unreachable!()
    };
    assert_eq!(
        pushed(&world.a, vec![PushRow::Chat { row, known: true }]).await,
        [PushAnswer::Gone]
    );
    assert_eq!(
        text(&mut world.web, r#"select count(*)::text from "ai-app-template_chat""#).await,
        "0"
    );
}

#[tokio::test]
async fn a_chat_is_in_the_trash_only_where_somebody_put_it_there() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster).await;
    let trashed = |id: &str, at_second: Option<i64>, updated: i64| {
        let PushRow::Chat { mut row, known } = chat(id, "x", updated) else {
            unreachable!()
        };
        row.deleted_at = at_second.map(at);
        PushRow::Chat { row, known }
    };
    let year = 60 * 60 * 24 * 365 * 10;
    let rows = vec![
        trashed("active", None, 10),
        trashed("trash", Some(5), 10),
        trashed("ahead", Some(year), 10),
        trashed("back", Some(5), 10),
        trashed("back", None, 11),
    ];
    pushed(&world.a, rows).await;
    let (changes, _) = all(&world.a, FeedCursor::default(), 100).await;
    let deleted_at = |wanted: &str| {
        let rows = changes.iter().filter_map(|change| match change {
            Change::Upsert(Row::Chat(row)) => Some(row),
            _ => None,
        });
        let row = rows.into_iter().find(|row| row.id.as_str() == wanted);
        row.unwrap_or_else(|| panic!("{wanted} in {changes:?}")).deleted_at
    };
    assert_eq!(deleted_at("active"), None);
    assert_eq!(deleted_at("trash"), Some(at(5)));
    assert!(deleted_at("ahead").is_some_and(|at| at < SystemClock.now() + TimeDelta::seconds(3)));
    assert_eq!(deleted_at("back"), None, "taken out again");
}

#[tokio::test]
async fn a_wrong_clock_does_not_win_for_ever() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster).await;
    let year = 60 * 60 * 24 * 365 * 10;
    let mut early = message("m1", "c", "one");
    early.created_at = at(year);
    let mut late = message("m2", "c", "two");
    late.created_at = at(year + 1);
    let answers = pushed(&world.a, vec![chat("c", "x", year), sent(early), sent(late)]).await;
    let limit = SystemClock.now() + TimeDelta::seconds(3);
    assert!(answers.iter().all(|answer| applied(answer) < limit), "{answers:?}");
    assert_eq!(
        applied(&answers[2]) - applied(&answers[1]),
        TimeDelta::milliseconds(1),
        "they keep their order"
    );
}

#[tokio::test]
async fn a_message_is_written_once_grows_while_interrupted_and_keeps_its_evidence() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster).await;
    let mut whole = message("m", "c", "an answer [1]");
    whole.sources = Some(r#"[ {"title": "T",  "url": "https://e.org", "snippet": ""} ]"#.into());
    whole.metadata = Some(r#"{"model":"m","unknown":[1]}"#.into());
    whole.extras = extras(true, Some(MessageEvidence::default()));
    let orphan = sent(message("m", "nowhere", "x"));
    let answers = pushed(
        &world.a,
        vec![orphan, chat("c", "x", 1), sent(whole.clone()), sent(whole.clone())],
    )
    .await;
    assert_eq!(answers[0], PushAnswer::Orphan);
    assert_eq!(applied(&answers[2]), at(1));
    assert_eq!(answers[3], PushAnswer::Duplicate);
    let changes = all(&world.a, FeedCursor::default(), 9).await.0;
    assert!(
        changes.contains(&Change::Upsert(Row::Message(Box::new(whole.clone())))),
        "JSON as it was: {changes:?}"
    );

    // Shorter and still interrupted loses; longer, or complete, goes on. Evidence is never taken away.
    let mut shorter = message("m", "c", "an");
    shorter.extras = extras(true, None);
    let mut longer = message("m", "c", "an answer [1] that went on");
    longer.extras = extras(false, None);
    let mut other = message("m", "c", "another text that is longer than all of them");
    other.extras = extras(false, None);
    let answers = pushed(&world.a, vec![sent(shorter), sent(longer.clone()), sent(other)]).await;
    assert!(
        matches!(&answers[0], PushAnswer::Superseded(row) if matches!(&**row, Row::Message(row) if row.content == "an answer [1]"))
    );
    applied(&answers[1]);
    assert!(matches!(&answers[2], PushAnswer::Superseded(_)));
    let changes = all(&world.a, FeedCursor::default(), 9).await.0;
    longer.extras = extras(false, Some(MessageEvidence::default()));
    assert!(
        changes.contains(&Change::Upsert(Row::Message(Box::new(longer)))),
        "{changes:?}"
    );
}

#[tokio::test]
async fn extras_join_a_message_that_the_web_app_wrote_and_outlive_its_saving_anew() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let save = r#"delete from "ai-app-template_message" where chat_id = 'c';
        insert into "ai-app-template_message" (id, chat_id, role, content) values ('m', 'c', 'assistant', 'x')"#;
    pushed(&world.a, vec![chat("c", "x", 1)]).await;
    run(&mut world.web, save).await;
    let mut row = message("m", "c", "x");
    row.extras = extras(false, Some(MessageEvidence::default()));
    applied(&pushed(&world.a, vec![sent(row.clone())]).await[0]);
    assert_eq!(pushed(&world.a, vec![sent(row.clone())]).await, [PushAnswer::Duplicate]);
    let cursor = all(&world.a, FeedCursor::default(), 9).await.1;
    run(&mut world.web, save).await;
    let changes = all(&world.a, cursor, 9).await.0;
    assert!(
        matches!(&changes[..], [Change::Upsert(Row::Message(saved))] if saved.extras == row.extras),
        "{changes:?}"
    );
}

#[tokio::test]
async fn flags_and_settings_have_clocks_of_their_own() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let flags = |pinned, seconds| {
        let row = FlagsRow {
            chat_id: ChatId::from_stored("c"),
            pinned,
            archived: false,
            leaf: Some(MessageId::from_stored("later")),
            at: at(seconds),
            labels: None,
        };
        PushRow::Flags { row, seen_at: None }
    };
    let setting = |key: &str, value: serde_json::Value, seconds| {
        PushRow::Setting(SettingRow {
            key: key.into(),
            value,
            at: at(seconds),
        })
    };
    let answers = pushed(
        &world.a,
        vec![
            flags(true, 5),
            chat("c", "x", 1),
            flags(true, 5),
            flags(true, 5),
            flags(false, 5),
            flags(false, 6),
            setting("theme", json!("light"), 5),
            setting("theme", json!("dark"), 4),
            setting("language", json!("de"), 3),
            setting("default_model", json!(null), 3),
            setting("enable_search_by_default", json!(false), 3),
            setting("max_search_results", json!("many"), 3),
            setting("colour", json!("red"), 3),
        ],
    )
    .await;
    assert_eq!(answers[0], PushAnswer::Orphan);
    assert_eq!(applied(&answers[2]), at(5));
    assert_eq!(answers[3], PushAnswer::Duplicate);
    assert!(matches!(answers[4], PushAnswer::Superseded(_)));
    assert_eq!(applied(&answers[5]), at(6));
    assert_eq!(applied(&answers[6]), at(5));
    assert!(matches!(answers[7], PushAnswer::Superseded(_)));
    assert_eq!(
        applied(&answers[8]),
        at(3),
        "an older time, but nobody had chosen before"
    );
    assert!(matches!(answers[11], PushAnswer::Refused { .. }) && matches!(answers[12], PushAnswer::Refused { .. }));
    let cursor = all(&world.a, FeedCursor::default(), 50).await.1;
    // The web app moves one setting, and that one alone has changed.
    run(
        &mut world.web,
        r#"update "ai-app-template_user_settings" set language = 'fr', theme = theme"#,
    )
    .await;
    let changes = all(&world.a, cursor, 50).await.0;
    assert_eq!(names(&changes), [r#"setting language "fr""#]);
    assert!(matches!(&changes[0], Change::Upsert(Row::Setting(row)) if row.at > at(3)));
}

/// Flags with labels, of a chat `c`.
fn labelled(seconds: i64, collection: Option<&str>, tags: &[&str]) -> FlagsRow {
    FlagsRow {
        chat_id: ChatId::from_stored("c"),
        pinned: false,
        archived: false,
        leaf: None,
        at: at(seconds),
        labels: Some(Labels {
            collection: collection.map(Into::into),
            tags: tags.iter().map(|tag| (*tag).into()).collect(),
        }),
    }
}

#[tokio::test]
async fn labels_take_no_others_place_unseen_and_stay_when_a_push_knows_none() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster).await;
    let first = labelled(5, Some("Work"), &["a", "\"quoted\""]);
    let answers = pushed(
        &world.a,
        vec![
            chat("c", "x", 1),
            flags_of(first.clone(), None),
            flags_of(first.clone(), None),
            // Later, and made without having seen the one that is there.
            flags_of(labelled(9, None, &["b"]), None),
            flags_of(labelled(9, None, &["b"]), Some(at(4))),
            // Earlier by a slow clock, and made from the one that is there.
            flags_of(labelled(2, Some("Work"), &["a", "b"]), Some(at(5))),
        ],
    )
    .await;
    assert_eq!((applied(&answers[1]), &answers[2]), (at(5), &PushAnswer::Duplicate));
    for answer in &answers[3..5] {
        assert_eq!(*answer, PushAnswer::Superseded(Box::new(Row::Flags(first.clone()))));
    }
    let second = applied(&answers[5]);
    assert!(second > at(5) && second < at(6), "{second}");

    // As a program of before sends it: no such key at all.
    let mut older = labelled(20, None, &[]);
    older.labels = None;
    older.pinned = true;
    let row = flags_of(older.clone(), None);
    assert!(!serde_json::to_string(&row).unwrap().contains("labels"));
    assert_eq!(applied(&pushed(&world.a, vec![row]).await[0]), at(20));
    let changes = all(&world.a, FeedCursor::default(), 50).await.0;
    let kept = FlagsRow {
        labels: Some(Labels::new(Some("Work".into()), ["a".into(), "b".into()])),
        ..older
    };
    assert_eq!(changes.last(), Some(&Change::Upsert(Row::Flags(kept))));
    // None is a word too.
    pushed(&world.a, vec![flags_of(labelled(21, None, &[]), Some(at(20)))]).await;
    let changes = all(&world.a, FeedCursor::default(), 50).await.0;
    assert_eq!(
        changes.last(),
        Some(&Change::Upsert(Row::Flags(labelled(21, None, &[]))))
    );
}

#[tokio::test]
async fn labels_that_are_too_long_too_many_or_none_are_refused() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let long = "ä".repeat(81);
    let many: Vec<String> = (0..61).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let bad = [
        labelled(1, Some(&long), &[]),
        labelled(1, Some(""), &[]),
        labelled(1, None, &[&long]),
        labelled(1, None, &[""]),
        labelled(1, None, &many),
    ];
    let mut rows = vec![chat("c", "x", 1)];
    rows.extend(bad.map(|row| flags_of(row, None)));
    for answer in &pushed(&world.a, rows).await[1..] {
        assert!(matches!(answer, PushAnswer::Refused { .. }), "{answer:?}");
    }
    let most = labelled(1, Some(&long[2..]), &many[1..]);
    applied(&pushed(&world.a, vec![flags_of(most, None)]).await[0]);
    // What another program puts there and nobody can read keeps nothing else back.
    run(
        &mut world.web,
        r#"update deepsearch_sync.chat_flags set tags = '{"not": "a list"}'"#,
    )
    .await;
    let changes = all(&world.a, FeedCursor::default(), 50).await.0;
    assert!(
        matches!(&changes[1], Change::Upsert(Row::Flags(row)) if row.labels.is_none()),
        "{changes:?}"
    );
}

#[tokio::test]
async fn a_database_without_labels_is_synced_with_and_taken_there_and_back() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster).await;
    pushed(
        &world.a,
        vec![chat("c", "x", 1), flags_of(labelled(5, Some("Work"), &["a"]), None)],
    )
    .await;
    let before = world.a.pull(FeedCursor::default(), 9).await.unwrap();
    assert_eq!(before.server.protocol, (1, 2));
    assert!(before.server.has_labels());

    world.owner.rollback(6, true, |_| {}).await.unwrap();
    let page = world.a.pull(FeedCursor::default(), 9).await.unwrap();
    assert_eq!(page.server.protocol, (1, 1));
    assert!(!page.server.has_labels());
    let unlabelled = FlagsRow {
        labels: None,
        ..labelled(5, None, &[])
    };
    assert_eq!(page.changes.last(), Some(&Change::Upsert(Row::Flags(unlabelled))));
    let push = Push {
        epoch: page.server.epoch.clone(),
        seen: page.server.reached,
        protocol: page.server.spoken(),
        rows: vec![flags_of(labelled(6, Some("Home"), &["b"]), Some(at(5)))],
    };
    assert_eq!(applied(&world.a.push(&push).await.unwrap().answers[0]), at(6));

    world.owner.migrate(|_| {}).await.unwrap();
    let page = world.a.pull(FeedCursor::default(), 9).await.unwrap();
    assert_eq!(page.server.protocol, (1, 2));
    assert!(
        matches!(page.changes.last(), Some(Change::Upsert(Row::Flags(row))) if row.labels.is_none() && row.at == at(6)),
        "{:?}",
        page.changes
    );
}

#[tokio::test]
async fn what_is_recent_comes_in_pages_as_large_as_all_that_they_hold() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    // Short texts, of which each bears six megabytes.
    run(
        &mut world.web,
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('c', 'A', 'x');
        insert into "ai-app-template_message" (id, chat_id, role, content, metadata)
            select 'm' || n, 'c', 'user', 'x', json_build_object('model', repeat('long ', 1200000))
            from generate_series(1, 4) n;
        insert into "ai-app-template_message" (id, chat_id, role, content)
            select 'n' || n, 'c', 'assistant', 'x' from generate_series(1, 4) n;
        insert into deepsearch_sync.message_extras (message_id, user_id, body)
            select 'n' || n, 'A', json_build_object('follow_ups', json_build_array(repeat('long ', 1200000)))
            from generate_series(1, 4) n"#,
    )
    .await;
    let (mut mark, mut sizes) = (None, Vec::new());
    loop {
        let page = world.a.list_recent(at(-1), mark.as_ref(), 5000).await.unwrap();
        let is_message = |row: &&Row| matches!(row, Row::Message(_));
        sizes.push(page.rows.iter().filter(is_message).count());
        mark = page.next;
        if mark.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [0, 2, 2, 2, 2]);
}

#[tokio::test]
async fn what_is_recent_comes_newest_first_and_ends() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    run(
        &mut world.web,
        r#"insert into "ai-app-template_user_settings" (user_id, theme) values ('A', 'light');
        insert into "ai-app-template_chat" (id, user_id, title, updated_at)
            select 'c' || n, 'A', 'x', '2026-01-01'::timestamptz + n % 3 * interval '1 day' from generate_series(1, 7) n;
        insert into "ai-app-template_message" (id, chat_id, role, content, created_at)
            select 'm' || n, 'c1', 'user', 'x', '2026-01-01'::timestamptz + n / 2 * interval '1 day' from generate_series(1, 8) n"#,
    )
    .await;
    let flags = FlagsRow {
        chat_id: ChatId::from_stored("c5"),
        pinned: true,
        archived: false,
        leaf: None,
        at: at(1),
        labels: Some(Labels::new(None, ["Rust".into()])),
    };
    pushed(&world.a, vec![flags_of(flags.clone(), None)]).await;
    let since = "2026-01-03T00:00:00Z".parse().unwrap();
    let mut expected = None;
    for limit in [1, 2, 3, 100] {
        let (mut mark, mut rows) = (None, Vec::new());
        for _ in 0..50 {
            let page = world.a.list_recent(since, mark.as_ref(), limit).await.unwrap();
            rows.extend(page.rows.into_iter().map(Change::Upsert));
            mark = page.next;
            if mark.is_none() {
                break;
            }
        }
        assert_eq!(mark, None);
        assert!(rows.contains(&Change::Upsert(Row::Flags(flags.clone()))), "{rows:?}");
        let found = names(&rows);
        assert_eq!(*expected.get_or_insert_with(|| found.clone()), found, "{limit}");
    }
    assert_eq!(
        expected.unwrap().join(", "),
        "setting theme \"light\", chat c5 x, flags c5, chat c2 x, chat c7 x, chat c4 x, chat c1 x, chat c6 x, chat c3 x, \
        message m8 x, message m7 x, message m6 x, message m5 x, message m4 x"
    );
    let mut ids = Vec::new();
    loop {
        let page = world
            .a
            .list_ids(EntityKind::Message, ids.last().map(String::as_str), 3)
            .await
            .unwrap();
        ids.extend(page.ids);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(ids, (1..=8).map(|n| format!("m{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn pages_are_kept_once_a_person_and_only_as_what_they_are() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let hash = text(&mut world.web, "select encode(sha256('A page.'), 'hex')").await;
    let page = PageBody {
        content_hash: hash.clone(),
        text: "A page.".into(),
        html: Some("<p>A page.</p>".into()),
    };
    let hashes = [hash.clone(), "0".repeat(64)];
    assert_eq!(world.a.list_missing_pages(&hashes).await.unwrap(), hashes);
    world.a.put_page(&page).await.unwrap();
    world.a.put_page(&page).await.unwrap();
    assert_eq!(world.a.list_missing_pages(&hashes).await.unwrap(), ["0".repeat(64)]);
    assert_eq!(world.a.lookup_page(&hash).await.unwrap(), Some(page.clone()));
    assert_eq!(
        world.b.lookup_page(&hash).await.unwrap(),
        None,
        "what A has read is A's affair"
    );
    assert_eq!(world.b.list_missing_pages(&hashes).await.unwrap(), hashes);

    let other = PageBody {
        text: "Another page.".into(),
        ..page.clone()
    };
    assert!(matches!(
        world.a.put_page(&other).await,
        Err(RemoteError::Refused { .. })
    ));
    let large = PageBody {
        text: "x".repeat((2 << 20) + 1),
        ..page.clone()
    };
    assert!(matches!(
        world.a.put_page(&large).await,
        Err(RemoteError::Refused { .. })
    ));
    run(
        &mut world.web,
        "insert into deepsearch.setting values ('page_allowance', '20')",
    )
    .await;
    assert!(matches!(
        world.b.put_page(&page).await,
        Err(RemoteError::Refused { .. })
    ));
}

#[tokio::test]
async fn a_text_that_the_database_cannot_hold_is_refused_and_said_to_be() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster).await;
    let server = world.a.pull(FeedCursor::default(), 1).await.unwrap().server;
    let push = Push {
        epoch: server.epoch,
        seen: server.reached,
        protocol: PROTOCOL,
        rows: vec![chat("c", "x", 1), PushRow::Message(Box::new(message("m", "c", "a\0b")))],
    };
    let refused = world.a.push(&push).await;
    assert!(matches!(refused, Err(RemoteError::Refused { .. })), "{refused:?}");
    assert_eq!(pushed(&world.a, vec![chat("c", "x", 1)]).await.len(), 1);
    let text = "a\0b".to_owned();
    let page = PageBody {
        content_hash: deepsearch_core::page::content_hash(&text),
        text,
        html: None,
    };
    let refused = world.a.put_page(&page).await;
    assert!(matches!(refused, Err(RemoteError::Refused { .. })), "{refused:?}");
}

#[tokio::test]
async fn one_person_never_meets_anothers_rows() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster).await;
    let mut row = message("m", "c", "secret");
    row.extras = extras(false, None);
    pushed(&world.a, vec![chat("c", "secret", 1), sent(row.clone())]).await;
    assert_eq!(all(&world.b, FeedCursor::default(), 9).await.0, []);
    assert_eq!(world.b.count_changes(FeedCursor::default()).await.unwrap(), 0);
    let recent = world.b.list_recent(at(-1), None, 9).await.unwrap();
    assert_eq!(recent.rows, []);
    for kind in [EntityKind::Chat, EntityKind::Message] {
        assert_eq!(world.b.list_ids(kind, None, 9).await.unwrap().ids, Vec::<String>::new());
    }
    row.content = "forged".into();
    row.chat_id = ChatId::from_stored("b");
    let into_theirs = sent(message("new", "c", "forged"));
    let flags = FlagsRow {
        chat_id: ChatId::from_stored("c"),
        pinned: true,
        archived: true,
        leaf: None,
        at: at(9),
        labels: Some(Labels::new(Some("forged".into()), [])),
    };
    let answers = pushed(
        &world.b,
        vec![
            chat("c", "forged", 99),
            chat("b", "mine", 1),
            sent(row),
            into_theirs,
            flags_of(flags, None),
            PushRow::DeleteChat(ChatId::from_stored("c")),
        ],
    )
    .await;
    assert_eq!(answers[0], PushAnswer::IdConflict);
    assert_eq!(
        answers[2..],
        [
            PushAnswer::IdConflict,
            PushAnswer::Orphan,
            PushAnswer::Orphan,
            PushAnswer::Duplicate
        ]
    );
    let changes = all(&world.a, FeedCursor::default(), 9).await.0;
    assert_eq!(names(&changes), ["chat c secret", "message m secret"]);
}

#[tokio::test]
async fn another_server_another_protocol_and_an_ended_session_are_told_apart() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let server = world.a.pull(FeedCursor::default(), 1).await.unwrap().server;
    let push = |epoch: &str, protocol| Push {
        epoch: epoch.into(),
        seen: server.reached,
        protocol,
        rows: vec![chat("c", "x", 1)],
    };
    let error = world.a.push(&push("another", PROTOCOL)).await.unwrap_err();
    assert!(matches!(error, RemoteError::EpochChanged), "{error:?}");
    let ahead = Push {
        seen: server.reached + 1000,
        ..push(&server.epoch, PROTOCOL)
    };
    let error = world.a.push(&ahead).await.unwrap_err();
    assert!(matches!(error, RemoteError::EpochChanged), "{error:?}");
    run(
        &mut world.web,
        "update deepsearch_sync.meta set protocol_min = 2, protocol_max = 3",
    )
    .await;
    let error = world.a.push(&push(&server.epoch, 1)).await.unwrap_err();
    assert!(matches!(error, RemoteError::Protocol { min: 2, max: 3 }), "{error:?}");
    assert_eq!(
        text(&mut world.web, r#"select count(*)::text from "ai-app-template_chat""#).await,
        "0"
    );

    run(
        &mut world.web,
        r#"update "ai-app-template_session" set expires = now()"#,
    )
    .await;
    let error = world.a.pull(FeedCursor::default(), 1).await.unwrap_err();
    assert!(matches!(error, RemoteError::SignedOut), "{error:?}");
    assert!(world.owner.revoke_device(world.device.id).await.unwrap());
    let error = world.a.pull(FeedCursor::default(), 1).await.unwrap_err();
    assert!(
        matches!(error, RemoteError::SignedOut | RemoteError::Offline { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_offline_and_comes_back() {
    // What is acknowledged has to be in the log by then.
    let Some(mut cluster) = Cluster::start_with(&["synchronous_commit=on"]) else {
        return;
    };
    let world = world(&cluster).await;
    pushed(&world.a, vec![chat("c", "x", 1)]).await;
    cluster.server.kill().unwrap();
    let error = world.a.pull(FeedCursor::default(), 1).await.unwrap_err();
    assert!(
        matches!(error, RemoteError::Offline { .. } | RemoteError::TimedOut { .. }),
        "{error:?}"
    );
    cluster.server.start_again().unwrap();
    let page = world.a.pull(FeedCursor::default(), 9).await.unwrap();
    assert_eq!(names(&page.changes), ["chat c x"]);
}

#[tokio::test]
async fn only_old_deletions_are_forgotten_and_the_server_says_up_to_where() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let mut row = message("m", "c", "x");
    row.extras = extras(false, None);
    pushed(&world.a, vec![chat("c", "x", 1), sent(row), chat("d", "y", 1)]).await;
    run(&mut world.web, r#"delete from "ai-app-template_chat" where id = 'c'"#).await;
    let before = world.a.pull(FeedCursor::default(), 9).await.unwrap();
    let collect = "select deepsearch_sync.collect()::text";
    assert_eq!(text(&mut world.web, collect).await, "0");
    run(
        &mut world.web,
        "update deepsearch_sync.change set at = at - interval '181 days'",
    )
    .await;
    assert_eq!(text(&mut world.web, collect).await, "1");
    let after = world.a.pull(FeedCursor::default(), 9).await.unwrap();
    assert_eq!(names(&after.changes), ["chat d y"]);
    assert!(after.server.collected > before.server.collected && after.server.collected < after.next.xid);
    assert_eq!(
        text(
            &mut world.web,
            "select count(*)::text from deepsearch_sync.message_extras"
        )
        .await,
        "0"
    );
}

#[tokio::test]
async fn where_the_feed_was_made_anew_every_device_compares_once() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    pushed(&world.a, vec![chat("c", "x", 1), chat("d", "y", 1)]).await;
    let known = world.a.pull(FeedCursor::default(), 9).await.unwrap();
    assert!(known.server.collected < known.next.xid, "nothing is to be compared");
    world.owner.rollback(2, true, |_| {}).await.unwrap();
    run(&mut world.web, r#"delete from "ai-app-template_chat" where id = 'c'"#).await;
    world.owner.migrate(|_| {}).await.unwrap();
    // Nobody tells of the deletion any more, and the server says so.
    let page = world.a.pull(known.next, 9).await.unwrap();
    assert_eq!(names(&page.changes), ["chat d y"]);
    assert!(page.server.collected >= known.next.xid);
    assert!(page.server.collected < page.next.xid, "once");
}

/// Without a gateway nobody else does.
#[tokio::test]
async fn a_device_that_syncs_stays_signed_in() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    world.a.pull(FeedCursor::default(), 9).await.unwrap();
    let left =
        r#"select (expires > now() + interval '89 days')::text from "ai-app-template_session" where user_id = 'A'"#;
    assert_eq!(text(&mut world.web, left).await, "true");
    let seen = "select (last_seen_at > now() - interval '1 hour')::text from deepsearch.device where user_id = 'A'";
    assert_eq!(text(&mut world.web, seen).await, "true");

    // A server that takes no changes is read all the same.
    run(
        &mut world.web,
        r#"do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$"#,
    )
    .await;
    let later = sync(&world.device).await;
    assert!(later.pull(FeedCursor::default(), 9).await.is_ok());
}

#[tokio::test]
async fn a_user_who_is_deleted_leaves_nothing_in_the_feed() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let mut row = message("m", "c", "x");
    row.extras = extras(false, None);
    let setting = SettingRow {
        key: "theme".into(),
        value: json!("light"),
        at: at(1),
    };
    pushed(&world.a, vec![chat("c", "x", 1), sent(row), PushRow::Setting(setting)]).await;
    pushed(&world.b, vec![chat("d", "y", 1)]).await;
    run(
        &mut world.web,
        r#"delete from "ai-app-template_session" where user_id = 'A'; delete from "ai-app-template_user" where id = 'A'"#,
    )
    .await;
    let mut left = BTreeMap::new();
    for table in [
        "change",
        "chat_flags",
        "message_extras",
        "setting_clock",
        "page",
        "page_use",
    ] {
        let sql = format!("select count(*)::text from deepsearch_sync.{table} where user_id = 'A'");
        left.insert(table, text(&mut world.web, &sql).await);
    }
    assert!(left.values().all(|count| count == "0"), "{left:?}");
    assert_eq!(names(&all(&world.b, FeedCursor::default(), 9).await.0), ["chat d y"]);
}

#[tokio::test]
async fn how_far_the_server_has_come_rises_with_each_write_and_says_where_the_feed_is_held_up() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    let before = world.a.pull(FeedCursor::default(), 9).await.unwrap();
    assert_eq!(before.next.xid, before.server.reached, "nobody writes");
    let push = Push {
        epoch: before.server.epoch.clone(),
        seen: before.server.reached,
        protocol: PROTOCOL,
        rows: vec![chat("c", "x", 1)],
    };
    let pushed = world.a.push(&push).await.unwrap();
    assert!(pushed.reached > before.server.reached);
    let after = world.a.pull(before.next, 9).await.unwrap();
    assert!(after.server.reached >= pushed.reached);
    assert_eq!(names(&after.changes), ["chat c x"]);
    // A web app writes and does not end; what comes after it waits.
    run(
        &mut world.web,
        r#"begin; update "ai-app-template_user" set name = 'B' where id = 'B'"#,
    )
    .await;
    world
        .a
        .push(&Push {
            seen: 0,
            rows: vec![chat("d", "y", 1)],
            ..push
        })
        .await
        .unwrap();
    let held = world.a.pull(after.next, 9).await.unwrap();
    assert!(
        held.changes.is_empty() && held.next.xid < held.server.reached,
        "{held:?}"
    );
    run(&mut world.web, "commit").await;
    let free = world.a.pull(held.next, 9).await.unwrap();
    assert_eq!(names(&free.changes), ["chat d y"]);
    assert_eq!(free.next.xid, free.server.reached);
}

#[tokio::test]
async fn who_puts_the_server_back_gives_it_another_name() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster).await;
    let mut epochs = BTreeSet::new();
    for _ in 0..3 {
        let server = world.a.pull(FeedCursor::default(), 1).await.unwrap().server;
        let listed = world.a.list_ids(EntityKind::Chat, None, 1).await.unwrap().server;
        assert!(listed.reached >= server.reached);
        let (now, reached) = (server.now, server.reached);
        assert_eq!(server, ServerInfo { now, reached, ..listed });
        epochs.insert(server.epoch);
        world.owner.note_restored().await.unwrap();
    }
    assert_eq!(epochs.len(), 3, "{epochs:?}");
}

#[tokio::test]
async fn connections_that_are_forgotten_are_not_used_again() {
    let Some(cluster) = Cluster::start() else { return };
    let mut world = world(&cluster).await;
    // Each of a few is taken in turn.
    let pids = async |world: &mut World| {
        for _ in 0..4 {
            world.a.pull(FeedCursor::default(), 1).await.unwrap();
        }
        let sql = format!(
            "select string_agg(pid::text, ' ' order by pid) from pg_stat_activity where usename = '{}'",
            world.device.role
        );
        let pids = text(&mut world.web, &sql).await;
        pids.split(' ').map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let first = pids(&mut world).await;
    assert!(pids(&mut world).await.is_superset(&first));
    world.a.forget_connections();
    let second = pids(&mut world).await;
    assert!(second.is_disjoint(&first), "{second:?} after {first:?}");
    assert!(pids(&mut world).await.is_superset(&second));
}
