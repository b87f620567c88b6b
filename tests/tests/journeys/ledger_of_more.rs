//! The ledgers of a whole research and of a recheck, held against what recording proxies saw, to the byte.

use anyhow::Result;

use crate::ledger::{ledger_of, lines};
use crate::recorded::{Recorded, since, times, without_icons};
use crate::research::{QUESTION, answer_of};
use crate::world::text;

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_a_research_equals_what_the_proxies_saw() -> Result<()> {
    let world = Recorded::start().await?;
    let home = world.home()?;
    let message = answer_of(&home.run(["ask", "--deep", "--json", QUESTION])?.succeeded()?)?;
    let (told, seen) = (ledger_of(&home, &message)?, world.seen());
    for errand in ["search", "page", "robots", "model"] {
        assert!(seen.keys().any(|(_, of, _)| of == errand), "{errand}: {seen:#?}");
    }
    assert_eq!(without_icons(&lines(&told)), without_icons(&seen));
    assert_eq!(times(&told), world.texts());
    assert!(world.texts() >= 5, "a plan, a review, two sections and a title");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_a_recheck_equals_what_the_proxies_saw_of_it_and_the_answers_own_stays() -> Result<()> {
    let world = Recorded::start().await?;
    let home = world.home()?;
    let asked = ["ask", "--json", "How high is the Zorvane lighthouse?"];
    let message = answer_of(&home.run(asked)?.succeeded()?)?;
    let (first, before, texts) = (ledger_of(&home, &message)?, world.seen(), world.texts());
    assert_eq!(without_icons(&lines(&first)), without_icons(&before));

    let id = text(&message["id"]);
    home.run(["recheck", &id, "--json"])?.succeeded()?;
    let told = home.run(["recheck", &id, "--ledger", "--json"])?.succeeded()?.json()?;
    let seen = since(&world.seen(), &before);
    for errand in ["search", "page", "model"] {
        assert!(seen.keys().any(|(_, of, _)| of == errand), "{errand}: {seen:#?}");
    }
    assert_eq!(without_icons(&lines(&told)), without_icons(&seen));
    assert_eq!(times(&told), world.texts() - texts);
    let own = lines(&ledger_of(&home, &message)?);
    assert_eq!(
        without_icons(&own),
        without_icons(&lines(&first)),
        "it is the answer's and not the recheck's"
    );
    Ok(())
}
