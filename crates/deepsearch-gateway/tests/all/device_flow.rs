//! The device flow (RFC 8628), and whoever would use it to get into another's account.

use chrono::TimeDelta;
use serde_json::Value;

use crate::support::app::App;
use crate::support::browser::{Browser, Page};
use crate::support::world::World;

async fn begin(world: &World, app: &App) -> Value {
    let form = [
        ("client_id", "deepsearch-desktop".to_owned()),
        ("device_id", app.device_id.to_string()),
        ("device_name", app.device_name.clone()),
    ];
    let (status, begun) = world.post("/device_authorization", &form).await;
    assert_eq!(status, 200, "{begun}");
    begun
}

async fn poll(world: &World, gateway: usize, app: &App, begun: &Value) -> (u16, Value) {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code".to_owned()),
        ("client_id", "deepsearch-desktop".to_owned()),
        ("device_code", begun["device_code"].as_str().unwrap().to_owned()),
        ("device_id", app.device_id.to_string()),
        ("scram_verifier", world.database.scram_verifier(&app.password)),
    ];
    world.post_to(gateway, "/token", &form).await
}

fn error(answer: &(u16, Value)) -> &str {
    assert_eq!(answer.0, 400, "{}", answer.1);
    answer.1["error"].as_str().unwrap()
}

/// Types the code and signs in, up to the consent page.
async fn to_consent(browser: &mut Browser, begun: &Value) -> Page {
    let page = browser.open(begun["verification_uri"].as_str().unwrap()).await;
    assert_eq!(page.heading(), "Connect a device");
    let typed = begun["user_code"].as_str().unwrap().to_lowercase().replace('-', " ");
    let chooser = browser.submit(&page, &[("user_code", &typed)]).await;
    browser.follow(&chooser, "/sign-in/discord").await
}

#[tokio::test]
async fn a_device_without_a_browser_is_let_in_by_its_person() {
    let Some(world) = World::new().await else { return };
    let app = App::new("server room");
    let begun = begin(&world, &app).await;
    assert_eq!(begun["expires_in"], 600);
    assert_eq!(begun["interval"], 5);
    assert_eq!(error(&poll(&world, 0, &app, &begun).await), "authorization_pending");

    let mut browser = Browser::new();
    let consent = to_consent(&mut browser, &begun).await;
    assert_eq!(
        consent.heading(),
        "Sign in to DeepSearch on server room as Ada Lovelace?"
    );
    assert!(
        consent.says(begun["user_code"].as_str().unwrap()),
        "the code is there to be compared"
    );
    assert!(consent.says("127.0.0.1"), "and from where it was asked");
    assert!(consent.says("would get into your account"), "and what is at stake");
    let done = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(done.heading(), "server room is signed in");

    let (status, given) = poll(&world, 1, &app, &begun).await;
    assert_eq!(status, 200, "{given}");
    let role = given["database"]["role"].as_str().unwrap();
    assert!(world.database.sql_as(role, &app.password, "select 1").is_ok());
    // A device code that comes again takes back what it gave.
    let token = given["access_token"].as_str().unwrap();
    assert_eq!(error(&poll(&world, 0, &app, &begun).await), "invalid_grant");
    assert_eq!(world.call("GET", "/account", token, None).await.0, 401);
}

#[tokio::test]
async fn a_device_that_polls_too_fast_is_told_to_wait_longer_whichever_gateway_it_asks() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let begun = begin(&world, &app).await;
    assert_eq!(error(&poll(&world, 0, &app, &begun).await), "authorization_pending");
    assert_eq!(error(&poll(&world, 1, &app, &begun).await), "slow_down");
    world.clock.advance(TimeDelta::seconds(6));
    assert_eq!(
        error(&poll(&world, 0, &app, &begun).await),
        "slow_down",
        "five seconds longer than before"
    );
    world.clock.advance(TimeDelta::seconds(16));
    assert_eq!(error(&poll(&world, 1, &app, &begun).await), "authorization_pending");
}

#[tokio::test]
async fn who_says_no_ends_it_for_the_device() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let begun = begin(&world, &app).await;
    let mut browser = Browser::new();
    let consent = to_consent(&mut browser, &begun).await;
    let page = browser.submit(&consent, &[("decision", "deny")]).await;
    assert_eq!(page.heading(), "Nothing was changed");
    assert_eq!(error(&poll(&world, 0, &app, &begun).await), "access_denied");
}

#[tokio::test]
async fn codes_that_are_over_or_were_never_given_open_nothing() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let begun = begin(&world, &app).await;
    world.clock.advance(TimeDelta::minutes(11));
    assert_eq!(error(&poll(&world, 0, &app, &begun).await), "expired_token");
    let mut browser = Browser::new();
    let page = browser.open(&format!("{}/device", world.issuer())).await;
    for code in [
        begun["user_code"].as_str().unwrap(),
        "BCDF-GHJK",
        "x",
        "",
        "<b>BCDFGHJK</b>",
    ] {
        let page = browser.submit(&page, &[("user_code", code)]).await;
        assert!(page.says("No device is waiting with this code"), "{code}");
        assert!(!page.body.contains("<b>"));
    }
}

#[tokio::test]
async fn a_device_code_is_good_for_its_own_device_only() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let begun = begin(&world, &app).await;
    let mut browser = Browser::new();
    let consent = to_consent(&mut browser, &begun).await;
    browser.submit(&consent, &[("decision", "allow")]).await;
    let thief = App::new("thief");
    assert_eq!(error(&poll(&world, 0, &thief, &begun).await), "invalid_grant");
    assert_eq!(poll(&world, 0, &app, &begun).await.0, 200, "its own still gets in");
}

#[tokio::test]
async fn a_link_with_the_code_in_it_still_asks_the_person() {
    let Some(world) = World::new().await else { return };
    let app = App::new("The attacker’s laptop");
    let begun = begin(&world, &app).await;
    let mut browser = Browser::new();
    let page = browser.open(begun["verification_uri_complete"].as_str().unwrap()).await;
    assert_eq!(
        page.form(&[]).1,
        [("user_code".to_owned(), begun["user_code"].as_str().unwrap().to_owned())]
    );
    let chooser = browser.submit(&page, &[]).await;
    let consent = browser.follow(&chooser, "/sign-in/discord").await;
    assert!(
        consent.heading().contains("The attacker’s laptop"),
        "the page names the device"
    );
    assert_eq!(
        error(&poll(&world, 0, &app, &begun).await),
        "authorization_pending",
        "nothing has happened yet"
    );
}

#[tokio::test]
async fn a_request_that_is_not_the_app_s_gets_no_codes() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let good = [
        ("client_id", "deepsearch-desktop".to_owned()),
        ("device_id", app.device_id.to_string()),
        ("device_name", app.device_name.clone()),
    ];
    for (name, value, expected) in [
        ("client_id", "another", 401),
        ("device_id", "not-a-uuid", 400),
        ("device_name", "safe\u{202e}evil", 400),
        ("device_name", "", 400),
    ] {
        let mut form = good.clone();
        form.iter_mut().find(|(known, _)| *known == name).unwrap().1 = value.to_owned();
        assert_eq!(
            world.post("/device_authorization", &form).await.0,
            expected,
            "{name}={value}"
        );
    }
}
