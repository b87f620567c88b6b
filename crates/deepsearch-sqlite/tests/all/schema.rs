use deepsearch_core::ErrorCode;
use deepsearch_sqlite::{BackupKind, HistoryQuery, OpeningStep, Store, StoreOptions};
use sqlx::{AssertSqlSafe, Connection};

use crate::support::{Home, answered, home};

/// Takes the store back to its first version, before there was an index of the history.
pub(crate) async fn make_older(home: &Home) {
    let mut raw = home.raw().await;
    for down in [
        include_str!("../../../../migrations/sqlite/0010_attached_files.down.sql"),
        include_str!("../../../../migrations/sqlite/0009_synced_labels.down.sql"),
        include_str!("../../../../migrations/sqlite/0008_pictures.down.sql"),
        include_str!("../../../../migrations/sqlite/0007_collections.down.sql"),
        include_str!("../../../../migrations/sqlite/0006_recheck.down.sql"),
        include_str!("../../../../migrations/sqlite/0005_research.down.sql"),
        include_str!("../../../../migrations/sqlite/0004_ledger.down.sql"),
        include_str!("../../../../migrations/sqlite/0003_sync.down.sql"),
        include_str!("../../../../migrations/sqlite/0002_history.down.sql"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(down)).execute(&mut raw).await.unwrap();
    }
    let query = sqlx::query("delete from _sqlx_migrations where version > 1");
    query.execute(&mut raw).await.unwrap();
    // Folds the log into the file, which tests copy.
    raw.close().await.unwrap();
}

pub(crate) async fn finds(store: &Store, text: &str) -> usize {
    let query = HistoryQuery {
        text: text.into(),
        limit: 10,
        ..HistoryQuery::default()
    };
    store.search_history(&query).await.unwrap().hits.len()
}

#[tokio::test]
async fn an_older_store_is_backed_up_and_brought_up_to_date() {
    let (home, store) = home().await;
    answered(&store, "Where do quokkas live?", "On Rottnest Island.").await;
    store.close().await;
    make_older(&home).await;

    let store = home.open().await;
    assert_eq!(finds(&store, "quokkas").await, 1);
    assert_eq!(finds(&store, "rottnest").await, 1);
    let backups = store.list_backups().unwrap();
    assert_eq!(
        backups.iter().map(|backup| backup.kind).collect::<Vec<_>>(),
        [BackupKind::Migration]
    );
    drop(store);
    assert_eq!(
        home.open().await.list_backups().unwrap().len(),
        1,
        "only a migration makes a backup"
    );
}

#[tokio::test]
async fn an_opening_tells_what_takes_its_time() {
    use OpeningStep::{BackingUp, Opening, Repairing, Upgrading, Waiting};
    let (home, store) = home().await;
    answered(&store, "q", "a").await;
    store.close().await;
    assert_eq!(opening_steps(&home).await, [Opening]);

    make_older(&home).await;
    assert_eq!(opening_steps(&home).await, [Opening, BackingUp, Upgrading]);

    std::fs::write(home.path(), "x".repeat(9_000)).unwrap();
    // Found so soon that nobody hears of the opening itself.
    assert_eq!(opening_steps(&home).await, [Repairing]);

    let lock = std::fs::File::options()
        .append(true)
        .read(true)
        .open(home.path().with_file_name("deepsearch.sqlite-opening"))
        .unwrap();
    lock.lock().unwrap();
    let free = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        drop(lock);
    };
    let (steps, ()) = tokio::join!(opening_steps(&home), free);
    assert_eq!(steps, [Waiting, Opening]);
}

/// Opens the store, closes it again, and gives what was told meanwhile.
async fn opening_steps(home: &Home) -> Vec<OpeningStep> {
    let options = StoreOptions {
        clock: home.clock.clone(),
        ..StoreOptions::default()
    };
    let mut told = options.opening.subscribe();
    let heard = tokio::spawn(async move {
        let mut steps = Vec::new();
        while told.changed().await.is_ok() {
            steps.push(*told.borrow_and_update());
        }
        steps
    });
    Store::open(home.path(), options).await.unwrap().close().await;
    heard.await.unwrap()
}

#[tokio::test]
async fn a_newer_store_is_only_read_and_a_backup_can_take_its_place() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let backup = store.create_backup().await.unwrap();
    store.close().await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (99990101, 'from the future', 1, x'00', 0)",
    )
    .execute(&mut home.raw().await)
    .await
    .unwrap();

    let store = home.open().await;
    assert!(store.is_read_only());
    assert_eq!(
        store.lookup_message(&turn.answer.id).await.unwrap(),
        Some(turn.answer.clone())
    );
    assert_eq!(finds(&store, "q").await, 1);
    let error = store.rename_chat(&turn.chat.id, "no").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ReadOnly);
    store.close().await;

    let (store, _) = Store::restore_backup(&home.path(), &backup.path, StoreOptions::default())
        .await
        .unwrap();
    assert!(!store.is_read_only());
    store.rename_chat(&turn.chat.id, "yes").await.unwrap();
}
