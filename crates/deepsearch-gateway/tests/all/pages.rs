//! The pages: their headers, their languages, and that what strangers wrote is text.

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::doubles::discord_ada;
use crate::support::world::{Needs, World};

#[tokio::test]
async fn every_answer_keeps_to_itself() {
    let Some(world) = World::new().await else { return };
    let mut browser = Browser::new();
    let app = App::new("laptop");
    let consent = world.to_consent(&mut browser, &app).await;
    let start = browser.open(&app.authorize(world.issuer(), None)).await;
    let nothing = browser.open(&format!("{}/nothing", world.issuer())).await;
    let home = browser.open(world.issuer()).await;
    for page in [&consent, &start, &nothing, &home] {
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'"),
            "{policy}"
        );
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(!page.body.contains("<script") && !page.body.contains(" style=") && !page.body.contains("javascript:"));
    }
    assert!(
        consent
            .header("content-security-policy")
            .contains("form-action 'self' deepsearch:;")
    );
    assert_eq!(nothing.status, 404);
    // The style may be kept for ever: another has another address.
    let style = consent
        .body
        .split("href=\"/style")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let style = browser.open(&format!("{}/style{style}", world.issuer())).await;
    assert_eq!(style.status, 200);
    assert!(style.header("cache-control").contains("immutable") && style.header("content-type").contains("text/css"));
    // And what answers with a token.
    let answer = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
}

#[tokio::test]
async fn names_of_people_and_devices_are_text() {
    let Some(world) = World::new().await else { return };
    let mut ada = discord_ada();
    ada["global_name"] = "<img src=x onerror=alert(1)>{device}".into();
    world.double.profile(ada);
    let mut browser = Browser::new();
    let consent = world
        .to_consent(&mut browser, &App::new("\"><script>alert(1)</script>"))
        .await;
    assert!(!consent.body.contains("<script>") && !consent.body.contains("<img src=x"));
    assert_eq!(
        consent.heading(),
        "Sign in to DeepSearch on \"><script>alert(1)</script> as <img src=x onerror=alert(1)>{device}?"
    );
}

#[tokio::test]
async fn the_pages_speak_the_person_s_language() {
    let Some(world) = World::with(Needs::default()).await else {
        return;
    };
    let app = App::new("laptop");
    for (languages, lang, direction, heading) in [
        ("de-CH, en;q=0.5", "de", "ltr", "Bei DeepSearch anmelden"),
        ("es-MX", "es", "ltr", "Iniciar sesión en DeepSearch"),
        ("fr", "fr", "ltr", "Se connecter à DeepSearch"),
        ("ja", "ja", "ltr", "DeepSearch にサインイン"),
        ("zh-CN", "zh-Hans", "ltr", "登录 DeepSearch"),
        ("ar-EG, en", "ar", "rtl", "تسجيل الدخول إلى DeepSearch"),
        ("nl", "en", "ltr", "Sign in to DeepSearch"),
    ] {
        let mut browser = Browser::new();
        browser.languages = languages.to_owned();
        let page = browser.open(&app.authorize(world.issuer(), None)).await;
        assert_eq!(page.heading(), heading);
        assert!(
            page.body
                .contains(&format!("<html lang=\"{lang}\" dir=\"{direction}\">")),
            "{languages}"
        );
    }
    // What the app says goes before what the browser prefers, to the end of the sign-in.
    let mut browser = Browser::new();
    let consent = browser
        .open(&format!(
            "{}&ui_locales=fr",
            app.authorize(world.issuer(), Some("discord"))
        ))
        .await;
    assert!(consent.heading().starts_with("Se connecter à DeepSearch sur laptop"));
}

#[tokio::test]
async fn a_mistake_is_shown_as_a_page_that_says_what_to_do() {
    let Some(world) = World::new().await else { return };
    let mut browser = Browser::new();
    for path in [
        "/choose?flow=AAAAAAAAAAAA",
        "/sign-in/discord?flow=x",
        "/consent",
        "/callback/discord?code=x&state=y",
    ] {
        let page = browser.open(&format!("{}{path}", world.issuer())).await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (400, "This sign-in is over"),
            "{path}"
        );
        assert!(page.says("Start again in DeepSearch"));
    }
    assert_eq!(
        browser
            .open(&format!("{}/callback/unknown?code=x&state=y", world.issuer()))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_request_that_is_not_right_is_told_to_the_app() {
    let Some(world) = World::new().await else { return };
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("state", "", "invalid_request"),
        ("device_id", "x", "invalid_request"),
        ("device_name", "\u{202e}x", "invalid_request"),
    ] {
        let mut parameters = App::new("laptop").parameters(None);
        parameters.iter_mut().find(|(known, _)| *known == name).unwrap().1 = value.to_owned();
        let url = crate::support::app::authorize_with(world.issuer(), &parameters);
        let answer = Browser::new().open(&url).await;
        assert_eq!(answer.url.scheme(), "deepsearch");
        assert_eq!(answer.parameter("error").as_deref(), Some(error), "{name}");
        assert_eq!(answer.parameter("iss").as_deref(), Some(world.issuer()));
    }
}
