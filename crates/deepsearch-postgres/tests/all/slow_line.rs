//! Sync over a line that does not carry one row within the deadline, and what is too large for the server on any line.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::page::content_hash;
use deepsearch_core::sync::{
    Change, EntityKind, FeedCursor, MESSAGE_LIMIT, MessageExtras, MessageRow, PROTOCOL, PageBody, Push, PushAnswer,
    PushRow, RecentMark, RemoteError, Row, SyncRemote,
};
use deepsearch_postgres::{SharedDatabase, SharedSync};
use deepsearch_servers::SlowLine;
use secrecy::SecretString;

use crate::cluster::{Cluster, Device, admit, connect, run, text};
use crate::sync::{at, chat, message, pushed, sync};

const BYTES_A_SECOND: u32 = 384 << 10;
const DEADLINE: Duration = Duration::from_millis(1_500);
/// Two seconds of the line.
const LONG: usize = 768 << 10;

/// A text whose characters are of every length, so that a piece may end within one.
fn long(mark: &str) -> String {
    let line = format!("{mark}: über Quokkas 🦘, ausführlich. ");
    line.repeat(LONG / line.len() + 1)
}

async fn behind(line: &SlowLine, device: &Device) -> SharedSync {
    let mut url = url::Url::parse(&device.url).unwrap();
    url.set_port(Some(line.port())).unwrap();
    let token = SecretString::from(device.token.clone());
    let database = SharedDatabase::connect_device(url.as_str(), token).await.unwrap();
    SharedSync::new(database).with_deadline(DEADLINE)
}

struct World {
    fast: SharedSync,
    slow: SharedSync,
    device: Device,
    url: String,
    _line: SlowLine,
}

async fn world(cluster: &Cluster, bytes_a_second: u32) -> World {
    let (url, owner) = cluster.migrated().await;
    run(
        &mut connect(&url).await,
        r#"insert into "ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
    )
    .await;
    let device = admit(&owner, &url, "A").await;
    let line = SlowLine::before(cluster.server.port(), bytes_a_second).unwrap();
    World {
        fast: sync(&device).await,
        slow: behind(&line, &device).await,
        device,
        url,
        _line: line,
    }
}

fn content(row: &Row) -> &str {
    match row {
        Row::Message(row) => &row.content,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_row_that_does_not_go_in_time_alone_goes_in_pieces_and_so_does_its_answer() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster, BYTES_A_SECOND).await;
    let server = world.fast.pull(FeedCursor::default(), 1).await.unwrap().server;
    let push_of = |text: &str| Push {
        epoch: server.epoch.clone(),
        seen: server.reached,
        protocol: PROTOCOL,
        rows: vec![chat("c", "t", 1), PushRow::Message(Box::new(message("m", "c", text)))],
    };
    let (first, second) = (long("first"), long("second"));
    let went = world.slow.push(&push_of(&first)).await.unwrap();
    assert!(
        matches!(
            went.answers[..],
            [PushAnswer::Applied { .. }, PushAnswer::Applied { .. }]
        ),
        "{:?}",
        went.answers
    );
    let seen = world.fast.pull(FeedCursor::default(), 10).await.unwrap();
    assert!(seen.server.reached >= went.reached && went.reached > server.reached);
    let Change::Upsert(row) = &seen.changes[1] else {
        panic!("{:?}", seen.changes)
    };
    assert!(content(row) == first, "it is not what was sent");

    let lost = world.slow.push(&push_of(&second)).await.unwrap();
    let [PushAnswer::Duplicate, PushAnswer::Superseded(winner)] = &lost.answers[..] else {
        panic!("{:?}", lost.answers)
    };
    assert!(content(winner) == first, "it is not what won");

    // A push to a server that has another name, or stands before what was seen of it, writes nothing in pieces either.
    let mut other = push_of(&second);
    other.seen = u64::MAX;
    let refused = world.slow.push(&other).await;
    assert!(matches!(refused, Err(RemoteError::EpochChanged)), "{refused:?}");
}

#[tokio::test]
async fn a_row_that_does_not_come_in_time_alone_comes_in_pieces() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster, BYTES_A_SECOND).await;
    let (text, short) = (long("long"), "after it");
    let rows = vec![
        chat("c", "t", 1),
        PushRow::Message(Box::new(message("m1", "c", &text))),
        PushRow::Message(Box::new(message("m2", "c", short))),
    ];
    pushed(&world.fast, rows).await;
    let mut after = FeedCursor::default();
    let mut came = Vec::new();
    loop {
        let page = world.slow.pull(after, 1).await.unwrap();
        came.extend(page.changes);
        after = page.next;
        if !page.has_more {
            break;
        }
    }
    let at_once = world.fast.pull(FeedCursor::default(), 10).await.unwrap();
    assert!(
        came == at_once.changes && came.len() == 3,
        "in pieces it is another feed"
    );
    assert_eq!(after, at_once.next);

    // What a new device brings first.
    let since: DateTime<Utc> = at(0) - TimeDelta::days(1);
    let mut mark = Some(RecentMark {
        kind: EntityKind::Message,
        at: since,
        id: String::new(),
    });
    let mut recent = Vec::new();
    while let Some(after) = mark {
        let page = world.slow.list_recent(since, Some(&after), 1).await.unwrap();
        recent.extend(page.rows);
        mark = page.next;
    }
    let texts: Vec<&str> = recent.iter().map(content).collect();
    assert!(texts == [short, &text], "what is recent is not what was said");
}

#[tokio::test]
async fn a_saved_page_that_does_not_go_in_time_goes_and_comes_in_pieces() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster, BYTES_A_SECOND).await;
    let text = long("page");
    let page = PageBody {
        content_hash: content_hash(&text),
        html: Some(format!("<p>{text}</p>")),
        text,
    };
    world.slow.put_page(&page).await.unwrap();
    let kept = world.fast.lookup_page(&page.content_hash).await.unwrap();
    assert!(kept.as_ref() == Some(&page), "it is not what was sent");
    let came = world.slow.lookup_page(&page.content_hash).await.unwrap();
    assert!(came == kept, "it is not what is kept");

    // What the server does not keep is told in pieces as it is at once.
    let other = PageBody {
        content_hash: content_hash("another"),
        ..page
    };
    let refused = world.slow.put_page(&other).await;
    assert!(matches!(refused, Err(RemoteError::Refused { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_was_given_up_does_not_keep_the_line_busy() {
    let Some(cluster) = Cluster::start() else { return };
    // The row is half a minute of this line.
    let world = world(&cluster, 24 << 10).await;
    let rows = vec![
        chat("c", "t", 1),
        PushRow::Message(Box::new(message("m", "c", &long("long")))),
    ];
    pushed(&world.fast, rows).await;
    let given_up = world.slow.pull(FeedCursor::default(), 2).await;
    assert!(matches!(given_up, Err(RemoteError::TimedOut { .. })), "{given_up:?}");
    let busy = format!(
        "select count(*)::text from pg_stat_activity where usename = '{}' and state <> 'idle'",
        world.device.role
    );
    let mut owner = connect(&world.url).await;
    let began = Instant::now();
    while text(&mut owner, &busy).await != "0" {
        assert!(began.elapsed() < Duration::from_secs(10), "it is still on its way");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_too_large_for_the_server_is_refused_and_what_goes_with_it_is_kept() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(&cluster, BYTES_A_SECOND).await;
    let rows = vec![
        chat("c", "t", 1),
        PushRow::Message(Box::new(message("m1", "c", &"x".repeat(MESSAGE_LIMIT + 1)))),
        PushRow::Message(Box::new(message("m2", "c", &"x".repeat(MESSAGE_LIMIT)))),
        PushRow::Message(Box::new(MessageRow {
            extras: Some(MessageExtras {
                follow_ups: vec!["x".repeat(2 << 20)],
                ..MessageExtras::default()
            }),
            ..message("m3", "c", "with too much beside it")
        })),
        PushRow::Message(Box::new(message("m4", "c", "the last"))),
    ];
    let answers = pushed(&world.fast, rows).await;
    let was_refused = |answer: &PushAnswer| matches!(answer, PushAnswer::Refused { .. });
    let refused: Vec<bool> = answers.iter().map(was_refused).collect();
    assert_eq!(refused, [false, true, false, true, false], "{answers:?}");
}
