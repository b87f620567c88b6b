//! A whole sign-in, and what it leaves behind.

use chrono::TimeDelta;
use deepsearch_gateway::Gateway;
use serde_json::json;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::doubles::discord_ada;
use crate::support::world::{Ahead, World};

#[tokio::test]
async fn a_person_signs_in_and_the_device_reaches_its_rows_with_a_password_that_never_left_it() {
    let Some(world) = World::new().await else { return };
    let app = App::new("Ada’s laptop");
    let mut browser = Browser::new();
    let consent = world.to_consent(&mut browser, &app).await;
    assert_eq!(
        consent.heading(),
        "Sign in to DeepSearch on Ada’s laptop as Ada Lovelace?"
    );
    assert!(consent.says("ada@example.org") && consent.says("Discord"));
    assert!(consent.says("One will be made for you"));
    assert_eq!(
        world.database.sql(r#"select count(*) from "ai-app-template_user""#),
        "0",
        "nothing is written before the person agrees"
    );

    let answer = browser.submit(&consent, &[("decision", "allow")]).await;
    let code = app.code(&answer, world.issuer());
    let (status, given) = app.redeem(&world, &code).await;
    assert_eq!(status, 200, "{given}");
    assert_eq!(given["token_type"], "Bearer");
    assert_eq!(given["expires_in"], 90 * 24 * 3600);
    assert_eq!(given["iss"], world.issuer());
    assert_eq!(given["device_id"], app.device_id.to_string());
    assert_eq!(given["user"]["name"], "Ada Lovelace");
    assert_eq!(given["user"]["email"], "ada@example.org");
    assert_eq!(given["user"]["is_admin"], false);
    assert_eq!(given["database"]["host"], "127.0.0.1");
    assert_eq!(given["database"]["port"], world.database.port());
    assert_eq!(given["database"]["name"], world.database.name);

    // The role opens with the device's password, and shows the person's row with the token.
    let (role, token) = (
        given["database"]["role"].as_str().unwrap(),
        given["access_token"].as_str().unwrap(),
    );
    let statement = format!(
        "begin; select set_config('deepsearch.session_token', '{token}', true) is null; \
         select email from \"ai-app-template_user\"; commit"
    );
    let seen = world.database.sql_as(role, &app.password, &statement).unwrap();
    assert!(seen.ends_with("ada@example.org"), "{seen}");
    let refused = world.database.sql_as(role, "another password", &statement).unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
}

/// The database's clock tells how long a session lasts, to the gateway as to the device's own connections.
#[tokio::test]
async fn with_a_clock_that_is_a_year_off_the_databases_people_sign_in_all_the_same() {
    let Some(world) = World::new().await else { return };
    // A year ahead, and then a year behind.
    for (move_by, id) in [(365, "laptop"), (-730, "phone")] {
        world.clock.advance(TimeDelta::days(move_by));
        let app = App::new(id);
        let given = world.sign_in(&app).await;
        let token = given["access_token"].as_str().unwrap();
        assert_eq!(world.call("GET", "/account", token, None).await.0, 200, "{id}");
        let role = given["database"]["role"].as_str().unwrap();
        let statement = format!(
            "begin; select set_config('deepsearch.session_token', '{token}', true) is null; \
             select email from \"ai-app-template_user\"; commit"
        );
        let seen = world.database.sql_as(role, &app.password, &statement).unwrap();
        assert!(seen.ends_with("ada@example.org"), "{id}: {seen}");
    }
}

#[tokio::test]
async fn users_and_accounts_are_written_as_the_web_app_writes_them() {
    let Some(world) = World::new().await else { return };
    world.sign_in(&App::new("laptop")).await;
    assert_eq!(
        world
            .database
            .sql(r#"select name, email, email_verified is null, image, is_admin from "ai-app-template_user""#),
        "Ada Lovelace|ada@example.org|t|\
         https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png|f"
    );
    assert_eq!(
        world.database.sql(
            r#"select type, provider, provider_account_id, token_type, scope, access_token like 'gho_%',
            refresh_token like 'refresh-%', id_token is null, session_state is null,
            expires_at between extract(epoch from now()) + 604700 and extract(epoch from now()) + 604900
            from "ai-app-template_account""#
        ),
        "oauth|discord|80351110224678912|bearer|identify email|t|t|t|t|t"
    );
}

#[tokio::test]
async fn who_signed_in_on_the_web_is_the_same_person_here() {
    let Some(world) = World::new().await else { return };
    world.database.sql(
        r#"insert into "ai-app-template_user" (id, name, email, email_verified)
            values ('made-by-the-web-app', 'Ada on the web', 'old-address@example.org', null);
        insert into "ai-app-template_account" (user_id, type, provider, provider_account_id)
            values ('made-by-the-web-app', 'oauth', 'discord', '80351110224678912')"#,
    );
    let given = world.sign_in(&App::new("laptop")).await;
    assert_eq!(given["user"]["id"], "made-by-the-web-app");
    assert_eq!(given["user"]["email"], "old-address@example.org");
    assert_eq!(
        world.database.sql(r#"select count(*) from "ai-app-template_user""#),
        "1"
    );
}

#[tokio::test]
async fn an_address_with_capitals_is_written_in_small_letters_as_auth_js_does() {
    let Some(world) = World::new().await else { return };
    let mut ada = discord_ada();
    ada["email"] = "Ada@Example.ORG".into();
    world.double.profile(ada);
    let given = world.sign_in(&App::new("laptop")).await;
    assert_eq!(given["user"]["email"], "ada@example.org");
}

#[tokio::test]
async fn two_gateways_share_a_sign_in_that_changes_between_them_at_every_step() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let chooser = browser.open(&app.authorize(&world.gateways[1], None)).await;
    // The provider sends back to the first, whose name is public; the consent is answered at the second.
    let consent = browser.follow(&chooser, "/sign-in/discord").await;
    assert!(consent.url.as_str().starts_with(&world.gateways[0]));
    let (url, fields) = consent.form(&[("decision", "allow")]);
    let at_second = url.as_str().replace(&world.gateways[0], &world.gateways[1]);
    let second = browser
        .open(&consent.url.as_str().replace(&world.gateways[0], &world.gateways[1]))
        .await;
    assert_eq!(second.heading(), consent.heading());
    assert_eq!(
        second.form(&[("decision", "allow")]),
        (at_second.parse().unwrap(), fields)
    );
    let answer = browser.submit(&second, &[("decision", "allow")]).await;
    let code = app.code(&answer, world.issuer());

    // Of two who redeem at once at both, one has it at most, and then nobody keeps it.
    let form = app.redemption(&world, &code);
    let (one, other) = tokio::join!(world.post_to(0, "/token", &form), world.post_to(1, "/token", &form));
    let mut statuses = [one.0, other.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{one:?} {other:?}");
    let given = if one.0 == 200 { one.1 } else { other.1 };
    let token = given["access_token"].as_str().unwrap();
    assert_eq!(world.call("GET", "/account", token, None).await.0, 401);
}

#[tokio::test]
async fn a_loopback_app_is_answered_at_its_own_port() {
    let Some(world) = World::new().await else { return };
    let mut app = App::new("laptop");
    app.redirect_uri = "http://127.0.0.1:49321/auth/callback".to_owned();
    let mut browser = Browser::new();
    let consent = world.to_consent(&mut browser, &app).await;
    assert!(
        consent
            .header("content-security-policy")
            .contains("form-action 'self' http://127.0.0.1:49321;")
    );
    let answer = browser.submit(&consent, &[("decision", "allow")]).await;
    let code = app.code(&answer, world.issuer());
    assert_eq!(app.redeem(&world, &code).await.0, 200);
}

#[tokio::test]
async fn who_says_no_is_not_signed_in_and_the_app_hears_of_it() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let consent = world.to_consent(&mut browser, &app).await;
    let answer = browser.submit(&consent, &[("decision", "deny")]).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.parameter("state"), Some(app.state.clone()));
    assert_eq!(answer.parameter("iss").as_deref(), Some(world.issuer()));
    assert_eq!(answer.parameter("code"), None);
    assert_eq!(
        world.database.sql(r#"select count(*) from "ai-app-template_user""#),
        "0"
    );
    assert_eq!(
        world.database.sql("select count(*) from deepsearch.sign_in_identity"),
        "0"
    );
}

#[tokio::test]
async fn who_says_no_at_the_provider_may_choose_again() {
    let Some(world) = World::new().await else { return };
    world.double.denies(true);
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let chooser = browser.open(&app.authorize(world.issuer(), Some("discord"))).await;
    assert_eq!(chooser.heading(), "Sign in to DeepSearch");
    world.double.denies(false);
    let consent = browser.follow(&chooser, "/sign-in/discord").await;
    assert!(consent.heading().starts_with("Sign in to DeepSearch on laptop"));
}

#[tokio::test]
async fn a_button_pressed_twice_is_no_mistake_and_gives_no_second_code() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let consent = world.to_consent(&mut browser, &app).await;
    let answer = browser.submit(&consent, &[("decision", "allow")]).await;
    let code = app.code(&answer, world.issuer());
    let again = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(again.heading(), "You are signed in");
    assert_eq!(world.database.sql("select count(*) from deepsearch.sign_in_code"), "1");
    assert_eq!(app.redeem(&world, &code).await.0, 200);
}

#[tokio::test]
async fn several_sign_ins_go_on_side_by_side_in_one_browser() {
    let Some(world) = World::new().await else { return };
    let (one, other) = (App::new("laptop"), App::new("desktop"));
    let mut browser = Browser::new();
    let first = world.to_consent(&mut browser, &one).await;
    let second = world.to_consent(&mut browser, &other).await;
    let answer = browser.submit(&first, &[("decision", "allow")]).await;
    assert_eq!(one.redeem(&world, &one.code(&answer, world.issuer())).await.0, 200);
    let answer = browser.submit(&second, &[("decision", "allow")]).await;
    assert_eq!(other.redeem(&world, &other.code(&answer, world.issuer())).await.0, 200);
    // However many are begun, a browser's requests stay of a size that proxies take.
    for number in 0..12 {
        browser
            .open(&App::new(&format!("device {number}")).authorize(world.issuer(), None))
            .await;
    }
    let kept: usize = browser.cookies["127.0.0.1"]
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(
        browser.cookies["127.0.0.1"].len() <= 4,
        "{:?}",
        browser.cookies["127.0.0.1"].keys()
    );
    assert!(kept < 8000, "{kept} bytes of cookies");
}

#[tokio::test]
async fn the_discovery_document_says_where_everything_is() {
    let Some(world) = World::new().await else { return };
    let (status, document) = world
        .get(&format!("{}/.well-known/oauth-authorization-server", world.issuer()))
        .await;
    assert_eq!(status, 200);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let issuer = world.issuer();
    assert_eq!(document["issuer"], issuer);
    assert_eq!(document["authorization_endpoint"], format!("{issuer}/authorize"));
    assert_eq!(document["token_endpoint"], format!("{issuer}/token"));
    assert_eq!(
        document["device_authorization_endpoint"],
        format!("{issuer}/device_authorization")
    );
    assert_eq!(document["revocation_endpoint"], format!("{issuer}/revoke"));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["deepsearch_protocol"], json!({ "min": 1, "max": 1 }));
    let providers = json!([
        { "id": "discord", "name": "Discord", "kind": "oauth" },
        { "id": "github", "name": "GitHub", "kind": "oauth" },
    ]);
    assert_eq!(document["deepsearch_providers"], providers);
}

#[tokio::test]
async fn a_gateway_without_its_database_does_not_open() {
    let config = crate::support::world::load(
        "public_url = \"https://sign-in.example.org\"\ncookie_key = \"0123456789012345678901234567890123456789\"\n\
         [database]\nurl = \"postgres://deepsearch_gateway:x@127.0.0.1:1/team\"\n\
         [providers.discord]\nclient_id = \"1\"\nclient_secret = \"a secret\"\n",
    );
    let opened = Gateway::open(config, std::sync::Arc::new(Ahead::default())).await;
    let Err(error) = opened else { panic!("it opened") };
    let words = format!("{:#}", anyhow::Error::from(error));
    assert!(words.contains("127.0.0.1") && !words.contains("gateway:x"), "{words}");
}
