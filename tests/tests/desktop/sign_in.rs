//! Signing in as a person does: from the account's page into the browser and back through a link, however it comes.

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::{App, Desktop, Page, Start, journey, until};
use deepsearch_tests::gateway::Gateway;
use deepsearch_tests::sign_in::bring;
use deepsearch_tests::small_web::offline;

use crate::world::MAIN;

fn home(gateway: &Gateway) -> Result<Home> {
    Ok(offline()?
        .set("gateway.url", gateway.url())
        .set("secrets.keychain", "true"))
}

/// The account's page, where nobody is signed in.
async fn account(app: &App) -> Result<Page> {
    let main = app.main().await?;
    main.click("button", "^Settings").await?;
    main.click("button", "^Account").await?;
    Ok(main)
}

/// What the desktop's browser was asked to open last, once it was.
async fn opened(desktop: &Desktop, count: usize) -> Result<String> {
    let seen = until("the browser", async || {
        let opened = desktop.opened();
        Ok((opened.len() >= count).then_some(opened))
    });
    seen.await?.pop().context("an address")
}

/// Begins to sign in, and gives the link that the browser would be sent to.
async fn begin(desktop: &Desktop, main: &Page) -> Result<String> {
    main.click("button", "^Continue with Discord").await?;
    main.shows("Finish in your browser").await?;
    Gateway::browse(&opened(desktop, 1).await?).await
}

async fn is_signed_in(main: &Page) -> Result<()> {
    main.shows("Ada Lovelace").await?;
    main.shows("Signed in since").await?;
    main.shows("This device").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_through_a_link_into_the_running_app_and_the_secrets_are_in_the_keychain() -> Result<()> {
    journey(async |desktop| {
        desktop.unlock_keychain().await?;
        let gateway = Gateway::start().await?;
        let home = home(&gateway)?;
        let app = desktop.start(&home).await?;
        let main = account(&app).await?;
        let link = begin(desktop, &main).await?;
        desktop.open_address(&home, &link).await?;
        is_signed_in(&main).await?;
        main.shows("In the system’s keychain").await?;
        assert_eq!(desktop.windows().await?, [MAIN], "no second window");

        let token = gateway.tokens().pop().context("a token")?;
        let code = url::Url::parse(&link)?
            .query_pairs()
            .next()
            .context("a code")?
            .1
            .into_owned();
        let log = desktop.log();
        assert!(!log.contains(&token) && !log.contains(&code), "{log}");
        let file = std::fs::read(home.path().join("secrets.toml"))?;
        assert!(
            !String::from_utf8_lossy(&file).contains("sealed"),
            "nothing is in the file"
        );
        for kept in desktop.keychain()?.into_iter().chain([file]) {
            assert!(
                !kept.windows(token.len()).any(|part| part == token.as_bytes()),
                "in plain"
            );
        }
        // Played again, the link does nothing.
        desktop.open_address(&home, &link).await?;
        main.shows("No sign-in is waiting for this link").await?;
        is_signed_in(&main).await?;
        app.kill().await?;

        let app = desktop.start(&home).await?;
        is_signed_in(&account(&app).await?).await
    })
    .await
}

/// A sign-in that was begun, and whose answer comes when the app has ended.
async fn begin_and_end(desktop: &mut Desktop) -> Result<(Gateway, Home, String)> {
    desktop.unlock_keychain().await?;
    let gateway = Gateway::start().await?;
    let home = home(&gateway)?;
    let app = desktop.start(&home).await?;
    let link = begin(desktop, &account(&app).await?).await?;
    app.kill().await?;
    Ok((gateway, home, link))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_survives_a_restart_and_the_link_may_start_the_app() -> Result<()> {
    journey(async |desktop| {
        let (_gateway, home, link) = begin_and_end(desktop).await?;

        let app = desktop.start(&home).await?;
        let main = account(&app).await?;
        main.shows("Finish in your browser").await?;
        app.kill().await?;

        let cold = Start {
            args: vec![link],
            ..Start::default()
        };
        let app = desktop.start_as(&home, &cold).await?;
        is_signed_in(&app.main().await?).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_comes_while_the_store_is_being_opened_signs_in_once_it_is() -> Result<()> {
    journey(async |desktop| {
        let (_gateway, home, link) = begin_and_end(desktop).await?;

        // Another program is at it.
        let lock = std::fs::File::create(home.path().join("deepsearch.sqlite-opening"))?;
        lock.lock()?;
        let app = desktop.start(&home).await?;
        desktop.start_again(&home, &[&link]).await?;
        assert_eq!(desktop.windows().await?, [MAIN], "the one that says what it waits for");
        drop(lock);
        is_signed_in(&app.main().await?).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_link_comes_back_the_other_ways_are_offered_and_work() -> Result<()> {
    journey(async |desktop| {
        let gateway = Gateway::start().await?;
        let home = home(&gateway)?;
        let app = desktop.start(&home).await?;
        let main = account(&app).await?;
        begin(desktop, &main).await?;
        main.shows("Signed in, and nothing happened here").await?;

        main.click("button", "^Through this computer").await?;
        let link = Gateway::browse(&opened(desktop, 2).await?).await?;
        let page = bring(&link).await?;
        assert!(page.contains("You are signed in"), "{page}");
        is_signed_in(&main).await?;
        main.shows("Encrypted in the file secrets.toml").await?;

        main.click("button", "^Sign out$").await?;
        main.click("radio", "^Keep chats").await?;
        // The one in the dialog, before which the page's own lies.
        let buttons = main.found("button", "^Sign out$").await?;
        buttons.last().context("a button in the dialog")?.click().await?;
        main.shows("Sign in at").await?;
        assert!(gateway.tokens().is_empty());

        main.click("button", "^Sign in with a code").await?;
        main.shows("Type this code").await?;
        let script = "return document.querySelector('[role=img][aria-label^=Code]').textContent.replace(/\\s/g, '')";
        let code = main.eval(script).await?;
        assert!(gateway.type_code(code.as_str().context("a code")?), "{code}");
        is_signed_in(&main).await
    })
    .await
}
