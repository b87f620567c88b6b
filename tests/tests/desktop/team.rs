//! The window at a team's real installation: in through the browser and a link, the other device's chat with its evidence
//! when nothing can be reached, and out again.

use anyhow::{Context, Result};
use deepsearch_tests::desktop::{App, Page, journey, until};
use deepsearch_tests::small_web::offline;
use deepsearch_tests::team::{Proof, Team};

const ADA: &str = "ada@example.org";
const QUESTION: &str = "How do I use my own SearXNG?";

async fn account(app: &App) -> Result<Page> {
    let main = app.main().await?;
    main.click("button", "^Settings").await?;
    main.click("button", "^Account").await?;
    Ok(main)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_at_the_real_gateway_and_reads_the_other_devices_evidence_offline() -> Result<()> {
    journey(async |desktop| {
        desktop.unlock_keychain().await?;
        let Some(mut team) = Team::start()? else { return Ok(()) };
        let laptop = team.device()?.variable("HOSTNAME", "ada-laptop");
        team.admit(&laptop, Proof::Company(ADA)).await?;
        laptop.run(["ask", "--in", "guide", QUESTION])?.succeeded()?;
        laptop.run(["sync"])?.succeeded()?;

        let tray = desktop.show_tray().await?;
        let home = team.join(offline()?).set("secrets.keychain", "true");
        let app = desktop.start(&home).await?;
        let main = account(&app).await?;
        main.click("button", "^Continue with The Company").await?;
        main.shows("Finish in your browser").await?;
        let address = until("the browser", async || Ok(desktop.opened().pop())).await?;
        let link = team.sign_in(&address, Proof::Company(ADA)).await?;
        assert!(link.starts_with("deepsearch://auth/callback?"), "{link}");
        desktop.open_address(&home, &link).await?;
        main.shows(&format!("{ADA} of the test")).await?;
        main.shows("In the system’s keychain").await?;
        main.shows("Last synced").await?;
        until("sync in the tray", async || {
            Ok(tray.labels().await?.iter().any(|label| label == "Synced").then_some(()))
        })
        .await?;
        app.kill().await?;

        team.kill_gateway()?;
        team.postgres.kill()?;
        team.redis.kill()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        // In the sidebar: the start page may suggest the same question.
        let chat =
            "[...document.querySelectorAll('nav a, nav button')].find((one) => one.textContent.includes('SearXNG'))";
        main.until("the laptop’s chat", &format!("return {chat} !== undefined"))
            .await?;
        main.eval(&format!("{chat}.click()")).await?;
        main.click("button", "^Source 1: ").await?;
        let quote = "return document.querySelector('aside mark')?.textContent";
        let quote = main.until("the sentence marked in the saved page", quote).await?;
        assert!(!quote.as_str().context("a sentence")?.trim().is_empty());
        main.find("button", "^Offline").await?;
        until("the tray to say so", async || {
            Ok(tray
                .labels()
                .await?
                .iter()
                .any(|label| label == "Offline")
                .then_some(()))
        })
        .await?;

        team.postgres.start_again()?;
        team.redis.start_again()?;
        team.start_gateway()?;
        main.find("button", "^Synced").await?;
        let main = account(&app).await?;
        main.shows("This device").await?;
        let roles = "select count(*) from pg_roles where rolname like 'deepsearch_device_%' and rolcanlogin";
        for (button, asks, left) in [
            ("^Sign out ada-laptop$", "It can no longer reach your account", "1"),
            ("^Sign out$", "Sign out on this device", "0"),
        ] {
            main.click("button", button).await?;
            main.shows(asks).await?;
            // The one in the dialog, before which the page's own lies.
            let buttons = main.found("button", "^Sign out$").await?;
            buttons.last().context("a button in the dialog")?.click().await?;
            until("fewer to be let in", async || {
                Ok((team.sql(roles)? == left).then_some(()))
            })
            .await?;
        }
        main.shows("Sign in at").await?;
        assert_ne!(laptop.run(["sync"])?.code, Some(0), "it was shown the door");
        until("the tray to say nothing of sync", async || {
            let labels = tray.labels().await?;
            let says = |words: &str| labels.iter().any(|label| label == words);
            let of_sync = ["Waiting to sync", "Synced", "Syncing…", "Offline", "Sync stopped"];
            Ok((says("Quit") && !of_sync.into_iter().any(says)).then_some(()))
        })
        .await?;
        Ok(())
    })
    .await
}
