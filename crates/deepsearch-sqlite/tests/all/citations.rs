use deepsearch_core::{Citation, ErrorCode, Evidence, MessageId, PageId, SentenceCheck, Span, Verdict};
use deepsearch_sqlite::FinishedAnswer;

use crate::support::{ask, complete, home, journal_pages, page, source};

fn citation(number: u32, page_id: &PageId) -> Citation {
    Citation {
        number,
        marker: Span::new(4, 7),
        sentence: Span::new(0, 8),
        page_id: page_id.clone(),
        page_span: Span::new(0, 11),
        quote: "A sentence.".into(),
    }
}

fn checks(page_id: &PageId) -> Vec<SentenceCheck> {
    let check = |start, verdict, evidence| SentenceCheck {
        sentence: Span::new(start, start + 8),
        verdict,
        evidence,
    };
    let evidence = Evidence {
        number: 1,
        page_id: page_id.clone(),
        page_span: Span::new(0, 11),
        quote: "A sentence.".into(),
        score: 0.75,
    };
    vec![
        check(0, Verdict::Supported, Some(evidence.clone())),
        check(9, Verdict::Partly, Some(evidence)),
        check(18, Verdict::NotFound, None),
    ]
}

fn finished(page_id: &PageId) -> FinishedAnswer {
    FinishedAnswer {
        citations: vec![citation(1, page_id), citation(1, page_id)],
        checks: checks(page_id),
        follow_ups: vec!["And then?".into(), "Why?".into()],
        ..complete("Yes [1].")
    }
}

#[tokio::test]
async fn evidence_comes_back_as_it_was_given() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let page = page("https://example.com/", "A sentence.");
    journal_pages(&store, &turn.answer.id, std::slice::from_ref(&page)).await;
    let given = finished(&page.id);
    store.finish_answer(&turn.answer.id, given.clone()).await.unwrap();

    let evidence = store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(evidence.sources, [source(&page)]);
    assert_eq!((evidence.pages[0].number, &evidence.pages[0].title), (1, &page.title));
    assert_eq!(evidence.citations, given.citations);
    assert_eq!(evidence.checks, given.checks);
    assert_eq!(evidence.follow_ups, given.follow_ups);
    assert_eq!(store.lookup_evidence(&MessageId::new()).await.unwrap(), None);
}

#[tokio::test]
async fn a_citation_is_bound_to_the_page_that_was_saved_before() {
    let (_home, store) = home().await;
    let first = ask(&store, "one").await;
    let saved = page("https://example.com/", "A sentence.");
    journal_pages(&store, &first.answer.id, std::slice::from_ref(&saved)).await;

    let second = ask(&store, "two").await;
    let read_again = page("https://example.com/", "A sentence.");
    journal_pages(&store, &second.answer.id, std::slice::from_ref(&read_again)).await;
    store
        .finish_answer(&second.answer.id, finished(&read_again.id))
        .await
        .unwrap();

    let evidence = store.lookup_evidence(&second.answer.id).await.unwrap().unwrap();
    assert!(evidence.citations.iter().all(|citation| citation.page_id == saved.id));
    assert_eq!(evidence.checks[0].evidence.as_ref().unwrap().page_id, saved.id);
    let page = store
        .lookup_page(&evidence.citations[0].page_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(page.quote(evidence.citations[0].page_span), "A sentence.");
}

#[tokio::test]
async fn a_citation_of_a_source_that_is_not_there_is_refused_with_all_of_the_answer() {
    let (_home, store) = home().await;
    let turn = ask(&store, "q").await;
    let page = page("https://example.com/", "A sentence.");
    journal_pages(&store, &turn.answer.id, std::slice::from_ref(&page)).await;
    let mut bad = finished(&page.id);
    bad.citations.push(citation(2, &page.id));
    let error = store.finish_answer(&turn.answer.id, bad).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Invalid);
    assert!(error.to_string().contains("[2]"));
    let evidence = store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!((evidence.citations.len(), evidence.checks.len()), (0, 0));
}

#[tokio::test]
async fn a_check_with_evidence_that_cannot_be_read_keeps_its_verdict() {
    let (home, store) = home().await;
    let turn = ask(&store, "q").await;
    let page = page("https://example.com/", "A sentence.");
    journal_pages(&store, &turn.answer.id, std::slice::from_ref(&page)).await;
    store.finish_answer(&turn.answer.id, finished(&page.id)).await.unwrap();
    let mut raw = home.raw().await;
    sqlx::query("update sentence_check set evidence = '{\"number\":'")
        .execute(&mut raw)
        .await
        .unwrap();
    sqlx::query("update message set follow_ups = '7'")
        .execute(&mut raw)
        .await
        .unwrap();
    let evidence = store.lookup_evidence(&turn.answer.id).await.unwrap().unwrap();
    assert_eq!(
        (evidence.checks[0].verdict, &evidence.checks[0].evidence),
        (Verdict::Supported, &None)
    );
    assert_eq!(evidence.follow_ups, [""; 0]);
}
