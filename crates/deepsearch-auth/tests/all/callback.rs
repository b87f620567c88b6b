//! The way back: a link is exactly a callback or nothing, whatever a page or a program makes of it.

use deepsearch_auth::{AuthError, Callback, LONGEST, REDIRECT};
use proptest::prelude::*;

fn is_taken(link: &str) -> bool {
    Callback::parse(link).is_ok()
}

#[test]
fn a_code_and_a_refusal_come_back_with_their_state_and_their_issuer() {
    assert!(is_taken(
        "deepsearch://auth/callback?code=K&state=S&iss=https%3A%2F%2Fa.example"
    ));
    assert!(is_taken(
        "deepsearch://auth/callback?iss=https://a.example&state=S&code=K"
    ));
    assert!(is_taken("deepsearch://auth/callback?error=access_denied&state=S&iss=I"));
    assert!(is_taken(
        "deepsearch://auth/callback?error=server_error&error_description=x&error_uri=y&state=S&iss=I"
    ));
}

#[test]
fn no_hostile_link_is_taken() {
    let long = format!("{REDIRECT}?code={}&state=S&iss=I", "x".repeat(LONGEST));
    let hostile = [
        // Another place.
        "deepsearch://settings?code=K&state=S&iss=I",
        "deepsearch://auth?code=K&state=S&iss=I",
        "deepsearch://auth/?code=K&state=S&iss=I",
        "deepsearch://auth/callbackx?code=K&state=S&iss=I",
        "deepsearch://auth/callback/?code=K&state=S&iss=I",
        "deepsearch://auth/callback/x?code=K&state=S&iss=I",
        "deepsearch://auth/callback/../settings?code=K&state=S&iss=I",
        "deepsearch://auth/x/../callback?code=K&state=S&iss=I",
        "deepsearch://auth/%63allback?code=K&state=S&iss=I",
        "deepsearch://auth//callback?code=K&state=S&iss=I",
        "deepsearch:///auth/callback?code=K&state=S&iss=I",
        "deepsearch:/auth/callback?code=K&state=S&iss=I",
        "deepsearch:auth/callback?code=K&state=S&iss=I",
        // Another host, user or port.
        "deepsearch://evil/callback?code=K&state=S&iss=I",
        "deepsearch://auth.evil/callback?code=K&state=S&iss=I",
        "deepsearch://auth@evil/callback?code=K&state=S&iss=I",
        "deepsearch://evil@auth/callback?code=K&state=S&iss=I",
        "deepsearch://auth:99/callback?code=K&state=S&iss=I",
        "deepsearch://AUTH/callback?code=K&state=S&iss=I",
        // Another scheme.
        "https://auth/callback?code=K&state=S&iss=I",
        "http://127.0.0.1/auth/callback?code=K&state=S&iss=I",
        "javascript://auth/callback?code=K&state=S&iss=I",
        "file://auth/callback?code=K&state=S&iss=I",
        "DEEPSEARCH://auth/callback?code=K&state=S&iss=I",
        "xdeepsearch://auth/callback?code=K&state=S&iss=I",
        " deepsearch://auth/callback?code=K&state=S&iss=I",
        // Commands and settings.
        "deepsearch://auth/callback?code=K&state=S&iss=I&run=rm",
        "deepsearch://auth/callback?code=K&state=S&iss=I&gateway=https://evil.example",
        "deepsearch://auth/callback?code=K&state=S&iss=I&redirect_uri=https://evil.example",
        "deepsearch://auth/callback?code=K&state=S&iss=I&access_token=T",
        "deepsearch://auth/callback?access_token=T&state=S&iss=I",
        "deepsearch://auth/callback?code=K&state=S&iss=I&CODE=L",
        "deepsearch://auth/callback?code=K&state=S&iss=I#code=L",
        "deepsearch://auth/callback#code=K&state=S&iss=I",
        // Too much of one, too little of another.
        "deepsearch://auth/callback",
        "deepsearch://auth/callback?",
        "deepsearch://auth/callback?code=K&code=L&state=S&iss=I",
        "deepsearch://auth/callback?code=K&state=S&state=T&iss=I",
        "deepsearch://auth/callback?code=K&state=S&iss=I&iss=J",
        "deepsearch://auth/callback?code=K&c%6fde=L&state=S&iss=I",
        "deepsearch://auth/callback?code=K&state=S",
        "deepsearch://auth/callback?code=K&iss=I",
        "deepsearch://auth/callback?state=S&iss=I",
        "deepsearch://auth/callback?code=&state=S&iss=I",
        "deepsearch://auth/callback?code=K&state=&iss=I",
        "deepsearch://auth/callback?code=K&state=S&iss=",
        "deepsearch://auth/callback?code=K&error=access_denied&state=S&iss=I",
        "deepsearch://auth/callback?code=K&error_description=x&state=S&iss=I",
        &long,
        "",
    ];
    for link in hostile {
        assert!(matches!(Callback::parse(link), Err(AuthError::NotACallback)), "{link}");
    }
}

#[test]
fn nothing_shows_what_a_callback_holds() {
    let callback = Callback::parse("deepsearch://auth/callback?code=canary-code&state=canary-state&iss=canary-iss");
    assert!(!format!("{:?}", callback.unwrap()).contains("canary"));
    let refused = Callback::parse("deepsearch://auth/callback?code=canary-code&state=canary-state&iss=I&x=y");
    let error = refused.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("canary"));
}

proptest! {
    #[test]
    fn whatever_is_taken_is_the_callback_with_only_known_parameters(link in "(deepsearch|https?)://(auth|evil)(/callback|/x|)(\\?[a-z_=&%0-9]{0,60})?") {
        if is_taken(&link) {
            prop_assert!(link.starts_with("deepsearch://auth/callback?"));
            let url = url::Url::parse(&link).unwrap();
            for (name, _) in url.query_pairs() {
                prop_assert!(["code", "state", "iss", "error", "error_description", "error_uri"].contains(&&*name));
            }
        }
    }

    #[test]
    fn a_parameter_more_spoils_any_callback(name in "[a-z]{1,12}", value in "[a-z0-9]{0,12}") {
        // One that is known stands there already, so it would be there twice.
        let link = format!("deepsearch://auth/callback?code=K&state=S&iss=I&{name}={value}");
        prop_assert!(!is_taken(&link));
    }

    #[test]
    fn no_text_at_all_makes_it_fail(link in ".*") {
        let _ = Callback::parse(&link);
    }

    #[test]
    fn any_code_and_state_come_through_as_they_were_sent(code in "[A-Za-z0-9_-]{1,64}", state in "[A-Za-z0-9_-]{1,64}") {
        let link = format!("{REDIRECT}?code={code}&state={state}&iss=https%3A%2F%2Fa.example");
        prop_assert!(is_taken(&link));
    }
}
