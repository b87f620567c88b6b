//! Rows that DeepSearch's repositories write, for the web app to read in each way it has.
//!
//! What is handed over as fact is what was meant, not what our own reading of it gives.

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{
    Account, Cache, Chat, ChatId, Clock, Message, MessageId, MessageMetadata, MessageState, Role, Source, SystemClock,
    TokenUsage, User, UserId, UserSettings,
};
use deepsearch_postgres::SharedDatabase;
use serde::Serialize;
use serde_json::json;

use crate::world::World;

#[derive(Serialize)]
struct Facts {
    users: Vec<UserFacts>,
    searches: Vec<SearchCache>,
}

#[derive(Serialize)]
struct UserFacts {
    user: User,
    accounts: Vec<Account>,
    settings: Option<UserSettings>,
    chats: Vec<ChatFacts>,
}

#[derive(Serialize)]
struct ChatFacts {
    #[serde(flatten)]
    chat: Chat,
    messages: Vec<Message>,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_app_reads_what_deepsearch_wrote() -> Result<()> {
    let Some(world) = World::start().await? else {
        return Ok(());
    };
    let ours = &world.ours;
    let now = SystemClock.now();
    let facts = Facts {
        users: vec![lin(ours, now).await?, kim(ours, now).await?],
        searches: searches(ours, now).await?,
    };
    world.web_app_tests_with("tests/reading.test.ts", &facts).await
}

/// A user with everything: two accounts, settings, more chats than a page, one of them long and one in Trash.
async fn lin(ours: &SharedDatabase, now: DateTime<Utc>) -> Result<UserFacts> {
    let user = User {
        name: Some("Lin 林 \u{1f5fc}".into()),
        email_verified: Some(now - TimeDelta::days(400)),
        image: Some("https://example.org/lin.png".into()),
        is_admin: true,
        ..newcomer("lin@example.org")
    };
    ours.add_user(&user).await?;
    let accounts = vec![
        Account {
            refresh_token: Some("refresh ".repeat(500)),
            expires_at: Some(i32::MAX),
            token_type: Some("bearer".into()),
            scope: Some("openid profile".into()),
            id_token: Some("header.body.signature".into()),
            ..account(&user.id, "team", "oidc")
        },
        account(&user.id, "github", "oauth"),
    ];
    for account in &accounts {
        ours.add_account(account).await?;
    }
    let settings = UserSettings {
        theme: "light".into(),
        language: "zh-Hans".into(),
        default_model: Some("some-model".into()),
        enable_search_by_default: false,
        max_search_results: 50,
        updated_at: None,
    };
    let settings = ours.update_user_settings(&user.id, &settings).await?;

    let mut chats = vec![add(ours, &user.id, long_chat(now - TimeDelta::days(30))).await?];
    for at in 0..51 {
        let asked = message(Role::User, &format!("Question {at}"), now - TimeDelta::minutes(at + 1));
        chats.push(add(ours, &user.id, chat(&format!("Chat {at}"), vec![asked])).await?);
    }
    let mut trashed = add(
        ours,
        &user.id,
        chat("In Trash", vec![message(Role::User, "A lighthouse, deleted", now)]),
    )
    .await?;
    trashed.chat = ours.delete_chat(&user.id, &trashed.chat.id).await?;
    anyhow::ensure!(trashed.chat.deleted_at.is_some());
    chats.push(trashed);
    Ok(UserFacts {
        user,
        accounts,
        settings: Some(settings),
        chats,
    })
}

/// A user with little: no account, no settings, no name; one chat that begins as the web app's do.
async fn kim(ours: &SharedDatabase, now: DateTime<Utc>) -> Result<UserFacts> {
    let user = newcomer("kim@example.org");
    ours.add_user(&user).await?;
    let greeting = message(Role::System, "Hello! How can I help you today?", now);
    let asked = message(Role::User, "Whose lighthouse is it?", now - TimeDelta::hours(1));
    let chats = vec![
        add(ours, &user.id, chat("New Chat", vec![greeting])).await?,
        add(ours, &user.id, chat("Another's lighthouse", vec![asked])).await?,
    ];
    Ok(UserFacts {
        user,
        accounts: Vec::new(),
        settings: None,
        chats,
    })
}

async fn searches(ours: &SharedDatabase, now: DateTime<Utc>) -> Result<Vec<SearchCache>> {
    ours.share_searches(true).await?;
    let cache = ours.search_cache();
    let entry = |query: &str, created: DateTime<Utc>, kept: TimeDelta| SearchCache {
        query: query.into(),
        results: json!({"zebra": 1, "apple": [{"title": "Ä", "link": "https://example.org", "none": null}]}),
        created_at: created,
        expires_at: created + kept,
    };
    let searches = vec![
        entry("why is the sky blue", now, TimeDelta::hours(1)),
        entry(
            "warum ist der Himmel blau?",
            now - TimeDelta::minutes(5),
            TimeDelta::days(1),
        ),
        entry("an old one", now - TimeDelta::days(3), TimeDelta::days(1)),
    ];
    for search in &searches {
        cache.add(search.clone()).await.context("keeping a search")?;
    }
    Ok(searches)
}

/// Writes a chat with its messages as one, the way the app does; its activity is that of its newest message.
async fn add(ours: &SharedDatabase, user: &UserId, mut facts: ChatFacts) -> Result<ChatFacts> {
    ours.add_chat_with_messages(user, &facts.chat, &facts.messages).await?;
    facts.chat.updated_at = facts.messages.last().context("a chat has messages")?.created_at;
    Ok(facts)
}

/// 130 turns a millisecond apart, with all that a message can hold.
fn long_chat(began: DateTime<Utc>) -> ChatFacts {
    let messages = (0..130).map(|at| {
        let role = if at % 2 == 0 { Role::User } else { Role::Assistant };
        let mut turn = message(
            role,
            &format!("Turn {at}: **bold** \u{1f4a1}\n\n`code` \"quoted\" \\ back"),
            began + TimeDelta::milliseconds(at),
        );
        match at {
            1 => {
                turn.content = "Two lighthouses stand there [1].".into();
                turn.sources = Some(sources());
                turn.metadata = Some(metadata());
            }
            3 => {
                turn.content = "The LIGHTHOUSE is 47 metres high.".into();
                turn.sources = Some(Vec::new());
                turn.metadata = Some(MessageMetadata::default());
            }
            // As long as a message may be: in UTF-16 units, of which each of these has two.
            5 => turn.content = "\u{1f4a1}".repeat(50_000),
            _ => {}
        }
        turn
    });
    chat("A long one", messages.collect())
}

fn sources() -> Vec<Source> {
    vec![
        Source {
            title: "Ä title with \"quotes\"".into(),
            url: "https://example.org/a?b=c#d".into(),
            snippet: String::new(),
            favicon: Some("https://example.org/favicon.ico".into()),
        },
        Source {
            title: "Another".into(),
            url: "https://example.org/b".into(),
            snippet: "what was said".into(),
            favicon: None,
        },
    ]
}

fn metadata() -> MessageMetadata {
    let mut other = serde_json::Map::new();
    other.insert("aMemberOfLater".into(), json!({"kept": [1, 2.5, null]}));
    MessageMetadata {
        search_query: Some("lighthouses".into()),
        crawled_urls: Some(vec!["https://example.org/a".into()]),
        model: Some("some-model".into()),
        tokens: Some(TokenUsage {
            prompt: 1000,
            completion: 200,
            total: 1200,
        }),
        processing_time: Some(1234.5),
        stale_search: None,
        other,
        ..MessageMetadata::default()
    }
}

fn chat(title: &str, mut messages: Vec<Message>) -> ChatFacts {
    let began = messages[0].created_at;
    let chat = Chat {
        id: ChatId::new(),
        title: title.into(),
        created_at: began,
        updated_at: began,
        deleted_at: None,
        pinned: false,
        archived: false,
        leaf: None,
    };
    for message in &mut messages {
        message.chat_id = chat.id.clone();
    }
    ChatFacts { chat, messages }
}

fn message(role: Role, content: &str, created_at: DateTime<Utc>) -> Message {
    Message {
        id: MessageId::new(),
        chat_id: ChatId::new(),
        parent: None,
        role,
        content: content.into(),
        sources: None,
        metadata: None,
        created_at,
        state: MessageState::Complete,
    }
}

fn newcomer(email: &str) -> User {
    User {
        id: UserId::new(),
        name: None,
        email: email.into(),
        email_verified: None,
        image: None,
        is_admin: false,
    }
}

fn account(user: &UserId, provider: &str, kind: &str) -> Account {
    Account {
        user_id: user.clone(),
        kind: kind.into(),
        provider: provider.into(),
        provider_account_id: "4711".into(),
        refresh_token: None,
        access_token: Some("access".into()),
        expires_at: None,
        token_type: None,
        scope: None,
        id_token: None,
        session_state: None,
    }
}
