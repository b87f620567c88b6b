//! Signing in by a link, through a real mail server.

use chrono::TimeDelta;
use serde_json::Value;

use crate::support::app::App;
use crate::support::browser::{Browser, Page};
use crate::support::world::{Needs, World};

async fn world() -> Option<World> {
    World::with(Needs {
        mail: true,
        ..Needs::default()
    })
    .await
}

/// Asks for a link and opens the mail.
async fn mailed(world: &World, browser: &mut Browser, app: &App, address: &str) -> (Page, String) {
    let form = browser.open(&app.authorize(world.issuer(), Some("email"))).await;
    let page = browser.submit(&form, &[("address", address)]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let mail = world.mail.as_ref().unwrap().next();
    assert_eq!(mail["to"], serde_json::json!([address.trim().to_lowercase()]));
    (page, link_of(&mail))
}

/// The link in a mail as it came over the wire.
pub(crate) fn link_of(mail: &Value) -> String {
    let text = mail["mail"].as_str().unwrap();
    // Quoted-printable breaks long lines by `=` at their end, and writes `=` itself as `=3D`.
    let text = text.replace("=\r\n", "").replace("=3D", "=");
    let at = text.find("http://").unwrap_or_else(|| panic!("no link in {text}"));
    text[at..].split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_in_a_mail_signs_a_person_in() {
    let Some(world) = world().await else { return };
    let app = App::new("Ada’s laptop");
    let mut browser = Browser::new();
    let form = browser.open(&app.authorize(world.issuer(), Some("email"))).await;
    assert_eq!(form.heading(), "Sign in by e-mail");
    let page = browser.submit(&form, &[("address", "Grace.Hopper@example.org")]).await;
    assert_eq!(page.heading(), "Check your e-mail");
    let mail = world.mail.as_ref().unwrap().next();
    assert_eq!(mail["from"], "sign-in@example.org");
    assert!(
        mail["mail"]
            .as_str()
            .unwrap()
            .contains("Subject: Sign in to DeepSearch")
    );

    let consent = browser.open(&link_of(&mail)).await;
    assert_eq!(
        consent.heading(),
        "Sign in to DeepSearch on Ada’s laptop as grace.hopper@example.org?"
    );
    assert!(
        !consent.url.as_str().contains("token"),
        "the link’s token has left the address"
    );
    let answer = browser.submit(&consent, &[("decision", "allow")]).await;
    let (status, given) = app.redeem(&world, &app.code(&answer, world.issuer())).await;
    assert_eq!(status, 200, "{given}");
    assert_eq!(
        world
            .database
            .sql(r#"select email, name is null, email_verified is not null from "ai-app-template_user""#),
        "grace.hopper@example.org|t|t"
    );
    assert_eq!(
        world.database.sql(r#"select count(*) from "ai-app-template_account""#),
        "0",
        "as Auth.js does it"
    );
    assert_eq!(
        world
            .database
            .sql(r#"select count(*) from "ai-app-template_verification_token""#),
        "0"
    );
}

#[tokio::test]
async fn however_a_mailbox_is_spelled_it_is_one_user_and_the_web_apps() {
    let Some(world) = world().await else { return };
    let users = r#"select id, email from "ai-app-template_user""#;
    // As Auth.js wrote it.
    world.database.sql(
        r#"insert into "ai-app-template_user" (id, name, email, email_verified)
            values ('of-the-web', 'Grace', 'grace@example.org', now())"#,
    );
    let mut browser = Browser::new();
    let (_, link) = mailed(&world, &mut browser, &App::new("laptop"), " Grace@EXAMPLE.org ").await;
    let consent = browser.open(&link).await;
    assert!(consent.heading().ends_with("as Grace?"), "{}", consent.heading());
    browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(world.database.sql(users), "of-the-web|grace@example.org");
}

#[tokio::test]
async fn a_link_works_once() {
    let Some(world) = world().await else { return };
    let mut browser = Browser::new();
    let (_, link) = mailed(&world, &mut browser, &App::new("laptop"), "grace@example.org").await;
    assert_eq!(browser.open(&link).await.status, 200);
    let again = browser.open(&link).await;
    assert_eq!(
        (again.status, again.heading().as_str()),
        (400, "This link no longer works")
    );
}

#[tokio::test]
async fn a_link_works_for_ten_minutes() {
    let Some(world) = world().await else { return };
    let mut browser = Browser::new();
    let (_, link) = mailed(&world, &mut browser, &App::new("laptop"), "grace@example.org").await;
    world.clock.advance(TimeDelta::minutes(11));
    assert_eq!(browser.open(&link).await.status, 400);
}

#[tokio::test]
async fn a_link_that_another_browser_opens_does_nothing_and_stays_good() {
    let Some(world) = world().await else { return };
    // Whoever writes a stranger's address gains nothing from the stranger's opening it; nor does a machine that looks
    // into mails use it up.
    let mut browser = Browser::new();
    let app = App::new("laptop");
    let (_, link) = mailed(&world, &mut browser, &app, "grace@example.org").await;
    let elsewhere = Browser::new().open(&link).await;
    assert_eq!(
        (elsewhere.status, elsewhere.heading().as_str()),
        (400, "This link no longer works")
    );
    assert!(elsewhere.says("Open it in the browser in which you started"));
    assert_eq!(browser.open(&link).await.status, 200);
}

#[tokio::test]
async fn a_link_of_one_address_proves_no_other() {
    let Some(world) = world().await else { return };
    let mut browser = Browser::new();
    let (_, victims) = mailed(&world, &mut browser, &App::new("one"), "victim@example.org").await;
    let token = victims.split("token=").nth(1).unwrap();
    let (_, own) = mailed(&world, &mut browser, &App::new("two"), "mallory@example.org").await;
    let mixed = format!("{}token={token}", own.split("token=").next().unwrap());
    assert_eq!(browser.open(&mixed).await.status, 400);
}

#[tokio::test]
async fn a_mailbox_is_not_led_into_an_account_that_never_proved_it() {
    let Some(world) = world().await else { return };
    // Somebody wrote the victim's address into a profile that the web app did not check, and waits.
    world.database.sql(
        r#"insert into "ai-app-template_user" (id, name, email, email_verified)
            values ('trap', 'Mallory', 'victim@example.org', null);
        insert into "ai-app-template_account" (user_id, type, provider, provider_account_id)
            values ('trap', 'oauth', 'discord', '666')"#,
    );
    let mut browser = Browser::new();
    let (_, link) = mailed(&world, &mut browser, &App::new("laptop"), "victim@example.org").await;
    let page = browser.open(&link).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (403, "You have signed in another way before")
    );
    // Where the web app has proven the mailbox itself, it is the same person.
    world
        .database
        .sql(r#"update "ai-app-template_user" set email_verified = now()"#);
    let (_, link) = mailed(&world, &mut browser, &App::new("laptop"), "victim@example.org").await;
    assert!(browser.open(&link).await.heading().ends_with("as Mallory?"));
}

#[tokio::test]
async fn one_address_is_not_flooded_whoever_asks() {
    let Some(world) = world().await else { return };
    for number in 0..3 {
        let gateway = &world.gateways[number % 2];
        let mut browser = Browser::new();
        let form = browser
            .open(&App::new("laptop").authorize(gateway, Some("email")))
            .await;
        assert_eq!(
            browser.submit(&form, &[("address", "grace@example.org")]).await.status,
            200
        );
        world.mail.as_ref().unwrap().next();
    }
    let mut browser = Browser::new();
    let form = browser
        .open(&App::new("laptop").authorize(world.issuer(), Some("email")))
        .await;
    let page = browser.submit(&form, &[("address", "grace@example.org")]).await;
    assert_eq!((page.status, page.heading().as_str()), (429, "A little too fast"));
    assert!(world.mail.as_ref().unwrap().is_silent());
    // Nor does it help to write it otherwise, or to have used the links.
    let page = browser.submit(&form, &[("address", "Grace@Example.ORG")]).await;
    assert_eq!(page.status, 429);
    world
        .database
        .sql(r#"delete from "ai-app-template_verification_token""#);
    assert_eq!(
        browser.submit(&form, &[("address", "grace@example.org")]).await.status,
        429
    );
    assert!(
        !world.database.dump().contains("grace@example.org"),
        "addresses are hashed"
    );
    // Another address is not held up by it.
    let form = browser
        .open(&App::new("laptop").authorize(world.issuer(), Some("email")))
        .await;
    assert_eq!(
        browser.submit(&form, &[("address", "ada@example.org")]).await.status,
        200
    );
}

/// Asks for links to a mailbox until that is refused, and says how many went out.
async fn asked_for(world: &World, address: impl Fn(usize) -> String) -> usize {
    for sent in 0..200 {
        let mut browser = Browser::new();
        let form = browser
            .open(&App::new("laptop").authorize(&world.gateways[sent % 2], Some("email")))
            .await;
        let page = browser.submit(&form, &[("address", &address(sent))]).await;
        if page.status == 429 {
            assert!(world.mail.as_ref().unwrap().is_silent());
            return sent;
        }
        assert_eq!(page.status, 200, "{}", page.body);
        world.mail.as_ref().unwrap().next();
    }
    panic!("nobody stopped it");
}

#[tokio::test]
async fn a_mailbox_gets_ten_links_a_day_and_a_network_twenty_at_once() {
    let Some(world) = world().await else { return };
    let mut sent = 0;
    for lately in [3, 3, 3, 1, 0] {
        let now = asked_for(&world, |_| "grace@example.org".into()).await;
        assert_eq!(now, lately, "after {sent}");
        sent += now;
        world.clock.advance(TimeDelta::minutes(16));
    }
    world.clock.advance(TimeDelta::days(1));
    assert_eq!(asked_for(&world, |_| "grace@example.org".into()).await, 3);
    world.clock.advance(TimeDelta::minutes(16));
    assert_eq!(
        asked_for(&world, |number| format!("user{number}@example.org")).await,
        20
    );
}

#[tokio::test]
async fn what_is_no_address_is_said_in_the_form_and_a_mailbox_that_is_not_there_afterwards() {
    let Some(world) = world().await else { return };
    let mut browser = Browser::new();
    let form = browser
        .open(&App::new("laptop").authorize(world.issuer(), Some("email")))
        .await;
    for address in [
        "grace",
        "grace@",
        "grace@example.org, ada@example.org",
        "a@b\r\nBcc: c@d.org",
        "<script>",
    ] {
        let page = browser.submit(&form, &[("address", address)]).await;
        assert!(
            page.says("This e-mail address is not complete"),
            "{address}: {}",
            page.body
        );
        assert!(!page.body.contains("<script>"));
    }
    let page = browser.submit(&form, &[("address", "nobody@example.org")]).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (502, "The e-mail could not be sent")
    );
    assert_eq!(
        world
            .database
            .sql(r#"select count(*) from "ai-app-template_verification_token""#),
        "0"
    );
    assert_eq!(
        world.database.sql("select count(*) from deepsearch.link_sent"),
        "0",
        "a link that nobody got does not count"
    );
}

#[tokio::test]
async fn the_mail_is_in_the_person_s_language() {
    let Some(world) = world().await else { return };
    let mut browser = Browser::new();
    let form = browser
        .open(&format!(
            "{}&ui_locales=de",
            App::new("laptop").authorize(world.issuer(), Some("email"))
        ))
        .await;
    assert_eq!(form.heading(), "Per E-Mail anmelden");
    browser.submit(&form, &[("address", "grace@example.org")]).await;
    let mail = world.mail.as_ref().unwrap().next();
    assert!(
        mail["mail"]
            .as_str()
            .unwrap()
            .contains("Subject: Bei DeepSearch anmelden")
    );
}
