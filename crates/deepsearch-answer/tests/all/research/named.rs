//! What the person points at, a file that came with the question or an address in it, is read whatever becomes of the plan.

use deepsearch_core::{PlanEdit, ResearchBudget};

use super::desk::{Death, World, lighthouse, willing};
use crate::fakes::{FakeWeb, page};

const REPORT: &str = "file:///home/ada/report.md";
const NOTES: &str = "https://ada.example/notes";

/// A world that holds two more pages, which no engine knows.
fn world() -> World {
    let own = |url, title| {
        let text = format!("{title}\nThe survey of the Halden lighthouse counted 9 cracks in its granite.\n");
        page(url, title, &text)
    };
    let mut pages = lighthouse();
    pages.extend([own(REPORT, "A report"), own(NOTES, "Notes on Halden")]);
    let mut world = World::with_web(FakeWeb::of(pages), &lighthouse(), willing());
    world.question.named = vec![REPORT.parse().unwrap()];
    world
}

fn was_read(world: &World, url: &str) -> bool {
    world.memory.state().pages.iter().any(|page| page.url == url)
}

fn reword(part: u32) -> PlanEdit {
    PlanEdit::Reword {
        part,
        question: "Who were the keepers of the Halden lighthouse?".into(),
    }
}

#[tokio::test]
async fn a_file_is_read_whatever_becomes_of_the_question_it_would_have_been_read_for() {
    for edit in [PlanEdit::Remove { part: 1 }, reword(1)] {
        // While the plan waits for the person, and when the first search is done.
        for (agree, later) in [
            (true, vec![(2, edit.clone()), (3, PlanEdit::Agree)]),
            (false, vec![(3, edit.clone())]),
        ] {
            let world = world();
            let mut state = world.fresh(ResearchBudget::default());
            state.agree = agree;
            world.memory.later.lock().unwrap().extend(later);
            world.run(state, "").await.answer.unwrap();
            assert!(was_read(&world, REPORT), "{edit:?}, seen first: {agree}");
            assert!(world.memory.state().named.is_empty(), "and it is not read again");
        }
    }
}

#[tokio::test]
async fn an_address_in_the_question_is_read_unless_a_program_asks() {
    for reads in [true, false] {
        let mut world = world();
        world.question.named.clear();
        world.question.text = format!("How was the Halden lighthouse built, and is {NOTES} right?");
        world.question.reads_addresses = reads;
        let answer = world
            .run(world.fresh(ResearchBudget::default()), "")
            .await
            .answer
            .unwrap();
        assert_eq!(was_read(&world, NOTES), reads);
        assert!(
            !answer.content.contains(NOTES),
            "no heading is an address: {}",
            answer.content
        );
    }
}

#[tokio::test]
async fn files_are_read_beside_what_was_found_and_take_no_place_of_it() {
    let world = world();
    let without = World::of(lighthouse(), willing());
    let budget = ResearchBudget {
        steps: 1,
        ..ResearchBudget::default()
    };
    world.run(world.fresh(budget), "").await.answer.unwrap();
    without.run(without.fresh(budget), "").await.answer.unwrap();
    let (with, without) = (world.memory.state().pages.len(), without.memory.state().pages.len());
    assert_eq!(with, without + 1);
}

#[tokio::test]
async fn a_kill_before_it_was_kept_that_a_file_is_read_has_it_read_again() {
    for at in 1..9 {
        let mut world = world();
        *world.memory.death.lock().unwrap() = Some(Death { at, written: at == 1 });
        let killed = world.run(world.fresh(ResearchBudget::default()), "").await;
        assert!(killed.answer.is_err());
        // Whoever goes on does not bring the files again.
        world.question.named.clear();
        world.go_on().await.answer.unwrap();
        assert!(was_read(&world, REPORT), "killed at {at}");
    }
}
