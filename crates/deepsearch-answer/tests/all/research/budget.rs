//! No budget is exceeded, and what it is exceeded by never is the report.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_answer::research::{Prices, ResearchLimits};
use deepsearch_core::model::ModelStream;
use deepsearch_core::research::ResearchEnd;
use deepsearch_core::{
    ChatModel, ChatRequest, ModelError, ModelEvent, ModelInfo, PlanEdit, Purpose, ResearchBudget, TokenUsage,
};
use futures::StreamExt;

use super::desk::{Death, Scripted, World, headings, lighthouse, willing};
use crate::fakes::FakeWeb;

#[tokio::test]
async fn steps_and_pages_are_bounded_and_the_report_is_written_of_what_there_is() {
    for (budget, end) in [
        (
            ResearchBudget {
                steps: 2,
                ..ResearchBudget::default()
            },
            ResearchEnd::Steps,
        ),
        (
            ResearchBudget {
                pages: 3,
                ..ResearchBudget::default()
            },
            ResearchEnd::Pages,
        ),
    ] {
        let world = World::of(lighthouse(), willing());
        let answer = world.run(world.fresh(budget), "").await.answer.unwrap();
        let state = world.memory.state();
        assert_eq!(state.ended, Some(end));
        assert!(
            state.spent.steps <= budget.steps && state.spent.pages <= budget.pages,
            "{:?}",
            state.spent
        );
        assert_eq!(world.index.asked().len() as u32, state.spent.steps);
        assert!(answer.content.contains("Maren Voss"), "{}", answer.content);
        assert_eq!(headings(&answer.content)[0], "Who built the Halden lighthouse?");
    }
}

#[tokio::test(start_paused = true)]
async fn slow_pages_end_the_search_in_time_and_not_the_report() {
    let mut web = FakeWeb::of(lighthouse());
    for page in lighthouse() {
        web.late.insert(page.url.to_string(), Duration::from_secs(7));
    }
    let world = World::with_web(web, &lighthouse(), willing());
    let budget = ResearchBudget {
        seconds: 20,
        ..ResearchBudget::default()
    };
    let began = tokio::time::Instant::now();
    let answer = world.run(world.fresh(budget), "").await.answer.unwrap();
    assert_eq!(world.ended(), Some(ResearchEnd::Time));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(!answer.citations.is_empty(), "{}", answer.content);
}

/// Takes four seconds for every text, and does not come to an end with a title and what could be asked next.
struct Slow(Arc<Scripted>);

#[async_trait]
impl ChatModel for Slow {
    fn info(&self) -> &ModelInfo {
        self.0.info()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ModelStream, ModelError> {
        match request.purpose {
            Purpose::Answer => tokio::time::sleep(Duration::from_secs(4)).await,
            Purpose::Title | Purpose::FollowUps => std::future::pending().await,
            Purpose::Plan => {}
        }
        self.0.stream(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_the_report_takes_no_more_time_than_was_given() {
    for seconds in [20, 24, 60] {
        let mut world = World::of(lighthouse(), willing());
        world.research.pipeline.model = Arc::new(Slow(willing()));
        let budget = ResearchBudget {
            seconds,
            ..ResearchBudget::default()
        };
        let began = tokio::time::Instant::now();
        let answer = world.run(world.fresh(budget), "").await.answer.unwrap();
        let took = began.elapsed();
        assert!(
            took <= Duration::from_secs(u64::from(seconds) + 1),
            "{took:?} of {seconds} s"
        );
        assert!(answer.content.contains("Maren Voss"), "{}", answer.content);
    }
}

/// Tells that each question cost a hundred tokens, and is not of this machine where it is told so.
struct Metered(Arc<Scripted>, ModelInfo);

impl Metered {
    fn here() -> Self {
        let model = willing();
        let info = model.info().clone();
        Self(model, info)
    }

    fn elsewhere() -> Self {
        let mut metered = Self::here();
        metered.1.local = false;
        metered
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::Relaxed)
    }
}

const EACH: TokenUsage = TokenUsage {
    prompt: 80,
    completion: 20,
    total: 100,
};

#[async_trait]
impl ChatModel for Metered {
    fn info(&self) -> &ModelInfo {
        &self.1
    }

    async fn stream(&self, request: ChatRequest) -> Result<ModelStream, ModelError> {
        let told = futures::stream::iter([Ok(ModelEvent::Usage(EACH))]);
        Ok(self.0.stream(request).await?.chain(told).boxed())
    }
}

#[tokio::test]
async fn tokens_and_money_are_bounded_and_what_they_do_not_reach_is_made_of_sentences() {
    // The plan and one question of the first review use up what gathering may; two sections more, all there is.
    let tokens = ResearchBudget {
        tokens: 450,
        ..ResearchBudget::default()
    };
    let money = ResearchBudget {
        money: Some(0.45),
        ..ResearchBudget::default()
    };
    for (budget, end) in [(tokens, ResearchEnd::Tokens), (money, ResearchEnd::Money)] {
        let model = Arc::new(Metered::here());
        let mut world = World::of(lighthouse(), willing());
        world.research.pipeline.model = model.clone();
        world.research.prices = Some(Prices {
            prompt: 1_000.0,
            completion: 1_000.0,
        });
        let answer = world.run(world.fresh(budget), "").await.answer.unwrap();
        let state = world.memory.state();
        assert_eq!(state.ended, Some(end), "{:?}", state.spent);
        assert!(!world.index.asked().is_empty());
        // One call may pass the limit, because what it costs is known at its end.
        assert!(state.spent.usage.total <= 500, "{:?}", state.spent);
        assert_eq!(model.asked() as u32 * 100, state.spent.usage.total);
        let written = state.parts.iter().filter(|part| part.section.is_some()).count();
        assert!(written >= 3 && !answer.citations.is_empty(), "{}", answer.content);
        assert!(answer.content.contains("Maren Voss"), "{}", answer.content);
        assert!((state.spent.money.unwrap() - f64::from(state.spent.usage.total) / 1_000.0).abs() < 1e-6);
    }
}

#[tokio::test]
async fn a_budget_of_money_asks_no_model_elsewhere_whose_price_is_unknown() {
    let budget = ResearchBudget {
        money: Some(5.0),
        ..ResearchBudget::default()
    };
    for (model, is_asked) in [(Metered::here(), true), (Metered::elsewhere(), false)] {
        let model = Arc::new(model);
        let mut world = World::of(lighthouse(), willing());
        world.research.pipeline.model = model.clone();
        let answer = world.run(world.fresh(budget), "").await.answer.unwrap();
        assert_eq!(model.asked() > 0, is_asked);
        assert!(answer.content.contains("Maren Voss"), "{}", answer.content);
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_a_plan_waits_for_the_person_is_not_the_researchs() {
    let mut world = World::of(lighthouse(), willing());
    world.research.limits = ResearchLimits::default();
    let mut state = world.fresh(ResearchBudget::default());
    state.agree = true;
    let memory = Arc::clone(&world.memory);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(9 * 60)).await;
        memory.add_edit(PlanEdit::Agree);
    });
    let began = tokio::time::Instant::now();
    world.run(state, "").await.answer.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(9 * 60), "it waited");
    assert!(world.index.asked().len() >= 3, "{:?}", world.index.asked());
    assert_eq!(world.ended(), Some(ResearchEnd::Enough));
    assert!(world.memory.state().spent.milliseconds < 60_000);
}

#[tokio::test]
async fn no_tokens_is_a_report_without_a_model() {
    let model = willing();
    let world = World::of(lighthouse(), model.clone());
    let budget = ResearchBudget {
        tokens: 0,
        ..ResearchBudget::default()
    };
    let answer = world.run(world.fresh(budget), "").await.answer.unwrap();
    assert_eq!(model.asked.load(Ordering::Relaxed), 0);
    assert!(answer.content.contains("Maren Voss"));
}

#[tokio::test]
async fn a_larger_budget_takes_up_what_a_smaller_one_ended() {
    let world = World::of(lighthouse(), willing());
    *world.memory.death.lock().unwrap() = Some(Death { at: 6, written: true });
    let small = ResearchBudget {
        steps: 1,
        ..ResearchBudget::default()
    };
    assert!(world.run(world.fresh(small), "").await.answer.is_err());
    world.memory.add_edit(PlanEdit::Budget {
        budget: ResearchBudget::default(),
    });
    world.go_on().await.answer.unwrap();
    assert!(world.memory.state().spent.steps > 1);
}

#[test]
fn a_budget_is_bounded_whatever_is_asked_for() {
    let greedy = ResearchBudget {
        steps: u32::MAX,
        pages: u32::MAX,
        seconds: 0,
        tokens: u32::MAX,
        money: Some(f64::NAN),
    };
    let bounded = greedy.bounded();
    assert_eq!(bounded.steps, ResearchBudget::MOST.steps);
    assert_eq!(bounded.pages, ResearchBudget::MOST.pages);
    assert!(bounded.seconds >= 5 && bounded.money.is_none());
}
