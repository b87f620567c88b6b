//! Hostile words in the real webview: written by a model, kept in the store by other hands, standing on saved pages.
//!
//! Three things are counted: calls of commands that nobody made, scripts that ran, and requests that left. The counters
//! are shown to count first.

mod corpus;

use anyhow::Result;
use chrono::DateTime;
use deepsearch_core::{Citation, MediaType, MessageState, Page as SavedPage, PageId, Source, Span};
use deepsearch_sqlite::{FinishedAnswer, NewTurn, Store, StoreOptions};
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::{Desktop, Page, journey};
use deepsearch_tests::model_server::Script;
use deepsearch_tests::ports::nobody;
use deepsearch_tests::purpose::answering;
use deepsearch_tests::scripted_server::{Reply, ScriptedServer};
use deepsearch_tests::small_web::{SmallWeb, offline, searching, with_model};
use fantoccini::key::Key;
use serde_json::json;
use url::Url;

use crate::world::{QUICK, ask, until_complete};

/// A server that nobody has a reason to speak to.
async fn canary() -> Result<ScriptedServer> {
    ScriptedServer::in_turn(vec![Reply::html("caught")]).await
}

/// Begins to count what hostile words would do: commands by name, and scripts.
async fn count(page: &Page) -> Result<()> {
    let script = "
        window.__commands = [];
        window.__violations = [];
        window.__ran = window.__ran ?? [];
        const real = window.fetch;
        window.fetch = (input, ...rest) => {
            const address = String(input?.url ?? input);
            if (address.startsWith('ipc:')) window.__commands.push(decodeURIComponent(new URL(address).pathname.slice(1)));
            return real.call(window, input, ...rest);
        };
        document.addEventListener('securitypolicyviolation', (event) => {
            window.__violations.push(event.violatedDirective + ' ' + event.blockedURI);
        });
        window.alert = window.confirm = window.prompt = () => window.__ran.push('dialog');";
    page.eval(script).await.map(drop)
}

/// Shows that the counter counts, then that nothing but the interface's own reading was counted.
async fn hold_harmless(desktop: &Desktop, page: &Page, canary: &ScriptedServer) -> Result<()> {
    // What hostile words would call: every attack of the corpus calls one of these two.
    let told = page
        .eval("return { commands: window.__commands, ran: window.__ran, violations: window.__violations }")
        .await?;
    let commands: Vec<String> = serde_json::from_value(told["commands"].clone())?;
    for attack in corpus::COMMANDS {
        assert!(
            !commands.iter().any(|command| command == attack),
            "{attack} was called: {commands:?}"
        );
    }
    assert_eq!(told["ran"], json!([]), "a script ran");
    // What is sanitised has nothing in it that the policy would have to stop.
    assert_eq!(told["violations"], json!([]), "only the policy stopped it");
    assert_eq!(canary.asked(), Vec::new(), "a request left");
    assert_eq!(desktop.opened(), Vec::<String>::new(), "an address was opened unasked");
    let address = page.eval("return location.pathname").await?;
    assert!(
        matches!(address.as_str(), Some("/" | "/index.html" | "/quick.html")),
        "the page went to {address}"
    );

    // Quick ask may not do this at all; it is counted there too.
    let call = "return await window.__TAURI_INTERNALS__.invoke('update_setting', { key: 'max_search_results', text: '10' }).catch(String)";
    page.call(call, Vec::new()).await?;
    let counted = page.eval("return window.__commands.includes('update_setting')").await?;
    assert_eq!(counted, json!(true), "the counter does not count");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_writes_attacks_calls_nothing_and_reaches_nobody() -> Result<()> {
    journey(async |desktop| {
        let (web, canary) = (SmallWeb::lighthouse().await?, canary().await?);
        let attacks = corpus::answer(canary.base());
        let model = answering(move |_| Script::text(&attacks)).await?;
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        count(&main).await?;
        ask(
            &main,
            "How high is the <img src=x onerror=alert(1)> Zorvane lighthouse?",
        )
        .await?;
        until_complete(&main).await?;
        main.shows("The end of the attacks").await?;
        hold_harmless(desktop, &main, &canary).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn in_quick_ask_neither() -> Result<()> {
    journey(async |desktop| {
        let (web, canary) = (SmallWeb::lighthouse().await?, canary().await?);
        let attacks = corpus::answer(canary.base());
        let model = answering(move |_| Script::text(&attacks)).await?;
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        app.main().await?.find("textbox", "^Your question").await?;
        desktop.press("ctrl+shift+space").await?;
        desktop.until_window(QUICK, true).await?;
        let quick = app.quick().await?;
        quick.find("textbox", "").await?;
        count(&quick).await?;
        let question = "How high is the <img src=x onerror=alert(1)> Zorvane lighthouse?";
        quick.write("textbox", "", question).await?;
        quick.press(&[Key::Enter.into()]).await?;
        quick.shows("The end of the attacks").await?;
        let broken = quick.eval(&format!("return ({SHOWN})()")).await?;
        assert_eq!(broken, json!([]));
        hold_harmless(desktop, &quick, &canary).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_in_the_store_are_shown_as_words_and_their_links_lead_to_the_browser_only() -> Result<()> {
    journey(async |desktop| {
        let (home, canary) = (offline()?, canary().await?);
        store(&home, canary.base()).await?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        count(&main).await?;
        for number in 0..corpus::groups(canary.base()).len() {
            main.click("link|button", &format!("^Hostile {number} ")).await?;
            main.shows(&format!("Group {number} is over")).await?;
            let broken = main.eval(&format!("return ({SHOWN})()")).await?;
            assert_eq!(broken, json!([]), "in group {number}");
        }
        // Hits and their marks are texts from elsewhere too.
        main.write("combobox", "^Search", "hostile").await?;
        main.until("hits", "return document.querySelectorAll('nav mark').length")
            .await?;
        main.write("combobox", "^Search", "").await?;
        hold_harmless(desktop, &main, &canary).await?;

        // A link that is a link says so and goes to the browser; nothing else does anything when it is clicked.
        let clicked = "
            const links = [...document.querySelectorAll('main a')];
            for (const link of links) link.click();
            return links.map((link) => link.getAttribute('href'))";
        let clicked = main.eval(clicked).await?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        for address in desktop.opened() {
            assert!(
                address.starts_with("http://") || address.starts_with("https://"),
                "{address} of {clicked}"
            );
        }
        assert_eq!(canary.asked(), Vec::new());
        let address = main.eval("return location.pathname").await?;
        assert!(
            matches!(address.as_str(), Some("/" | "/index.html")),
            "the page went to {address}"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_page_full_of_attacks_is_read_as_a_page() -> Result<()> {
    journey(async |desktop| {
        let (home, canary) = (offline()?, canary().await?);
        store(&home, canary.base()).await?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        count(&main).await?;
        for number in 0..corpus::groups(canary.base()).len() {
            main.click("link|button", &format!("^Hostile {number} ")).await?;
            main.click("button", "^Source 1: ").await?;
            main.find("complementary", "Saved page").await?;
            // Some attacks swallow all that follows, so its end may be missing.
            let sentence = format!("The first sentence of page {number}.");
            main.until(
                "the page in the reader",
                &format!("return document.querySelector('aside mark')?.textContent.trim() === '{sentence}'"),
            )
            .await?;
            let broken = main.eval(&format!("return ({SHOWN})()")).await?;
            assert_eq!(broken, json!([]), "on page {number}");
        }
        hold_harmless(desktop, &main, &canary).await
    })
    .await
}

/// What no text from elsewhere may have made in the page.
const SHOWN: &str = "() => {
    const foreign = document.querySelectorAll(
        'main script, main iframe, main object, main embed, main base, main meta, main link, main form:not([class]), ' +
        'aside script, aside iframe, aside object, aside embed, aside base, aside meta, aside link, aside form, aside style, ' +
        'body > style');
    const handlers = [...document.querySelectorAll('main *, aside *, nav *')].flatMap((element) =>
        [...element.attributes]
            .filter(({ name, value }) => /^on/i.test(name) || /^\\s*(javascript|vbscript):/i.test(value) ||
                (/^(src|srcset|poster|background|ping|action|formaction|data)$/i.test(name) && /^https?:/i.test(value)))
            .map(({ name, value }) => `${element.tagName} ${name}=${value}`));
    return [...[...foreign].map((element) => element.outerHTML), ...handlers];
}";

/// Chats that other hands have put into the store: no pipeline has looked at any of it.
async fn store(home: &Home, canary: &Url) -> Result<()> {
    let path = home.path().join("deepsearch.sqlite");
    let store = Store::open(&path, StoreOptions::default()).await?;
    let site = nobody()?;
    for (number, attacks) in corpus::groups(canary).into_iter().enumerate() {
        let question = NewTurn {
            question: format!("Hostile {number} <img src=x onerror=alert(1)> **bold** <b>title</b>"),
            ..NewTurn::default()
        };
        let turn = store.begin_answer(question).await?;
        let page = page(number, &attacks, &site, canary);
        let source = Source {
            title: page.title.clone(),
            url: page.url.to_string(),
            snippet: attacks.chars().take(200).collect(),
            favicon: Some(format!("{canary}favicon.ico")),
        };
        store
            .journal_sources(&turn.answer.id, &[source], std::slice::from_ref(&page))
            .await?;
        let content = format!("A claim [1].\n\n{attacks}\n\nGroup {number} is over.");
        let citation = Citation {
            number: 1,
            marker: Span { start: 8, end: 11 },
            sentence: Span { start: 0, end: 12 },
            page_id: page.id.clone(),
            page_span: page.sentences[0],
            quote: page.text.lines().next().unwrap_or_default().to_owned(),
        };
        let answer = FinishedAnswer {
            content,
            metadata: None,
            citations: vec![citation],
            checks: Vec::new(),
            follow_ups: vec![format!(
                "<img src=x onerror=alert(1)> {}",
                attacks.chars().take(80).collect::<String>()
            )],
            state: MessageState::Complete,
        };
        store.finish_answer(&turn.answer.id, answer).await?;
    }
    store.close().await;
    Ok(())
}

/// A page whose HTML is what a careless reader would have kept. Its own site is asked for its icon, and is not there.
fn page(number: usize, attacks: &str, site: &Url, canary: &Url) -> SavedPage {
    let text = format!("The first sentence of page {number}.\nPage {number} is over.");
    SavedPage {
        id: PageId::new(),
        url: site.join(&format!("page-{number}")).expect("a relative path"),
        title: format!("Hostile page {number} <script>window.__ran.push('title')</script>"),
        author: Some("<b>Nobody</b>".into()),
        site_name: None,
        published_at: None,
        favicon: canary.join("favicon.ico").ok(),
        picture: None,
        language: Some("en".into()),
        media_type: MediaType::Html,
        sentences: deepsearch_core::text::sentences(&text),
        html: Some(format!(
            "<p>The first sentence of page {number}.</p>{attacks}<p>Page {number} is over.</p>"
        )),
        text,
        fetched_at: DateTime::UNIX_EPOCH,
        content_hash: number.to_string(),
    }
}
