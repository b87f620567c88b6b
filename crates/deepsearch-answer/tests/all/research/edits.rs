//! A plan can be changed before and while it is worked on, and no change is lost.

use std::sync::atomic::Ordering;

use deepsearch_answer::AnswerError;
use deepsearch_core::research::{PartOrigin, ResearchEnd, ResearchPart, ResearchPhase};
use deepsearch_core::{PlanEdit, ResearchBudget};

use super::desk::{Death, World, headings, lighthouse, willing};

fn add(question: &str) -> PlanEdit {
    PlanEdit::Add {
        question: question.into(),
        before: None,
    }
}

#[tokio::test]
async fn what_is_added_while_it_runs_is_searched_for_and_written() {
    for after in [1, 4, 9, 14] {
        let world = World::of(lighthouse(), willing());
        world
            .memory
            .later
            .lock()
            .unwrap()
            .push((after, add("How does the foghorn of Halden work?")));
        let outcome = world.run(world.fresh(ResearchBudget::default()), "").await;
        let answer = outcome.answer.unwrap();
        assert!(
            answer.content.contains("compressed air"),
            "added after {after}: {}",
            answer.content
        );
        assert!(headings(&answer.content).contains(&"How does the foghorn of Halden work?"));
        assert_eq!(outcome.told, answer.content);
        let state = world.memory.state();
        assert!(state.parts.iter().any(|part| part.origin == PartOrigin::Person));
        assert!(world.memory.edits.lock().unwrap().is_empty(), "it was taken");
    }
}

#[tokio::test]
async fn a_plan_can_be_reworded_reordered_and_shortened() {
    let world = World::of(lighthouse(), willing());
    let edits = [
        PlanEdit::Remove { part: 1 },
        PlanEdit::Reword {
            part: 2,
            question: "Who were the keepers of the Halden lighthouse?".into(),
        },
        PlanEdit::Order { parts: vec![3, 2] },
    ];
    world.memory.later.lock().unwrap().extend(edits.map(|edit| (2, edit)));
    let answer = world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    assert_eq!(
        headings(&answer.content)[..2],
        [
            "How does the lens of the Halden lighthouse work?",
            "Who were the keepers of the Halden lighthouse?"
        ]
    );
    assert!(!headings(&answer.content).contains(&"Who built the Halden lighthouse?"));
}

#[tokio::test]
async fn an_edit_whose_keeping_is_killed_is_made_all_the_same_and_once() {
    for at in 3..9 {
        for written in [false, true] {
            let world = World::of(lighthouse(), willing());
            world
                .memory
                .later
                .lock()
                .unwrap()
                .push((3, add("How does the foghorn of Halden work?")));
            *world.memory.death.lock().unwrap() = Some(Death { at, written });
            assert!(
                world
                    .run(world.fresh(ResearchBudget::default()), "")
                    .await
                    .answer
                    .is_err()
            );
            let answer = world.go_on().await.answer.unwrap();
            let found = headings(&answer.content);
            let count = found.iter().filter(|heading| heading.contains("foghorn")).count();
            assert_eq!(count, 1, "killed at {at}, written: {written}");
        }
    }
}

#[tokio::test]
async fn a_plan_waits_for_the_person_who_wants_to_see_it_first() {
    let world = World::of(lighthouse(), willing());
    let mut state = world.fresh(ResearchBudget::default());
    state.agree = true;
    let waited = world.run(state.clone(), "").await;
    assert!(matches!(waited.answer, Err(AnswerError::NotAgreed)));
    let kept = world.memory.kept.load(Ordering::Relaxed);
    assert!(kept < 5, "waiting writes nothing, and {kept} times it was");
    assert!(world.index.asked().is_empty(), "nothing is searched for before");

    world.memory.add_edit(PlanEdit::Remove { part: 2 });
    world.memory.add_edit(PlanEdit::Agree);
    let answer = world.go_on().await.answer.unwrap();
    assert!(!headings(&answer.content).contains(&"How high is the Halden lighthouse?"));
    assert!(answer.content.contains("Maren Voss"));
}

#[tokio::test]
async fn who_wants_the_report_now_gets_it_with_the_model() {
    let world = World::of(lighthouse(), willing());
    world.memory.later.lock().unwrap().push((4, PlanEdit::Finish));
    let answer = world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    assert_eq!(world.index.asked().len(), 1);
    assert_eq!(world.ended(), Some(ResearchEnd::Person));
    assert!(answer.content.contains("Halden lighthouse"));
}

#[tokio::test]
async fn a_larger_budget_goes_on_searching_also_when_the_report_was_begun() {
    let small = ResearchBudget {
        steps: 1,
        ..ResearchBudget::default()
    };
    let mut raised = 0;
    for at in 3..30 {
        let world = World::of(lighthouse(), willing());
        *world.memory.death.lock().unwrap() = Some(Death { at, written: true });
        if world.run(world.fresh(small), "").await.answer.is_ok() {
            break;
        }
        let state = world.memory.state();
        let is_unwritten = |part: &&ResearchPart| part.queries.is_empty() && part.section.is_none();
        let left: Vec<u32> = state.parts.iter().filter(is_unwritten).map(|part| part.id).collect();
        if state.phase != ResearchPhase::Write || left.is_empty() {
            continue;
        }
        raised += 1;
        assert_eq!(state.ended, Some(ResearchEnd::Steps));
        let budget = ResearchBudget::default();
        world.memory.add_edit(PlanEdit::Budget { budget });
        let answer = world.go_on().await.answer.unwrap();
        let state = world.memory.state();
        for id in left {
            let part = state.part(id).unwrap();
            assert!(
                !part.queries.is_empty(),
                "killed at {at}: {} was not searched for",
                part.question
            );
        }
        assert_ne!(state.ended, Some(ResearchEnd::Steps));
        let (found, mut once) = (headings(&answer.content), headings(&answer.content));
        once.dedup();
        assert_eq!(found, once, "killed at {at}: a section stands there twice");
    }
    assert!(raised > 0, "no kill met the report being written");
}

#[tokio::test]
async fn an_edit_after_the_lead_has_another_lead_written() {
    for edit in [
        add("How does the foghorn of Halden work?"),
        PlanEdit::Remove { part: 1 },
        PlanEdit::Reword {
            part: 1,
            question: "Who were the keepers of the Halden lighthouse?".into(),
        },
    ] {
        let world = World::of(lighthouse(), willing());
        world
            .run(world.fresh(ResearchBudget::default()), "")
            .await
            .answer
            .unwrap();
        let mut state = world.memory.state();
        state.phase = ResearchPhase::Write;
        state.lead = Some("What was said before the change.".into());
        *world.memory.state.lock().unwrap() = Some(serde_json::to_string(&state).unwrap());
        world.memory.add_edit(edit.clone());
        let answer = world.go_on().await.answer.unwrap();
        assert!(
            !answer.content.contains("before the change"),
            "{edit:?}: {}",
            answer.content
        );
        assert!(!answer.content.starts_with("## "), "{edit:?}: it has a lead");
    }
}

#[tokio::test]
async fn an_edit_that_no_longer_fits_changes_nothing() {
    let world = World::of(lighthouse(), willing());
    let edits = [
        PlanEdit::Remove { part: 77 },
        PlanEdit::Reword {
            part: 77,
            question: "Who?".into(),
        },
        add("   "),
        add("https://x.example/"),
        PlanEdit::Agree,
    ];
    world.memory.later.lock().unwrap().extend(edits.map(|edit| (3, edit)));
    let undisturbed = World::of(lighthouse(), willing());
    let expected = undisturbed
        .run(undisturbed.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    let answer = world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    assert_eq!(answer.content, expected.content);
}
