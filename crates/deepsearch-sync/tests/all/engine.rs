//! What one engine promises, case by case.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use deepsearch_core::page::content_hash;
use deepsearch_core::sync::{FeedCursor, MESSAGE_LIMIT, PROTOCOL};
use deepsearch_core::{
    ChatId, Citation, ErrorCode, MediaType, Message, MessageState, Page, PageId, SentenceCheck, Source, Span,
    SyncRemote as _, Verdict, text,
};
use deepsearch_sqlite::{ConflictKind, FinishedAnswer, NewTurn};
use deepsearch_sync::{SyncOptions, SyncState};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::device::{Device, START, advance, at, finished, folder, message, options};
use crate::link::Fault;
use crate::server::{Effect, Server};

pub(crate) struct Pair {
    pub(crate) server: Arc<Server>,
    pub(crate) time: Arc<AtomicI64>,
    pub(crate) a: Device,
    pub(crate) b: Device,
    folder: TempDir,
}

pub(crate) async fn pair() -> Pair {
    let folder = folder();
    let time = Arc::new(AtomicI64::new(START));
    let server = Arc::new(Server::new(at(START), None));
    Pair {
        a: Device::new("a", folder.path(), &server, &time, options(None)).await,
        b: Device::new("b", folder.path(), &server, &time, options(None)).await,
        server,
        time,
        folder,
    }
}

pub(crate) async fn sync(device: &mut Device) {
    device.sync(None).await.unwrap().unwrap();
}

fn state_of(device: &Device) -> SyncState {
    device.engine.watch().borrow().state.clone()
}

#[tokio::test]
async fn chats_from_before_the_sign_in_stay_until_they_are_handed_over() {
    let mut pair = pair().await;
    pair.a.new_chat().await;
    pair.a.new_chat().await;
    sync(&mut pair.a).await;
    pair.a.say(0).await;
    sync(&mut pair.a).await;
    assert!(pair.server.state.lock().unwrap().tables.chats.is_empty());
    let offers = pair.a.store.list_chat_offers(None, 10).await.unwrap();
    assert_eq!(offers.len(), 2);

    pair.a
        .store
        .accept_chat_offers(&[offers[0].chat_id.clone()])
        .await
        .unwrap();
    pair.a
        .store
        .decline_chat_offers(&[offers[1].chat_id.clone()])
        .await
        .unwrap();
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    let chats = pair.b.all_chats().await;
    assert_eq!(chats.len(), 1);
    assert_eq!(chats[0].id, offers[0].chat_id);
    assert_eq!(
        pair.b.store.list_messages(&chats[0].id, None, 10).await.unwrap().len(),
        2
    );
    let counts = pair.a.counts().await;
    assert_eq!((counts.outbox, counts.offers), (0, 0));
}

#[tokio::test]
async fn what_is_begun_while_nobody_is_signed_in_is_offered_to_whoever_comes_and_the_rest_is_sent() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    sync(&mut pair.a).await;
    // Unsent when the session ends, and added to while nobody is signed in: the account's own all the same.
    pair.a.new_chat().await;
    pair.a.store.leave_sync_account().await.unwrap();
    pair.a.say(1).await;
    pair.a.new_chat().await;
    let begun = pair.a.all_chats().await;
    let offers = pair.a.store.list_chat_offers(None, 10).await.unwrap();
    assert_eq!(offers.len(), 1, "{offers:?} of {begun:?}");

    sync(&mut pair.a).await;
    assert_eq!(pair.server.state.lock().unwrap().tables.chats.len(), 2);
    assert_eq!(pair.a.counts().await.outbox, 0);
    // Signed in again, what is begun is sent again.
    pair.a.new_chat().await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    assert_eq!(pair.b.all_chats().await.len(), 3);
    assert_eq!(pair.a.counts().await.offers, 1);
    pair.a
        .store
        .accept_chat_offers(&[offers[0].chat_id.clone()])
        .await
        .unwrap();
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    assert_eq!(pair.b.all_chats().await.len(), 4);
}

/// An answer of two sources, of which the second is cited.
async fn answer_with_evidence(device: &mut Device) -> deepsearch_sqlite::Turn {
    answer_resting_on(device, None, &[text_of_page(1), text_of_page(2)]).await
}

fn text_of_page(number: u32) -> String {
    format!("Page {number} begins. Quokkas live on island {number}.")
}

/// An answer, in this chat or in one of its own, that cites the second sentence of the second of its pages.
async fn answer_resting_on(device: &mut Device, chat: Option<ChatId>, texts: &[String]) -> deepsearch_sqlite::Turn {
    let page = |(place, text): (usize, &String)| {
        let (number, text) = (place + 1, text.clone());
        Page {
            id: PageId::new(),
            url: Url::parse(&format!("https://example.com/{number}")).unwrap(),
            title: format!("Page {number}"),
            author: None,
            site_name: None,
            published_at: None,
            favicon: None,
            picture: None,
            language: Some("en".into()),
            media_type: MediaType::Html,
            sentences: text::sentences(&text),
            html: Some(format!("<p>{text}</p>")),
            fetched_at: at(START),
            content_hash: content_hash(&text),
            text,
        }
    };
    let pages: Vec<Page> = texts.iter().enumerate().map(page).collect();
    let sources: Vec<Source> = pages
        .iter()
        .map(|page| Source {
            title: page.title.clone(),
            url: page.url.to_string(),
            snippet: String::new(),
            favicon: None,
        })
        .collect();
    let turn = NewTurn {
        chat,
        question: "Where do quokkas live?".into(),
        ..NewTurn::default()
    };
    let turn = device.store.begin_answer(turn).await.unwrap();
    device
        .store
        .journal_sources(&turn.answer.id, &sources, &pages)
        .await
        .unwrap();
    let content = "On an island [2].";
    let sentence = Span::new(0, content.len());
    let cited = pages[1].sentences[1];
    let end = FinishedAnswer {
        citations: vec![Citation {
            number: 2,
            marker: Span::new(13, 16),
            sentence,
            page_id: pages[1].id.clone(),
            page_span: cited,
            quote: pages[1].quote(cited).into(),
        }],
        checks: vec![SentenceCheck {
            sentence,
            verdict: Verdict::Supported,
            evidence: None,
        }],
        follow_ups: vec!["What do they eat?".into()],
        ..finished(content, MessageState::Complete)
    };
    device.store.finish_answer(&turn.answer.id, end).await.unwrap();
    turn
}

#[tokio::test]
async fn evidence_opens_on_the_other_device_down_to_the_cited_sentence() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    let turn = answer_with_evidence(&mut pair.a).await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    let there = pair.b.store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(there.sources.len(), 2);
    assert_eq!(there.pages.len(), 2);
    assert_eq!(there.follow_ups, ["What do they eat?"]);
    assert_eq!(there.checks[0].verdict, Verdict::Supported);
    let citation = &there.citations[0];
    let page = pair.b.store.lookup_page(&citation.page_id).await.unwrap().unwrap();
    assert_eq!(page.quote(citation.page_span), "Quokkas live on island 2.");
    assert_eq!(citation.quote, "Quokkas live on island 2.");
    assert_eq!(
        page.html.as_deref(),
        Some("<p>Page 2 begins. Quokkas live on island 2.</p>")
    );
    assert_eq!(pair.b.counts().await.pages, 0);
}

#[tokio::test]
async fn a_page_that_is_not_what_its_hash_says_is_not_taken() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    let turn = answer_with_evidence(&mut pair.a).await;
    sync(&mut pair.a).await;
    let mut genuine = Vec::new();
    for page in pair.server.state.lock().unwrap().tables.pages.values_mut() {
        genuine.push(page.clone());
        page.text = "Quokkas live wherever the server says.".into();
    }
    sync(&mut pair.b).await;
    let there = pair.b.store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
    assert!(there.pages.is_empty() && there.citations.is_empty());
    // Asked again later, it is taken once it is what it should be.
    for page in genuine {
        let pages = &mut pair.server.state.lock().unwrap().tables.pages;
        pages.insert(page.content_hash.clone(), page);
    }
    advance(&pair.server, &pair.time, TimeDelta::minutes(2));
    sync(&mut pair.b).await;
    let there = pair.b.store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!((there.pages.len(), there.citations.len()), (2, 1));
}

/// What a web app does that saves a chat by deleting and inserting all of it.
fn save_under_new_ids(server: &Server, chat: &ChatId) {
    let mut state = server.state.lock().unwrap();
    let mut effects = Vec::new();
    for (number, mut row) in state.messages_of(chat).into_iter().enumerate() {
        effects.push(Effect::RemoveMessage(row.id.clone()));
        row.id = deepsearch_core::MessageId::from_stored(format!("new-{number}"));
        effects.push(Effect::Message(row));
    }
    state.commit(effects);
}

#[tokio::test]
async fn a_chat_that_is_saved_under_new_ids_keeps_its_evidence() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    let turn = answer_with_evidence(&mut pair.a).await;
    sync(&mut pair.a).await;
    save_under_new_ids(&pair.server, &turn.chat.id);
    sync(&mut pair.a).await;
    advance(&pair.server, &pair.time, TimeDelta::seconds(15));
    sync(&mut pair.a).await;
    assert_eq!(
        pair.server.state.lock().unwrap().messages_of(&turn.chat.id).len(),
        2,
        "nothing is doubled"
    );
    let shown = pair.a.store.list_messages(&turn.chat.id, None, 10).await.unwrap();
    assert_eq!(shown.len(), 2);
    let evidence = pair.a.store.lookup_evidence(&shown[1].id).await.unwrap().unwrap();
    assert_eq!(evidence.citations.len(), 1);
    sync(&mut pair.b).await;
    let evidence = pair.b.store.lookup_evidence(&shown[1].id).await.unwrap().unwrap();
    assert_eq!(evidence.citations.len(), 1);
}

#[tokio::test]
async fn where_pages_do_not_travel_answers_come_and_go_without_and_keep_theirs_at_home() {
    let mut pair = pair().await;
    let folder = folder();
    let without = SyncOptions {
        pages: false,
        ..options(None)
    };
    let mut off = Device::new("off", folder.path(), &pair.server, &pair.time, without).await;
    sync(&mut pair.a).await;
    sync(&mut off).await;
    let theirs = answer_with_evidence(&mut pair.a).await;
    let own = answer_with_evidence(&mut off).await;
    sync(&mut pair.a).await;
    sync(&mut off).await;
    sync(&mut pair.a).await;
    let pages = async |device: &Device, turn: &deepsearch_sqlite::Turn| {
        let evidence = device.store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
        evidence.pages.len()
    };
    assert_eq!((pages(&off, &own).await, pages(&pair.a, &own).await), (2, 0));
    assert_eq!((pages(&pair.a, &theirs).await, pages(&off, &theirs).await), (2, 0));
    let calls = off.link.calls.lock().unwrap().clone();
    assert!(!calls.iter().any(|call| call.contains("page")), "{calls:?}");
    assert_eq!(off.counts().await.pages, 0);
    assert_eq!(off.view().await, pair.a.view().await);
}

#[tokio::test]
async fn what_the_server_deleted_and_has_anew_is_kept_hidden_for_thirty_days() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    let turn = answer_with_evidence(&mut pair.a).await;
    sync(&mut pair.a).await;
    save_under_new_ids(&pair.server, &turn.chat.id);
    for (wait, hidden) in [
        (TimeDelta::seconds(15), 2),
        (TimeDelta::days(29), 2),
        (TimeDelta::days(2), 0),
    ] {
        sync(&mut pair.a).await;
        advance(&pair.server, &pair.time, wait);
        sync(&mut pair.a).await;
        assert_eq!(pair.a.counts().await.hidden, hidden, "after {wait}");
    }
    assert_eq!(pair.a.view().await, crate::device::server_view(&pair.server));
}

/// Ids and texts of a chat's messages on the server.
fn held(server: &Server, chat: &ChatId) -> Vec<(String, String)> {
    let rows = server.state.lock().unwrap().messages_of(chat);
    rows.into_iter().map(|row| (row.id.to_string(), row.content)).collect()
}

#[tokio::test]
async fn a_device_that_was_away_while_a_chat_got_new_ids_and_its_evidence_doubles_nothing() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    let turn = answer_with_evidence(&mut pair.a).await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    save_under_new_ids(&pair.server, &turn.chat.id);
    for _ in 0..2 {
        sync(&mut pair.a).await;
        advance(&pair.server, &pair.time, TimeDelta::seconds(15));
    }
    // By now the copy has the evidence, and a place in the tree.
    for _ in 0..2 {
        sync(&mut pair.b).await;
        advance(&pair.server, &pair.time, TimeDelta::seconds(15));
    }
    assert_eq!(held(&pair.server, &turn.chat.id).len(), 2, "nothing is doubled");
    let shown = pair.b.store.list_messages(&turn.chat.id, None, 10).await.unwrap();
    let evidence = pair.b.store.lookup_evidence(&shown[1].id).await.unwrap().unwrap();
    assert_eq!((shown.len(), evidence.citations.len()), (2, 1));
}

#[tokio::test]
async fn another_message_of_the_same_text_is_no_copy() {
    for gone in [0, 1] {
        let mut pair = pair().await;
        sync(&mut pair.a).await;
        pair.a.new_chat().await;
        pair.a.repeat(0).await;
        let chat = pair.a.chat(0).await.unwrap().id;
        sync(&mut pair.a).await;
        sync(&mut pair.b).await;
        let both = held(&pair.server, &chat);
        assert_eq!(both[0].1, both[1].1);
        // A program that saves what it had loaded takes one of them away.
        let id = deepsearch_core::MessageId::from_stored(both[gone].0.clone());
        let effects = vec![Effect::RemoveMessage(id)];
        pair.server.state.lock().unwrap().commit(effects);
        for _ in 0..2 {
            sync(&mut pair.a).await;
            advance(&pair.server, &pair.time, TimeDelta::seconds(15));
        }
        assert_eq!(held(&pair.server, &chat), both);
        assert_eq!(pair.a.view().await, crate::device::server_view(&pair.server));
    }
}

#[tokio::test]
async fn outside_the_servers_protocols_the_app_only_reads_and_keeps_its_outbox() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    pair.b.new_chat().await;
    sync(&mut pair.b).await;
    pair.a.new_chat().await;
    pair.server.state.lock().unwrap().protocol = (PROTOCOL + 1, PROTOCOL + 2);
    sync(&mut pair.a).await;
    assert_eq!(pair.a.all_chats().await.len(), 2);
    assert_eq!(pair.a.counts().await.outbox, 2);
    let SyncState::Error { failure } = state_of(&pair.a) else {
        panic!("nothing was said of it");
    };
    assert_eq!(failure.code, ErrorCode::ReadOnly);
    assert!(failure.hint.unwrap().contains("Update DeepSearch"));
    pair.server.state.lock().unwrap().protocol = (PROTOCOL, PROTOCOL);
    sync(&mut pair.a).await;
    assert_eq!(pair.a.counts().await.outbox, 0);
    assert_eq!(state_of(&pair.a), SyncState::Idle);
}

#[tokio::test]
async fn without_a_network_the_state_is_offline_and_what_waits_is_counted() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    pair.a.sync(Some((0, Fault::LostRequest))).await.unwrap().unwrap_err();
    let status = pair.a.engine.watch().borrow().clone();
    assert_eq!(status.state, SyncState::Offline);
    assert_eq!(status.counts.outbox, 2);
    sync(&mut pair.a).await;
    let status = pair.a.engine.watch().borrow().clone();
    assert_eq!((status.state, status.counts.outbox), (SyncState::Idle, 0));
}

#[tokio::test]
async fn a_new_device_shows_the_newest_first_and_goes_on_where_it_was_cut_off() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    for _ in 0..6 {
        pair.a.new_chat().await;
        pair.a.say(0).await;
        advance(&pair.server, &pair.time, TimeDelta::days(20));
    }
    sync(&mut pair.a).await;
    // Pages are of four rows: chats in two, then the last month; then the feed, which is cut off at its first.
    pair.b.sync(Some((4, Fault::CrashAfter))).await;
    let newest = pair
        .a
        .all_chats()
        .await
        .into_iter()
        .max_by_key(|chat| chat.updated_at)
        .unwrap();
    assert_eq!(pair.b.all_chats().await.len(), 6);
    assert!(
        !pair
            .b
            .store
            .list_messages(&newest.id, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let before = pair.b.link.calls.lock().unwrap().len();
    sync(&mut pair.b).await;
    let calls = pair.b.link.calls.lock().unwrap()[before..].to_vec();
    assert!(
        !calls.contains(&"recent"),
        "what was brought is brought again: {calls:?}"
    );
    assert_eq!(pair.b.view().await, crate::device::server_view(&pair.server));
}

#[tokio::test]
async fn a_first_pull_says_how_far_it_is_and_how_far_it_has_to_go() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    for _ in 0..6 {
        pair.a.new_chat().await;
    }
    sync(&mut pair.a).await;
    let all = pair.server.count_changes(FeedCursor::default()).await.unwrap();
    let mut status = pair.b.engine.watch();
    let mut seen = Vec::new();
    let watching = async {
        while status.changed().await.is_ok() {
            if let SyncState::Running { progress } = &status.borrow_and_update().state {
                seen.push((progress.expected, progress.pulled));
            }
        }
    };
    tokio::select! {
        ran = pair.b.engine.run_once() => ran.unwrap(),
        () = watching => unreachable!("the engine lives on"),
    }
    let of_the_feed: Vec<u32> = seen
        .iter()
        .filter(|(expected, _)| expected.is_some_and(|expected| u64::from(expected) == all))
        .map(|(_, pulled)| *pulled)
        .collect();
    assert!(of_the_feed.is_sorted(), "{seen:?}");
    let is_midway = |pulled: &u32| (1..all).contains(&u64::from(*pulled));
    assert!(of_the_feed.iter().any(is_midway), "{seen:?}");
    assert_eq!(state_of(&pair.b), SyncState::Idle);
}

#[tokio::test]
async fn a_page_that_does_not_come_in_time_is_asked_for_in_halves() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    for _ in 0..6 {
        pair.a.new_chat().await;
        pair.a.say(0).await;
    }
    sync(&mut pair.a).await;
    // Pages are of four rows.
    pair.b.link.narrow(1);
    let mut tries = 0;
    while pair.b.engine.run_once().await.is_err() {
        tries += 1;
        assert!(tries < 200, "the same page is asked for without end");
    }
    assert_eq!(pair.b.view().await, crate::device::server_view(&pair.server));
}

#[tokio::test]
async fn a_push_that_does_not_go_in_time_is_sent_in_halves() {
    let folder = folder();
    let (time, server) = (Arc::new(AtomicI64::new(START)), Arc::new(Server::new(at(START), None)));
    let options = SyncOptions {
        push_limit: 64,
        pull_limit: 3,
        ..options(None)
    };
    let mut device = Device::new("a", folder.path(), &server, &time, options).await;
    sync(&mut device).await;
    for _ in 0..12 {
        device.new_chat().await;
    }
    // The rows of one message with its chat and its flags.
    device.link.narrow(3);
    sync(&mut device).await;
    assert_eq!(device.counts().await.outbox, 0);
    assert_eq!(device.view().await, crate::device::server_view(&server));
}

#[tokio::test]
async fn a_push_that_never_goes_in_time_is_given_up_for_now_and_kept() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    pair.a.link.narrow(0);
    pair.a.engine.run_once().await.unwrap_err();
    assert_eq!(state_of(&pair.a), SyncState::Offline);
    assert_eq!(pair.a.counts().await.outbox, 2);
}

#[tokio::test]
async fn a_page_that_is_too_long_for_the_line_is_sent_and_brought_later_and_keeps_no_other_waiting() {
    let mut pair = pair().await;
    let pages = |pair: &Pair| pair.server.state.lock().unwrap().tables.pages.len();
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    let long = format!("{} {}", text_of_page(0), "They are seldom in haste. ".repeat(200));
    let turn = answer_resting_on(&mut pair.a, None, &[long.clone(), text_of_page(2), text_of_page(3)]).await;
    let long = long.len();
    // Two pages are short, and the third is too long for the line.
    pair.a.link.shorten(long - 1);
    for _ in 0..2 {
        sync(&mut pair.a).await;
        assert_eq!((pages(&pair), pair.a.counts().await.pages), (2, 1));
    }
    assert_eq!(
        state_of(&pair.a),
        SyncState::Idle,
        "its first pull has ended all the same"
    );
    pair.a.link.shorten(long);
    sync(&mut pair.a).await;
    assert_eq!(pages(&pair), 2, "it is not tried at every look");
    advance(&pair.server, &pair.time, TimeDelta::minutes(2));
    sync(&mut pair.a).await;
    assert_eq!((pages(&pair), pair.a.counts().await.pages), (3, 0));

    pair.b.link.shorten(long - 1);
    let there = async |device: &Device| {
        let evidence = device.store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
        evidence.pages.len()
    };
    // However often it does not come, it is not given up.
    for _ in 0..15 {
        sync(&mut pair.b).await;
        assert_eq!((there(&pair.b).await, pair.b.counts().await.pages), (2, 1));
        advance(&pair.server, &pair.time, TimeDelta::days(1));
    }
    pair.b.link.shorten(long);
    sync(&mut pair.b).await;
    assert_eq!((there(&pair.b).await, pair.b.counts().await.pages), (3, 0));
}

#[tokio::test]
async fn answers_bring_each_page_once_and_keep_what_came_before_the_line_broke() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    for texts in [[1, 2], [1, 2], [1, 3]] {
        answer_resting_on(&mut pair.a, None, &texts.map(text_of_page)).await;
    }
    sync(&mut pair.a).await;
    let asked = |device: &Device| {
        let calls = device.link.calls.lock().unwrap();
        let places = calls.iter().enumerate().filter(|(_, call)| **call == "page");
        places.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let mut c = Device::new("c", pair.folder.path(), &pair.server, &pair.time, options(None)).await;
    sync(&mut c).await;
    let places = asked(&c);
    assert_eq!((places.len(), c.counts().await.pages), (3, 0));

    // Whichever answer came first, its two pages were there before the third was asked for.
    let third = u32::try_from(places[2]).unwrap();
    pair.b.link.set_fault(Some((third, Fault::LostRequest)));
    pair.b.engine.run_once().await.unwrap_err();
    assert!(pair.b.counts().await.pages < 3, "nothing was kept");
    sync(&mut pair.b).await;
    assert_eq!((asked(&pair.b).len(), pair.b.counts().await.pages), (4, 0));
}

#[tokio::test]
async fn an_id_that_somebody_else_has_is_changed_and_the_message_arrives() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    let chat = pair.a.chat(0).await.unwrap();
    let taken = message(&chat.id, "taken", None, at(START + 5));
    pair.server.state.lock().unwrap().taken.insert(taken.id.to_string());
    pair.a.store.add_messages(&chat.id, &[taken]).await.unwrap();
    sync(&mut pair.a).await;
    let tables = pair.server.state.lock().unwrap().tables.clone();
    let arrived = tables.messages.values().filter(|row| row.content == "taken").count();
    assert_eq!(arrived, 1);
    assert_eq!(pair.a.counts().await.outbox, 0);
}

#[tokio::test]
async fn what_the_server_cannot_read_holds_up_nothing_beside_it() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    let chat = pair.a.chat(0).await.unwrap();
    let said = |text: &str, second| message(&chat.id, text, None, at(START + second));
    let unreadable = said("a\0b", 6);
    pair.a
        .store
        .add_messages(&chat.id, &[said("before", 5), unreadable.clone(), said("after", 7)])
        .await
        .unwrap();
    sync(&mut pair.a).await;
    let tables = pair.server.state.lock().unwrap().tables.clone();
    let arrived = |text: &str| tables.messages.values().any(|row| row.content == text);
    assert_eq!(["before", "a\0b", "after"].map(arrived), [true, false, true]);
    assert_eq!(pair.a.counts().await.outbox, 0);
    let dead = pair.a.store.list_dead_changes(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].entity_id, unreadable.id.to_string());
}

#[tokio::test]
async fn a_message_that_is_too_long_for_the_server_is_told_and_not_sent_and_the_rest_goes() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    let chat = pair.a.chat(0).await.unwrap();
    let said = |text: &str, second| message(&chat.id, text, None, at(START + second));
    let long = Message {
        content: "x".repeat(MESSAGE_LIMIT + 1),
        state: MessageState::Interrupted,
        ..said("long", 5)
    };
    pair.a
        .store
        .add_messages(&chat.id, &[long.clone(), said("after", 6)])
        .await
        .unwrap();
    for _ in 0..2 {
        sync(&mut pair.a).await;
    }
    let tables = pair.server.state.lock().unwrap().tables.clone();
    assert!(tables.messages.values().any(|row| row.content == "after"));
    assert_eq!(pair.a.counts().await.outbox, 0);
    let dead = pair.a.store.list_dead_changes(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].entity_id, long.id.to_string());
    // In our words: the server's come only after all of it was sent.
    assert!(dead[0].reason.contains("four megabytes"), "{}", dead[0].reason);
}

#[tokio::test]
async fn what_the_server_refuses_leaves_the_head_of_the_queue() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    let refused = pair.a.chat(0).await.unwrap();
    // A title that only another program could have written.
    let mut tx = pair.a.store.begin_sync().await.unwrap();
    let mut long = refused.clone();
    long.title = "x".repeat(501);
    tx.put_chat(&long).await.unwrap();
    tx.commit().await.unwrap();
    pair.a.new_chat().await;
    for _ in 0..3 {
        sync(&mut pair.a).await;
    }
    assert_eq!(pair.server.state.lock().unwrap().tables.chats.len(), 1);
    let dead = pair.a.store.list_dead_changes(10).await.unwrap();
    assert_eq!(dead[0].entity_id, refused.id.to_string());
    assert!(dead[0].reason.contains("too long"));
}

#[tokio::test]
async fn a_chat_that_grows_in_trash_stays_there_and_is_marked() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    let chat = pair.a.chat(0).await.unwrap();
    pair.a.store.delete_chat(&chat.id).await.unwrap();
    sync(&mut pair.a).await;
    advance(&pair.server, &pair.time, TimeDelta::seconds(5));
    pair.b.say(0).await;
    sync(&mut pair.b).await;
    sync(&mut pair.a).await;
    assert!(pair.a.chat(0).await.unwrap().deleted_at.is_some());
    assert!(pair.b.chat(0).await.unwrap().deleted_at.is_some());
    let kinds: Vec<_> = pair
        .a
        .store
        .list_conflicts(10)
        .await
        .unwrap()
        .into_iter()
        .map(|conflict| conflict.kind)
        .collect();
    assert_eq!(kinds, [ConflictKind::InTrash]);
}

#[tokio::test]
async fn of_two_names_the_later_wins_whatever_the_clocks_say_and_the_other_is_kept() {
    let mut pair = pair().await;
    // A year ahead, and it is the first to write.
    pair.a.clock.skew.store(525_600 * 60_000, Ordering::SeqCst);
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    let id = pair.a.chat(0).await.unwrap().id;
    pair.a.store.rename_chat(&id, "early").await.unwrap();
    advance(&pair.server, &pair.time, TimeDelta::seconds(30));
    pair.b.store.rename_chat(&id, "late").await.unwrap();
    sync(&mut pair.b).await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    assert_eq!(pair.a.chat(0).await.unwrap().title, "late");
    assert_eq!(pair.b.chat(0).await.unwrap().title, "late");
    let lost = pair.a.store.list_conflicts(10).await.unwrap();
    assert_eq!((lost[0].kind, lost[0].lost.as_str()), (ConflictKind::Title, "early"));
    assert_eq!(pair.a.engine.watch().borrow().clock_behind, -525_600 * 60);
}

#[tokio::test]
async fn of_two_choices_of_a_setting_the_later_wins_and_the_other_is_kept() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    pair.a.choose(0, 1).await;
    advance(&pair.server, &pair.time, TimeDelta::seconds(30));
    pair.b.choose(0, 2).await;
    sync(&mut pair.b).await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    for device in [&pair.a, &pair.b] {
        assert_eq!(device.store.lookup_user_settings().await.unwrap().theme, "theme 2");
    }
    let lost = pair.a.store.list_conflicts(10).await.unwrap();
    assert_eq!(lost.len(), 1);
    assert_eq!(
        (lost[0].kind, lost[0].entity_id.as_str()),
        (ConflictKind::Setting, "theme")
    );
    assert_eq!(lost[0].lost, r#""theme 1""#);
    assert_eq!(pair.b.store.list_conflicts(10).await.unwrap(), []);
}

#[tokio::test]
async fn of_two_ends_of_an_answer_one_wins_everywhere_and_the_text_of_the_other_is_kept() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    pair.a.interrupt(0).await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    let shown = |device: &Device, chat: ChatId| {
        let store = device.store.clone();
        async move { store.list_messages(&chat, None, 100).await.unwrap() }
    };
    let chat = pair.a.chat(0).await.unwrap().id;
    let stopped = shown(&pair.a, chat.clone()).await.pop().unwrap();
    assert_eq!(stopped.state, MessageState::Interrupted);
    for (device, end) in [(&pair.a, "One end."), (&pair.b, "Another end.")] {
        device.store.begin_continue(&stopped.id).await.unwrap();
        let end = finished(end, MessageState::Complete);
        device.store.finish_answer(&stopped.id, end).await.unwrap();
        advance(&pair.server, &pair.time, TimeDelta::seconds(30));
    }
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    sync(&mut pair.a).await;
    let (here, there) = (shown(&pair.a, chat.clone()).await, shown(&pair.b, chat).await);
    let (here, there) = (&here.last().unwrap().content, &there.last().unwrap().content);
    assert_eq!(here, there);
    let mut kept = pair.a.store.list_conflicts(10).await.unwrap();
    kept.extend(pair.b.store.list_conflicts(10).await.unwrap());
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].kind, kept[0].entity_id.as_str()),
        (ConflictKind::Message, stopped.id.as_str())
    );
    let mut ends = [here.as_str(), kept[0].lost.as_str()];
    ends.sort_unstable();
    assert_eq!(ends, ["Another end.", "One end."]);
}

#[tokio::test]
async fn what_was_not_sent_of_a_chat_that_is_deleted_for_ever_lives_on_once_with_its_evidence() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    sync(&mut pair.a).await;
    sync(&mut pair.b).await;
    let gone = pair.a.chat(0).await.unwrap();
    let texts = [text_of_page(1), text_of_page(2)];
    let turn = answer_resting_on(&mut pair.a, Some(gone.id.clone()), &texts).await;
    {
        let mut state = pair.server.state.lock().unwrap();
        let removal = state.removal(&gone.id);
        state.commit(removal);
    }
    for _ in 0..2 {
        sync(&mut pair.a).await;
        sync(&mut pair.b).await;
    }
    let recovered = pair.a.all_chats().await;
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0].title, format!("Recovered: {}", gone.title));
    let told = pair.a.store.list_conflicts(10).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].kind, &told[0].chat_id), (ConflictKind::Recovered, &gone.id));
    assert_eq!(
        (told[0].entity_id.as_str(), &told[0].lost),
        (recovered[0].id.as_str(), &gone.title)
    );
    for device in [&pair.a, &pair.b] {
        let there: Vec<ChatId> = device.all_chats().await.into_iter().map(|chat| chat.id).collect();
        assert_eq!(there, [recovered[0].id.clone()]);
        let messages = device.store.list_messages(&recovered[0].id, None, 100).await.unwrap();
        let ids: Vec<_> = messages.into_iter().map(|message| message.id).collect();
        assert_eq!(ids, [turn.question.id.clone(), turn.answer.id.clone()]);
        let evidence = device.store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
        let citation = &evidence.citations[0];
        let page = device.store.lookup_page(&citation.page_id).await.unwrap().unwrap();
        assert_eq!(page.quote(citation.page_span), "Quokkas live on island 2.");
    }
}

#[tokio::test]
async fn what_a_server_deletes_while_its_clock_is_a_year_ahead_is_offered_again_once_that_is_right() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    sync(&mut pair.a).await;
    let right = {
        let mut state = pair.server.state.lock().unwrap();
        let id = state.tables.messages.keys().next().unwrap().clone();
        state.commit(vec![Effect::RemoveMessage(id)]);
        std::mem::replace(&mut state.now, at(START) + TimeDelta::days(365))
    };
    sync(&mut pair.a).await;
    assert_eq!(pair.a.counts().await.hidden, 1);
    pair.server.state.lock().unwrap().now = right;
    advance(&pair.server, &pair.time, TimeDelta::seconds(11));
    sync(&mut pair.a).await;
    let counts = pair.a.counts().await;
    assert_eq!((counts.outbox, counts.hidden), (0, 0));
    assert_eq!(pair.server.state.lock().unwrap().tables.messages.len(), 1);
}

#[tokio::test]
async fn a_change_is_sent_at_once_and_the_loop_ends_when_it_is_told() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    let cancel = CancellationToken::new();
    let ending = cancel.clone();
    let (engine, store) = (&pair.a.engine, pair.a.store.clone());
    let mut status = engine.watch();
    let act = async {
        status.wait_for(|status| status.state == SyncState::Idle).await.unwrap();
        let turn = NewTurn {
            question: "sent at once".into(),
            ..NewTurn::default()
        };
        store.begin_answer(turn).await.unwrap();
        engine.nudge();
        let started = Instant::now();
        while pair.server.state.lock().unwrap().tables.messages.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(started.elapsed() < Duration::from_secs(20), "the nudge was not heard");
        }
        ending.cancel();
    };
    tokio::join!(engine.run(cancel), act);
}

#[tokio::test]
async fn a_page_that_the_server_refuses_is_shown_and_sent_again_when_it_is_asked_for() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.server.state.lock().unwrap().page_room = 1;
    answer_with_evidence(&mut pair.a).await;
    sync(&mut pair.a).await;
    sync(&mut pair.a).await;
    let counts = pair.a.counts().await;
    assert_eq!((counts.pages, counts.dead), (0, 1));
    let dead = &pair.a.store.list_dead_changes(10).await.unwrap()[0];
    assert_eq!(
        (dead.entity.as_str(), dead.reason.as_str()),
        ("page", "the room for saved pages is used up")
    );
    // Without more room it is refused again, and nothing is doubled.
    assert_eq!(pair.a.store.retry_dead_changes().await.unwrap(), 1);
    sync(&mut pair.a).await;
    assert_eq!(pair.a.counts().await.dead, 1);
    pair.server.state.lock().unwrap().page_room = 2;
    assert_eq!(pair.a.store.retry_dead_changes().await.unwrap(), 1);
    sync(&mut pair.a).await;
    assert_eq!(pair.a.counts().await.dead, 0);
    assert_eq!(pair.server.state.lock().unwrap().tables.pages.len(), 2);
    assert_eq!(pair.a.store.retry_dead_changes().await.unwrap(), 0);
}

#[tokio::test]
async fn a_chat_that_was_refused_goes_with_its_messages_when_it_is_sent_again() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    pair.a.new_chat().await;
    let chat = pair.a.chat(0).await.unwrap();
    let put = async |title: String| {
        let mut tx = pair.a.store.begin_sync().await.unwrap();
        let mut changed = chat.clone();
        changed.title = title;
        tx.put_chat(&changed).await.unwrap();
        tx.commit().await.unwrap();
    };
    put("x".repeat(501)).await;
    for _ in 0..3 {
        pair.a.engine.run_once().await.unwrap();
    }
    assert_eq!(
        pair.a.counts().await.dead,
        2,
        "the chat, and the message that waits for it"
    );
    put("short".into()).await;
    assert_eq!(pair.a.store.retry_dead_changes().await.unwrap(), 2);
    sync(&mut pair.a).await;
    let counts = pair.a.counts().await;
    assert_eq!((counts.dead, counts.outbox), (0, 0));
    assert_eq!(pair.server.state.lock().unwrap().tables.messages.len(), 1);
}

#[tokio::test]
async fn a_transaction_that_does_not_end_is_told_and_since_when() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    // What is made before the first sync is only offered.
    sync(&mut pair.b).await;
    let held = |device: &Device| device.engine.watch().borrow().held_since;
    pair.server.state.lock().unwrap().begin(Vec::new());
    pair.b.new_chat().await;
    sync(&mut pair.b).await;
    sync(&mut pair.a).await;
    let since = at(pair.time.load(Ordering::SeqCst));
    assert_eq!(held(&pair.a), None, "transactions take their time");
    advance(&pair.server, &pair.time, TimeDelta::seconds(40));
    sync(&mut pair.a).await;
    assert_eq!(held(&pair.a), None);
    advance(&pair.server, &pair.time, TimeDelta::seconds(40));
    pair.a.restart().await;
    sync(&mut pair.a).await;
    assert_eq!(held(&pair.a), Some(since), "also after a restart");
    assert!(pair.a.all_chats().await.is_empty());
    pair.server.state.lock().unwrap().end(0, true);
    sync(&mut pair.a).await;
    assert_eq!(held(&pair.a), None);
    assert_eq!(pair.a.all_chats().await.len(), 1);
}

#[tokio::test]
async fn after_a_sleep_of_the_machine_its_connections_are_forgotten_and_it_looks_at_once() {
    let mut pair = pair().await;
    sync(&mut pair.a).await;
    let link = pair.a.link.clone();
    let pulls = || {
        let calls = link.calls.lock().unwrap();
        let after = calls.iter().rposition(|call| *call == "forget connections");
        after.map(|at| calls[at..].iter().filter(|call| **call == "pull").count())
    };
    let cancel = CancellationToken::new();
    let ending = cancel.clone();
    let engine = &pair.a.engine;
    // It would look again in half a minute.
    engine.focus(false);
    let mut status = engine.watch();
    let act = async {
        status.wait_for(|status| status.state == SyncState::Idle).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!(pulls(), None);
        advance(&pair.server, &pair.time, TimeDelta::hours(8));
        let woke = Instant::now();
        while pulls().unwrap_or(0) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(woke.elapsed() < Duration::from_secs(10), "it slept on");
        }
        ending.cancel();
    };
    tokio::join!(engine.run(cancel), act);
}
