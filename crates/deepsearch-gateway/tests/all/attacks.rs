//! Attacks on the sign-in, each shown to be stopped (RFC 6819, RFC 9700, and what befell other desktop apps).

use std::io::Write;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use secrecy::SecretString;

use crate::support::app::{App, authorize_with};
use crate::support::browser::Browser;
use crate::support::database::GATEWAY_PASSWORD;
use crate::support::doubles::CLIENT_SECRET;
use crate::support::world::{COOKIE_KEY, MAIL_PASSWORD, Needs, World};

/// A code on its way to the app, and the app.
async fn code(world: &World) -> (App, String) {
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let consent = world.to_consent(&mut browser, &app).await;
    let answer = browser.submit(&consent, &[("decision", "allow")]).await;
    let code = app.code(&answer, world.issuer());
    (app, code)
}

fn devices(world: &World) -> String {
    world
        .database
        .sql("select count(*) from deepsearch.device where revoked_at is null")
}

#[tokio::test]
async fn a_stolen_code_is_worth_nothing_without_the_verifier() {
    let Some(world) = World::new().await else { return };
    let (victim, stolen) = code(&world).await;
    // Another app that took the scheme over has the code, and everything else that was in the address.
    let mut thief = App::new("laptop");
    thief.device_id = victim.device_id;
    let (status, refused) = thief.redeem(&world, &stolen).await;
    assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(devices(&world), "0");
    // A guess uses the code up: there is no second one.
    let (status, _) = victim.redeem(&world, &stolen).await;
    assert_eq!(status, 400);
    assert_eq!(devices(&world), "0");
}

#[tokio::test]
async fn the_challenge_itself_proves_nothing() {
    let Some(world) = World::new().await else { return };
    let (victim, stolen) = code(&world).await;
    let mut form = victim.redemption(&world, &stolen);
    form.iter_mut().find(|(name, _)| *name == "code_verifier").unwrap().1 = victim.challenge();
    let (status, refused) = world.post("/token", &form).await;
    assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")));
    let mut app = App::new("laptop");
    for (name, value) in [
        ("code_challenge_method", "plain"),
        ("code_challenge", "short"),
        ("code_challenge", ""),
    ] {
        let mut parameters = app.parameters(Some("discord"));
        parameters.iter_mut().find(|(known, _)| *known == name).unwrap().1 = value.to_owned();
        let answer = Browser::new().open(&authorize_with(world.issuer(), &parameters)).await;
        assert_eq!(
            answer.parameter("error").as_deref(),
            Some("invalid_request"),
            "{name}={value}"
        );
        assert_eq!(answer.parameter("iss").as_deref(), Some(world.issuer()));
        app = App::new("laptop");
    }
}

#[tokio::test]
async fn a_second_redeem_takes_back_what_the_first_gave() {
    let Some(world) = World::new().await else { return };
    let (app, code) = code(&world).await;
    let (_, given) = app.redeem(&world, &code).await;
    let (role, token) = (
        given["database"]["role"].as_str().unwrap(),
        given["access_token"].as_str().unwrap(),
    );
    assert_eq!(world.call("GET", "/account", token, None).await.0, 200);
    assert!(world.database.sql_as(role, &app.password, "select 1").is_ok());

    // Whoever brings it again, with or without the verifier, and long after.
    world.clock.advance(TimeDelta::hours(1));
    let (status, refused) = App::new("thief").redeem(&world, &code).await;
    assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(world.call("GET", "/account", token, None).await.0, 401);
    let refused = world.database.sql_as(role, &app.password, "select 1").unwrap_err();
    assert!(
        refused.contains("not permitted to log in") || refused.contains("authentication failed"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_code_is_good_for_sixty_seconds() {
    let Some(world) = World::new().await else { return };
    let (app, code) = code(&world).await;
    world.clock.advance(TimeDelta::seconds(61));
    let (status, refused) = app.redeem(&world, &code).await;
    assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(devices(&world), "0");
}

#[tokio::test]
async fn a_code_is_good_for_its_address_and_its_device_only() {
    let Some(world) = World::new().await else { return };
    for (name, value) in [
        ("redirect_uri", "http://127.0.0.1:1/auth/callback"),
        ("device_id", "0192f0c1-2345-7abc-8def-0123456789ab"),
    ] {
        let (app, code) = code(&world).await;
        let mut form = app.redemption(&world, &code);
        form.iter_mut().find(|(known, _)| *known == name).unwrap().1 = value.to_owned();
        let (status, refused) = world.post("/token", &form).await;
        assert_eq!(
            (status, refused["error"].as_str()),
            (400, Some("invalid_grant")),
            "{name}"
        );
    }
    assert_eq!(devices(&world), "0");
}

#[tokio::test]
async fn an_answer_is_never_sent_to_a_stranger() {
    let Some(world) = World::new().await else { return };
    for redirect in [
        "https://evil.example/auth/callback",
        "deepsearch://auth/callback/../../evil",
        "deepsearch://evil/callback",
        "http://127.0.0.1:80@evil.example/auth/callback",
        "http://localhost:4000/auth/callback",
    ] {
        let mut app = App::new("laptop");
        app.redirect_uri = redirect.to_owned();
        let page = Browser::new()
            .open(&app.authorize(world.issuer(), Some("discord")))
            .await;
        assert_eq!(page.status, 400, "{redirect}");
        assert_eq!(page.heading(), "This link does not come from DeepSearch");
        assert!(page.headers.get("location").is_none());
        assert!(!page.body.contains("evil.example"), "nothing of it is shown");
    }
    // Twice is no way to smuggle one in.
    let app = App::new("laptop");
    let twice = format!(
        "{}&redirect_uri=https://evil.example",
        app.authorize(world.issuer(), None)
    );
    assert_eq!(Browser::new().open(&twice).await.status, 400);
    // Nor is another client's name.
    let other = app
        .authorize(world.issuer(), None)
        .replace("deepsearch-desktop", "another-client");
    assert_eq!(Browser::new().open(&other).await.status, 400);
}

#[tokio::test]
async fn an_answer_of_a_provider_in_another_browser_is_worth_nothing() {
    let Some(world) = World::new().await else { return };
    // Login CSRF: the attacker signs in at the provider as themselves, and has the victim's browser end it.
    let mut attacker = Browser::new();
    let app = App::new("laptop");
    world.to_consent(&mut attacker, &app).await;
    let callback = attacker
        .history
        .iter()
        .find(|url| url.contains("/callback/discord"))
        .unwrap()
        .clone();
    let redeemed = world.double.redeemed();

    let mut victim = Browser::new();
    let page = victim.open(&callback).await;
    assert_eq!((page.status, page.heading().as_str()), (400, "This sign-in is over"));
    // Also where the victim has a sign-in of their own under way: its cookie is another's.
    victim.open(&App::new("desktop").authorize(world.issuer(), None)).await;
    assert_eq!(victim.open(&callback).await.status, 400);
    assert_eq!(
        world.double.redeemed(),
        redeemed,
        "the code was not so much as looked at"
    );
}

#[tokio::test]
async fn a_hijackers_own_flow_names_the_hijackers_device_and_writes_nothing_before_a_yes() {
    let Some(world) = World::new().await else { return };
    // Mallory begins a sign-in on a machine of their own, and has Ada open its address.
    let mallory = App::new("Mallory’s box");
    let mut ada = Browser::new();
    let consent = world.to_consent(&mut ada, &mallory).await;
    assert_eq!(
        consent.heading(),
        "Sign in to DeepSearch on Mallory’s box as Ada Lovelace?"
    );
    let written = || {
        world.database.sql(
            r#"select (select count(*) from "ai-app-template_user") + (select count(*) from deepsearch.sign_in_code)"#,
        )
    };
    assert_eq!(written(), "0");
    let answer = ada.submit(&consent, &[("decision", "deny")]).await;
    assert_eq!(answer.parameter("code"), None);
    assert_eq!((written(), devices(&world)), ("0".into(), "0".into()));
}

#[tokio::test]
async fn a_code_that_is_injected_into_a_flow_of_ones_own_is_refused() {
    let Some(world) = World::new().await else { return };
    // The attacker has a victim's code of the provider, and puts it into a flow of their own with the right state.
    let mut victim = Browser::new();
    world.double.adds("x", "1");
    let start = App::new("laptop").authorize(world.issuer(), None);
    let chooser = victim.open(&start).await;
    let stolen = {
        // Taken on the way: the victim's own browser never brings it.
        let link = chooser.url.join(&find_link(&chooser.body, "/sign-in/discord")).unwrap();
        provider_code(&victim, link.as_str()).await
    };
    let mut attacker = Browser::new();
    let chooser = attacker
        .open(&App::new("attacker’s").authorize(world.issuer(), None))
        .await;
    let link = chooser.url.join(&find_link(&chooser.body, "/sign-in/discord")).unwrap();
    let at_provider = location(&mut attacker, link.as_str()).await;
    let state = query(&at_provider, "state");
    let callback = format!("{}/callback/discord?code={stolen}&state={state}", world.issuer());
    let page = attacker.open(&callback).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (502, "Discord did not let you in")
    );
}

#[tokio::test]
async fn an_answer_that_comes_from_another_provider_than_it_says_is_refused() {
    let Some(world) = World::new().await else { return };
    let mut browser = Browser::new();
    let chooser = browser.open(&App::new("laptop").authorize(world.issuer(), None)).await;
    let link = chooser.url.join(&find_link(&chooser.body, "/sign-in/discord")).unwrap();
    let at_provider = location(&mut browser, link.as_str()).await;
    let state = query(&at_provider, "state");
    // Mix-up: begun at one, ended at another's address.
    let page = browser
        .open(&format!("{}/callback/github?code=x&state={state}", world.issuer()))
        .await;
    assert_eq!((page.status, page.heading().as_str()), (400, "This sign-in is over"));
    // Or at the right address in another issuer's name.
    let iss = "https://evil.example";
    let page = browser
        .open(&format!(
            "{}/callback/discord?code=x&state={state}&iss={iss}",
            world.issuer()
        ))
        .await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (502, "Discord did not let you in")
    );
    assert_eq!(world.double.redeemed(), 0);
}

#[tokio::test]
async fn an_openid_provider_that_says_who_it_is_must_say_so_each_time() {
    let Some(world) = World::with(Needs {
        company: true,
        ..Needs::default()
    })
    .await
    else {
        return;
    };
    let mut browser = Browser::new();
    let chooser = browser.open(&App::new("laptop").authorize(world.issuer(), None)).await;
    let link = chooser.url.join(&find_link(&chooser.body, "/sign-in/company")).unwrap();
    let at_provider = location(&mut browser, link.as_str()).await;
    let state = query(&at_provider, "state");
    let callback = format!("{}/callback/company?code=x&state={state}", world.issuer());
    for answer in [callback.clone(), format!("{callback}&iss=https://evil.example")] {
        let page = browser.open(&answer).await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (502, "The Company did not let you in")
        );
    }
}

#[tokio::test]
async fn a_state_is_compared_to_its_last_letter() {
    let Some(world) = World::new().await else { return };
    let mut browser = Browser::new();
    let chooser = browser.open(&App::new("laptop").authorize(world.issuer(), None)).await;
    let link = chooser.url.join(&find_link(&chooser.body, "/sign-in/discord")).unwrap();
    let at_provider = location(&mut browser, link.as_str()).await;
    let mut state = query(&at_provider, "state");
    let last = if state.ends_with('A') { 'B' } else { 'A' };
    state.pop();
    state.push(last);
    let page = browser
        .open(&format!("{}/callback/discord?code=x&state={state}", world.issuer()))
        .await;
    assert_eq!(page.status, 400);
    assert_eq!(world.double.redeemed(), 0);
}

#[tokio::test]
async fn another_site_cannot_press_the_button() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let consent = world.to_consent(&mut browser, &app).await;
    let (url, fields) = consent.form(&[("decision", "allow")]);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    // Even knowing everything that the form holds.
    let page = browser.submit_from_elsewhere(url.as_str(), &fields).await;
    assert_eq!((page.status, page.heading().as_str()), (400, "This sign-in is over"));
    // And without the form's secret, from an old browser that does not say where a form comes from.
    let guessed = browser
        .submit(&consent, &[("decision", "allow"), ("form", "dsf_guessed")])
        .await;
    assert_eq!(guessed.status, 400);
    assert!(
        consent
            .header("content-security-policy")
            .contains("frame-ancestors 'none'"),
        "nor draw it under another"
    );
    assert_eq!(consent.header("x-frame-options"), "DENY");
    assert_eq!(world.database.sql("select count(*) from deepsearch.sign_in_code"), "0");
}

#[tokio::test]
async fn a_cookie_that_was_changed_or_made_by_others_opens_nothing() {
    let Some(world) = World::new().await else { return };
    let mut browser = Browser::new();
    let chooser = browser.open(&App::new("laptop").authorize(world.issuer(), None)).await;
    let link = find_link(&chooser.body, "/sign-in/discord");
    let url = chooser.url.join(&link).unwrap();
    let jar = browser.cookies.get_mut("127.0.0.1").unwrap();
    let (name, value) = jar
        .iter()
        .next()
        .map(|(name, value)| (name.clone(), value.clone()))
        .unwrap();
    let middle = value.len() / 2;
    let other = if value.as_bytes()[middle] == b'A' { "B" } else { "A" };
    jar.insert(
        name.clone(),
        format!("{}{other}{}", &value[..middle], &value[middle + 1..]),
    );
    assert_eq!(browser.open(url.as_str()).await.status, 400);
    // A right one under another flow's name.
    let renamed = name.replace(&name[name.len() - 12..], "AAAAAAAAAAAA");
    browser.cookies.get_mut("127.0.0.1").unwrap().insert(renamed, value);
    let page = browser
        .open(&format!("{}/sign-in/discord?flow=AAAAAAAAAAAA", world.issuer()))
        .await;
    assert_eq!(page.status, 400);
}

#[tokio::test]
async fn a_sign_in_that_was_left_lying_about_is_over_after_ten_minutes() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let consent = world.to_consent(&mut browser, &app).await;
    world.clock.advance(TimeDelta::minutes(11));
    let page = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!((page.status, page.heading().as_str()), (400, "This sign-in is over"));
}

#[tokio::test]
async fn a_device_of_another_person_cannot_be_taken_over() {
    let Some(world) = World::new().await else { return };
    let victim = App::new("laptop");
    let given = world.sign_in(&victim).await;
    let token = given["access_token"].as_str().unwrap();
    // Somebody else, who has learned the id of the victim's device.
    let mut other = crate::support::doubles::discord_ada();
    other["id"] = "999".into();
    other["email"] = "mallory@example.org".into();
    world.double.profile(other);
    let mut mallory = App::new("laptop");
    mallory.device_id = victim.device_id;
    let mut browser = Browser::new();
    let consent = world.to_consent(&mut browser, &mallory).await;
    let answer = browser.submit(&consent, &[("decision", "allow")]).await;
    let (status, refused) = mallory.redeem(&world, &mallory.code(&answer, world.issuer())).await;
    assert_eq!(
        (status, refused["error"].as_str()),
        (400, Some("invalid_grant")),
        "{refused}"
    );
    assert_eq!(
        world.call("GET", "/account", token, None).await.0,
        200,
        "the victim notices nothing"
    );
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_in_an_address_in_the_logs_or_in_the_database() {
    // Everything that every library has to say, the wire of mails and SQL included.
    let written = Written::default();
    let secrets: Vec<SecretString> = [CLIENT_SECRET, GATEWAY_PASSWORD, MAIL_PASSWORD, COOKIE_KEY]
        .map(Into::into)
        .to_vec();
    let to = written.clone();
    let writer = deepsearch_gateway::logs::Redacted::new(&secrets, move || to.clone());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(writer);
    // For the whole process: requests are answered on other threads.
    let _ = subscriber.try_init();

    let Some(world) = World::with(Needs {
        mail: true,
        ..Needs::default()
    })
    .await
    else {
        return;
    };
    let app = App::new("laptop");
    let mut browser = Browser::new();
    let consent = world.to_consent(&mut browser, &app).await;
    let answer = browser.submit(&consent, &[("decision", "allow")]).await;
    let code = app.code(&answer, world.issuer());
    let (_, given) = app.redeem(&world, &code).await;
    let token = given["access_token"].as_str().unwrap().to_owned();
    world.call("GET", "/account", &token, None).await;
    let mail_app = App::new("phone");
    let form = browser.open(&mail_app.authorize(world.issuer(), Some("email"))).await;
    browser.submit(&form, &[("address", "grace@example.org")]).await;
    let mail = crate::email::link_of(&world.mail.as_ref().unwrap().next());
    browser.open(&mail).await;
    app.redeem(&world, &code).await;

    for url in &browser.history {
        assert!(
            !url.contains(&token) && !url.contains("dss_"),
            "a session token in {url}"
        );
        assert!(!url.contains(&app.verifier) && !url.contains(&app.password), "{url}");
    }
    let dump = world.database.dump();
    assert!(dump.contains("ds1:"), "the hash is there");
    let link_token = mail.split("token=").nth(1).unwrap();
    for secret in [token.as_str(), code.as_str(), &app.verifier, &app.password, link_token] {
        assert!(!dump.contains(secret), "{secret} is in the database");
    }
    let logs = String::from_utf8_lossy(&written.0.lock().unwrap()).into_owned();
    assert!(
        logs.contains("a device was signed in") && logs.contains("[left out]"),
        "something was written"
    );
    let forbidden = [
        token.as_str(),
        code.as_str(),
        &app.verifier,
        &app.password,
        link_token,
        CLIENT_SECRET,
        GATEWAY_PASSWORD,
        MAIL_PASSWORD,
        COOKIE_KEY,
        "gho_",
        "refresh-gho",
    ];
    for secret in forbidden {
        let found = logs.lines().find(|line| line.contains(secret));
        assert!(found.is_none(), "`{secret}` is in the logs: {found:?}");
    }
}

fn find_link(body: &str, wanted: &str) -> String {
    let at = body.find(wanted).unwrap_or_else(|| panic!("no {wanted} in {body}"));
    body[at..].split('"').next().unwrap().replace("&amp;", "&")
}

/// Where an address leads, without going there.
async fn location(browser: &mut Browser, url: &str) -> String {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let cookies: Vec<String> = browser.cookies["127.0.0.1"]
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let response = client
        .get(url)
        .header("cookie", cookies.join("; "))
        .send()
        .await
        .unwrap();
    for cookie in response.headers().get_all("set-cookie") {
        let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
        let value = rest.split(';').next().unwrap();
        browser
            .cookies
            .get_mut("127.0.0.1")
            .unwrap()
            .insert(name.to_owned(), value.to_owned());
    }
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// The code that the provider gives a browser, which does not bring it on.
async fn provider_code(browser: &Browser, link: &str) -> String {
    let mut browser = browser.clone();
    let at_provider = location(&mut browser, link).await;
    let back = location(&mut browser, &at_provider).await;
    query(&back, "code")
}

fn query(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let found = url
        .query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("no {name} in {url}"))
}
