//! The vault without a keychain: encrypted, private, of no use elsewhere; and nothing that was kept is lost.

use deepsearch_auth::{Place, Slot, Vault};

fn text(folder: &std::path::Path) -> String {
    std::fs::read_to_string(folder.join("secrets.toml")).unwrap_or_default()
}

#[tokio::test]
async fn a_secret_in_the_file_is_encrypted_private_and_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::new(folder.path());
    vault
        .update(Slot::Keys, "engines.brave.key", Some("canary"), false)
        .await
        .unwrap();
    vault
        .update(Slot::Session, "token", Some("canary-token"), false)
        .await
        .unwrap();
    assert!(!text(folder.path()).contains("canary"));
    let kept = Vault::new(folder.path()).read(Slot::Keys).await.unwrap();
    assert_eq!(kept.secrets["engines.brave.key"], "canary");
    assert_eq!(kept.place, Some(Place::File));
    assert_eq!(kept.secrets.len(), 1, "slots do not mix");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for name in ["secrets.toml", "secrets.lock"] {
            let mode = std::fs::metadata(folder.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}

#[tokio::test]
async fn an_empty_slot_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::new(folder.path());
    vault
        .update(Slot::Session, "token", Some("canary"), false)
        .await
        .unwrap();
    vault.update(Slot::Session, "token", None, false).await.unwrap();
    assert!(!text(folder.path()).contains("sealed"));
    assert_eq!(vault.read(Slot::Session).await.unwrap().place, None);
}

#[tokio::test]
async fn what_was_tampered_with_is_missing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::new(folder.path());
    vault
        .update(Slot::Session, "token", Some("canary"), false)
        .await
        .unwrap();
    // The session's text in the place of the keys'.
    let moved = text(folder.path()).replace("session", "keys");
    std::fs::write(folder.path().join("secrets.toml"), moved).unwrap();
    let kept = vault.read(Slot::Keys).await.unwrap();
    assert!(kept.secrets.is_empty());
    assert!(kept.missing.is_some());
}

#[tokio::test]
async fn what_a_person_wrote_by_hand_is_read_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secrets.toml"), "engines.brave.key = \"by hand\"\n").unwrap();
    let vault = Vault::new(folder.path());
    vault
        .update(Slot::Session, "token", Some("canary"), false)
        .await
        .unwrap();
    assert_eq!(
        vault.by_hand().unwrap()["engines"]["brave"]["key"].as_str(),
        Some("by hand")
    );
    vault.forget_by_hand().await.unwrap();
    assert!(!text(folder.path()).contains("by hand"));
    assert_eq!(vault.read(Slot::Session).await.unwrap().secrets["token"], "canary");
}

#[tokio::test]
async fn many_who_write_at_once_lose_nothing_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let writers = (0..16).map(|number| {
        // Each as a program of its own would: another handle, the same file.
        let vault = Vault::new(folder.path());
        tokio::spawn(async move {
            let name = format!("engines.{number}.key");
            vault.update(Slot::Keys, &name, Some("canary"), false).await.unwrap();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let kept = Vault::new(folder.path()).read(Slot::Keys).await.unwrap();
    assert_eq!(kept.secrets.len(), 16);
}

#[tokio::test]
async fn a_file_that_is_none_is_told_without_what_stands_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secrets.toml"), "key = canary\n").unwrap();
    let error = Vault::new(folder.path()).read(Slot::Keys).await.err().unwrap();
    let told = format!("{error} {error:?}");
    assert!(!told.contains("canary"), "{told}");
}
