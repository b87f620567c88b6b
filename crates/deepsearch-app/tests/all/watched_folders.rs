//! Folders that are watched by an app that stays.

use std::time::{Duration, Instant};

use tempfile::tempdir;

use crate::app;

#[tokio::test]
async fn what_was_known_of_the_last_folder_is_forgotten_when_it_is_taken_from_the_settings() {
    const PATHS: &str = "folders.paths";
    let (home, folder) = (tempdir().unwrap(), tempdir().unwrap());
    std::fs::write(folder.path().join("a.md"), "The orchard has forty trees.").unwrap();
    let app = app(home.path(), &[]).await;
    let path = app.add_folder(folder.path()).await.unwrap().folders.remove(0).path;
    assert_eq!(app.scan_folders().await.unwrap().read, 1);
    app.watch_folders();
    // So that nothing is read again when it is one of the folders once more.
    app.pause_folders(true).await.unwrap();
    let started = Instant::now();
    loop {
        app.update_setting(PATHS, None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        app.update_setting(PATHS, Some(&path)).await.unwrap();
        if app.folders().await.unwrap().folders[0].files == 0 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it is known for ever");
    }
    app.close().await;
}
