//! A research and an answer that are killed in the midst of a task, while an engine, a site or the model takes its time: what had
//! left by then is told, and what is gone on with becomes the same report, word for word.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deepsearch_tests::cli::Home;
use serde_json::{Value, json};

use crate::ledger::{ledger_of, lines};
use crate::recorded::{Recorded, Turns, left, since, times};
use crate::research::{PLANS, QUESTION, REVIEWS, WRITES, answer_of};
use crate::world::text;

/// How long after something was sent it is killed: what was sent is written down a few times a second.
const LATER: Duration = Duration::from_millis(900);
const SOON: Duration = Duration::from_secs(90);

/// Starts a command, kills it without a last word a moment after `is_busy`, and says which answer it was at.
async fn kill_while(home: &Home, args: &[&str], is_busy: impl Fn() -> bool) -> Result<Value> {
    let mut child = home.spawn(args)?;
    let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let reading = std::thread::spawn(move || -> Result<Option<Value>> {
        let mut answer = None;
        for line in lines {
            let event: Value = serde_json::from_str(&line?)?;
            if event["type"] == "started" {
                answer = Some(event["answer_id"].clone());
            }
        }
        Ok(answer)
    });
    let busy = async {
        while !is_busy() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(LATER).await;
    };
    let waited = tokio::time::timeout(SOON, busy).await;
    let has_ended = child.try_wait()?.is_some();
    child.kill()?;
    child.wait()?;
    waited.context("it never came to be busy")?;
    ensure!(!has_ended, "it ended before it could be killed");
    let answer = reading.join().expect("the reader does not panic")?;
    answer.context("it had begun")
}

/// Kills a research in the `nth` turn of something, goes on with it, and holds its text and its ledger against those of
/// one that nobody killed and against what the proxies saw.
async fn killed_in(what: Turns, nth: usize) -> Result<()> {
    let world = Recorded::start().await?;
    let undisturbed = world.home()?.run(["ask", "--deep", "--json", QUESTION])?.succeeded()?;
    let whole = text(&answer_of(&undisturbed)?["content"]);

    let (home, before, texts, turns) = (world.home()?, world.seen(), world.texts(), world.count(what));
    world.slow_down(Some(what));
    let asked = ["ask", "--deep", "--json", QUESTION];
    let answer = kill_while(&home, &asked, || world.count(what) >= turns + nth).await?;
    let kept = ledger_of(&home, &json!({ "id": answer }))?;
    let had_left = since(&world.seen(), &before);
    assert!(!had_left.is_empty());
    assert_eq!(left(&lines(&kept)), left(&had_left), "what had left when it was killed");
    assert_eq!(times(&kept), world.texts() - texts);

    world.slow_down(None);
    let id = text(&answer);
    let message = answer_of(&home.run(["research", "continue", &id, "--json"])?.succeeded()?)?;
    assert_eq!(text(&message["content"]), whole, "as if it had not been killed");
    let told = ledger_of(&home, &message)?;
    let both = since(&world.seen(), &before);
    assert_eq!(
        left(&lines(&told)),
        left(&both),
        "what left before the kill and after it"
    );
    assert_eq!(times(&told), world.texts() - texts);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_model_plans_it_ends_as_if_it_had_not_been() -> Result<()> {
    killed_in(Turns::Model(PLANS), 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_its_second_search_it_ends_as_if_it_had_not_been() -> Result<()> {
    killed_in(Turns::Search, 2).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_its_first_pages_are_read_it_ends_as_if_it_had_not_been() -> Result<()> {
    killed_in(Turns::Page, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_looks_for_what_is_missing_it_ends_as_if_it_had_not_been() -> Result<()> {
    killed_in(Turns::Model(REVIEWS), 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_its_second_text_is_written_it_ends_as_if_it_had_not_been() -> Result<()> {
    killed_in(Turns::Model(WRITES), 2).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quick_answer_that_is_killed_tells_what_had_left_and_goes_on_telling() -> Result<()> {
    let world = Recorded::start().await?;
    let home = world.home()?;
    world.slow_down(Some(Turns::Model("<source number=")));
    let asked = ["ask", "--json", "How high is the Zorvane lighthouse?"];
    let answer = kill_while(&home, &asked, || world.texts() > 0).await?;
    let message = json!({ "id": answer });
    let (kept, seen) = (ledger_of(&home, &message)?, world.seen());
    for errand in ["search", "page", "model"] {
        assert!(seen.keys().any(|(_, of, _)| of == errand), "{errand}: {seen:#?}");
    }
    assert_eq!(left(&lines(&kept)), left(&seen), "what had left when it was killed");
    assert_eq!(times(&kept), world.texts());

    world.slow_down(None);
    home.run(["ask", "--continue", &text(&answer), "--json"])?.succeeded()?;
    let told = ledger_of(&home, &message)?;
    assert_eq!(
        left(&lines(&told)),
        left(&world.seen()),
        "what left before the kill and after it"
    );
    assert_eq!(times(&told), world.texts());
    Ok(())
}
