//! What becomes of a server, or of a device's right to it: each a state and a sentence, none a wait without an end.
//!
//! Read-only servers, slow ones and other tables are in `error.rs`; wrong passwords and certificates in `database.rs`.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use deepsearch_core::{ErrorCode, Failure, UserId};
use deepsearch_postgres::{ChatList, DatabaseError, DeviceError, DeviceId, SchemaError, SharedDatabase, Table};
use secrecy::SecretString;
use sqlx::{Connection, Executor, PgConnection};

use crate::cluster::{Cluster, admission, connect, pass_by, run, text};
use crate::device::device;
use crate::support::{NOON, chat, home, message};

/// As long as anybody waits.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(ENDS_WITHIN, work).await.expect("it ends in time")
}

fn told(error: &DatabaseError, code: ErrorCode, words: &str) {
    let failure = Failure::from(error);
    assert_eq!(failure.code, code, "{error:?}");
    assert!(failure.message.contains(words), "{failure}");
    assert!(failure.hint.is_some(), "{failure}");
}

#[tokio::test]
async fn a_server_that_is_killed_is_out_of_reach_and_what_was_acknowledged_is_there_again() {
    let Some(mut cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    run(
        &mut owner,
        r#"insert into "ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
    )
    .await;
    let user = UserId::from_stored("A");
    let kept = chat("kept", NOON);
    database.add_chat(&user, &kept).await.unwrap();
    // The tests' server does not wait for the disk with each commit.
    run(&mut owner, "checkpoint").await;
    cluster.server.kill().unwrap();
    let lost = chat("lost", NOON);
    let mut last = None;
    for _ in 0..6 {
        last = Some(in_time(database.add_chat(&user, &lost)).await.unwrap_err());
    }
    told(&last.unwrap(), ErrorCode::Offline, "cannot be reached");
    let refused = in_time(SharedDatabase::connect(&url)).await.unwrap_err();
    assert_eq!(Failure::from(&refused).code, ErrorCode::Offline);
    cluster.server.start_again().unwrap();
    let found = in_time(database.list_chats(&user, ChatList::Active, None, 10))
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|chat| chat.title.as_str()).collect::<Vec<_>>(),
        ["kept"]
    );
}

#[tokio::test]
async fn a_server_without_a_connection_to_spare_says_so() {
    let settings = [
        "max_connections=8",
        "superuser_reserved_connections=0",
        "max_wal_senders=0",
    ];
    let Some(cluster) = Cluster::start_with(&settings) else {
        return;
    };
    let (url, database) = cluster.migrated().await;
    database.close().await;
    let mut held = Vec::new();
    while let Ok(connection) = PgConnection::connect(&url).await {
        held.push(connection);
    }
    let refused = in_time(SharedDatabase::connect(&url)).await.unwrap_err();
    let failure = Failure::from(&refused);
    assert_eq!(failure.code, ErrorCode::RateLimited, "{refused:?}");
    assert!(failure.message.contains("too many connections"), "{failure}");
    let later = SharedDatabase::connect_later(&url).unwrap();
    let error = in_time(later.find_user_by_email("a@example.com")).await.unwrap_err();
    assert!(Failure::from(&error).hint.is_some(), "{error:?}");
    held.clear();
    assert!(in_time(SharedDatabase::connect(&url)).await.is_ok());
}

#[tokio::test]
async fn a_server_that_takes_the_call_and_says_nothing_is_not_waited_for_for_ever() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://a:b@{}/c?sslmode=disable", silent.local_addr().unwrap());
    let began = Instant::now();
    let refused = in_time(SharedDatabase::connect(&url)).await.unwrap_err();
    assert_eq!(Failure::from(&refused).code, ErrorCode::TimedOut, "{refused:?}");
    assert!(began.elapsed() < ENDS_WITHIN);
}

/// A disk of its own. Only root may make one, or who becomes root without being asked for a password.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let made = as_root("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(folder.path())
            .output();
        let disk = made.is_ok_and(|made| made.status.success()).then_some(Self(folder))?;
        // Root's server runs as the system's user for it.
        let owner = if is_root() { "postgres:".to_owned() } else { me() };
        let owned = as_root("chown").arg(owner).arg(disk.path()).status();
        owned.is_ok_and(|owned| owned.success()).then_some(disk)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = as_root("umount").arg("-l").arg(self.path()).status();
    }
}

fn as_root(program: &str) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["--non-interactive", program]);
    command
}

fn is_root() -> bool {
    me() == "0"
}

fn me() -> String {
    let told = Command::new("id").arg("-u").output();
    told.map_or_else(
        |_| String::new(),
        |told| String::from_utf8_lossy(&told.stdout).trim().to_owned(),
    )
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_what_was_written_is_read() {
    let Some(disk) = SmallDisk::mount() else {
        pass_by("the right to mount a small disk");
        return;
    };
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    let place = format!("create tablespace small location '{}'", disk.path().display());
    run(&mut owner, &place).await;
    run(
        &mut owner,
        r#"alter table "ai-app-template_message" set tablespace small;
        alter table "ai-app-template_message" alter content set storage external;
        insert into "ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
    )
    .await;
    let user = UserId::from_stored("A");
    let chat = chat("a chat", NOON);
    database.add_chat(&user, &chat).await.unwrap();
    let mut written = 0;
    let full = loop {
        let said = message(&chat.id, &"x".repeat(100_000), NOON);
        match database.add_messages(&user, &chat.id, &[said]).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 200, "the disk is never full");
    };
    told(&full, ErrorCode::Storage, "disk of the shared database is full");
    let count = r#"select count(*)::text from "ai-app-template_message""#;
    assert_eq!(text(&mut owner, count).await, written.to_string());
    assert!(
        !database
            .list_messages(&user, &chat.id, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

/// As a web app's migration does, or somebody's forgotten transaction.
#[tokio::test]
async fn tables_that_somebody_holds_keep_nobody_who_looks_waiting_for_ever() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut holder = connect(&url).await;
    run(
        &mut holder,
        r#"begin; lock table "ai-app-template_session", "ai-app-template_chat", deepsearch.search_count in access exclusive mode"#,
    )
    .await;
    // Each has four connections.
    let other = SharedDatabase::connect(&url).await.unwrap();
    let began = Instant::now();
    let (tables, rows, sessions, statistics, cleaned, checked) = tokio::join!(
        database.list_tables(),
        database.list_rows(Table::Chat, None, 10),
        database.list_sessions(None, 10),
        database.search_statistics(7, 10),
        other.clean(),
        other.check(),
    );
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    for error in [tables.err(), rows.err(), sessions.err(), statistics.err()] {
        told(&error.unwrap(), ErrorCode::TimedOut, "busy");
    }
    let failure = Failure::from(&cleaned.unwrap_err());
    assert_eq!(
        (failure.code, failure.message.contains("busy")),
        (ErrorCode::TimedOut, true)
    );
    if let Err(error) = checked {
        assert_eq!(Failure::from(&error).code, ErrorCode::TimedOut, "{error:?}");
    }
}

/// What `deepsearch share init` and `deepsearch db share-searches` do.
#[tokio::test]
async fn tables_that_somebody_holds_keep_nobody_who_joins_waiting_for_ever() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut holder = connect(&url).await;
    run(
        &mut holder,
        r#"begin; lock table "ai-app-template_user", deepsearch.device, deepsearch.setting in access exclusive mode"#,
    )
    .await;
    // Each has four connections.
    let other = SharedDatabase::connect(&url).await.unwrap();
    let nobody = DeviceId::nil();
    let admission = admission(nobody, "A", "password", "token");
    let began = Instant::now();
    let (person, only, minted, found, revoked, shares, chosen) = tokio::join!(
        Box::pin(database.find_or_add_person(Some("a@example.com"), None)),
        Box::pin(database.find_or_add_person(None, None)),
        Box::pin(database.mint_device(&admission)),
        Box::pin(database.find_device_by_role("deepsearch_device_x")),
        Box::pin(other.revoke_device(nobody)),
        Box::pin(other.shares_searches()),
        Box::pin(other.share_searches(true)),
    );
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    for error in [person.err(), only.err(), minted.err(), found.err(), revoked.err()] {
        match error {
            Some(DeviceError::Database(error)) => told(&error, ErrorCode::TimedOut, "busy"),
            other => panic!("{other:?}"),
        }
    }
    for error in [shares.err(), chosen.err()] {
        told(&error.unwrap(), ErrorCode::TimedOut, "busy");
    }
}

/// A web app's tables, of which somebody reads one in a transaction that stays open.
async fn in_use(cluster: &Cluster) -> (String, PgConnection) {
    let url = cluster.empty().await;
    let mut holder = connect(&url).await;
    run(&mut holder, include_str!("../web_app/full.sql")).await;
    run(&mut holder, r#"begin; select from "ai-app-template_chat""#).await;
    (url, holder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_waits_for_a_table_lets_others_pass_and_goes_on_when_it_is_free() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, mut holder) = in_use(&cluster).await;
    let database = SharedDatabase::connect(&url).await.unwrap();
    let migrating = tokio::spawn(async move { database.migrate(|_| {}).await });
    let mut reader = connect(&url).await;
    let waits = "select count(*)::text from pg_locks where not granted and mode = 'AccessExclusiveLock'";
    while text(&mut reader, waits).await == "0" {
        assert!(!migrating.is_finished());
    }
    let began = Instant::now();
    run(&mut reader, r#"select from "ai-app-template_chat""#).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    run(&mut holder, "commit").await;
    migrating.await.unwrap().unwrap();
}

/// Who migrates too is waited for; who uses the tables may be a transaction that nobody remembers.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_migrations_way_is_told() {
    let Some(cluster) = Cluster::start() else { return };
    let (used, _holder) = in_use(&cluster).await;
    let (migrated, owner) = cluster.migrated().await;
    owner.rollback(9, true, |_| {}).await.unwrap();
    let mut other = connect(&migrated).await;
    run(&mut other, "begin; lock table deepsearch.migration in exclusive mode").await;
    let users = SharedDatabase::connect(&used).await.unwrap();
    let (used, locked) = tokio::join!(users.migrate(|_| {}), owner.migrate(|_| {}));
    let used = used.unwrap_err();
    let in_use = match &used {
        SchemaError::Stopped { source, .. } => &**source,
        error => error,
    };
    assert!(matches!(in_use, SchemaError::InUse { .. }), "{used:?}");
    let failure = Failure::from(in_use);
    assert_eq!(failure.code, ErrorCode::TimedOut);
    assert!(failure.message.contains("uses the tables"), "{failure}");
    assert!(matches!(locked, Err(SchemaError::Locked)), "{locked:?}");
}

#[tokio::test]
async fn an_ended_session_is_told_and_never_looks_like_having_nothing() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    home.chat(&user).await;
    let device = device(&home, &user).await;
    let list = || device.list_chats(&user, ChatList::Active, None, 10);
    assert_eq!(list().await.unwrap().len(), 1);
    let mut raw = home.raw().await;
    raw.execute(r#"update "ai-app-template_session" set expires = now()"#)
        .await
        .unwrap();
    told(
        &list().await.unwrap_err(),
        ErrorCode::Refused,
        "does not let this device",
    );
    assert_eq!(device.signed_in_user().await.unwrap(), None);
}

#[tokio::test]
async fn a_revoked_device_is_told_so_at_the_door_and_inside() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let inside = device(&home, &user).await;
    inside.lookup_user(&user).await.unwrap();
    let mut raw = home.raw().await;
    let url: String = sqlx::query_scalar("select 'postgres://' || role || '@' from deepsearch.device")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    let url = home.url.replace("postgres://postgres@", &url);
    raw.execute("select deepsearch.revoke_device(id) from deepsearch.device")
        .await
        .unwrap();
    let refused = SharedDatabase::connect_device(&url, SecretString::from("t".to_owned()))
        .await
        .unwrap_err();
    let failure = Failure::from(&refused);
    assert_eq!(failure.code, ErrorCode::KeyRefused, "{refused:?}");
    assert!(failure.message.contains("does not let this role in"), "{failure}");
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(in_time(inside.lookup_user(&user)).await.unwrap_err().code());
    }
    // Its connections end first, then no new one is made.
    assert!(
        codes
            .iter()
            .all(|code| [ErrorCode::Offline, ErrorCode::Refused].contains(code)),
        "{codes:?}"
    );
    assert_eq!(codes.last(), Some(&ErrorCode::Refused));
}

#[tokio::test]
async fn an_older_schema_says_what_makes_it_newer_and_what_it_has_goes_on() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    database.rollback(3, true, |_| {}).await.unwrap();
    run(
        &mut connect(&url).await,
        r#"insert into "ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
    )
    .await;
    let user = UserId::from_stored("A");
    let kept = chat("kept", NOON);
    database.add_chat(&user, &kept).await.unwrap();
    let error = database.search_messages(&user, "kept", 10).await.unwrap_err();
    told(&error, ErrorCode::Storage, "lacks a table or column");
    assert!(Failure::from(&error).hint.unwrap().contains("db migrate"));
    database.migrate(|_| {}).await.unwrap();
    assert_eq!(database.search_messages(&user, "kept", 10).await.unwrap(), []);
    assert_eq!(
        database.lookup_chat(&user, &kept.id).await.unwrap().unwrap().title,
        "kept"
    );
}
