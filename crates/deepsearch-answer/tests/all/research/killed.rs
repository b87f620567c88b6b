//! A research that is killed at any step goes on from there, and ends as one that nobody killed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use deepsearch_core::ResearchBudget;

use super::desk::{Death, Scripted, World, lighthouse, willing};

async fn undisturbed(model: Arc<Scripted>) -> (String, usize) {
    let world = World::of(lighthouse(), model);
    let outcome = world.run(world.fresh(ResearchBudget::default()), "").await;
    (
        outcome.answer.unwrap().content,
        world.memory.kept.load(Ordering::Relaxed),
    )
}

#[rstest::rstest]
#[case::with_a_model(willing())]
#[case::without_one(Scripted::extractive())]
#[tokio::test]
async fn killed_at_any_step_it_ends_with_the_same_report(#[case] model: Arc<Scripted>) {
    let (whole, steps) = undisturbed(model.clone()).await;
    assert!(steps > 12, "there are steps to be killed at: {steps}");
    for at in 1..=steps {
        for written in [false, true] {
            if at == 1 && !written {
                continue; // Nothing was kept yet, so there is nothing to go on with.
            }
            let world = World::of(lighthouse(), model.clone());
            *world.memory.death.lock().unwrap() = Some(Death { at, written });
            let killed = world.run(world.fresh(ResearchBudget::default()), "").await;
            assert!(killed.answer.is_err(), "killed at {at}");
            let kept = world.memory.text.lock().unwrap().clone();
            assert!(
                whole.starts_with(&kept),
                "what was written before the kill at {at} stays"
            );
            let outcome = world.go_on().await;
            assert_eq!(
                outcome.answer.unwrap().content,
                whole,
                "killed at {at}, written: {written}"
            );
            assert_eq!(outcome.told, whole, "and so a watcher has it");
        }
    }
}

#[tokio::test]
async fn killed_at_every_step_in_turn_it_still_comes_to_its_end() {
    let (whole, steps) = undisturbed(willing()).await;
    let world = World::of(lighthouse(), willing());
    // Each start gets one task further than the last and dies.
    *world.memory.death.lock().unwrap() = Some(Death { at: 2, written: true });
    let mut outcome = world.run(world.fresh(ResearchBudget::default()), "").await;
    let mut starts = 1;
    while outcome.answer.is_err() {
        starts += 1;
        assert!(starts < 3 * steps, "it gets on");
        let kept = world.memory.kept.load(Ordering::Relaxed);
        *world.memory.death.lock().unwrap() = Some(Death {
            at: kept + 2,
            written: true,
        });
        outcome = world.go_on().await;
    }
    assert!(starts + 3 > steps, "{starts} starts for {steps} steps");
    assert_eq!(outcome.answer.unwrap().content, whole);
}

#[tokio::test]
async fn a_page_whose_text_is_lost_is_no_evidence_and_no_end() {
    let world = World::of(lighthouse(), willing());
    *world.memory.death.lock().unwrap() = Some(Death { at: 9, written: true });
    assert!(
        world
            .run(world.fresh(ResearchBudget::default()), "")
            .await
            .answer
            .is_err()
    );
    let lost = world.memory.pages.lock().unwrap().remove(0);
    let answer = world.go_on().await.answer.unwrap();
    assert!(answer.citations.iter().all(|citation| citation.page_id != lost.id));
    assert!(!answer.citations.is_empty());
}
