//! Answers that are no pages, though the server says "200 OK".

use deepsearch_core::FetchError;
use url::Url;

use crate::support::{Web, answer, article, fetch, html, options, reader, redirect};

async fn outcome(html: &str) -> Result<String, FetchError> {
    let url = Url::parse("https://example.org/page").unwrap();
    reader()
        .parse(html.as_bytes(), Some("text/html"), &url)
        .await
        .map(|page| page.text)
}

#[tokio::test]
async fn a_redirect_to_a_sign_in_page_is_told_as_such() {
    for target in [
        "/login?next=%2F",
        "/account/sign-in",
        "/users/SignIn",
        "/wp-login.php",
        "https://accounts.google.com/v3/signin",
        "/oauth2/authorize?x=1",
    ] {
        let target = target.to_owned();
        let web = Web::start(move |path| {
            if path == "/paper" {
                redirect(&target)
            } else {
                html(article("form"))
            }
        })
        .await;
        let outcome = fetch(options(), &web.url("/paper")).await;
        assert!(
            matches!(&outcome, Err(FetchError::SignIn { url }) if *url == web.url("/paper")),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_that_only_sounds_like_it_is_followed() {
    let web = Web::start(|path| {
        if path == "/old" {
            redirect("/blogging-in-the-dark")
        } else {
            html(article("catalogue"))
        }
    })
    .await;
    assert!(fetch(options(), &web.url("/old")).await.is_ok());
}

#[tokio::test]
async fn statuses_that_ask_for_a_person_are_told_as_such() {
    let refused = Web::saying(answer("401 Unauthorized", &["www-authenticate: Basic"], "")).await;
    assert!(matches!(
        fetch(options(), &refused.url("/")).await,
        Err(FetchError::SignIn { .. })
    ));
    let shield = Web::saying(answer(
        "403 Forbidden",
        &["cf-mitigated: challenge"],
        "Just a moment...",
    ))
    .await;
    assert!(matches!(
        fetch(options(), &shield.url("/")).await,
        Err(FetchError::Captcha { .. })
    ));
    let missing = Web::saying(answer(
        "404 Not Found",
        &["content-type: text/html"],
        article("not found"),
    ))
    .await;
    assert!(matches!(
        fetch(options(), &missing.url("/")).await,
        Err(FetchError::Status { status: 404, .. })
    ));
    let nothing = Web::saying(answer("204 No Content", &[], "")).await;
    assert!(matches!(
        fetch(options(), &nothing.url("/")).await,
        Err(FetchError::Empty { .. })
    ));
}

#[tokio::test]
async fn interstitials_are_recognised() {
    for page in [
        "<html><head><title>Just a moment...</title></head><body><p>Checking your browser before you go on. Just a moment...</p>\
         <script src='/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1'></script></body></html>",
        "<html><body><h1>Are you a robot?</h1><p>Please verify you are human.</p><div class='g-recaptcha'></div></body></html>",
        "<html><body><p>Our systems have detected unusual traffic from your computer network.</p></body></html>",
        "<html><body><div id='px-captcha'></div><script src=x.js></script></body></html>",
    ] {
        let outcome = outcome(page).await;
        assert!(
            matches!(outcome, Err(FetchError::Captcha { .. })),
            "{outcome:?}\n{page}"
        );
    }
}

#[tokio::test]
async fn shells_that_scripts_would_fill_are_recognised() {
    for page in [
        "<html><head><title>App</title></head><body><noscript>You need to enable JavaScript to run this app.</noscript><div id=\"root\"></div><script src=/main.js></script></body></html>",
        "<html><body><p>JavaScript is disabled in your browser. Please enable JavaScript to proceed.</p></body></html>",
        "<!doctype html><html><body><div id=app></div><script type=module src=/x.js></script></body></html>",
    ] {
        let outcome = outcome(page).await;
        assert!(
            matches!(outcome, Err(FetchError::NeedsScript { .. })),
            "{outcome:?}\n{page}"
        );
    }
}

#[tokio::test]
async fn a_sign_in_form_in_place_of_the_page_is_recognised() {
    let page = "<html><body><main><h1>Welcome back</h1><p>Sign in to read this story.</p><form><input name=u><input type=\"password\" name=p></form></main></body></html>";
    assert!(matches!(outcome(page).await, Err(FetchError::SignIn { .. })));
}

#[tokio::test]
async fn a_page_without_text_is_empty() {
    for page in [
        "<html><head><title>Nothing</title></head><body></body></html>",
        "<html><body><img src=x.png></body></html>",
        "   \n\t ",
    ] {
        let outcome = outcome(page).await;
        assert!(matches!(outcome, Err(FetchError::Empty { .. })), "{outcome:?}\n{page}");
    }
}

#[tokio::test]
async fn an_article_about_captchas_with_a_sign_in_form_is_an_article() {
    let page = article("A CAPTCHA asks: are you a robot?").replace(
        "</article>",
        "<p>Please enable JavaScript.</p></article><div class=g-recaptcha></div><form><input type=\"password\"></form>",
    );
    assert!(outcome(&page).await.unwrap().contains("are you a robot"));
}
