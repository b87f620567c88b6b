//! Rechecks are kept beside their answer with the pages they rest on and what they sent, and one program alone takes up
//! what is due.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::recheck::{Compared, Every, Proof, Recheck, RecheckSchedule, Standing};
use deepsearch_core::{AnswerLedger, Contact, Errand, ErrorCode, Failure, Ledger, MessageId, Page};
use deepsearch_sqlite::{NewRecheck, Store, Turn};

use crate::support::{Home, answered, home, page};

fn minute(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + 60 * minute, 0).unwrap()
}

fn proof(page: &Page) -> Proof {
    Proof {
        quote: page.text.clone(),
        title: page.title.clone(),
        url: page.url.to_string(),
        page_id: Some(page.id.clone()),
        page_span: page.sentences.first().copied(),
    }
}

fn ledger(answer: &MessageId, at: DateTime<Utc>, host: &str) -> AnswerLedger {
    AnswerLedger {
        message_id: answer.clone(),
        at,
        private: false,
        ledger: Ledger {
            contacts: vec![Contact {
                host: host.into(),
                errand: Errand::Page,
                service: String::new(),
                local: false,
                requests: 1,
                bytes_out: 10,
                bytes_in: 20,
            }],
            ..Ledger::default()
        },
    }
}

/// One sentence that the last page says otherwise than it was.
fn new(answer: &MessageId, at: DateTime<Utc>, pages: &[Page]) -> NewRecheck {
    let compared = |page: &Page| Compared {
        standing: Standing::Changed,
        sentence: "It is 41 m high.".into(),
        before: None,
        now: Some(proof(page)),
    };
    NewRecheck {
        recheck: Recheck {
            checked_at: at,
            changed: pages.len() as u32,
            sentences: pages.iter().map(compared).collect(),
            failure: None,
            scheduled: false,
        },
        pages: pages.to_vec(),
        ledger: ledger(answer, at, "a.example"),
        metadata: None,
    }
}

fn failed(answer: &MessageId, at: DateTime<Utc>) -> NewRecheck {
    NewRecheck {
        recheck: Recheck::failed(at, Failure::new(ErrorCode::Offline, "There is no network.")),
        pages: Vec::new(),
        ledger: ledger(answer, at, "b.example"),
        metadata: None,
    }
}

#[tokio::test]
async fn the_latest_rechecks_of_an_answer_are_kept_and_go_with_it() {
    let (_home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let id = &turn.answer.id;
    for at in 0..12 {
        store.add_recheck(id, new(id, minute(at), &[])).await.unwrap();
    }
    let kept = store.list_rechecks(id).await.unwrap();
    assert_eq!(kept.len(), 10);
    assert_eq!((kept[0].checked_at, kept[9].checked_at), (minute(11), minute(2)));
    store.delete_chat(&turn.chat.id).await.unwrap();
    store.delete_chat_forever(&turn.chat.id).await.unwrap();
    assert!(store.list_rechecks(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_new_evidence_is_a_saved_page_that_stays_as_long_as_a_recheck_rests_on_it() {
    let (_home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let id = &turn.answer.id;
    let first = page("https://a.example/", "It is 38 m high.");
    let unused = page("https://b.example/", "Nothing of it.");
    let mut with_unused = new(id, minute(0), std::slice::from_ref(&first));
    with_unused.pages.push(unused.clone());
    store.add_recheck(id, with_unused).await.unwrap();
    assert_eq!(store.lookup_page(&first.id).await.unwrap().unwrap().text, first.text);
    assert!(
        store.lookup_page(&unused.id).await.unwrap().is_none(),
        "nothing rests on it"
    );

    // Read again and the same, it is the page that was saved; what is kept leads there.
    let again = page("https://a.example/", "It is 38 m high.");
    let kept = store
        .add_recheck(id, new(id, minute(1), std::slice::from_ref(&again)))
        .await
        .unwrap();
    let leads_to = kept.sentences[0].now.as_ref().unwrap().page_id.clone();
    assert_eq!(leads_to.as_ref(), Some(&first.id));
    assert_eq!(store.list_rechecks(id).await.unwrap()[0], kept);

    for at in 2..12 {
        store.add_recheck(id, new(id, minute(at), &[])).await.unwrap();
    }
    assert!(
        store.lookup_page(&first.id).await.unwrap().is_none(),
        "with the recheck, its page went"
    );

    let last = page("https://c.example/", "It is 30 m high.");
    store
        .add_recheck(id, new(id, minute(12), std::slice::from_ref(&last)))
        .await
        .unwrap();
    store.delete_chat(&turn.chat.id).await.unwrap();
    store.delete_chat_forever(&turn.chat.id).await.unwrap();
    assert!(store.lookup_page(&last.id).await.unwrap().is_none());
}

#[tokio::test]
async fn what_a_recheck_sent_is_kept_with_it_and_completed_later() {
    let (_home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let id = &turn.answer.id;
    store.add_recheck(id, new(id, minute(0), &[])).await.unwrap();
    let kept = store.lookup_recheck_ledger(id, minute(0)).await.unwrap().unwrap();
    assert_eq!(kept, ledger(id, minute(0), "a.example"));
    let later = ledger(id, minute(0), "icons.example");
    store.update_recheck_ledger(minute(0), &later).await.unwrap();
    assert_eq!(store.lookup_recheck_ledger(id, minute(0)).await.unwrap(), Some(later));
    assert_eq!(store.lookup_recheck_ledger(id, minute(1)).await.unwrap(), None);
    assert_eq!(store.lookup_ledger(id).await.unwrap(), None, "it is not the answer's");
}

#[tokio::test]
async fn one_that_failed_is_kept_until_the_next_and_hides_nothing_that_was_found() {
    let (_home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    let id = &turn.answer.id;
    assert_eq!(store.lookup_recheck_note(id).await.unwrap(), None);
    store.add_recheck(id, failed(id, minute(0))).await.unwrap();
    assert_eq!(
        store.lookup_recheck_note(id).await.unwrap(),
        None,
        "nothing was compared"
    );
    let found = page("https://a.example/", "It is 38 m high.");
    store.add_recheck(id, new(id, minute(1), &[found])).await.unwrap();
    for at in 2..14 {
        store.add_recheck(id, failed(id, minute(at))).await.unwrap();
    }
    let kept = store.list_rechecks(id).await.unwrap();
    let times: Vec<_> = kept.iter().map(|recheck| recheck.checked_at).collect();
    assert_eq!(times, [minute(13), minute(1)]);
    let note = store.lookup_recheck_note(id).await.unwrap().unwrap();
    assert_eq!((note.checked_at, note.changed, note.every), (Some(minute(1)), 1, None));
}

async fn scheduled(store: &Store, question: &str, every: Every, next_at: DateTime<Utc>) -> Turn {
    let turn = answered(store, question, "a").await;
    let schedule = RecheckSchedule {
        every,
        next_at,
        failures: 0,
    };
    store
        .update_recheck_schedule(&turn.answer.id, Some(&schedule))
        .await
        .unwrap();
    turn
}

const APART: TimeDelta = TimeDelta::minutes(10);

async fn claimed(store: &Store, at: DateTime<Utc>) -> Option<MessageId> {
    store
        .claim_recheck(at, APART)
        .await
        .unwrap()
        .map(|claimed| claimed.answer_id)
}

#[tokio::test]
async fn what_is_due_is_taken_up_once_apart_from_others_and_the_longest_due_first() {
    let (home, store) = home().await;
    let second = scheduled(&store, "second", Every::Daily, minute(5)).await;
    let first = scheduled(&store, "first", Every::Weekly, minute(3)).await;
    assert_eq!(claimed(&store, minute(2)).await, None);
    // However long nobody looked, and whichever program does.
    let other = home.open().await;
    let now = minute(3 * 24 * 60);
    let (a, b) = tokio::join!(claimed(&store, now), claimed(&other, now));
    assert_eq!(a.xor(b), Some(first.answer.id.clone()), "one of the two");
    assert_eq!(
        claimed(&store, now + TimeDelta::minutes(9)).await,
        None,
        "not so soon after"
    );
    let later = now + APART;
    assert_eq!(claimed(&store, later).await, Some(second.answer.id.clone()));
    assert_eq!(claimed(&store, later + APART).await, None, "each once");
    let listed = store.list_recheck_schedules().await.unwrap();
    let next: Vec<_> = listed
        .iter()
        .map(|known| (known.question.as_str(), known.schedule.next_at))
        .collect();
    // Until whoever took it up says when, so that one that was killed over it is not forgotten for a week.
    let hour = TimeDelta::hours(1);
    assert_eq!(next, [("first", now + hour), ("second", later + hour)]);
    let again = store.claim_recheck(now + hour, APART).await.unwrap().unwrap();
    assert_eq!((&again.answer_id, again.abandoned_at), (&first.answer.id, Some(now)));
    let next = now + TimeDelta::minutes(150);
    store
        .put_off_recheck(&first.answer.id, Every::Weekly, next, 0)
        .await
        .unwrap();
    let other = store.claim_recheck(now + hour * 2, APART).await.unwrap().unwrap();
    assert_eq!((&other.answer_id, other.abandoned_at), (&second.answer.id, Some(later)));
    let ended = store.claim_recheck(next, APART).await.unwrap().unwrap();
    assert_eq!((&ended.answer_id, ended.abandoned_at), (&first.answer.id, None));
}

#[tokio::test]
async fn a_schedule_that_this_version_does_not_know_holds_none_up_and_there_are_only_so_many() {
    let (home, store) = home().await;
    let strange = scheduled(&store, "strange", Every::Daily, minute(0)).await;
    let plain = scheduled(&store, "plain", Every::Daily, minute(1)).await;
    sqlx::query("update recheck_schedule set every = 'hourly' where message_id = ?")
        .bind(strange.answer.id.as_str())
        .execute(&mut home.raw().await)
        .await
        .unwrap();
    assert_eq!(claimed(&store, minute(2)).await, Some(plain.answer.id.clone()));

    sqlx::query(
        "with recursive n (n) as (select 1 union all select n + 1 from n where n < 498)
         insert into message (id, chat_id, role, content, created_at, state)
         select 'm' || n, ?, 'assistant', 'a', 0, 'complete' from n",
    )
    .bind(plain.chat.id.as_str())
    .execute(&mut home.raw().await)
    .await
    .unwrap();
    sqlx::query("insert into recheck_schedule (message_id, every, next_at) select id, 'daily', 9 from message where id glob 'm[0-9]*'")
        .execute(&mut home.raw().await)
        .await
        .unwrap();
    let one_more = answered(&store, "q", "a").await.answer.id;
    let schedule = store.lookup_recheck_schedule(&plain.answer.id).await.unwrap().unwrap();
    let refused = store.update_recheck_schedule(&one_more, Some(&schedule)).await;
    assert!(
        matches!(refused, Err(deepsearch_sqlite::StoreError::Invalid(_))),
        "{refused:?}"
    );
    // One that has a schedule may have another.
    store
        .update_recheck_schedule(&plain.answer.id, Some(&schedule))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_schedule_is_put_off_taken_away_and_waits_while_its_chat_is_in_trash() {
    let (_home, store) = home().await;
    let turn = scheduled(&store, "q", Every::Daily, minute(0)).await;
    let id = &turn.answer.id;
    let note = store.lookup_recheck_note(id).await.unwrap().unwrap();
    assert_eq!((note.checked_at, note.every), (None, Some(Every::Daily)));
    store.delete_chat(&turn.chat.id).await.unwrap();
    assert_eq!(claimed(&store, minute(1)).await, None);
    assert!(store.list_recheck_schedules().await.unwrap().is_empty());
    store.restore_chat(&turn.chat.id).await.unwrap();
    assert_eq!(claimed(&store, minute(1)).await.as_ref(), Some(id));

    store.put_off_recheck(id, Every::Daily, minute(61), 1).await.unwrap();
    let kept = store.lookup_recheck_schedule(id).await.unwrap().unwrap();
    assert_eq!((kept.next_at, kept.failures), (minute(61), 1));
    // Made another meanwhile, it is not put off by what ran for the one before.
    store.put_off_recheck(id, Every::Weekly, minute(99), 2).await.unwrap();
    assert_eq!(store.lookup_recheck_schedule(id).await.unwrap().unwrap(), kept);
    store.update_recheck_schedule(id, None).await.unwrap();
    assert_eq!(store.lookup_recheck_schedule(id).await.unwrap(), None);
    assert_eq!(store.lookup_recheck_note(id).await.unwrap(), None);
    let nobody = MessageId::from_stored("msg_nobody".to_owned());
    assert!(store.update_recheck_schedule(&nobody, Some(&kept)).await.is_err());
}

#[tokio::test]
async fn a_store_that_was_opened_again_has_all_of_it() {
    let home = Home::new();
    let store = home.open().await;
    let turn = scheduled(&store, "q", Every::Monthly, minute(0)).await;
    let found = page("https://a.example/", "It is 38 m high.");
    let kept = store
        .add_recheck(&turn.answer.id, new(&turn.answer.id, minute(1), &[found]))
        .await
        .unwrap();
    store.close().await;
    let store = home.open().await;
    assert_eq!(store.list_rechecks(&turn.answer.id).await.unwrap(), [kept]);
    let listed = store.list_recheck_schedules().await.unwrap();
    assert_eq!((listed[0].checked_at, listed[0].changed), (Some(minute(1)), 1));
}
