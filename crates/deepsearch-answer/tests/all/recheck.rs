//! An old answer is held, sentence by sentence, against what its question brings now.

use std::collections::HashSet;

use deepsearch_answer::Evidence;
use deepsearch_answer::cite::cite;
use deepsearch_answer::recheck::{Kept, compare, count_changed};
use deepsearch_core::recheck::{Compared, Standing};
use deepsearch_core::{Citation, Source};

use crate::fakes::page;

struct Answer {
    content: String,
    evidence: Evidence,
    sources: Vec<Source>,
    citations: Vec<Citation>,
}

fn answer(content: &str, pages: &[(&str, &str)]) -> Answer {
    let pages = pages.iter().map(|(url, text)| page(url, "Halden", text)).collect();
    let evidence = Evidence::of_pages(pages, Vec::new());
    Answer {
        citations: cite(content, &evidence),
        sources: evidence.sources(),
        content: content.into(),
        evidence,
    }
}

fn compared(old: &Answer, new: &Answer) -> Vec<Compared> {
    compare(kept(old), kept(new), &new.evidence, &HashSet::new(), &|| true)
}

fn kept(answer: &Answer) -> Kept<'_> {
    Kept {
        content: &answer.content,
        citations: &answer.citations,
        sources: &answer.sources,
    }
}

const HEIGHT: &str = "The Halden lighthouse is 41 metres high.";
const BUILDER: &str = "Maren Voss built the Halden lighthouse from granite.";
const KEEPERS: &str = "Three keepers live at the Halden lighthouse.";

#[test]
fn each_sentence_is_the_same_changed_gone_or_new_with_the_evidence_then_and_now() {
    let old = answer(
        &format!("{HEIGHT} [1] {BUILDER} [1] {KEEPERS} [1]"),
        &[("https://a.example/", &format!("{HEIGHT}\n{BUILDER}\n{KEEPERS}"))],
    );
    let now = "The Halden lighthouse is 38 metres high.";
    let new = answer(
        &format!("{now} [1] {BUILDER} [2] Its foghorn is driven by compressed air. [2]"),
        &[
            ("https://b.example/", now),
            (
                "https://c.example/",
                &format!("{BUILDER}\nIts foghorn is driven by compressed air."),
            ),
        ],
    );
    let found = compared(&old, &new);
    let standings: Vec<Standing> = found.iter().map(|known| known.standing).collect();
    assert_eq!(
        standings,
        [Standing::Changed, Standing::Same, Standing::Gone, Standing::New],
        "{found:#?}"
    );
    assert_eq!(found[0].before.as_ref().unwrap().quote, HEIGHT);
    assert_eq!(found[0].now.as_ref().unwrap().quote, now);
    assert_eq!(found[0].now.as_ref().unwrap().url, "https://b.example/");
    assert_eq!(found[1].now.as_ref().unwrap().url, "https://c.example/");
    assert!(found[2].before.is_some());
    assert_eq!(found[3].before, None);
    assert_eq!(count_changed(&found), 2);
}

#[test]
fn what_the_new_answer_leaves_out_is_not_gone_where_a_page_still_says_it() {
    let old = answer(&format!("{HEIGHT} [1]"), &[("https://a.example/", HEIGHT)]);
    let new = answer(
        &format!("{BUILDER} [1]"),
        &[("https://a.example/", &format!("{BUILDER}\n{HEIGHT}"))],
    );
    assert_eq!(compared(&old, &new)[0].standing, Standing::Same);
}

#[test]
fn without_any_page_everything_is_gone_and_nothing_is_invented() {
    let old = answer(&format!("{HEIGHT} [1]"), &[("https://a.example/", HEIGHT)]);
    let found = compared(&old, &answer("", &[]));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].standing, &found[0].now), (Standing::Gone, &None));
}

#[test]
fn what_rested_on_nothing_cannot_be_gone_and_what_a_page_denies_is_told_all_the_same() {
    let pages = [("https://a.example/", HEIGHT)];
    let old = answer(
        &format!("{HEIGHT} [1] I hope that this overview is of help to you. {KEEPERS}"),
        &pages,
    );
    let found = compared(&old, &answer(&format!("{HEIGHT} [1]"), &pages));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(count_changed(&found), 0);
    let denied = "Two keepers live at the Halden lighthouse.";
    let found = compared(
        &old,
        &answer(&format!("{denied} [1]"), &[("https://b.example/", denied)]),
    );
    let keepers = found.iter().find(|known| known.sentence == KEEPERS).unwrap();
    assert_eq!(keepers.standing, Standing::Changed, "{found:#?}");
}

#[test]
fn what_the_cited_page_still_says_stands_whatever_another_says_and_leads_to_its_sentence() {
    let old = answer(&format!("{HEIGHT} [1]"), &[("https://a.example/", HEIGHT)]);
    let new = answer(
        "",
        &[
            ("https://b.example/", "The Halden lighthouse is 38 metres high."),
            ("https://a.example/", &format!("{BUILDER}\n{HEIGHT}")),
        ],
    );
    let found = compared(&old, &new);
    assert_eq!(found[0].standing, Standing::Same, "{found:#?}");
    let now = found[0].now.as_ref().unwrap();
    let page = &new.evidence.pages[1];
    assert_eq!(now.page_id.as_ref(), Some(&page.id));
    assert_eq!(now.page_span.unwrap().slice(&page.text), HEIGHT);
    let before = found[0].before.as_ref().unwrap();
    assert_eq!(before.page_id.as_ref(), Some(&old.evidence.pages[0].id));
    assert_eq!(before.page_span.unwrap().slice(&old.evidence.pages[0].text), HEIGHT);
}

#[test]
fn what_rests_on_a_page_that_could_not_be_read_is_not_gone_unless_another_says_otherwise() {
    let old = answer(
        &format!("{HEIGHT} [1] {KEEPERS} [2]"),
        &[("https://a.example/", HEIGHT), ("https://b.example/", KEEPERS)],
    );
    let new = answer(
        "",
        &[("https://c.example/", "The Halden lighthouse is 38 metres high.")],
    );
    let unread = HashSet::from(["https://a.example/".to_owned(), "https://b.example/".to_owned()]);
    let found = compare(kept(&old), kept(&new), &new.evidence, &unread, &|| true);
    let standings: Vec<Standing> = found.iter().map(|known| known.standing).collect();
    assert_eq!(standings, [Standing::Changed, Standing::Unread], "{found:#?}");
    assert_eq!(count_changed(&found), 1);
    // The other one is truly gone.
    let found = compare(kept(&old), kept(&new), &new.evidence, &HashSet::new(), &|| true);
    assert_eq!(found[1].standing, Standing::Gone);
}

#[test]
fn what_nobody_waits_for_any_more_is_held_no_further() {
    let page = (
        "https://a.example/",
        "The bridge is 40 metres long. It was built in 1931. It carries two lanes.",
    );
    let old = answer(
        "The bridge is 40 metres long [1]. It was built in 1931 [1]. It carries two lanes [1].",
        &[page],
    );
    assert_eq!(compared(&old, &old).len(), 3);
    let looked = std::cell::Cell::new(0);
    let wanted = || {
        looked.set(looked.get() + 1);
        looked.get() <= 1
    };
    let found = compare(kept(&old), kept(&old), &old.evidence, &HashSet::new(), &wanted);
    assert_eq!(found.len(), 1, "{found:?}");
}
