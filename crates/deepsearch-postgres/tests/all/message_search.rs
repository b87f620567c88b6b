use deepsearch_core::{ChatId, UserId};
use deepsearch_postgres::{MESSAGE_HITS, MessageHit};

use crate::support::{Home, NOON, home, message};

async fn say(home: &Home, user: &UserId, chat: &ChatId, contents: &[&str]) {
    let messages: Vec<_> = contents.iter().map(|content| message(chat, content, NOON)).collect();
    home.database.add_messages(user, chat, &messages).await.unwrap();
}

async fn found(home: &Home, user: &UserId, typed: &str) -> Vec<MessageHit> {
    home.database.search_messages(user, typed, 10).await.unwrap()
}

fn marked(hit: &MessageHit) -> Vec<&str> {
    hit.highlights.iter().map(|span| span.slice(&hit.snippet)).collect()
}

#[tokio::test]
async fn what_says_more_of_the_words_comes_first_with_the_words_marked() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    say(
        &home,
        &user,
        &chat,
        &[
            "Solar panels are mentioned here once, among many other things of no concern to anybody who asks.",
            "Nothing of the kind.",
            "The **solar** panel:\nsolar panels turn sunlight into electricity. A solar panel lasts long.",
        ],
    )
    .await;
    let hits = found(&home, &user, "solar panels").await;
    assert_eq!(hits.len(), 2);
    assert!(hits[0].rank > hits[1].rank);
    assert!(
        hits[0].snippet.contains("panel: solar panels turn"),
        "on one line: {}",
        hits[0].snippet
    );
    assert_eq!(
        marked(&hits[0])[..4],
        ["solar", "panel", "solar", "panels"],
        "other forms too"
    );
    assert_eq!(hits[0].chat_title, "A chat");
}

#[tokio::test]
async fn phrases_and_exclusions_work_and_nothing_typed_is_an_error() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    say(
        &home,
        &user,
        &chat,
        &["black holes merge", "holes that are black", "black cats"],
    )
    .await;
    let count = |typed: &'static str| {
        let (home, user) = (&home, &user);
        async move { found(home, user, typed).await.len() }
    };
    assert_eq!(count("\"black holes\"").await, 1);
    assert_eq!(count("black -holes").await, 1);
    assert_eq!(count("cats or merging").await, 2);
    for odd in [
        "",
        "the",
        "& | ! ( ) : * <->",
        "\"",
        "'; drop table x --",
        "a\0b",
        "\\",
        "%",
        "🦀",
    ] {
        assert_eq!(count(odd).await, 0, "{odd:?}");
    }
    let long = "black ".repeat(100_000);
    assert_eq!(found(&home, &user, &long).await.len(), 3);
}

#[tokio::test]
async fn only_a_users_own_messages_outside_trash_are_found() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    let (kept, deleted, others) = (home.chat(&ada).await, home.chat(&ada).await, home.chat(&bob).await);
    for (user, chat) in [(&ada, &kept), (&ada, &deleted), (&bob, &others)] {
        say(&home, user, chat, &["a secret about quasars"]).await;
    }
    home.database.delete_chat(&ada, &deleted).await.unwrap();
    let hits = found(&home, &ada, "quasar").await;
    assert_eq!(hits.iter().map(|hit| &hit.chat_id).collect::<Vec<_>>(), [&kept]);
}

#[tokio::test]
async fn marks_that_a_message_holds_itself_mislead_nobody() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    say(
        &home,
        &user,
        &chat,
        &["\u{E001}\u{E000}\u{E000} zebra <b>x</b> \u{E000}"],
    )
    .await;
    let hits = found(&home, &user, "zebra").await;
    assert_eq!(marked(&hits[0]), ["zebra"]);
    assert!(
        !hits[0].snippet.contains(['\u{E000}', '\u{E001}']),
        "{:?}",
        hits[0].snippet
    );
}

#[tokio::test]
async fn a_search_brings_at_most_100_hits() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    let many: Vec<String> = (0..120).map(|n| format!("comet number {n}")).collect();
    say(
        &home,
        &user,
        &chat,
        &many.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    let hits = home.database.search_messages(&user, "comet", 1_000).await.unwrap();
    assert_eq!(hits.len(), MESSAGE_HITS as usize);
    let one = home.database.search_messages(&user, "comet 77", 1).await.unwrap();
    assert_eq!(one[0].snippet, "comet number 77");
}
