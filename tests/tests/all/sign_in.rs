//! Signing in against a gateway that holds us to the interface, and the attacks on it that the app must stop.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_auth::{
    AuthError, Callback, DeviceInfo, GatewayUrl, Loopback, Pending, Place, Session, SignIns, Vault, Way,
};
use deepsearch_core::{Clock, SystemClock};
use deepsearch_net::Network;
use deepsearch_tests::gateway::{Gateway, Lie};
use secrecy::ExposeSecret;
use tempfile::TempDir;

/// A clock that a test sets.
#[derive(Debug)]
struct Hands(Mutex<DateTime<Utc>>);

impl Hands {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(SystemClock.now())))
    }

    fn forward(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Hands {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// A device with its data folder, and a gateway.
struct Device {
    gateway: Gateway,
    home: TempDir,
    clock: Arc<Hands>,
    sign_ins: SignIns,
}

impl Device {
    async fn new() -> Result<Self> {
        crate::install_tls();
        let (gateway, home, clock) = (Gateway::start().await?, tempfile::tempdir()?, Hands::new());
        let sign_ins = open(&home, &clock)?;
        Ok(Self {
            gateway,
            home,
            clock,
            sign_ins,
        })
    }

    fn url(&self) -> GatewayUrl {
        GatewayUrl::parse(self.gateway.url()).unwrap()
    }

    async fn begin(&self) -> Result<Pending, AuthError> {
        self.sign_ins
            .begin(&self.url(), &info(), Some("discord"), None, false)
            .await
    }

    /// What the browser brings back.
    async fn browse(&self, pending: &Pending) -> Result<String> {
        Gateway::browse(pending.open().context("an address")?.as_str()).await
    }

    async fn finish(&self, link: &str) -> Result<Session, AuthError> {
        self.sign_ins.finish(Callback::parse(link)?, false).await
    }

    async fn kept(&self) -> Option<Session> {
        let kept = Session::lookup(&Vault::new(self.home.path())).await.unwrap();
        kept.map(|(session, _)| session)
    }

    /// Every byte in the data folder, as text.
    fn bytes(&self) -> String {
        let files = std::fs::read_dir(self.home.path()).unwrap();
        let texts = files.map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default());
        texts
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }
}

/// The app's part anew, as after a restart.
fn open(home: &TempDir, clock: &Arc<Hands>) -> Result<SignIns> {
    Ok(SignIns::new(
        Vault::new(home.path()),
        &Network::default(),
        clock.clone(),
    )?)
}

fn info() -> DeviceInfo {
    DeviceInfo {
        name: "ada-laptop\u{202e}\n".into(),
        locale: Some("de".into()),
    }
}

fn replace(link: &str, name: &str, value: &str) -> String {
    let mut url: url::Url = link.parse().unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let changed = pairs.into_iter().map(|(key, old)| {
        if key == name {
            (key, value.to_owned())
        } else {
            (key, old)
        }
    });
    let changed: Vec<_> = changed.collect();
    url.query_pairs_mut().clear().extend_pairs(changed);
    url.to_string()
}

#[tokio::test]
async fn a_person_signs_in_through_the_browser_and_a_link() -> Result<()> {
    let device = Device::new().await?;
    let pending = device.begin().await?;
    assert_eq!(pending.way(), Way::DeepLink);
    let link = device.browse(&pending).await?;
    let session = device.finish(&link).await?;
    assert_eq!(session.about.user.email, "ada@example.org");
    assert_eq!(session.about.database.sslmode, "verify-full");
    assert_eq!(
        session.about.device_name, "ada-laptop",
        "no line breaks, no hidden turns"
    );
    assert!(
        session
            .about
            .database
            .sslrootcert
            .as_ref()
            .is_some_and(|pem| pem.len() > 3_000)
    );
    let opened = &device.gateway.authorized()[0];
    assert_eq!(opened["provider"], "discord");
    assert_eq!(opened["ui_locales"], "de");
    assert_eq!(opened["redirect_uri"], "deepsearch://auth/callback");
    let asked = &device.gateway.asked_for_tokens()[0];
    assert!(asked["scram_verifier"].starts_with("SCRAM-SHA-256$4096:"));

    let (kept, place) = Session::lookup(&Vault::new(device.home.path()))
        .await?
        .context("a session")?;
    assert_eq!(place, Place::File);
    assert_eq!(kept.about, session.about);
    assert_eq!(kept.token.expose_secret(), session.token.expose_secret());
    assert_eq!(
        kept.redis_password.context("of Redis")?.expose_secret(),
        "canary-redis-password"
    );
    assert!(device.sign_ins.list_pending().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_password_of_the_database_leaves_the_device_nowhere() -> Result<()> {
    let device = Device::new().await?;
    let pending = device.begin().await?;
    let session = device.finish(&device.browse(&pending).await?).await?;
    let password = session.database_password.expose_secret();
    let sent = format!(
        "{:?} {:?}",
        device.gateway.authorized(),
        device.gateway.asked_for_tokens()
    );
    assert!(password.len() >= 43 && !sent.contains(password));
    for secret in [
        password,
        session.token.expose_secret(),
        "canary-redis-password",
        "ada@example.org",
    ] {
        assert!(!device.bytes().contains(secret), "in plain in the data folder");
    }
    assert!(!format!("{session:?} {pending:?}").contains(password));
    Ok(())
}

#[tokio::test]
async fn what_waits_is_still_waiting_after_a_restart() -> Result<()> {
    let device = Device::new().await?;
    let pending = device.begin().await?;
    let link = device.browse(&pending).await?;
    let again = open(&device.home, &device.clock)?;
    let waiting = again.list_pending().await?;
    assert_eq!(waiting.iter().map(Pending::id).collect::<Vec<_>>(), [pending.id()]);
    assert_eq!(waiting[0].open(), pending.open(), "the browser can be opened again");
    let session = again.finish(Callback::parse(&link)?, false).await?;
    assert_eq!(session.about.user.id, "u1");
    Ok(())
}

#[tokio::test]
async fn a_link_of_nobodys_changes_nothing() -> Result<()> {
    let device = Device::new().await?;
    let forged = "deepsearch://auth/callback?code=stolen&state=guessed&iss=https%3A%2F%2Fa.example";
    assert!(
        matches!(device.finish(forged).await, Err(AuthError::NothingWaits)),
        "nothing waits at all"
    );
    let pending = device.begin().await?;
    let link = device.browse(&pending).await?;
    for state in ["guessed", "", &"x".repeat(43)] {
        let forged = replace(&link, "state", state);
        assert!(device.finish(&forged).await.is_err());
    }
    assert!(
        device.gateway.asked_for_tokens().is_empty(),
        "no code of a stranger's is redeemed"
    );
    device.finish(&link).await.context("the real one still counts")?;
    Ok(())
}

#[tokio::test]
async fn the_answer_of_another_gateway_is_not_redeemed_and_its_sign_in_is_over() -> Result<()> {
    let device = Device::new().await?;
    let pending = device.begin().await?;
    let link = device.browse(&pending).await?;
    let mixed = replace(&link, "iss", "https://gateway.example");
    assert!(matches!(device.finish(&mixed).await, Err(AuthError::OtherIssuer)));
    assert!(
        matches!(device.finish(&link).await, Err(AuthError::NothingWaits)),
        "it was consumed"
    );
    device.gateway.lie(Lie::OtherIssuerInBrowser);
    let link = device.browse(&device.begin().await?).await?;
    assert!(matches!(device.finish(&link).await, Err(AuthError::OtherIssuer)));
    assert!(device.gateway.asked_for_tokens().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_link_that_is_played_again_does_nothing() -> Result<()> {
    let device = Device::new().await?;
    let pending = device.begin().await?;
    let link = device.browse(&pending).await?;
    device.finish(&link).await?;
    assert!(matches!(device.finish(&link).await, Err(AuthError::NothingWaits)));
    assert_eq!(device.gateway.asked_for_tokens().len(), 1);
    assert_eq!(device.gateway.tokens().len(), 1, "the session is still good");
    Ok(())
}

#[tokio::test]
async fn of_many_who_bring_one_answer_at_once_one_is_heard() -> Result<()> {
    let device = Device::new().await?;
    let pending = device.begin().await?;
    let link = device.browse(&pending).await?;
    let tries = (0..8).map(|_| device.finish(&link));
    let done = futures::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    assert_eq!(device.gateway.asked_for_tokens().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_code_of_somebody_elses_sign_in_is_of_no_use() -> Result<()> {
    // Code injection and login CSRF: the code of the attacker's own flow, with the state of ours.
    let device = Device::new().await?;
    let (ours, theirs) = (device.begin().await?, device.begin().await?);
    let (ours, theirs) = (device.browse(&ours).await?, device.browse(&theirs).await?);
    let code = theirs
        .parse::<url::Url>()?
        .query_pairs()
        .find(|(name, _)| name == "code")
        .context("a code")?
        .1
        .into_owned();
    let injected = replace(&ours, "code", &code);
    assert!(matches!(device.finish(&injected).await, Err(AuthError::Refused { .. })));
    assert!(device.kept().await.is_none());
    Ok(())
}

#[tokio::test]
async fn a_code_that_was_stolen_is_of_no_use_without_what_the_device_keeps() -> Result<()> {
    let device = Device::new().await?;
    let thief = Device::new().await?;
    thief.begin().await?;
    let link = device.browse(&device.begin().await?).await?;
    assert!(matches!(thief.finish(&link).await, Err(AuthError::NothingWaits)));
    device.finish(&link).await?;
    Ok(())
}

#[tokio::test]
async fn an_answer_that_comes_after_ten_minutes_is_too_late() -> Result<()> {
    let device = Device::new().await?;
    let link = device.browse(&device.begin().await?).await?;
    device.clock.forward(TimeDelta::seconds(601));
    assert!(matches!(device.finish(&link).await, Err(AuthError::Expired)));
    assert!(device.gateway.asked_for_tokens().is_empty());
    // A clock that was set back does not make it young again.
    let link = device.browse(&device.begin().await?).await?;
    device.clock.forward(TimeDelta::seconds(-3_600));
    assert!(matches!(device.finish(&link).await, Err(AuthError::Expired)));
    Ok(())
}

#[tokio::test]
async fn several_ways_may_wait_at_once_and_the_oldest_gives_way() -> Result<()> {
    let device = Device::new().await?;
    let mut links = Vec::new();
    for _ in 0..5 {
        let pending = device.begin().await?;
        links.push(device.browse(&pending).await?);
        device.clock.forward(TimeDelta::seconds(1));
    }
    assert_eq!(device.sign_ins.list_pending().await?.len(), 4);
    assert!(matches!(device.finish(&links[0]).await, Err(AuthError::NothingWaits)));
    device.finish(&links[2]).await?;
    assert!(
        device.sign_ins.list_pending().await?.is_empty(),
        "the others are not needed any more"
    );
    Ok(())
}

#[tokio::test]
async fn a_person_who_says_no_is_heard() -> Result<()> {
    let device = Device::new().await?;
    device.gateway.deny();
    let link = device.browse(&device.begin().await?).await?;
    assert!(matches!(device.finish(&link).await, Err(AuthError::Denied)));
    assert!(device.sign_ins.list_pending().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_sign_in_that_was_called_off_is_answered_no_more() -> Result<()> {
    let device = Device::new().await?;
    let link = device.browse(&device.begin().await?).await?;
    device.sign_ins.cancel(false).await?;
    assert!(matches!(device.finish(&link).await, Err(AuthError::NothingWaits)));
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_lies_about_itself_is_not_used() -> Result<()> {
    for lie in [
        Lie::OtherIssuer,
        Lie::ForeignTokenEndpoint,
        Lie::NoPkce,
        Lie::NewerProtocol,
    ] {
        let device = Device::new().await?;
        device.gateway.lie(lie);
        let error = device
            .begin()
            .await
            .err()
            .with_context(|| format!("{lie:?} went through"))?;
        let expected = match lie {
            Lie::NoPkce => matches!(error, AuthError::Lacks { .. }),
            Lie::NewerProtocol => matches!(error, AuthError::OtherProtocol { min: 2, max: 3 }),
            _ => matches!(error, AuthError::Unusable { .. }),
        };
        assert!(expected, "{lie:?}: {error:?}");
        assert!(device.sign_ins.list_pending().await?.is_empty(), "nothing waits for it");
    }
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_lies_about_a_session_signs_nobody_in() -> Result<()> {
    for lie in [
        Lie::OtherIssuerInToken,
        Lie::OtherDevice,
        Lie::PlainDatabase,
        Lie::Html,
        Lie::Huge,
        Lie::Redirect,
        Lie::ServerError,
    ] {
        let device = Device::new().await?;
        let link = device.browse(&device.begin().await?).await?;
        device.gateway.lie(lie);
        let error = device
            .finish(&link)
            .await
            .err()
            .with_context(|| format!("{lie:?} went through"))?;
        let expected = match lie {
            Lie::OtherIssuerInToken => matches!(error, AuthError::OtherIssuer),
            Lie::Redirect => matches!(error, AuthError::Status { status: 307, .. }),
            Lie::ServerError => matches!(error, AuthError::Status { status: 502, .. }),
            _ => matches!(error, AuthError::Unusable { .. }),
        };
        assert!(expected, "{lie:?}: {error:?}");
        let told = format!("{error} {error:?}");
        assert!(!told.contains("token-") && !told.contains("canary"), "{told}");
        assert!(device.kept().await.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_gateway_is_called_so_and_one_that_is_silent_is_given_up() -> Result<()> {
    let device = Device::new().await?;
    let web = deepsearch_tests::small_web::SmallWeb::lighthouse().await?;
    let url = GatewayUrl::parse(web.engine.base().as_str())?;
    let error = device
        .sign_ins
        .look_at(&url)
        .await
        .err()
        .context("a page is no gateway")?;
    assert!(matches!(error, AuthError::NoGatewayThere { .. }), "{error:?}");
    let nobody = GatewayUrl::parse("http://127.0.0.1:1")?;
    assert!(matches!(
        device.sign_ins.look_at(&nobody).await,
        Err(AuthError::Unreachable { .. })
    ));
    device.gateway.lie(Lie::Silent);
    let began = tokio::time::Instant::now();
    assert!(matches!(
        device.sign_ins.look_at(&device.url()).await,
        Err(AuthError::TimedOut { .. })
    ));
    assert!(began.elapsed() < Duration::from_secs(25));
    Ok(())
}

/// Asks the listener something, as any program on this machine can.
async fn knock(redirect: &str, request: &str) -> Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let place = redirect
        .trim_start_matches("http://")
        .split('/')
        .next()
        .context("a place")?;
    let mut stream = tokio::net::TcpStream::connect(place).await?;
    stream.write_all(request.replace("HOST", place).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn the_listener_takes_the_answer_it_waits_for_and_nothing_else() -> Result<()> {
    let device = Device::new().await?;
    let loopback = Loopback::bind().await?;
    let redirect = loopback.redirect();
    let pending = device
        .sign_ins
        .begin(&device.url(), &info(), None, Some(&loopback), false)
        .await?;
    assert_eq!(pending.way(), Way::Loopback);
    let link = device.browse(&pending).await?;
    assert!(link.starts_with(&redirect));
    let target = link.strip_prefix(&redirect).context("its query")?.to_owned();
    let place = redirect.clone();
    let strangers = async move {
        let get = |target: &str, host: &str| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        for request in [
            get("/favicon.ico", "HOST"),
            get("/", "HOST"),
            get("/auth/callback?code=K&state=guessed&iss=I", "HOST"),
            get(&format!("/auth/callback{target}&run=rm"), "HOST"),
            get(&format!("/auth/callback/../callback{target}"), "HOST"),
            // A page whose own name leads here.
            get(&format!("/auth/callback{target}"), "rebound.example"),
            format!("GET /auth/callback{target} HTTP/1.1\r\n\r\n"),
            format!("POST /auth/callback{target} HTTP/1.1\r\nHost: HOST\r\n\r\n"),
        ] {
            let answer = knock(&place, &request).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 404"), "{request}: {answer}");
        }
        knock(&place, &get(&format!("/auth/callback{target}"), "HOST"))
            .await
            .unwrap()
    };
    let browser = tokio::spawn(strangers);
    let visit = loopback.wait(Duration::from_secs(30), &pending).await?;
    let (callback, visitor) = visit.answer();
    let session = device.sign_ins.finish(callback, false).await?;
    let page = deepsearch_auth::Page {
        done: true,
        language: "de".into(),
        title: "<Fertig>".into(),
        text: "Zurück".into(),
    };
    visitor.show(&page).await;
    let shown = browser.await?;
    assert!(
        shown.contains("&lt;Fertig&gt;") && shown.contains("lang=\"de\""),
        "{shown}"
    );
    let head = shown.to_lowercase();
    for line in [
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "content-security-policy: default-src 'none'",
    ] {
        assert!(head.contains(line), "{line}");
    }
    assert_eq!(session.about.user.id, "u1");
    assert!(
        knock(&redirect, "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n").await.is_err(),
        "it is gone"
    );
    Ok(())
}

#[tokio::test]
async fn the_listener_gives_up_in_time_and_a_slow_visitor_holds_nobody_up() -> Result<()> {
    let device = Device::new().await?;
    let loopback = Loopback::bind().await?;
    let redirect = loopback.redirect();
    let place = redirect
        .trim_start_matches("http://")
        .split('/')
        .next()
        .context("a place")?
        .to_owned();
    let _silent = tokio::net::TcpStream::connect(&place).await?;
    let pending = device.begin().await?;
    let began = tokio::time::Instant::now();
    let waited = loopback.wait(Duration::from_secs(7), &pending).await;
    assert!(matches!(waited, Err(AuthError::Expired)));
    assert!(began.elapsed() < Duration::from_secs(14));
    Ok(())
}

#[tokio::test]
async fn a_person_signs_in_with_a_code_from_another_machine() -> Result<()> {
    let device = Device::new().await?;
    let pending = device.sign_ins.begin_with_code(&device.url(), &info(), false).await?;
    let (code, page) = pending.user_code().context("a code")?;
    assert_eq!(page, format!("{}/device", device.gateway.url()));
    device
        .gateway
        .answer_code(code, vec!["authorization_pending", "slow_down", "approved"]);
    let began = tokio::time::Instant::now();
    let session = device.sign_ins.wait_for_code(&pending, false).await?;
    assert_eq!(session.about.device_id, pending.id());
    // One second, then six: five more after it was asked to slow down.
    assert!(began.elapsed() >= Duration::from_secs(7), "{:?}", began.elapsed());
    assert_eq!(device.gateway.asked_for_tokens().len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_code_that_is_refused_or_out_of_time_or_called_off_signs_nobody_in() -> Result<()> {
    let device = Device::new().await?;
    for (answer, is_expected) in [
        (
            "access_denied",
            (|error| matches!(error, AuthError::Denied)) as fn(&AuthError) -> bool,
        ),
        ("expired_token", |error| matches!(error, AuthError::Expired)),
        ("invalid_grant", |error| matches!(error, AuthError::Refused { .. })),
    ] {
        let pending = device.sign_ins.begin_with_code(&device.url(), &info(), false).await?;
        device
            .gateway
            .answer_code(pending.user_code().context("a code")?.0, vec![answer]);
        let error = device
            .sign_ins
            .wait_for_code(&pending, false)
            .await
            .err()
            .context(answer)?;
        assert!(is_expected(&error), "{answer}: {error:?}");
        assert!(device.sign_ins.list_pending().await?.is_empty());
    }
    let pending = device.sign_ins.begin_with_code(&device.url(), &info(), false).await?;
    device.sign_ins.cancel(false).await?;
    device.gateway.type_code(pending.user_code().context("a code")?.0);
    assert!(matches!(
        device.sign_ins.wait_for_code(&pending, false).await,
        Err(AuthError::NothingWaits)
    ));
    device.gateway.lie(Lie::ForeignCodePage);
    let error = device
        .sign_ins
        .begin_with_code(&device.url(), &info(), false)
        .await
        .err();
    assert!(
        matches!(error, Some(AuthError::Unusable { .. })),
        "a page elsewhere is not shown"
    );
    assert!(device.kept().await.is_none());
    Ok(())
}

#[tokio::test]
async fn the_account_is_shown_exported_and_ended() -> Result<()> {
    let device = Device::new().await?;
    let session = device.finish(&device.browse(&device.begin().await?).await?).await?;
    let account = device.sign_ins.account(&session).await?;
    assert_eq!(account.devices.len(), 1);
    assert!(account.devices[0].current);
    assert!(!device.sign_ins.revoke_device(&session, uuid_of_nobody()).await?);
    let mut exported = Vec::new();
    let size = device.sign_ins.export(&session, &mut exported).await?;
    assert_eq!(size, exported.len() as u64);
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&exported)?["user"]["id"],
        "u1"
    );
    let refused = device.sign_ins.delete_account(&session, "eve@example.org").await;
    assert!(matches!(refused, Err(AuthError::Refused { .. })));
    device.sign_ins.delete_account(&session, "ada@example.org").await?;
    assert!(matches!(
        device.sign_ins.account(&session).await,
        Err(AuthError::SessionOver)
    ));
    // Signing out of what is over is fine.
    device.sign_ins.sign_out(&session).await?;
    Ok(())
}

fn uuid_of_nobody() -> uuid::Uuid {
    uuid::Uuid::nil()
}
