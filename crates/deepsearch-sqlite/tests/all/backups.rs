use chrono::TimeDelta;
use deepsearch_core::{Clock, ErrorCode};
use deepsearch_sqlite::{BackupKind, Replaced, Store, StoreOptions, list_backups};

use crate::support::{Home, answered, home};

fn options(home: &Home) -> StoreOptions {
    StoreOptions {
        clock: home.clock.clone(),
        ..StoreOptions::default()
    }
}

#[tokio::test]
async fn a_backup_holds_what_was_there_and_restoring_it_keeps_what_came_since() {
    let (home, store) = home().await;
    let old = answered(&store, "before", "a").await;
    let backup = store.create_backup().await.unwrap();
    let new = answered(&store, "after", "a").await;
    store.close().await;

    let (store, replaced) = Store::restore_backup(&home.path(), &backup.path, options(&home))
        .await
        .unwrap();
    assert!(store.lookup_message(&old.answer.id).await.unwrap().is_some());
    assert!(store.lookup_message(&new.answer.id).await.unwrap().is_none());
    store.close().await;

    let Replaced::BackedUp(present) = replaced else {
        panic!("the present state is backed up: {replaced:?}");
    };
    assert_eq!(present.kind, BackupKind::Restore);
    let (store, _) = Store::restore_backup(&home.path(), &present.path, options(&home))
        .await
        .unwrap();
    assert!(store.lookup_message(&new.answer.id).await.unwrap().is_some());
}

#[tokio::test]
async fn one_backup_a_day_is_made_and_a_week_of_them_kept() {
    let (home, store) = home().await;
    let by_hand = store.create_backup().await.unwrap();
    for _ in 0..10 {
        assert!(store.create_daily_backup().await.unwrap().is_some());
        home.clock.advance(TimeDelta::hours(13));
        assert_eq!(store.create_daily_backup().await.unwrap(), None);
        home.clock.advance(TimeDelta::hours(13));
    }
    let backups = store.list_backups().unwrap();
    assert_eq!(
        backups.iter().filter(|backup| backup.kind == BackupKind::Daily).count(),
        7
    );
    assert!(backups.is_sorted_by(|newer, older| newer.created_at > older.created_at));
    assert_eq!(backups.last(), Some(&by_hand));
    assert_eq!(by_hand.created_at, home.clock.now() - TimeDelta::hours(260));
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_nothing_changes() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let backup = store.create_backup().await.unwrap();
    store.close().await;
    let mut bytes = std::fs::read(&backup.path).unwrap();
    bytes[4096..20_480].fill(0x5a);
    std::fs::write(&backup.path, bytes).unwrap();
    let error = Store::check_backup(&backup.path).await.unwrap_err();
    assert!(error.to_string().starts_with("this backup is damaged"), "{error}");
    for bad in [backup.path, home.path().with_file_name("nothing.sqlite")] {
        assert!(Store::restore_backup(&home.path(), &bad, options(&home)).await.is_err());
    }
    let store = home.open().await;
    assert!(store.lookup_message(&turn.answer.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_in_use_is_not_replaced() {
    let (home, store) = home().await;
    let backup = store.create_backup().await.unwrap();
    Store::check_backup(&backup.path).await.unwrap();
    let error = Store::restore_backup(&home.path(), &backup.path, options(&home))
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::TimedOut);
    answered(&store, "still", "open").await;
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_put_aside_when_a_backup_replaces_it() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let backup = store.create_backup().await.unwrap();
    store.close().await;
    std::fs::write(home.path(), "not a database at all, for sixteen bytes and more").unwrap();
    let (store, replaced) = Store::restore_backup(&home.path(), &backup.path, options(&home))
        .await
        .unwrap();
    assert!(matches!(replaced, Replaced::SetAside(aside) if aside.exists()));
    assert!(store.lookup_message(&turn.answer.id).await.unwrap().is_some());
    assert_eq!(list_backups(&home.path()).unwrap().len(), 1);
}
