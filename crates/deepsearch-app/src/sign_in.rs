//! Signing in: begun by a face of the app, ended by whoever brings the answer: a deep link, the browser on this
//! machine, or the gateway itself when a code was typed.
//!
//! A face only watches how it stands. The sign-in belongs to the app: it goes on when a window closes, and what waits is
//! still waiting after a restart. Whoever connects to the shared database finds what it needs in [`App::session`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use deepsearch_auth::{
    AuthError, Callback, DeviceInfo, GatewayUrl, Loopback, Page, Pending, Place, Provider, Session, SessionUser,
    SignIns, Vault, Way,
};
use deepsearch_core::{Failure, UserId};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::changes::Change;
use crate::error::AppError;

mod words;

/// How the account stands on this device. Told without a network.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct AccountState {
    /// The gateway that is set.
    pub gateway: Option<String>,
    pub signed_in: Option<SignedIn>,
    pub signing_in: Option<SignInStep>,
    /// Why the last sign-in, or the session, ended.
    pub failure: Option<Failure>,
    /// Why a session that is kept cannot be used now.
    pub locked: Option<Failure>,
}

/// Who is signed in on this device.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct SignedIn {
    pub user: SessionUser,
    pub gateway: String,
    pub device_id: String,
    pub device_name: String,
    pub since: DateTime<Utc>,
    /// Where the session's secrets lie.
    pub kept_in: Place,
}

/// A sign-in that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct SignInStep {
    pub way: Way,
    pub gateway: String,
    /// What to type, and where, when there is a code.
    pub user_code: Option<String>,
    pub code_address: Option<String>,
    pub started_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// The answer is there and is being redeemed.
    pub finishing: bool,
}

/// What a gateway says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct GatewayInfo {
    pub url: String,
    pub host: String,
    pub providers: Vec<Provider>,
    pub takes_codes: bool,
}

/// How it stands, for as long as the app runs.
#[derive(Default)]
pub(crate) struct Standing {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    session: Option<(Session, Place)>,
    locked: Option<Failure>,
    /// The way that was chosen last. Those before it may still be answered.
    waiting: Option<Pending>,
    finishing: bool,
    failure: Option<Failure>,
    /// Ends what listens and asks.
    stop: CancellationToken,
}

impl Standing {
    /// How it stood when the app was last open.
    pub(crate) async fn recall(vault: &Vault, sign_ins: &SignIns) -> Self {
        let mut inner = Inner::default();
        match Session::lookup(vault).await {
            Ok(session) => inner.session = session,
            Err(error) => {
                tracing::warn!(%error, "the session cannot be used now");
                inner.locked = Some(Failure::from(&error));
            }
        }
        if inner.session.is_none() {
            match sign_ins.list_pending().await {
                // A listener did not survive the end of the app.
                Ok(waiting) => inner.waiting = waiting.into_iter().find(|pending| pending.way() != Way::Loopback),
                Err(error) => tracing::warn!(%error, "sign-ins that wait cannot be read"),
            }
        }
        Self {
            inner: Mutex::new(inner),
        }
    }

    pub(crate) fn session(&self) -> Option<Session> {
        self.lock().session.as_ref().map(|(session, _)| session.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The app ends; what waits is kept for its next start.
    pub(crate) fn stop_waiting(&self) {
        self.lock().stop.cancel();
    }
}

/// Whether a link is the way back from signing in. Any other one is nothing to us.
pub fn is_callback(link: &str) -> bool {
    Callback::parse(link).is_ok()
}

impl App {
    pub fn account_state(&self) -> AccountState {
        let gateway = self.wired().settings.text("gateway.url").map(str::to_owned);
        let standing = self.inner.standing.lock();
        AccountState {
            gateway,
            signed_in: standing
                .session
                .as_ref()
                .map(|(session, place)| SignedIn::of(session, *place)),
            signing_in: standing
                .waiting
                .as_ref()
                .map(|pending| SignInStep::of(pending, standing.finishing)),
            failure: standing.failure.clone(),
            locked: standing.locked.clone(),
        }
    }

    /// What this device needs to reach the gateway, the shared database and the shared cache; `None` while nobody is
    /// signed in. [`Change::Account`] tells when it is another.
    pub fn session(&self) -> Option<Session> {
        self.inner.standing.session()
    }

    /// What the gateway that is set says of itself.
    ///
    /// # Errors
    /// [`AppError::Auth`] when none is set, it cannot be reached, or it is none.
    pub async fn look_at_gateway(&self) -> Result<GatewayInfo, AppError> {
        let url = self.gateway_url()?;
        let gateway = self.inner.sign_ins.look_at(&url).await?;
        Ok(GatewayInfo {
            url: url.to_string(),
            host: url.host(),
            takes_codes: gateway.takes_codes(),
            providers: gateway.providers,
        })
    }

    /// Begins to sign in. When this returns, the answer may come: [`App::sign_in_address`] is what to open.
    ///
    /// # Errors
    /// [`AppError::Auth`] when somebody is signed in, the gateway cannot be used, or nothing can be kept.
    pub async fn start_sign_in(&self, way: Way, provider: Option<&str>) -> Result<SignInStep, AppError> {
        if let Some((session, _)) = &self.inner.standing.lock().session {
            let email = session.about.user.email.clone();
            return Err(AuthError::SignedIn { email }.into());
        }
        let url = self.gateway_url()?;
        let device = self.device();
        let (sign_ins, in_keychain) = (&self.inner.sign_ins, self.in_keychain());
        let (pending, loopback) = match way {
            Way::DeepLink => (sign_ins.begin(&url, &device, provider, None, in_keychain).await?, None),
            Way::Loopback => {
                let loopback = Loopback::bind().await?;
                let pending = sign_ins
                    .begin(&url, &device, provider, Some(&loopback), in_keychain)
                    .await?;
                (pending, Some(loopback))
            }
            Way::DeviceCode => (sign_ins.begin_with_code(&url, &device, in_keychain).await?, None),
        };
        let stop = {
            let mut standing = self.inner.standing.lock();
            standing.waiting = Some(pending.clone());
            standing.failure = None;
            standing.finishing = false;
            standing.stop.child_token()
        };
        self.attend(pending.clone(), loopback, stop);
        self.tell_change(Change::Account);
        Ok(SignInStep::of(&pending, false))
    }

    /// Goes on with a sign-in that an earlier start of the app began.
    pub fn resume_sign_in(&self) {
        let (pending, stop) = {
            let standing = self.inner.standing.lock();
            (standing.waiting.clone(), standing.stop.child_token())
        };
        if let Some(pending) = pending {
            self.attend(pending, None, stop);
        }
    }

    /// What a browser is to open for the sign-in that is under way.
    pub fn sign_in_address(&self) -> Option<url::Url> {
        self.inner.standing.lock().waiting.as_ref()?.open()
    }

    /// Takes a link that the system brought. Only the callback of a sign-in is one.
    ///
    /// # Errors
    /// [`AppError::Auth`] when it is another link, no sign-in waits for it, or the gateway does not redeem it.
    pub async fn complete_sign_in(&self, link: &str) -> Result<(), AppError> {
        let callback = Callback::parse(link)?;
        self.finish(callback).await
    }

    /// Lets no sign-in wait any longer.
    ///
    /// # Errors
    /// [`AppError::Auth`] when what waits cannot be taken out.
    pub async fn cancel_sign_in(&self) -> Result<(), AppError> {
        {
            let mut standing = self.inner.standing.lock();
            standing.stop.cancel();
            standing.stop = CancellationToken::new();
            standing.waiting = None;
            standing.finishing = false;
            standing.failure = None;
        }
        let cancelled = self.inner.sign_ins.cancel(self.in_keychain()).await;
        self.tell_change(Change::Account);
        Ok(cancelled?)
    }

    /// Looks once more for a session whose keychain was locked.
    ///
    /// # Errors
    /// [`AppError::Auth`] when it still is.
    pub async fn recall_session(&self) -> Result<AccountState, AppError> {
        let found = Session::lookup(&self.inner.vault).await;
        {
            let mut standing = self.inner.standing.lock();
            standing.locked = found.as_ref().err().map(Failure::from);
            if let Ok(session) = &found {
                standing.session.clone_from(session);
            }
        }
        self.use_session().await;
        self.tell_change(Change::Account);
        found?;
        Ok(self.account_state())
    }

    /// Waits with a sign-in until it is answered, called off or out of time.
    fn attend(&self, pending: Pending, loopback: Option<Loopback>, stop: CancellationToken) {
        let app = self.clone();
        self.inner.tasks.spawn(async move {
            let attended = async {
                match (pending.way(), loopback) {
                    (Way::Loopback, Some(loopback)) => app.listen(&pending, loopback).await,
                    (Way::DeviceCode, _) => app.ask_for_code(&pending).await,
                    _ => app.let_expire(&pending).await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = attended => {}
            }
        });
    }

    async fn let_expire(&self, pending: &Pending) {
        tokio::time::sleep(self.left(pending)).await;
        self.give_up(pending, &AuthError::Expired);
    }

    async fn listen(&self, pending: &Pending, loopback: Loopback) {
        let visit = loopback.wait(self.left(pending), pending).await;
        match visit {
            Ok(visit) => {
                let (callback, browser) = visit.answer();
                let finished = self.finish(callback).await;
                browser.show(&self.page(finished.is_ok())).await;
            }
            Err(error) => self.give_up(pending, &error),
        }
    }

    async fn ask_for_code(&self, pending: &Pending) {
        let asked = self.inner.sign_ins.wait_for_code(pending, self.in_keychain()).await;
        match asked {
            Ok(session) => self.enter(session).await,
            Err(error) => self.give_up(pending, &error),
        }
    }

    fn left(&self, pending: &Pending) -> std::time::Duration {
        (pending.expires_at() - self.inner.clock.now())
            .to_std()
            .unwrap_or_default()
    }

    /// Ends the sign-in that a face is shown, if it is still this one.
    fn give_up(&self, pending: &Pending, error: &AuthError) {
        {
            let mut standing = self.inner.standing.lock();
            if standing
                .waiting
                .as_ref()
                .is_none_or(|waiting| waiting.id() != pending.id())
            {
                return;
            }
            standing.waiting = None;
            standing.finishing = false;
            standing.failure = Some(Failure::from(error));
        }
        self.tell_change(Change::Account);
    }

    async fn finish(&self, callback: Callback) -> Result<(), AppError> {
        let answered = {
            let mut standing = self.inner.standing.lock();
            standing.finishing = standing
                .waiting
                .as_ref()
                .is_some_and(|pending| callback.answers(pending));
            standing.finishing
        };
        if answered {
            self.tell_change(Change::Account);
        }
        match self.inner.sign_ins.finish(callback, self.in_keychain()).await {
            Ok(session) => {
                self.enter(session).await;
                Ok(())
            }
            Err(error) => {
                self.fail(&error, answered);
                Err(error.into())
            }
        }
    }

    /// A failed answer ends what it answered. One that answers nothing leaves what waits as it is, whoever sent it.
    fn fail(&self, error: &AuthError, answered: bool) {
        {
            let mut standing = self.inner.standing.lock();
            standing.finishing = false;
            if answered {
                standing.waiting = None;
            }
            if answered || (standing.waiting.is_none() && standing.session.is_none()) {
                standing.failure = Some(Failure::from(error));
            }
        }
        self.tell_change(Change::Account);
    }

    async fn enter(&self, session: Session) {
        let kept = Session::lookup(&self.inner.vault).await;
        // It was kept a moment ago; where, is to be told as it is.
        let place = kept.ok().flatten().map_or(Place::File, |(_, place)| place);
        let user = UserId::from_stored(session.about.user.id.clone());
        {
            let mut standing = self.inner.standing.lock();
            *standing = Inner {
                session: Some((session, place)),
                ..Inner::default()
            };
        }
        if let Err(error) = self.belong_to(user).await {
            tracing::warn!(%error, "whose store this is will be kept by the first run of sync");
        }
        self.use_session().await;
        self.tell_change(Change::Account);
    }

    /// Builds anew what a session says where to find.
    async fn use_session(&self) {
        if let Err(error) = self.rewire().await {
            tracing::warn!(%error, "what the session brings is used from the next start");
        }
    }

    /// The session is over, here or everywhere.
    pub(crate) async fn leave(&self, why: Option<&AuthError>) -> Result<(), AppError> {
        let forgotten = Session::forget(&self.inner.vault, self.in_keychain()).await;
        // What is asked from now on is this device's, and is offered to whoever comes next.
        if let Err(error) = self.store().leave_sync_account().await {
            tracing::warn!(%error, "chats that are made while nobody is signed in are not known as such");
        }
        {
            let mut standing = self.inner.standing.lock();
            *standing = Inner {
                failure: why.map(Failure::from),
                ..Inner::default()
            };
        }
        self.use_session().await;
        self.tell_change(Change::Account);
        Ok(forgotten?)
    }

    fn gateway_url(&self) -> Result<GatewayUrl, AppError> {
        let wired = self.wired();
        let text = wired.settings.text("gateway.url").ok_or(AuthError::NoGateway)?;
        Ok(GatewayUrl::parse(text)?)
    }

    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            name: device_name(),
            locale: self.chosen_language(),
        }
    }

    fn chosen_language(&self) -> Option<String> {
        let language = self.setting("language").ok()?;
        let is_chosen = language.origin != crate::config::Origin::Default;
        language.value.as_str().filter(|_| is_chosen).map(str::to_owned)
    }

    fn page(&self, done: bool) -> Page {
        words::page(self.chosen_language().as_deref(), done)
    }
}

/// What this machine is called on the account's list of devices: as whoever started the program says, or as its system does.
pub(crate) fn device_name() -> String {
    let told = ["HOSTNAME", "COMPUTERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    let name = told.unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned());
    match name.trim().trim_end_matches(".local") {
        "" => "DeepSearch".to_owned(),
        name => name.to_owned(),
    }
}

impl SignedIn {
    fn of(session: &Session, kept_in: Place) -> Self {
        let about = &session.about;
        Self {
            user: about.user.clone(),
            gateway: about.gateway.clone(),
            device_id: about.device_id.to_string(),
            device_name: about.device_name.clone(),
            since: about.signed_in_at,
            kept_in,
        }
    }
}

impl SignInStep {
    fn of(pending: &Pending, finishing: bool) -> Self {
        let code = pending.user_code();
        Self {
            way: pending.way(),
            gateway: pending.gateway().to_owned(),
            user_code: code.map(|(code, _)| code.to_owned()),
            code_address: code.map(|(_, address)| address.to_owned()),
            started_at: pending.created_at(),
            expires_at: pending.expires_at(),
            finishing,
        }
    }
}
