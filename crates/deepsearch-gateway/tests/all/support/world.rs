//! A world for one test: a database, peers, and one gateway or two before them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::{Clock, SystemClock};
use deepsearch_gateway::{Config, Gateway};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::app::App;
use super::browser::{Browser, Page};
use super::database::Database;
use super::doubles::{CLIENT_ID, CLIENT_SECRET, Double};
use super::peer::Peer;

pub(crate) const MAIL_PASSWORD: &str = "password-of-the-mail-server";
pub(crate) const COOKIE_KEY: &str = "a key for cookies in tests, long enough for all";

/// The machine's clock, moved on.
#[derive(Debug, Default)]
pub(crate) struct Ahead(AtomicI64);

impl Ahead {
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::milliseconds(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) clock: Arc<Ahead>,
    pub(crate) double: Double,
    /// The gateway, and a second one behind the same balancer.
    pub(crate) gateways: [String; 2],
    pub(crate) metrics: String,
    pub(crate) google: Option<Peer>,
    _company: Option<Peer>,
    pub(crate) mail: Option<Peer>,
    http: reqwest::Client,
    text: String,
    stop: CancellationToken,
}

/// What a test needs besides the database and the doubles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needs {
    pub(crate) google: bool,
    pub(crate) company: bool,
    pub(crate) mail: bool,
    /// More lines of the configuration.
    pub(crate) more: &'static str,
    /// Whole sections of it.
    pub(crate) more_sections: String,
    /// More lines for Discord's section.
    pub(crate) discord: &'static str,
}

impl World {
    pub(crate) async fn new() -> Option<Self> {
        Self::with(Needs::default()).await
    }

    /// `None` where something is not installed; the test passes by then.
    pub(crate) async fn with(needs: Needs) -> Option<Self> {
        let database = tokio::task::spawn_blocking(Database::new).await.expect("a database")?;
        // The ports first: providers know where browsers are sent back to.
        let listeners = [listener().await, listener().await];
        let addresses = listeners
            .each_ref()
            .map(|listener| listener.local_addr().expect("an address"));
        // As behind a balancer: both are called by one name, here the first one's.
        let public = format!("http://{}", addresses[0]);
        let double = Double::start().await;
        let google = match needs.google {
            true => Some(start("google", json!({
                "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": format!("{public}/callback/google"),
            })).await?),
            false => None,
        };
        let company = match needs.company {
            true => Some(
                start(
                    "openid",
                    json!({ "clients": [{
                "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
                "redirect_uris": [format!("{public}/callback/company")],
            }] }),
                )
                .await?,
            ),
            false => None,
        };
        let mail = match needs.mail {
            true => Some(start("mail", json!({ "user": "gateway", "password": MAIL_PASSWORD })).await?),
            false => None,
        };
        let clock = Arc::new(Ahead::default());
        let stop = CancellationToken::new();
        let text = configuration(&public, &database, &double, &needs, &google, &company, &mail);
        let metrics_listener = listener().await;
        let metrics = format!("http://{}", metrics_listener.local_addr().expect("an address"));
        let mut metrics_listener = Some(metrics_listener);
        for listener in listeners {
            let config = load(&text);
            let gateway = Gateway::open(config, clock.clone()).await.expect("the gateway opens");
            let (stop, metrics) = (stop.clone(), metrics_listener.take());
            tokio::spawn(async move { gateway.serve(listener, metrics, stop).await });
        }
        Some(Self {
            gateways: addresses.map(|address: SocketAddr| format!("http://{address}")),
            database,
            clock,
            double,
            metrics,
            google,
            _company: company,
            mail,
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .no_proxy()
                .build()
                .expect("a client"),
            text,
            stop,
        })
    }

    /// Starts another gateway beside the others, and says where.
    pub(crate) async fn one_more_gateway(&self) -> String {
        let listener = listener().await;
        let address = listener.local_addr().expect("an address");
        let gateway = Gateway::open(load(&self.text), self.clock.clone()).await;
        let (gateway, stop) = (gateway.expect("the gateway opens"), self.stop.clone());
        tokio::spawn(async move { gateway.serve(listener, None, stop).await });
        format!("http://{address}")
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.gateways[0]
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, String)]) -> (u16, Value) {
        self.post_to(0, path, form).await
    }

    pub(crate) async fn post_to(&self, gateway: usize, path: &str, form: &[(&str, String)]) -> (u16, Value) {
        let sent = self
            .http
            .post(format!("{}{path}", self.gateways[gateway]))
            .form(form)
            .send()
            .await;
        answer(sent.expect("an answer")).await
    }

    /// A request with a session's token.
    pub(crate) async fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.gateways[0]))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request.send().await.expect("an answer")).await
    }

    pub(crate) async fn get(&self, url: &str) -> (u16, String) {
        let response = self.http.get(url).send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    /// Signs in through Discord's double up to the consent page.
    pub(crate) async fn to_consent(&self, browser: &mut Browser, app: &App) -> Page {
        let page = browser.open(&app.authorize(self.issuer(), Some("discord"))).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page
    }

    /// A whole sign-in through Discord's double: what the app is given.
    pub(crate) async fn sign_in(&self, app: &App) -> Value {
        let mut browser = Browser::new();
        let consent = self.to_consent(&mut browser, app).await;
        let answer = browser.submit(&consent, &[("decision", "allow")]).await;
        let code = app.code(&answer, self.issuer());
        let (status, given) = app.redeem(self, &code).await;
        assert_eq!(status, 200, "{given}");
        given
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

async fn start(kind: &'static str, options: Value) -> Option<Peer> {
    tokio::task::spawn_blocking(move || Peer::start(kind, &options))
        .await
        .expect("a peer")
}

async fn answer(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub(crate) fn load(text: &str) -> Config {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, text).expect("the configuration is written");
    Config::load(Some(&file), &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn configuration(
    public: &str,
    database: &Database,
    double: &Double,
    needs: &Needs,
    google: &Option<Peer>,
    company: &Option<Peer>,
    mail: &Option<Peer>,
) -> String {
    let client = format!("client_id = \"{CLIENT_ID}\"\nclient_secret = \"{CLIENT_SECRET}\"\n");
    let mut text = format!(
        "public_url = \"{public}\"\ncookie_key = \"{COOKIE_KEY}\"\n{}\n[database]\nurl = \"{}\"\n\
         [limits]\nrequests_per_minute = 10000\nattempts_per_minute = 5000\n\
         [providers.discord]\n{client}authorize_url = \"{}\"\napi_url = \"{}\"\n{}\n\
         [providers.github]\n{client}url = \"{}\"\napi_url = \"{}\"\n",
        needs.more,
        database.gateway_url(),
        double.url("/oauth2/authorize"),
        double.url("/api"),
        needs.discord,
        double.url("/"),
        double.url("/"),
    );
    text.push_str(&needs.more_sections);
    if let Some(google) = google {
        let _ = write!(text, "[providers.google]\nissuer = \"{}\"\n{client}", google.url(""));
    }
    if let Some(company) = company {
        let _ = write!(
            text,
            "[providers.company]\nname = \"The Company\"\nissuer = \"{}\"\n{client}",
            company.url("")
        );
    }
    if let Some(mail) = mail {
        let _ = write!(
            text,
            "[email]\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nuser = \"gateway\"\n\
             password = \"{MAIL_PASSWORD}\"\nfrom = \"DeepSearch <sign-in@example.org>\"\n",
            mail.port()
        );
    }
    text
}
