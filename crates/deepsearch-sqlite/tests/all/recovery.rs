//! Damage: pages of the file are overwritten at random, as a failing disk would.

use std::path::Path;

use deepsearch_core::{ChatId, Message, MessageId, MessageState, Role};
use deepsearch_sqlite::{BulkChange, SavedQuery, Store};
use sqlx::ConnectOptions;

use crate::schema::finds;
use crate::support::{Home, answered, ask, follow_up, home, journal_pages, long_or, page};

const PAGE: usize = 4096;

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Overwrites some pages, all but the first, which names the tables.
fn damage(database: &Path, seed: u64, count: usize) {
    let mut bytes = std::fs::read(database).unwrap();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let pages = (bytes.len() / PAGE) as u64;
    let list_of_tables = list_of_tables(&bytes);
    for _ in 0..count {
        let mut page = 1 + xorshift(&mut state) % (pages - 1);
        // A file that does not say any more what is in it keeps nothing but its backup, whatever else is whole.
        while list_of_tables.contains(&page) {
            page = 1 + xorshift(&mut state) % (pages - 1);
        }
        let at = page as usize * PAGE;
        for chunk in bytes[at..at + PAGE].chunks_mut(8) {
            chunk.copy_from_slice(&xorshift(&mut state).to_le_bytes());
        }
    }
    std::fs::write(database, bytes).unwrap();
}

/// The pages, from 0, below the first one, where the list of tables begins: an interior page of a b-tree.
fn list_of_tables(bytes: &[u8]) -> Vec<u64> {
    const HEADER: usize = 100;
    let number = |at: usize, size: usize| {
        bytes[at..at + size]
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    assert_eq!(bytes[HEADER], 5, "the list is longer than a page");
    let cells = number(HEADER + 3, 2) as usize;
    let places = (0..cells).map(|cell| number(HEADER + 12 + 2 * cell, 2) as usize);
    let children = places.chain([HEADER + 8]).map(|place| number(place, 4) - 1);
    children.collect()
}

/// What a process leaves behind that was killed.
fn crash(database: &Path) {
    let name = format!("{}-owner-gone", database.file_name().unwrap().to_str().unwrap());
    std::fs::write(database.with_file_name(name), "").unwrap();
}

async fn fill(store: &Store, chats: usize, messages: usize, word: &str) -> Vec<MessageId> {
    let mut ids = Vec::new();
    for number in 0..chats {
        let turn = ask(store, &format!("{word} question {number}")).await;
        let sea = page(
            &format!("https://example.com/{word}/{number}"),
            &format!("{word} on the sea. ").repeat(40),
        );
        journal_pages(store, &turn.answer.id, &[sea]).await;
        store
            .finish_answer(&turn.answer.id, crate::support::complete("As the source says [1]."))
            .await
            .unwrap();
        let list: Vec<Message> = (0..messages)
            .map(|number| message(&turn.chat.id, word, number))
            .collect();
        store.add_messages(&turn.chat.id, &list).await.unwrap();
        ids.extend([turn.question.id, turn.answer.id]);
        ids.extend(list.into_iter().map(|message| message.id));
    }
    ids
}

fn message(chat_id: &ChatId, word: &str, number: usize) -> Message {
    Message {
        id: MessageId::new(),
        chat_id: chat_id.clone(),
        parent: None,
        role: Role::Assistant,
        content: format!("{word} number {number}, which goes on for a while, as answers of a few sentences do. ")
            .repeat(4),
        sources: None,
        metadata: None,
        created_at: chrono::DateTime::from_timestamp_millis(1_700_000_000_000).unwrap(),
        state: MessageState::Complete,
    }
}

async fn count_saved(home: &Home, ids: &[MessageId]) -> usize {
    let kept: Vec<String> = sqlx::query_scalar("select id from message")
        .fetch_all(&mut home.raw().await)
        .await
        .unwrap();
    let kept: std::collections::HashSet<String> = kept.into_iter().collect();
    ids.iter().filter(|id| kept.contains(id.as_str())).count()
}

async fn is_sound(home: &Home) {
    let mut raw = home.raw().await;
    let check: Vec<String> = sqlx::query_scalar("pragma integrity_check")
        .fetch_all(&mut raw)
        .await
        .unwrap();
    assert_eq!(check, ["ok"]);
    let orphans: Vec<(String,)> = sqlx::query_as("select \"table\" from pragma_foreign_key_check")
        .fetch_all(&mut raw)
        .await
        .unwrap();
    assert_eq!(orphans, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_damaged_store_nearly_every_row_is_saved() {
    let (home, store) = home().await;
    let mut ids = fill(&store, 40, 40, "early").await;
    store.create_backup().await.unwrap();
    ids.extend(fill(&store, 10, 40, "late").await);
    store.close().await;
    let whole = std::fs::read(home.path()).unwrap();

    let copies = long_or(10, 200);
    let mut worst = ids.len();
    let mut damaged = 0;
    for seed in 1..=copies {
        for with_backup in [true, false] {
            let copy = Home::new();
            std::fs::write(copy.path(), &whole).unwrap();
            damage(&copy.path(), seed, 8);
            crash(&copy.path());
            if with_backup {
                let backups = copy.path().with_file_name("backups");
                std::fs::create_dir(&backups).unwrap();
                for backup in deepsearch_sqlite::list_backups(&home.path()).unwrap() {
                    std::fs::copy(&backup.path, backups.join(backup.path.file_name().unwrap())).unwrap();
                }
            }
            let store = copy.open().await;
            let saved = count_saved(&copy, &ids).await;
            let Some(recovery) = store.recovery() else {
                // Eight pages that hold nothing: free ones, or parts of the index that the check does not read.
                assert_eq!(saved, ids.len(), "seed {seed}");
                continue;
            };
            damaged += 1;
            assert!(recovery.damaged.exists(), "the damaged file is never deleted");
            assert_eq!(recovery.restored.is_some(), with_backup);
            assert!(
                saved * 100 >= ids.len() * 95,
                "seed {seed}: {saved} of {}, {recovery:?}",
                ids.len()
            );
            worst = worst.min(saved);
            assert!(finds(&store, "early").await > 0);
            assert!(finds(&store, "late").await > 0);
            answered(&store, "life", "goes on").await;
            store.close().await;
            is_sound(&copy).await;
        }
    }
    assert!(damaged >= copies, "the damage is seen: {damaged} of {}", 2 * copies);
    crate::support::report(&format!(
        "{damaged} damaged stores; the worst kept {worst} of {} rows",
        ids.len()
    ));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_put_aside_and_the_backup_takes_its_place() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let backup = store.create_backup().await.unwrap();
    store.close().await;
    std::fs::write(home.path(), "x".repeat(9_000)).unwrap();
    let store = home.open().await;
    let recovery = store.recovery().unwrap();
    assert_eq!(recovery.restored.as_ref(), Some(&backup));
    assert_eq!(std::fs::read_to_string(&recovery.damaged).unwrap(), "x".repeat(9_000));
    assert!(store.lookup_message(&turn.answer.id).await.unwrap().is_some());
    drop(store);
    assert!(home.open().await.recovery().is_none(), "once is enough");
}

#[tokio::test]
async fn chats_deleted_after_the_backup_do_not_come_back() {
    let (home, store) = home().await;
    let kept = answered(&store, "kept", "a").await;
    let deleted = answered(&store, "deleted", "a").await;
    store.create_backup().await.unwrap();
    store.delete_chat_forever(&deleted.chat.id).await.unwrap();
    store.rename_chat(&kept.chat.id, "Renamed since").await.unwrap();
    let late = follow_up(&store, &kept, "later", "as well").await;
    store.close().await;
    std::fs::write(home.path().with_file_name("deepsearch.sqlite-damaged"), "").unwrap();

    let store = home.open().await;
    assert!(store.recovery().is_some());
    assert_eq!(store.lookup_chat(&deleted.chat.id).await.unwrap(), None);
    assert_eq!(
        store.lookup_chat(&kept.chat.id).await.unwrap().unwrap().title,
        "Renamed since"
    );
    assert_eq!(store.lookup_message(&late.answer.id).await.unwrap(), Some(late.answer));
    assert_eq!(finds(&store, "deleted").await, 0);
    store.close().await;
    is_sound(&home).await;
}

#[tokio::test]
async fn messages_whose_chat_is_lost_are_kept_in_another() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "quokka").await;
    store.close().await;
    let mut raw = home.raw().await;
    sqlx::query("pragma foreign_keys = off")
        .execute(&mut raw)
        .await
        .unwrap();
    sqlx::query("delete from chat").execute(&mut raw).await.unwrap();
    drop(raw);
    std::fs::write(home.path().with_file_name("deepsearch.sqlite-damaged"), "").unwrap();
    let store = home.open().await;
    assert_eq!(store.recovery().unwrap().salvaged.untitled_chats, 1);
    assert_eq!(
        store.lookup_chat(&turn.chat.id).await.unwrap().unwrap().title,
        "Recovered chat"
    );
    assert_eq!(finds(&store, "quokka").await, 1);
}

#[tokio::test]
async fn damage_that_a_check_finds_is_mended_at_the_next_opening() {
    let (home, store) = home().await;
    fill(&store, 5, 40, "early").await;
    assert_eq!(store.check_integrity().await.unwrap(), [""; 0]);
    store.close().await;
    // The root of a table's only index of its kind is surely in use.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(home.path());
    let root: i64 = sqlx::query_scalar("select rootpage from sqlite_schema where name = 'message_branch_idx'")
        .fetch_one(&mut options.connect().await.unwrap())
        .await
        .unwrap();
    let mut bytes = std::fs::read(home.path()).unwrap();
    let at = (root as usize - 1) * PAGE;
    bytes[at..at + PAGE].fill(0);
    std::fs::write(home.path(), bytes).unwrap();

    let store = home.open().await;
    assert!(store.recovery().is_none(), "after a clean exit nothing is checked");
    assert!(!store.check_integrity().await.unwrap().is_empty());
    store.close().await;
    let store = home.open().await;
    assert_eq!(store.recovery().unwrap().salvaged.lost, 0);
    assert_eq!(store.check_integrity().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn how_chats_are_sorted_is_saved_with_them() {
    let (home, store) = home().await;
    let (early, gone) = (
        answered(&store, "early", "a").await,
        answered(&store, "gone", "a").await,
    );
    let tag = |name: &str| BulkChange::Tag {
        name: name.into(),
        on: true,
    };
    store
        .change_chats(&[early.chat.id.clone(), gone.chat.id.clone()], &tag("Old"))
        .await
        .unwrap();
    store.create_backup().await.unwrap();
    let red = store.add_collection("Red").await.unwrap();
    let to_red = BulkChange::Move {
        collection: Some(red.id),
    };
    store
        .change_chats(std::slice::from_ref(&early.chat.id), &to_red)
        .await
        .unwrap();
    store
        .change_chats(std::slice::from_ref(&early.chat.id), &tag("New"))
        .await
        .unwrap();
    let search = SavedQuery {
        text: "early".into(),
        ..SavedQuery::default()
    };
    store.save_search("Mine", &search).await.unwrap();
    store.delete_chat_forever(&gone.chat.id).await.unwrap();
    let ids = [early.chat.id.clone()];
    let before = (
        store.list_collections().await.unwrap(),
        store.list_tags().await.unwrap(),
        store.list_labels(&ids).await.unwrap(),
        store.list_saved_searches().await.unwrap(),
    );
    store.close().await;
    std::fs::write(home.path().with_file_name("deepsearch.sqlite-damaged"), "").unwrap();

    let store = home.open().await;
    assert!(store.recovery().is_some());
    let after = (
        store.list_collections().await.unwrap(),
        store.list_tags().await.unwrap(),
        store.list_labels(&ids).await.unwrap(),
        store.list_saved_searches().await.unwrap(),
    );
    assert_eq!(after, before);
    store.close().await;
    is_sound(&home).await;
}
