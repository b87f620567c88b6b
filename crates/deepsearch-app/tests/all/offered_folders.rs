//! What is told of a folder that was dropped on a window, before anything is done with it.

use std::path::Path;

use deepsearch_app::{App, FolderStanding};
use deepsearch_core::ErrorCode;
use tempfile::tempdir;

use crate::app;

async fn standing(app: &App, path: &Path) -> FolderStanding {
    app.offered_folder(path).await.unwrap().standing
}

#[tokio::test]
async fn a_folder_is_new_or_known_or_lies_in_one_that_is_or_around_some() {
    let (home, disk) = (tempdir().unwrap(), tempdir().unwrap());
    let app = app(home.path(), &[]).await;
    let disk = std::fs::canonicalize(disk.path()).unwrap();
    let (papers, old, notes) = (disk.join("papers"), disk.join("papers/old"), disk.join("notes"));
    for folder in [&old, &notes] {
        std::fs::create_dir_all(folder).unwrap();
    }
    assert_eq!(standing(&app, &papers).await, FolderStanding::New { contains: 0 });
    assert!(
        app.folders().await.unwrap().folders.is_empty(),
        "looking changes nothing"
    );

    app.add_folder(&papers).await.unwrap();
    assert_eq!(standing(&app, &papers).await, FolderStanding::Known);
    assert_eq!(
        standing(&app, &disk.join("notes/../papers")).await,
        FolderStanding::Known
    );
    let within = FolderStanding::Within {
        path: papers.to_str().unwrap().into(),
    };
    assert_eq!(standing(&app, &old).await, within);
    // One whose name only begins like that of another does not lie in it.
    let beside = disk.join("papers-of-others");
    std::fs::create_dir(&beside).unwrap();
    assert_eq!(standing(&app, &beside).await, FolderStanding::New { contains: 0 });

    app.add_folder(&notes).await.unwrap();
    assert_eq!(standing(&app, &disk).await, FolderStanding::New { contains: 2 });
    let offered = app.offered_folder(&notes).await.unwrap();
    assert_eq!(
        (offered.name.as_str(), offered.path.as_str()),
        ("notes", notes.to_str().unwrap())
    );
}

#[tokio::test]
async fn what_cannot_be_searched_says_why() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let file = home.path().join("file.txt");
    std::fs::write(&file, "text").unwrap();
    for path in [file, home.path().join("gone")] {
        let FolderStanding::Refused { failure } = standing(&app, &path).await else {
            panic!("{path:?} is offered");
        };
        assert_eq!(failure.code, ErrorCode::NotFound, "{failure:?}");
        assert!(failure.hint.is_some());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_the_folder_that_it_leads_to() {
    let (home, disk) = (tempdir().unwrap(), tempdir().unwrap());
    let app = app(home.path(), &[]).await;
    let (papers, link) = (disk.path().join("papers"), disk.path().join("link"));
    std::fs::create_dir(&papers).unwrap();
    std::os::unix::fs::symlink(&papers, &link).unwrap();
    app.add_folder(&papers).await.unwrap();
    let offered = app.offered_folder(&link).await.unwrap();
    assert_eq!(
        (offered.name.as_str(), offered.standing),
        ("papers", FolderStanding::Known)
    );
}
