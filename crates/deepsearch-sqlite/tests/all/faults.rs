//! Faults from outside: a process that is killed, two that write at once, a disk without room.
//! Whatever the store acknowledged is there afterwards.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use deepsearch_core::{MessageId, MessageState};
use deepsearch_sqlite::{BackupKind, Store};

use crate::child::{Step, command, steps, text};
use crate::schema::{finds, make_older};
use crate::support::{Home, answered, home, long_or, report};

/// Holds the store against what was acknowledged.
async fn nothing_is_lost(store: &Store, said: &[Step]) {
    for step in said {
        match step {
            Step::Asked(id) => {
                let question = store.lookup_message(&MessageId::from_stored(id)).await.unwrap();
                assert!(question.is_some(), "the question {id} is lost");
            }
            Step::Journalled(id, length) => {
                let answer = store
                    .lookup_message(&MessageId::from_stored(id))
                    .await
                    .unwrap()
                    .unwrap();
                assert!(answer.content.starts_with(&text(*length)), "{id} has lost words");
                assert_ne!(answer.state, MessageState::Streaming, "nobody writes it any more");
            }
            Step::Finished(id) => {
                let answer = store
                    .lookup_message(&MessageId::from_stored(id))
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(answer.state, MessageState::Complete);
            }
            Step::BackedUp(path) => {
                assert!(store.list_backups().unwrap().iter().any(|backup| backup.path == *path));
            }
            Step::Opened | Step::Refused(_) | Step::Note(_) => {}
        }
    }
}

/// Runs the child, and kills it that long after its first word.
fn killed_after(task: &str, store: &Path, delay: Duration, after_opening: bool) -> Vec<Step> {
    let mut child = command(task, store).spawn().unwrap();
    let mut steps = steps(&mut child);
    let mut said = Vec::new();
    if after_opening {
        said.extend(steps.next());
    }
    let reader = std::thread::spawn(move || steps.collect::<Vec<_>>());
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    said.extend(reader.join().unwrap());
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_it_writes_loses_nothing_it_acknowledged() {
    let home = Home::new();
    let kills = long_or(20, 1_000);
    let mut said = Vec::new();
    for kill in 0..kills {
        // Spread over what a few turns and a backup take.
        let delay = Duration::from_micros(500 + kill * 7_919 % 120_000);
        said.extend(killed_after("write", &home.path(), delay, true));
        let store = home.open().await;
        assert!(store.recovery().is_none(), "a kill damages nothing");
        nothing_is_lost(&store, &said).await;
        if said.iter().any(|step| matches!(step, Step::Finished(_))) {
            assert!(finds(&store, "acknowledged").await > 0, "what is finished is found");
        }
        store.close().await;
    }
    let store = home.open().await;
    for backup in store.list_backups().unwrap().iter().take(3) {
        let copy = Home::new();
        let restored = Store::restore_backup(&copy.path(), &backup.path, Default::default()).await;
        assert!(restored.is_ok(), "a backup that is listed is whole");
    }
    assert!(said.len() > 100, "the child came to write: {} steps", said.len());
    report(&format!("{kills} kills, {} acknowledged steps, none lost", said.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_is_killed_runs_again() {
    let (old, store) = home().await;
    for number in 0..300 {
        answered(&store, &format!("question {number}"), &text(600)).await;
    }
    store.close().await;
    make_older(&old).await;
    let before = std::fs::read(old.path()).unwrap();
    let kills = long_or(8, 100);
    let mut unfinished = 0;
    for kill in 0..kills {
        let home = Home::new();
        std::fs::write(home.path(), &before).unwrap();
        let said = killed_after("open", &home.path(), Duration::from_millis(5 + kill * 13 % 150), false);
        unfinished += u64::from(said.is_empty());
        let store = home.open().await;
        let all: i64 = sqlx::query_scalar("select count(*) from message")
            .fetch_one(&mut home.raw().await)
            .await
            .unwrap();
        assert_eq!(all, 600);
        let pending: i64 = sqlx::query_scalar("select count(*) from history_pending")
            .fetch_one(&mut home.raw().await)
            .await
            .unwrap();
        assert_eq!(pending, 0);
        assert_eq!(finds(&store, "\"question 299\"").await, 1);
        let backups = store.list_backups().unwrap();
        assert!(backups.iter().any(|backup| backup.kind == BackupKind::Migration));
    }
    assert!(unfinished > 0, "some were killed before they had opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_write_at_once_lose_nothing() {
    let (home, store) = home().await;
    let children = [0, 1].map(|_| command("write-40", &home.path()).spawn().unwrap());
    let mut said = Vec::new();
    for mut child in children {
        said.extend(steps(&mut child));
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(said.iter().filter(|step| matches!(step, Step::Finished(_))).count(), 80);
    nothing_is_lost(&store, &said).await;
    assert_eq!(store.check_integrity().await.unwrap(), [""; 0]);
}

/// A file system of 24 MB, which a user without any rights can have in a namespace of their own.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_the_answer_being_written_is_still_kept() {
    let home = Home::new();
    let folder = home.path().with_file_name("small-disk");
    let kept = home.path().with_file_name("kept");
    std::fs::create_dir(&folder).unwrap();
    let child = command("fill", &folder.join("deepsearch.sqlite"));
    let mut shell = Command::new("unshare");
    shell
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg(
            "mount -t tmpfs -o size=24m tmpfs \"$0\" && mkdir \"$1\" && shift && \"$@\";
             rm -f \"$KEEP_FROM/something-else\"; cp -a \"$KEEP_FROM/.\" \"$KEEP_TO\"",
        )
        .arg(&folder)
        .arg(&kept)
        .arg(child.get_program())
        .args(child.get_args())
        .envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("KEEP_FROM", &folder)
        .env("KEEP_TO", &kept)
        .stdout(Stdio::piped());
    let output = shell.output();
    let Some(output) = output.ok().filter(|_| kept.exists()) else {
        // The next test needs no rights at all, and always runs.
        report("no namespace for a small disk here: the ballast was not tried");
        return;
    };
    let said: Vec<Step> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(Step::parse)
        .collect();
    assert!(
        said.contains(&Step::Note("the ballast is given".into())),
        "{:?}",
        said.last()
    );
    assert!(
        said.iter().any(|step| matches!(step, Step::Finished(_))),
        "the answer is kept: {:?}",
        said.last()
    );
    let refused = said.iter().find_map(|step| match step {
        Step::Refused(words) => Some(words.as_str()),
        _ => None,
    });
    assert!(
        refused.is_some_and(|words| words.starts_with("Storage: the disk is full")),
        "{refused:?}"
    );

    let copied = Home::new();
    for entry in std::fs::read_dir(&kept).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), copied.path().with_file_name(entry.file_name())).unwrap();
        }
    }
    let store = copied.open().await;
    assert!(store.recovery().is_none());
    nothing_is_lost(&store, &said).await;
    answered(&store, "with room again", "it goes on").await;
}

/// No file may grow past a limit, as with a quota.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_the_system_refuses_is_told_and_nothing_before_it_is_lost() {
    let home = Home::new();
    let child = command("starve", &home.path());
    // In blocks of 512 bytes; the signal is ignored, so that the write fails instead.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 12000; exec \"$0\" \"$@\""])
        .arg(child.get_program())
        .args(child.get_args())
        .envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap();
    let said: Vec<Step> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(Step::parse)
        .collect();
    let refused = said.iter().find_map(|step| match step {
        Step::Refused(words) => Some(words.as_str()),
        _ => None,
    });
    assert!(
        refused.is_some_and(|words| words.starts_with("Storage: ")),
        "{:?}",
        said.last()
    );
    assert!(said.iter().filter(|step| matches!(step, Step::Asked(_))).count() > 20);
    let store = home.open().await;
    nothing_is_lost(&store, &said).await;
    answered(&store, "with room again", "it goes on").await;
}
