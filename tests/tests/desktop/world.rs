//! What most journeys do: ask, and have an answer in front of them.

use std::time::Duration;

use anyhow::Result;
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::Page;
pub(crate) use deepsearch_tests::desktop::{MAIN, QUICK};
use deepsearch_tests::model_server::{ModelServer, Script};
use deepsearch_tests::purpose::answering;

pub(crate) const QUESTION: &str = "How high is the Zorvane lighthouse?";
pub(crate) const ANSWER: &str = "47 metres high";

/// Writes a question into the window's field and sends it.
pub(crate) async fn ask(page: &Page, question: &str) -> Result<()> {
    page.write("textbox", "^Your question", question).await?;
    page.click("button", "^Ask$").await
}

/// Asks about the lighthouse and waits until the answer is complete.
pub(crate) async fn ask_about_the_lighthouse(page: &Page) -> Result<()> {
    ask(page, QUESTION).await?;
    page.shows(ANSWER).await?;
    until_complete(page).await
}

/// Waits until nothing is being written any more: only then can an answer be given again.
pub(crate) async fn until_complete(page: &Page) -> Result<()> {
    page.find("button", "^Answer again").await.map(drop)
}

/// The marked words of the reader, once they stand where they can be seen.
pub(crate) async fn marked(page: &Page) -> Result<String> {
    let script = "
        const reader = document.querySelector('aside');
        const marks = [...(reader?.querySelectorAll('mark') ?? [])];
        if (marks.length === 0) return '';
        const place = marks[0].getBoundingClientRect();
        const frame = reader.getBoundingClientRect();
        if (place.top < frame.top || place.bottom > Math.min(frame.bottom, innerHeight)) return '';
        return marks.map((mark) => mark.textContent).join('');";
    let words = page.until("a marked sentence in sight", script).await?;
    Ok(words.as_str().unwrap_or_default().trim().to_owned())
}

/// A model that would talk for minutes, and ends at once when it is asked to go on.
pub(crate) async fn slow_model() -> Result<ModelServer> {
    slow_model_of(2000).await
}

/// One that has so many sentences to say, some fifteen a second.
pub(crate) async fn slow_model_of(steps: usize) -> Result<ModelServer> {
    let long: String = std::iter::once("The lighthouse is 47 metres high [1].\n\n".to_owned())
        .chain((1..=steps).map(|number| format!("Step {number} is made of granite. ")))
        .collect();
    answering(move |request| {
        if deepsearch_tests::model_server::prompt(request).contains("You were interrupted") {
            Script::text(" The rest.")
        } else {
            Script::text(&long).in_pieces(800, Duration::from_millis(40))
        }
    })
    .await
}

/// The chats of a data folder, as the command lists them.
pub(crate) fn chats(home: &Home) -> Result<Vec<serde_json::Value>> {
    let listed = home.run(["chats", "list", "--json"])?.succeeded()?.json()?;
    Ok(listed.as_array().cloned().unwrap_or_default())
}
