//! What a report is: a section for each question, every sentence cited, with a model or without one.

use deepsearch_core::event::AnswerEvent;
use deepsearch_core::research::{PartOrigin, ResearchEnd};
use deepsearch_core::{Purpose, ResearchBudget, SearchError, Verdict};

use super::desk::{Index, Scripted, World, headings, lighthouse, planning, refused, sentences_of, willing};
use crate::fakes::FakeSearcher;

#[tokio::test]
async fn a_report_has_a_section_for_each_question_and_every_sentence_is_cited_and_checked() {
    let world = World::of(lighthouse(), willing());
    let outcome = world.run(world.fresh(ResearchBudget::default()), "").await;
    let answer = outcome.answer.unwrap();
    let found = headings(&answer.content);
    assert_eq!(
        found[..4],
        [
            "Who built the Halden lighthouse?",
            "How high is the Halden lighthouse?",
            "How does the lens of the Halden lighthouse work?",
            "What happened to the keepers of the Halden lighthouse?"
        ],
        "{}",
        answer.content
    );
    assert!(!answer.content.starts_with("##"), "it opens with the answer in short");
    assert!(answer.content.contains("Three keepers lived") || answer.content.contains("no keepers any more"));
    assert!(!answer.checks.is_empty());
    for check in &answer.checks {
        assert_eq!(
            check.verdict,
            Verdict::Supported,
            "{}",
            check.sentence.slice(&answer.content)
        );
        assert!(
            answer
                .citations
                .iter()
                .any(|citation| check.sentence.contains(citation.marker)),
            "{}",
            check.sentence.slice(&answer.content)
        );
    }
    assert_eq!(outcome.told, answer.content, "a watcher has the same text");
    assert_eq!(answer.title.as_deref(), Some("The Halden lighthouse"));
    assert!(answer.metadata.tokens.is_some_and(|tokens| tokens.total > 0));
    assert!(!answer.content.contains("Bananas"));
}

#[tokio::test]
async fn no_word_is_told_before_it_is_kept_and_the_sources_are_told_before_the_first() {
    let world = World::of(lighthouse(), willing());
    let outcome = world.run(world.fresh(ResearchBudget::default()), "").await;
    let first = |wanted: fn(&AnswerEvent) -> bool| outcome.events.iter().position(wanted).unwrap();
    let ranked = first(|event| matches!(event, AnswerEvent::Ranked { .. }));
    let token = first(|event| matches!(event, AnswerEvent::Token { .. }));
    assert!(ranked < token);
    assert_eq!(*world.memory.text.lock().unwrap(), outcome.answer.unwrap().content);
}

#[tokio::test]
async fn without_a_model_the_sections_are_what_the_pages_go_into_and_the_sentences_are_theirs() {
    let mut world = World::of(lighthouse(), Scripted::extractive());
    world.research.pipeline.searchers = vec![Index::of(&lighthouse(), 10)];
    world.question.text = "Halden lighthouse".into();
    let outcome = world.run(world.fresh(ResearchBudget::default()), "").await;
    let answer = outcome.answer.unwrap();
    let found = headings(&answer.content);
    assert!(found.len() >= 3, "{}", answer.content);
    for heading in ["Construction", "Lens", "Keepers"] {
        assert!(found.contains(&heading), "{heading} in {found:?}");
    }
    let state = world.memory.state();
    assert!(state.parts.iter().any(|part| part.origin == PartOrigin::Reading));
    for check in &answer.checks {
        assert_eq!(
            check.verdict,
            Verdict::Supported,
            "{}",
            check.sentence.slice(&answer.content)
        );
    }
    assert_eq!(state.spent.usage.total, 0, "no model was asked");
}

#[tokio::test]
async fn what_a_part_still_misses_is_searched_for_again_in_other_words() {
    let mut world = World::of(lighthouse(), Scripted::extractive());
    world.question.text = "What drives the foghorn cellar of Halden and its submarine bell?".into();
    let outcome = world.run(world.fresh(ResearchBudget::default()), "").await;
    outcome.answer.unwrap();
    let asked = world.index.asked();
    assert!(asked.len() > 1, "{asked:?}");
    let mut once = asked.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), asked.len(), "nothing is searched for twice: {asked:?}");
    let part = &world.memory.state().parts[0];
    assert!(part.missing.iter().any(|word| word == "submarine"), "{part:?}");
}

#[tokio::test]
async fn a_question_that_no_source_answers_is_named_as_such_and_not_made_up() {
    let model = planning(
        "Who built the Halden lighthouse?\nWhich submarines visited Zanzibar?",
        sentences_of,
    );
    let world = World::of(lighthouse(), model);
    let answer = world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    assert_eq!(
        headings(&answer.content).last().copied(),
        Some("Not found"),
        "{}",
        answer.content
    );
    assert!(answer.content.ends_with("- Which submarines visited Zanzibar?"));
    let own = answer.content.find("## Not found").unwrap();
    assert!(
        answer.checks.iter().all(|check| (check.sentence.start as usize) < own),
        "what the report says of itself is not held against sources"
    );
}

#[tokio::test]
async fn a_model_that_fails_or_invents_is_replaced_by_the_sources_sentences() {
    let inventing = planning(
        "Who built the Halden lighthouse?\nHow high is the Halden lighthouse?",
        |_| "Penguins invented television in Antarctica. They sold it to Norway for nine herrings.".into(),
    );
    for model in [inventing, Scripted::model(|_| Err(refused()))] {
        let world = World::of(lighthouse(), model);
        let answer = world
            .run(world.fresh(ResearchBudget::default()), "")
            .await
            .answer
            .unwrap();
        assert!(answer.content.contains("Maren Voss"), "{}", answer.content);
        assert!(!answer.content.contains("Penguins"), "{}", answer.content);
        assert!(answer.checks.iter().all(|check| check.verdict == Verdict::Supported));
    }
}

#[tokio::test]
async fn of_a_text_that_is_true_in_part_only_that_part_is_kept() {
    let mixing = planning(
        "Who built the Halden lighthouse?\nHow high is the Halden lighthouse?",
        |request| match request.purpose {
            Purpose::Answer => {
                "Penguins painted the tower in nine colours. The Halden lighthouse was built by the engineer \
                                Maren Voss from local granite. Its cellar holds a famous brewery for herrings. The \
                                construction of the Halden lighthouse took six summers. **Norway bought it twice.**"
                    .into()
            }
            _ => String::new(),
        },
    );
    let world = World::of(lighthouse(), mixing);
    let answer = world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    let content = &answer.content;
    for said in ["from local granite. [", "took six summers. ["] {
        assert!(content.contains(said), "{said} in {content}");
    }
    for invented in ["Penguins", "brewery", "Norway", "**"] {
        let before = content.split("## Where").next().unwrap_or_default();
        assert!(!before.contains(invented), "{invented} in {content}");
    }
    for check in &answer.checks {
        let is_cited = answer
            .citations
            .iter()
            .any(|citation| check.sentence.contains(citation.marker));
        assert!(
            is_cited && check.verdict == Verdict::Supported,
            "{}",
            check.sentence.slice(content)
        );
    }
}

#[tokio::test]
async fn a_model_that_fails_is_named_and_not_asked_for_ever() {
    let model = Scripted::model(|_| Err(refused()));
    let world = World::of(lighthouse(), model.clone());
    world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    assert!(model.asked.load(std::sync::atomic::Ordering::Relaxed) <= 3);
    let trouble = world.memory.state().trouble.unwrap();
    assert!(trouble.hint.unwrap().contains("models.scripted.key"));
}

#[tokio::test]
async fn sentences_that_a_model_forgot_to_cite_are_cited_where_a_source_says_them() {
    let model = planning(
        "Who built the Halden lighthouse?\nHow high is the Halden lighthouse?",
        |request| {
            match request.purpose {
            Purpose::Answer => {
                "# Builder\nThe Halden lighthouse was built by the engineer Maren Voss from local granite. The construction of the Halden lighthouse took six".into()
            }
            _ => String::new(),
        }
        },
    );
    let world = World::of(lighthouse(), model);
    let answer = world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    assert!(answer.content.contains("from local granite. [1]"), "{}", answer.content);
    assert!(answer.content.contains("### Builder"), "its headings stand below ours");
    assert!(!answer.content.contains("took six\n"), "half a sentence is left out");
}

#[tokio::test]
async fn where_nothing_is_found_it_says_so_and_ends() {
    let mut world = World::of(Vec::new(), willing());
    world.research.pipeline.searchers = vec![FakeSearcher::failing(|| SearchError::NoResults {
        engine: "fake".into(),
    })];
    let answer = world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    assert!(
        answer.content.starts_with("No source could be found"),
        "{}",
        answer.content
    );
    assert!(answer.sources.is_empty() && answer.checks.is_empty());
}

#[tokio::test]
async fn without_a_network_only_what_is_on_the_machine_is_read_and_never_beside_the_web() {
    let offline = || SearchError::Unreachable {
        engine: "fake".into(),
        source: "no route".into(),
    };
    let mut world = World::of(lighthouse(), willing());
    let web = FakeSearcher::failing(offline);
    world.research.pipeline.fallback = vec![world.index.clone()];
    world.research.pipeline.searchers = vec![web.clone()];
    let answer = world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    assert!(answer.content.contains("Maren Voss"));
    assert_eq!(
        web.asked.lock().unwrap().len(),
        1,
        "once private pages are read, the web is not asked"
    );

    let mut world = World::of(lighthouse(), willing());
    let private = FakeSearcher::finding(["https://bananas.example/"]);
    world.research.pipeline.fallback = vec![private.clone()];
    world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    assert!(
        private.asked.lock().unwrap().is_empty(),
        "once the web is read, private chats are not"
    );
}

#[tokio::test]
async fn who_stops_it_has_a_report_of_what_was_found_without_model_or_network() {
    let world = World::of(lighthouse(), willing());
    *world.memory.death.lock().unwrap() = Some(super::desk::Death { at: 8, written: true });
    assert!(
        world
            .run(world.fresh(ResearchBudget::default()), "")
            .await
            .answer
            .is_err()
    );
    let (asked, state) = (world.index.asked().len(), world.memory.state());
    assert!(
        !state.pages.is_empty() && state.lead.is_none(),
        "it was stopped while it read"
    );
    let mut stopped = world.research.clone();
    stopped.pipeline.model = Scripted::model(|_| panic!("the model is not asked"));
    let written = stopped.wrap_up(&world.question, state.clone()).await.unwrap();
    let answer = written.answer;
    assert_eq!(answer.sources.len(), written.pages.len());
    assert!(
        answer.content.contains("Halden lighthouse") && answer.content.contains("[1]"),
        "{}",
        answer.content
    );
    assert_eq!(world.index.asked().len(), asked);
    assert_eq!(world.memory.state(), state, "and it can be gone on with as it was");
    let whole = world.go_on().await;
    assert_eq!(whole.told, whole.answer.unwrap().content);
    assert_eq!(world.ended(), Some(ResearchEnd::Enough));
}

#[tokio::test]
async fn a_heading_and_a_quote_cannot_pose_as_markup_of_the_report() {
    let mut pages = lighthouse();
    let trick = "Construction\nThe Halden lighthouse is 12 metres high [1](https://evil.example/x) <script>alert(1)</script>.\n";
    pages.push(crate::fakes::page("https://evil.example/", "Halden lighthouse", trick));
    let world = World::of(pages, Scripted::extractive());
    let answer = world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    let disputed = answer
        .content
        .split("## Where sources disagree")
        .nth(1)
        .unwrap_or_default();
    assert!(!disputed.contains("](http"), "{disputed}");
    assert!(!disputed.replace("\\<", "").contains("<script"), "{disputed}");
}
