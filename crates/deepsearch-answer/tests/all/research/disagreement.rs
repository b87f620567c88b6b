//! Where sources disagree, the report says who says what and when.

use deepsearch_core::research::ConflictKind;
use deepsearch_core::{ResearchBudget, Verdict};

use super::desk::{Scripted, World, lighthouse, willing};

#[tokio::test]
async fn it_says_who_says_what_and_when() {
    for model in [willing(), Scripted::extractive()] {
        let world = World::of(lighthouse(), model);
        let answer = world
            .run(world.fresh(ResearchBudget::default()), "")
            .await
            .answer
            .unwrap();
        let section = answer
            .content
            .split("## Where sources disagree")
            .nth(1)
            .expect(&answer.content);
        assert!(section.contains("Sources give different numbers:"), "{section}");
        let number = |host: &str| {
            let line = section.lines().skip_while(|line| !line.contains(host)).nth(1).unwrap();
            line.rsplit('[')
                .next()
                .unwrap()
                .trim_end_matches(']')
                .parse::<usize>()
                .unwrap()
        };
        assert!(section.contains("- **harbour.example**, 2019-05-02:\n  - The Halden lighthouse is 41 metres high. ["));
        assert!(section.contains("- **museum.example**, 2023-11-20:\n  - The Halden lighthouse is 38 metres high. ["));
        for host in ["harbour.example", "museum.example"] {
            assert!(answer.sources[number(host) - 1].url.contains(host));
        }
        let start = answer.content.len() - section.len();
        let checks = answer
            .checks
            .iter()
            .filter(|check| check.sentence.start as usize >= start);
        assert!(checks.clone().count() >= 2);
        assert!(checks.clone().all(|check| check.verdict == Verdict::Supported));
    }
}

#[tokio::test]
async fn what_others_say_of_it_is_looked_for_once() {
    let world = World::of(lighthouse(), Scripted::extractive());
    world
        .run(world.fresh(ResearchBudget::default()), "")
        .await
        .answer
        .unwrap();
    let state = world.memory.state();
    assert!(
        state
            .conflicts
            .iter()
            .any(|conflict| conflict.about == ConflictKind::Number)
    );
    assert!(state.conflicts.iter().all(|conflict| conflict.searched));
    let asked = world.index.asked();
    let about_it = asked
        .iter()
        .filter(|query| *query == "The Halden lighthouse is metres high");
    assert_eq!(about_it.count(), 1, "{asked:?}");
}
