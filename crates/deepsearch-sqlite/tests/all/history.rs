use chrono::TimeDelta;
use deepsearch_core::Chat;
use deepsearch_sqlite::{ChatView, HistoryFilter, HistoryHit, HistoryQuery, HistoryResults, HitKind, Store};
use proptest::prelude::*;
use rstest::rstest;

use crate::support::{answered, ask, complete, follow_up, home, journal_pages, page};

fn query(text: &str) -> HistoryQuery {
    HistoryQuery {
        text: text.into(),
        limit: 20,
        ..HistoryQuery::default()
    }
}

async fn search(store: &Store, text: &str) -> HistoryResults {
    store.search_history(&query(text)).await.unwrap()
}

async fn filtered(store: &Store, text: &str, filter: HistoryFilter) -> Vec<HistoryHit> {
    let query = HistoryQuery { filter, ..query(text) };
    store.search_history(&query).await.unwrap().hits
}

fn marked(hit: &HistoryHit) -> Vec<&str> {
    hit.highlights.iter().map(|span| span.slice(&hit.snippet)).collect()
}

fn titles(hits: &[HistoryHit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.chat_title.as_str()).collect()
}

async fn with_page(store: &Store, question: &str, url: &str, text: &str) -> Chat {
    let turn = ask(store, question).await;
    journal_pages(store, &turn.answer.id, &[page(url, text)]).await;
    store
        .finish_answer(&turn.answer.id, complete("See [1]."))
        .await
        .unwrap();
    turn.chat
}

#[tokio::test]
async fn questions_answers_and_pages_are_found() {
    let (_home, store) = home().await;
    let turn = answered(&store, "Why is the sky blue?", "Because of Rayleigh scattering.").await;
    with_page(
        &store,
        "And the sea?",
        "https://en.wikipedia.org/wiki/Sea",
        "Water absorbs red wavelengths.",
    )
    .await;

    let hits = search(&store, "sky").await.hits;
    assert_eq!((hits[0].kind, &hits[0].chat_id), (HitKind::Question, &turn.chat.id));
    assert_eq!(hits[0].message_id.as_ref(), Some(&turn.question.id));

    let hits = search(&store, "rayleigh").await.hits;
    assert_eq!((hits.len(), hits[0].kind), (1, HitKind::Answer));
    assert_eq!(hits[0].snippet, "Because of Rayleigh scattering.");
    assert_eq!(marked(&hits[0]), ["Rayleigh"]);

    let hits = search(&store, "wavelengths").await.hits;
    assert_eq!((hits.len(), hits[0].kind), (1, HitKind::Page));
    assert_eq!(hits[0].url.as_deref(), Some("https://en.wikipedia.org/wiki/Sea"));
    assert_eq!(hits[0].chat_title, "And the sea?");
}

#[rstest]
#[case::word("scattering", &["scattering"])]
#[case::upper_case("SCATTERING", &["scattering"])]
#[case::prefix_of_the_last_word("light sca", &["Light", "scattering"])]
#[case::one_letter("l", &["Light"])]
#[case::phrase("\"in the atmosphere\"", &["in the atmosphere"])]
#[case::open_phrase("\"the atmos", &["the atmosphere"])]
#[case::other_form("scatters", &["scattering"])]
#[case::joined_words("light-scattering", &["Light scattering"])]
#[tokio::test]
async fn what_matches_is_marked(#[case] text: &str, #[case] expected: &[&str]) {
    let (_home, store) = home().await;
    answered(&store, "why", "Light scattering in the atmosphere.").await;
    let hits = search(&store, text).await.hits;
    assert_eq!(marked(&hits[0]), expected, "{text}");
}

#[rstest]
#[case("cafe", "Un café noir", "café")]
#[case("café", "Un cafe noir", "cafe")]
#[case("uber", "Über allen Gipfeln", "Über")]
#[case("Straße", "die STRASSE und die Straße", "Straße")]
#[case("検索", "全文検索エンジン", "検索")]
#[case("索", "全文検索エンジン", "索")]
#[case("全文検索エンジン", "これは全文検索エンジンです", "全文検索エンジン")]
#[case("ジ", "全文検索エンジン", "ジ")]
#[case("北京", "我住在北京市", "北京")]
#[case("京", "我住在北京", "京")]
#[case("검색", "한국어검색을 한다", "검색")]
#[case("ภาษา", "นี่คือภาษาไทย", "ภาษา")]
#[case("2024年", "これは2024年の話", "2024年")]
#[case("Ｒｕｓｔ", "learn rust now", "rust")]
#[tokio::test]
async fn scripts_and_diacritics_are_found_both_ways(#[case] text: &str, #[case] answer: &str, #[case] found: &str) {
    let (_home, store) = home().await;
    answered(&store, "q", answer).await;
    let hits = search(&store, text).await.hits;
    assert_eq!(hits.len(), 1, "{text} in {answer}");
    assert_eq!(marked(&hits[0]), [found]);
}

#[tokio::test]
async fn voiced_and_unvoiced_kana_are_different_letters() {
    let (_home, store) = home().await;
    answered(&store, "q", "かきを食べる").await;
    assert!(search(&store, "がき").await.hits.is_empty());
    assert_eq!(search(&store, "かき").await.hits.len(), 1);
}

#[rstest]
#[case("\"")]
#[case("\"\"")]
#[case("* OR NOT ( ) : ^ -")]
#[case("text : NEAR(a b, 5) AND {col}: x*")]
#[case("'; drop table message; --")]
#[case("\0 \u{FFFF} ⑴ ½")]
#[case("_y2023")]
#[case("")]
#[tokio::test]
async fn nothing_typed_is_an_error(#[case] text: &str) {
    let (_home, store) = home().await;
    answered(&store, "a question", "an answer, with AND and NEAR in it").await;
    search(&store, text).await;
    assert_eq!(search(&store, "near").await.hits.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn highlights_lie_in_their_snippet_whatever_is_typed(
        text in "[a-cé日本ン \n\"*:_()-]{0,40}",
        typed in "[a-cé日本ン \"*:_()-]{0,8}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_home, store) = home().await;
            answered(&store, "a question", &format!("x {text} x")).await;
            for hit in search(&store, &typed).await.hits {
                let mut end = 0;
                for span in &hit.highlights {
                    assert!(span.start >= end && !span.is_empty(), "{hit:?}");
                    assert!(hit.snippet.get(span.range()).is_some(), "{hit:?}");
                    end = span.end;
                }
            }
        });
    }
}

#[tokio::test]
async fn any_part_of_a_text_without_spaces_finds_it() {
    let (_home, store) = home().await;
    let text: Vec<char> = "吾輩は猫である名前はまだ無い".chars().collect();
    answered(&store, "q", &text.iter().collect::<String>()).await;
    for start in 0..text.len() {
        for end in start + 1..=text.len() {
            let part: String = text[start..end].iter().collect();
            assert_eq!(search(&store, &part).await.hits.len(), 1, "{part}");
        }
    }
}

#[tokio::test]
async fn trash_is_searched_only_when_asked_for() {
    let (_home, store) = home().await;
    let kept = answered(&store, "magnets kept", "a").await.chat;
    let archived = answered(&store, "magnets archived", "a").await.chat;
    let pinned = answered(&store, "magnets pinned", "a").await.chat;
    let trashed = with_page(&store, "magnets trashed", "https://a.example/", "All of magnets.").await;
    store.archive_chat(&archived.id, true).await.unwrap();
    store.pin_chat(&pinned.id, true).await.unwrap();
    store.delete_chat(&trashed.id).await.unwrap();

    let found = async |view, pinned| {
        let filter = HistoryFilter {
            view,
            pinned,
            ..HistoryFilter::default()
        };
        let hits = filtered(&store, "magnets", filter).await;
        let mut titles: Vec<String> = hits.into_iter().map(|hit| hit.chat_title).collect();
        titles.sort_unstable();
        titles.dedup();
        titles
    };
    assert_eq!(
        found(None, false).await,
        ["magnets archived", "magnets kept", "magnets pinned"]
    );
    assert_eq!(
        found(Some(ChatView::Active), false).await,
        ["magnets kept", "magnets pinned"]
    );
    assert_eq!(found(Some(ChatView::Archived), false).await, ["magnets archived"]);
    assert_eq!(found(Some(ChatView::Pinned), false).await, ["magnets pinned"]);
    assert_eq!(found(None, true).await, ["magnets pinned"]);
    assert_eq!(found(Some(ChatView::Trash), false).await, ["magnets trashed"]);
    store.delete_chat_forever(&trashed.id).await.unwrap();
    assert_eq!(found(Some(ChatView::Trash), false).await, [""; 0]);
    assert_eq!(
        titles(
            &filtered(
                &store,
                "kept",
                HistoryFilter {
                    chat: Some(kept.id),
                    ..HistoryFilter::default()
                }
            )
            .await
        ),
        ["magnets kept"]
    );
}

#[tokio::test]
async fn time_and_host_narrow_a_search() {
    let (home, store) = home().await;
    let start = deepsearch_core::Clock::now(&*home.clock);
    answered(&store, "early magnets", "a").await;
    home.clock.advance(TimeDelta::days(400));
    answered(&store, "late magnets", "a").await;
    with_page(
        &store,
        "a page on them",
        "https://en.wikipedia.org/wiki/Magnet",
        "Magnets attract.",
    )
    .await;

    let half = start + TimeDelta::days(200);
    let early = HistoryFilter {
        until: Some(half),
        ..HistoryFilter::default()
    };
    assert_eq!(
        titles(&filtered(&store, "\"early magnets\"", early.clone()).await),
        ["early magnets"]
    );
    assert!(filtered(&store, "late", early).await.is_empty());
    let late = HistoryFilter {
        from: Some(half),
        ..HistoryFilter::default()
    };
    assert_eq!(titles(&filtered(&store, "late magnets", late).await), ["late magnets"]);

    for (host, count) in [
        ("en.wikipedia.org", 1),
        ("wikipedia.org", 1),
        ("www.wikipedia.org", 1),
        ("org", 0),
        ("b.com", 0),
    ] {
        let filter = HistoryFilter {
            host: Some(host.into()),
            ..HistoryFilter::default()
        };
        assert_eq!(filtered(&store, "attract", filter).await.len(), count, "{host}");
    }
}

#[tokio::test]
async fn a_rare_word_is_found_however_old_it_is_and_paging_shows_each_hit_once() {
    let (_home, store) = home().await;
    let first = answered(&store, "the oldest", "zyzzyva, a common word").await;
    for number in 0..350 {
        follow_up(&store, &first, &format!("common question {number}"), "a common answer").await;
    }
    let hits = search(&store, "zyzzyva").await.hits;
    assert_eq!(hits[0].message_id.as_ref(), Some(&first.answer.id));

    let mut query = HistoryQuery {
        filter: HistoryFilter {
            chat: Some(first.chat.id),
            ..HistoryFilter::default()
        },
        limit: 60,
        ..query("common")
    };
    let mut seen = Vec::new();
    loop {
        let results = store.search_history(&query).await.unwrap();
        seen.extend(results.hits.into_iter().filter_map(|hit| hit.message_id));
        // What is written meanwhile moves nothing.
        answered(&store, "one more common question", "a").await;
        query.after = results.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 701);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 701);
}

/// The ids of all hits, page after page.
async fn all_pages(store: &Store, mut query: HistoryQuery) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let results = store.search_history(&query).await.unwrap();
        seen.extend(
            results
                .hits
                .iter()
                .filter_map(|hit| Some(hit.message_id.as_ref()?.to_string())),
        );
        query.after = results.next;
        if query.after.is_none() {
            return seen;
        }
    }
}

#[tokio::test]
async fn a_word_being_typed_is_found_whether_few_or_many_words_begin_so() {
    let (_home, store) = home().await;
    let first = answered(&store, "numbers", "none").await;
    for number in 0..70 {
        follow_up(
            &store,
            &first,
            &format!("inter{number}"),
            &format!("intra{number} inter{}", number + 70),
        )
        .await;
    }
    let of_chat = |text: &str| HistoryQuery {
        filter: HistoryFilter {
            chat: Some(first.chat.id.clone()),
            ..HistoryFilter::default()
        },
        ..query(text)
    };
    for (typed, count) in [
        ("inter", 140),
        ("intra", 70),
        ("intra6", 11),
        ("inter13", 11),
        ("inter139", 1),
        ("interx", 0),
    ] {
        assert_eq!(all_pages(&store, of_chat(typed)).await.len(), count, "{typed}");
    }
    let hits = search(&store, "\"intra6 inter7").await.hits;
    assert_eq!(
        hits.iter().map(marked).collect::<Vec<_>>(),
        [["intra6 inter76"]],
        "a phrase being typed"
    );
}

#[tokio::test]
async fn what_a_filter_leaves_out_among_many_matches_hides_nothing_and_repeats_nothing() {
    const COUNT: usize = 260;
    let (_home, store) = home().await;
    let mut kept = Vec::new();
    for number in 0..COUNT {
        let turn = answered(&store, &format!("magnets {number}"), "a").await;
        if number % 3 == 0 {
            store.archive_chat(&turn.chat.id, true).await.unwrap();
            kept.push(turn.question.id.to_string());
        }
    }
    let archived = HistoryQuery {
        filter: HistoryFilter {
            view: Some(ChatView::Archived),
            ..HistoryFilter::default()
        },
        limit: 50,
        ..query("magnets")
    };
    let mut seen = all_pages(&store, archived).await;
    seen.sort_unstable();
    kept.sort_unstable();
    assert_eq!(seen, kept);
}

#[tokio::test]
async fn the_hits_of_a_chat_stand_together_and_say_how_many_more_there_are() {
    let (_home, store) = home().await;
    let first = answered(&store, "magnets", "magnets").await;
    for _ in 0..3 {
        follow_up(&store, &first, "magnets again", "and magnets").await;
    }
    answered(&store, "fridge magnets", "no").await;
    let hits = search(&store, "magnets").await.hits;
    assert_eq!(titles(&hits), ["magnets", "magnets", "magnets", "fridge magnets"]);
    assert_eq!(
        hits.iter().map(|hit| hit.more_in_chat).collect::<Vec<_>>(),
        [0, 0, 5, 0]
    );
}

#[tokio::test]
async fn when_nothing_holds_all_words_some_are_enough() {
    let (_home, store) = home().await;
    answered(&store, "q", "Magnetism comes of moving charges.").await;
    let results = search(&store, "what are magnetism and unicorns").await;
    assert!(results.is_relaxed);
    assert_eq!(marked(&results.hits[0]), ["Magnetism"]);
    assert!(!search(&store, "moving charges").await.is_relaxed);
}

#[tokio::test]
async fn a_new_title_is_found_and_the_old_one_is_not() {
    let (_home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    store.rename_chat(&turn.chat.id, "Tax return").await.unwrap();
    assert_eq!(search(&store, "tax").await.hits[0].kind, HitKind::Chat);
    store.rename_chat(&turn.chat.id, "Holidays").await.unwrap();
    assert!(search(&store, "tax").await.hits.is_empty());
}

#[tokio::test]
async fn an_answer_being_written_is_found_once_it_has_ended() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    store.journal_text(&turn.answer.id, "zebra").await.unwrap();
    assert!(search(&store, "zebra").await.hits.is_empty());
    store.finish_answer(&turn.answer.id, complete("zebra")).await.unwrap();
    assert_eq!(search(&store, "zebra").await.hits.len(), 1);
}

#[tokio::test]
async fn an_index_made_anew_finds_the_same() {
    let (home, store) = home().await;
    answered(&store, "Why is the sky blue?", "Rayleigh.").await;
    with_page(&store, "sea", "https://a.example/", "The sea mirrors the sky.").await;
    let before = search(&store, "sky").await;
    assert_eq!(before.hits.len(), 2);
    let mut raw = home.raw().await;
    for table in ["history_message", "history_page", "history_chat"] {
        let sql = format!("insert into {table} ({table}) values ('delete-all')");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut raw).await.unwrap();
    }
    assert!(search(&store, "sky").await.hits.is_empty());
    store.rebuild_history_index().await.unwrap();
    assert_eq!(search(&store, "sky").await, before);
}

#[tokio::test]
async fn rows_that_other_hands_wrote_are_found_after_the_next_opening() {
    let (home, store) = home().await;
    let turn = answered(&store, "q", "a").await;
    sqlx::query(
        "insert into message (id, chat_id, role, content, created_at, state)
         values ('msg_other', ?, 'user', 'quokka', 5, 'complete')",
    )
    .bind(turn.chat.id.as_str())
    .execute(&mut home.raw().await)
    .await
    .unwrap();
    store.close().await;
    assert_eq!(search(&home.open().await, "quokka").await.hits.len(), 1);
}

#[tokio::test]
async fn a_snippet_shows_the_part_that_matches_on_one_line() {
    let (_home, store) = home().await;
    let text = format!(
        "{}\n\nThe  needle\nis here. {}",
        "hay ".repeat(5_000),
        "hay ".repeat(500)
    );
    with_page(&store, "q", "https://a.example/", &text).await;
    let hits = search(&store, "needle").await.hits;
    let snippet = &hits[0].snippet;
    assert!(snippet.starts_with('…') && snippet.ends_with('…'), "{snippet}");
    assert!(snippet.contains("The needle is here."), "{snippet}");
    assert!(snippet.len() < 400);
    assert_eq!(marked(&hits[0]), ["needle"]);
}
