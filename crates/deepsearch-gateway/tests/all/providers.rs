//! Each provider on its own wire, and what it may be wrong about.

use serde_json::json;

use crate::support::app::App;
use crate::support::browser::{Browser, Page};
use crate::support::doubles::{discord_ada, github_ada};
use crate::support::world::{Needs, World};

async fn allow(world: &World, browser: &mut Browser, app: &App, consent: &Page) -> serde_json::Value {
    let answer = browser.submit(consent, &[("decision", "allow")]).await;
    let code = app.code(&answer, world.issuer());
    let (status, given) = app.redeem(world, &code).await;
    assert_eq!(status, 200, "{given}");
    given
}

#[tokio::test]
async fn a_certified_openid_provider_signs_a_person_in() {
    let Some(world) = World::with(Needs {
        company: true,
        ..Needs::default()
    })
    .await
    else {
        return;
    };
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let login = browser.open(&app.authorize(world.issuer(), Some("company"))).await;
    let agree = browser.submit(&login, &[("login", "grace"), ("password", "any")]).await;
    let consent = browser.submit(&agree, &[]).await;
    assert_eq!(
        consent.heading(),
        "Sign in to DeepSearch on laptop as grace of the test?"
    );
    assert!(consent.says("The Company"));
    let given = allow(&world, &mut browser, &app, &consent).await;
    assert_eq!(given["user"]["email"], "grace@example.org");
    assert_eq!(
        world.database.sql(
            r#"select type, provider, provider_account_id, id_token like 'ey%', access_token is not null
            from "ai-app-template_account""#
        ),
        "oidc|company|grace|t|t"
    );

    // The same person on another device is the same user.
    let again = App::new("desktop");
    let consent = browser.open(&again.authorize(world.issuer(), Some("company"))).await;
    assert!(!consent.says("One will be made for you"));
    let second = allow(&world, &mut browser, &again, &consent).await;
    assert_eq!(second["user"]["id"], given["user"]["id"]);
}

#[tokio::test]
async fn an_unverified_address_of_an_openid_provider_makes_no_user() {
    let Some(world) = World::with(Needs {
        company: true,
        ..Needs::default()
    })
    .await
    else {
        return;
    };
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let login = browser.open(&app.authorize(world.issuer(), Some("company"))).await;
    let agree = browser
        .submit(&login, &[("login", "unverified"), ("password", "any")])
        .await;
    let refused = browser.submit(&agree, &[]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.heading(), "Your address at The Company is not verified");
    assert_eq!(
        world.database.sql(r#"select count(*) from "ai-app-template_user""#),
        "0"
    );
}

#[tokio::test]
async fn google_signs_a_person_in() {
    let Some(world) = World::with(Needs {
        google: true,
        ..Needs::default()
    })
    .await
    else {
        return;
    };
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let consent = browser.open(&app.authorize(world.issuer(), Some("google"))).await;
    assert_eq!(consent.heading(), "Sign in to DeepSearch on laptop as Ada Lovelace?");
    let given = allow(&world, &mut browser, &app, &consent).await;
    assert_eq!(given["user"]["image"], "https://lh3.googleusercontent.com/a/ada=s96-c");
    assert_eq!(
        world.database.sql(
            r#"select type, provider, provider_account_id, token_type, access_token like 'ya29.%', id_token like 'ey%'
            from "ai-app-template_account""#
        ),
        "oidc|google|110169484474386276334|bearer|t|t"
    );
}

#[tokio::test]
async fn an_id_token_that_is_wrong_in_any_way_proves_nothing() {
    let Some(world) = World::with(Needs {
        google: true,
        ..Needs::default()
    })
    .await
    else {
        return;
    };
    let google = world.google.as_ref().unwrap();
    let faults = [
        "another-nonce",
        "token-for-another",
        "token-of-another-issuer",
        "expired",
        "unsigned",
        "strange-key",
        "other-issuer",
    ];
    for fault in faults {
        let told = reqwest::Client::new()
            .post(google.url("/next"))
            .json(&json!({ "fault": fault }))
            .send()
            .await;
        assert!(told.unwrap().status().is_success());
        let page = Browser::new()
            .open(&App::new("laptop").authorize(world.issuer(), Some("google")))
            .await;
        assert_eq!(page.status, 502, "{fault}: {}", page.body);
        assert_eq!(page.heading(), "Google did not let you in", "{fault}");
    }
    assert_eq!(
        world.database.sql("select count(*) from deepsearch.sign_in_identity"),
        "0"
    );
    // The same with nothing wrong.
    let told = reqwest::Client::new()
        .post(google.url("/next"))
        .json(&json!({}))
        .send()
        .await;
    assert!(told.unwrap().status().is_success());
    let page = Browser::new()
        .open(&App::new("laptop").authorize(world.issuer(), Some("google")))
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
}

#[tokio::test]
async fn github_signs_a_person_in_with_the_address_that_it_verified() {
    let Some(world) = World::new().await else { return };
    world.double.profile(github_ada());
    world.double.emails(json!([
        { "email": "shown@example.org", "primary": false, "verified": true, "visibility": "public" },
        { "email": "ada@example.org", "primary": true, "verified": true, "visibility": "private" },
    ]));
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let consent = browser.open(&app.authorize(world.issuer(), Some("github"))).await;
    let given = allow(&world, &mut browser, &app, &consent).await;
    assert_eq!(given["user"]["email"], "ada@example.org");
    assert_eq!(
        world.database.sql(
            r#"select type, provider, provider_account_id, token_type, scope, expires_at is null
            from "ai-app-template_account""#
        ),
        "oauth|github|583231|bearer|read:user,user:email|t"
    );
}

#[tokio::test]
async fn an_unverified_address_never_links_and_never_makes_a_user() {
    // Even where an administrator has turned linking on.
    let needs = Needs {
        discord: "link_verified_email = true",
        ..Needs::default()
    };
    let Some(world) = World::with(needs).await else { return };
    world.database.sql(
        r#"insert into "ai-app-template_user" (id, name, email, email_verified)
        values ('victim', 'Victor', 'victim@example.org', now())"#,
    );
    let mut hostile = discord_ada();
    hostile["email"] = json!("victim@example.org");
    hostile["verified"] = json!(false);
    world.double.profile(hostile.clone());
    let page = Browser::new()
        .open(&App::new("laptop").authorize(world.issuer(), Some("discord")))
        .await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (403, "Your address at Discord is not verified")
    );
    hostile["email"] = json!("nobody-yet@example.org");
    world.double.profile(hostile.clone());
    let page = Browser::new()
        .open(&App::new("laptop").authorize(world.issuer(), Some("discord")))
        .await;
    assert_eq!(page.status, 403);
    world.double.profile(github_ada());
    world.double.emails(json!([
        { "email": "victim@example.org", "primary": true, "verified": false, "visibility": null },
    ]));
    let page = Browser::new()
        .open(&App::new("laptop").authorize(world.issuer(), Some("github")))
        .await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (403, "Your address at GitHub is not verified")
    );
    // No address at all.
    hostile["email"] = json!(null);
    world.double.profile(hostile);
    let page = Browser::new()
        .open(&App::new("laptop").authorize(world.issuer(), Some("discord")))
        .await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (403, "Discord gave us no e-mail address")
    );
    assert_eq!(
        world.database.sql(r#"select count(*) from "ai-app-template_account""#),
        "0"
    );
    assert_eq!(
        world.database.sql(r#"select count(*) from "ai-app-template_user""#),
        "1"
    );
}

#[tokio::test]
async fn a_verified_address_links_only_where_an_administrator_said_so_and_both_sides_were_verified() {
    let Some(world) = World::new().await else { return };
    world.database.sql(
        r#"insert into "ai-app-template_user" (id, name, email, email_verified)
        values ('ada', 'Ada', 'Ada@Example.org', now())"#,
    );
    let page = Browser::new()
        .open(&App::new("laptop").authorize(world.issuer(), Some("discord")))
        .await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (403, "You have signed in another way before")
    );
    assert!(page.says("ada@example.org"));

    let needs = Needs {
        discord: "link_verified_email = true",
        ..Needs::default()
    };
    let Some(world) = World::with(needs).await else { return };
    world.database.sql(
        r#"insert into "ai-app-template_user" (id, name, email, email_verified)
        values ('ada', 'Ada', 'Ada@Example.org', null)"#,
    );
    let page = Browser::new()
        .open(&App::new("laptop").authorize(world.issuer(), Some("discord")))
        .await;
    assert_eq!(page.status, 403, "the user's own address was never verified");
    world
        .database
        .sql(r#"update "ai-app-template_user" set email_verified = now()"#);
    let given = world.sign_in(&App::new("laptop")).await;
    assert_eq!(given["user"]["id"], "ada");
    assert_eq!(
        world
            .database
            .sql(r#"select user_id, provider from "ai-app-template_account""#),
        "ada|discord"
    );
}

#[tokio::test]
async fn a_provider_that_is_down_or_answers_nonsense_is_told_apart_from_the_person() {
    let Some(world) = World::new().await else { return };
    world.double.profile(json!({ "unexpected": true }));
    let page = Browser::new()
        .open(&App::new("laptop").authorize(world.issuer(), Some("discord")))
        .await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (502, "Discord did not let you in")
    );
    assert!(page.says("Nothing was changed"));
    assert!(page.body.contains("/choose?flow="), "another way is offered");
}

#[tokio::test]
async fn a_name_that_the_table_cannot_hold_is_cut_and_a_strange_picture_left_out() {
    let Some(world) = World::new().await else { return };
    let mut ada = discord_ada();
    ada["global_name"] = json!("x".repeat(300));
    ada["avatar"] = json!("y".repeat(300));
    world.double.profile(ada);
    let given = world.sign_in(&App::new("laptop")).await;
    assert_eq!(given["user"]["name"].as_str().unwrap().len(), 255);
    assert_eq!(given["user"]["image"], json!(null));
}
