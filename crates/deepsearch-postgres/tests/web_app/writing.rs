//! Rows that the web app writes with drizzle-orm, as DeepSearch's repositories read them.

use anyhow::{Context, Result};
use chrono::{DateTime, SubsecRound, Utc};
use deepsearch_core::cache::SearchCache;
use deepsearch_core::{
    Cache, ChatId, Clock, Freshness, MessageId, MessageMetadata, Role, Source, SystemClock, TokenUsage, UserId,
    UserSettings,
};
use deepsearch_postgres::{ChatList, MessageCursor, SharedDatabase};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::World;

/// What `write_rows.ts` printed.
#[derive(Deserialize)]
struct Written {
    defaulted: Value,
    lin: Value,
    account: Value,
    session: Value,
    token: Value,
    chat: WrittenChat,
    messages: Vec<WrittenMessage>,
    odd: Value,
    searches: Vec<WrittenSearch>,
    settings: WrittenSettings,
}

/// Times are microseconds.
#[derive(Deserialize)]
struct WrittenChat {
    id: String,
    title: String,
    created_at: String,
    updated_at: String,
}

#[derive(Deserialize)]
struct WrittenMessage {
    id: String,
    role: String,
    content: String,
    sources: Value,
    metadata: Value,
    created_at: String,
}

#[derive(Deserialize)]
struct WrittenSearch {
    query: String,
    results: Value,
    created_at: String,
    expires_at: String,
}

#[derive(Deserialize)]
struct WrittenSettings {
    updated_at: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn deepsearch_reads_what_the_web_app_wrote() -> Result<()> {
    let Some(world) = World::start().await? else {
        return Ok(());
    };
    let printed = world.web_app_program("tests/write_rows.ts").await?;
    let written: Written = serde_json::from_str(&printed).context("reading what the web app wrote")?;
    let ours = &world.ours;
    users(ours, &written).await?;
    chats(ours, &written).await?;
    every_message_once(ours, &written).await?;
    sources_and_metadata(ours, &written).await?;
    json_text_is_kept(ours, &world, &written).await?;
    searches(ours, &written).await?;
    sign_in_rows(ours, &written).await
}

async fn users(ours: &SharedDatabase, written: &Written) -> Result<()> {
    let lin = ours
        .find_user_by_email("lin@EXAMPLE.org")
        .await?
        .context("Lin is found")?;
    assert_eq!(lin.id, lin_id());
    assert_eq!(json!(lin.name), written.lin["name"]);
    assert_eq!(json!(lin.email), written.lin["email"]);
    assert_eq!(json!(lin.image), written.lin["image"]);
    assert_eq!(
        (lin.email_verified, lin.is_admin),
        (None, true),
        "NULL is no verification"
    );
    let defaulted = ours
        .find_user_by_email("defaulted@example.org")
        .await?
        .context("found")?;
    assert_eq!(json!(defaulted.id), written.defaulted["id"]);
    assert_eq!(
        (&defaulted.name, &defaulted.image, defaulted.is_admin),
        (&None, &None, false)
    );
    let verified: DateTime<Utc> = serde_json::from_value(written.defaulted["emailVerified"].clone())?;
    assert_eq!(
        defaulted.email_verified.map(|at| at.trunc_subsecs(3)),
        Some(verified),
        "the column's default is now (R16), of which a Date has the milliseconds"
    );
    let settings = ours.lookup_user_settings(&lin_id()).await?;
    // NULL reads as the default (R24).
    let expected = UserSettings {
        enable_search_by_default: false,
        updated_at: Some(time(&written.settings.updated_at)?),
        ..UserSettings::default()
    };
    assert_eq!(settings, expected);
    Ok(())
}

async fn chats(ours: &SharedDatabase, written: &Written) -> Result<()> {
    let active = ours.list_chats(&lin_id(), ChatList::Active, None, 50).await?;
    let [chat] = active.as_slice() else {
        panic!("Lin has one active chat, not {active:?}");
    };
    assert_eq!(
        (chat.id.as_str(), chat.title.as_str()),
        (&*written.chat.id, &*written.chat.title)
    );
    assert_eq!(chat.created_at, time(&written.chat.created_at)?);
    assert_eq!(chat.updated_at, time(&written.chat.updated_at)?);
    let trash = ours.list_chats(&lin_id(), ChatList::Trash, None, 50).await?;
    let [chat] = trash.as_slice() else {
        panic!("Lin has one chat in Trash, not {trash:?}");
    };
    assert_eq!((chat.id.as_str(), chat.title.as_str()), ("an-old-id", "In Trash"));
    assert_eq!(chat.deleted_at, Some("2026-01-01T00:00:00.001Z".parse()?));
    Ok(())
}

/// 120 of them share one time to the microsecond, as do the chat and its greeting: a page may end anywhere (R11).
async fn every_message_once(ours: &SharedDatabase, written: &Written) -> Result<()> {
    let id = chat_id(written);
    let mut pages = Vec::new();
    let mut before: Option<MessageCursor> = None;
    loop {
        let page = ours.list_messages(&lin_id(), &id, before.as_ref(), 50).await?;
        let Some(first) = page.first() else { break };
        before = Some(MessageCursor::before(first));
        pages.push(page);
    }
    assert!(pages.len() > 2);
    let read: Vec<_> = pages.into_iter().rev().flatten().collect();
    let mut expected: Vec<_> = written.messages.iter().collect();
    expected.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
    assert_eq!(read.len(), expected.len());
    for (read, expected) in read.iter().zip(expected) {
        assert_eq!(read.id.as_str(), expected.id);
        assert_eq!(read.role.as_str(), expected.role);
        assert_eq!(read.content, expected.content);
        assert_eq!(read.created_at, time(&expected.created_at)?);
        // Of the odd one the numbers have another form in JavaScript.
        if json!(expected.id) != written.odd["id"] {
            assert_eq!(json!(read.sources), expected.sources);
            assert_eq!(json!(read.metadata), expected.metadata);
        }
    }
    let opened = ours.lookup_chat_with_messages(&lin_id(), &id).await?.context("found")?;
    assert_eq!(opened.messages, read[..100]);
    assert_eq!(opened.messages[0].role, Role::System);
    Ok(())
}

async fn sources_and_metadata(ours: &SharedDatabase, written: &Written) -> Result<()> {
    let answer = written.messages.iter().find(|message| message.content.contains("[1]"));
    let id = MessageId::from_stored(&answer.context("there is an answer")?.id);
    let answer = ours.lookup_message(&lin_id(), &id).await?.context("found")?;
    let source = |title: &str, url: &str, snippet: &str, favicon: Option<&str>| Source {
        title: title.into(),
        url: url.into(),
        snippet: snippet.into(),
        favicon: favicon.map(Into::into),
    };
    let sources = vec![
        source(
            "Ä title",
            "https://example.org/a",
            "",
            Some("https://example.org/favicon.ico"),
        ),
        source("Second", "https://example.org/b", "told", None),
    ];
    assert_eq!(answer.sources, Some(sources));
    let metadata = MessageMetadata {
        search_query: Some("why".into()),
        crawled_urls: Some(vec!["https://example.org/a".into()]),
        model: Some("some-model".into()),
        tokens: Some(TokenUsage {
            prompt: 1,
            completion: 2,
            total: 3,
        }),
        processing_time: Some(12.5),
        ..MessageMetadata::default()
    };
    assert_eq!(answer.metadata, Some(metadata));
    let hits = ours.search_messages(&lin_id(), "answers source", 10).await?;
    assert_eq!(hits.len(), 1, "the web app's words are found by ours");
    assert_eq!(hits[0].message_id, id);
    Ok(())
}

/// White space, the order of keys and the form of numbers stay as they were, also after DeepSearch wrote to the chat.
async fn json_text_is_kept(ours: &SharedDatabase, world: &World, written: &Written) -> Result<()> {
    let id = MessageId::from_stored(written.odd["id"].as_str().context("an id")?);
    let odd = ours.lookup_message(&lin_id(), &id).await?.context("found")?;
    assert_eq!(odd.sources, Some(Vec::new()));
    let metadata = odd.metadata.context("it has metadata")?;
    assert_eq!(metadata.model.as_deref(), Some("m"));
    assert_eq!(
        metadata.other["apple"],
        json!([100.0, true]),
        "unknown members are kept"
    );
    ours.rename_chat(&lin_id(), &chat_id(written), "Renamed by DeepSearch")
        .await?;
    let mut look = world.raw().await?;
    let text: String = sqlx::query_scalar(r#"select metadata::text from "ai-app-template_message" where id = $1"#)
        .bind(id.as_str())
        .fetch_one(&mut look)
        .await?;
    assert_eq!(json!(text), written.odd["metadata"]);
    Ok(())
}

async fn searches(ours: &SharedDatabase, written: &Written) -> Result<()> {
    ours.share_searches(true).await?;
    let now = SystemClock.now();
    let mut kinds = Vec::new();
    for written in &written.searches {
        let found = ours.search_cache().lookup(&written.query).await?;
        let expected = SearchCache {
            query: written.query.clone(),
            results: written.results.clone(),
            created_at: time(&written.created_at)?,
            expires_at: time(&written.expires_at)?,
        };
        assert_eq!(found.as_ref(), Some(&expected));
        kinds.push(expected.freshness(now));
    }
    assert_eq!(
        kinds,
        [Freshness::Fresh, Freshness::Stale],
        "one that ran out is the last resort"
    );
    Ok(())
}

async fn sign_in_rows(ours: &SharedDatabase, written: &Written) -> Result<()> {
    let accounts = ours.list_accounts(&lin_id()).await?;
    let [account] = accounts.as_slice() else {
        panic!("Lin has one account, not {accounts:?}");
    };
    let as_written = json!({
        "userId": account.user_id, "type": account.kind, "provider": account.provider,
        "providerAccountId": account.provider_account_id, "access_token": account.access_token,
        "refresh_token": account.refresh_token, "expires_at": account.expires_at, "token_type": account.token_type,
        "scope": account.scope, "id_token": account.id_token, "session_state": account.session_state,
    });
    assert_eq!(as_written, written.account);
    let token = written.session["sessionToken"].as_str().context("a token")?;
    let session = ours.lookup_session(token).await?.context("the session is found")?;
    assert_eq!(session.session.user_id, lin_id());
    assert_eq!(
        session.session.expires,
        "2099-01-02T03:04:05.678Z".parse::<DateTime<Utc>>()?
    );
    let (identifier, token) = (written.token["identifier"].as_str(), written.token["token"].as_str());
    let (identifier, token) = (identifier.context("an identifier")?, token.context("a token")?);
    let used = ours.use_verification_token(identifier, token).await?;
    assert_eq!(json!(used), written.token);
    assert_eq!(
        ours.use_verification_token(identifier, token).await?,
        None,
        "it works once"
    );
    Ok(())
}

fn lin_id() -> UserId {
    UserId::from_stored("clx0 not a uuid ü")
}

fn chat_id(written: &Written) -> ChatId {
    ChatId::from_stored(&written.chat.id)
}

fn time(micros: &str) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros.parse()?).context("a time")
}
