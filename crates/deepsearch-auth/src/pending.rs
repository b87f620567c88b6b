//! Pending sign-ins: what the answer will be held against, kept with the secrets before anything is asked.
//!
//! Several may wait at once, because a person may try one way and then another; none waits longer than ten minutes, and
//! each is good for one answer.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::Clock;

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::error::AuthError;
use crate::vault::{Secrets, Slot, Vault};

/// How long an answer may take.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// Older ones give way.
const MOST: usize = 4;

/// How the answer comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Through a `deepsearch://` link.
    DeepLink,
    /// To an address of this machine that only the browser here reaches.
    Loopback,
    /// It is asked for again and again, while a person types a code into any browser.
    DeviceCode,
}

/// A sign-in that waits. It holds secrets, so it is not shown and not logged.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    /// Names it, and is what an answer must bring back.
    pub(crate) state: String,
    pub(crate) way: Way,
    pub(crate) device_id: Uuid,
    pub(crate) device_name: String,
    /// At the shared database. The gateway is only given the verifier.
    pub(crate) password: String,
    pub(crate) scram_verifier: String,
    /// The gateway that was asked, and where it redeems.
    pub(crate) gateway: String,
    pub(crate) issuer: String,
    pub(crate) token: Url,
    pub(crate) created_at: DateTime<Utc>,
    /// Of a way through a browser here: what proves that the answer is for us.
    pub(crate) browser: Option<Browser>,
    /// Of a code.
    pub(crate) granted: Option<oauth2::StandardDeviceAuthorizationResponse>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Browser {
    pub(crate) verifier: String,
    pub(crate) redirect: Url,
    /// What the browser is to open. It holds nothing that must stay secret.
    pub(crate) open: Url,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending")
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

impl Pending {
    /// Names it among the others; says nothing of what it holds.
    pub fn id(&self) -> Uuid {
        self.device_id
    }

    /// The address of the gateway that was asked.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    pub fn way(&self) -> Way {
        self.way
    }

    /// What is to be opened in a browser: the gateway's page, with the code where one is to be typed.
    pub fn open(&self) -> Option<Url> {
        match (&self.browser, &self.granted) {
            (Some(browser), _) => Some(browser.open.clone()),
            (None, Some(granted)) => {
                let complete = granted.verification_uri_complete().map(|uri| uri.secret().as_str());
                let plain = granted.verification_uri().as_str();
                complete.unwrap_or(plain).parse().ok()
            }
            (None, None) => None,
        }
    }

    /// The code to type, and where to.
    pub fn user_code(&self) -> Option<(&str, &str)> {
        let granted = self.granted.as_ref()?;
        Some((granted.user_code().secret(), granted.verification_uri().as_str()))
    }

    pub fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        let granted = self
            .granted
            .as_ref()
            .and_then(|granted| TimeDelta::from_std(granted.expires_in()).ok());
        self.created_at + granted.map_or(LIFETIME, |granted| granted.min(LIFETIME))
    }

    fn waits_at(&self, now: DateTime<Utc>) -> bool {
        // A clock that was set back must not make it wait for longer.
        (self.created_at - TimeDelta::seconds(5)..self.expires_at()).contains(&now)
    }
}

/// The sign-ins that wait in a data folder.
pub(crate) struct PendingSignIns<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) in_keychain: bool,
}

impl PendingSignIns<'_> {
    pub(crate) async fn add(&self, pending: &Pending) -> Result<(), AuthError> {
        let text = serde_json::to_string(pending).map_err(|error| AuthError::Unusable {
            host: pending.gateway.clone(),
            doing: "to sign in",
            detail: error.to_string(),
        })?;
        let now = self.clock.now();
        self.change(|kept| {
            let mut others = waiting(kept, now);
            others.truncate(MOST - 1);
            kept.retain(|state, _| others.iter().any(|other| other.state == *state));
            kept.insert(pending.state.clone(), text);
        })
        .await
    }

    /// Takes the one that an answer belongs to, so that no other answer finds it again. All are compared, each in
    /// constant time, so that how long it takes tells nothing of a state.
    pub(crate) async fn take(&self, state: &str) -> Result<Option<Pending>, AuthError> {
        let taken = self
            .change(|kept| {
                let mut found = None;
                for name in kept.keys() {
                    if verify_slices_are_equal(name.as_bytes(), state.as_bytes()).is_ok() {
                        found = Some(name.clone());
                    }
                }
                found.and_then(|name| kept.remove(&name))
            })
            .await?;
        let Some(pending) = taken.and_then(|text| serde_json::from_str::<Pending>(&text).ok()) else {
            return Ok(None);
        };
        if pending.waits_at(self.clock.now()) {
            Ok(Some(pending))
        } else {
            Err(AuthError::Expired)
        }
    }

    /// Those that still wait, latest first.
    pub(crate) async fn list(&self) -> Result<Vec<Pending>, AuthError> {
        let kept = self.vault.read(Slot::SignIns).await?;
        Ok(waiting(&kept.secrets, self.clock.now()))
    }

    pub(crate) async fn clear(&self) -> Result<(), AuthError> {
        if self.vault.read(Slot::SignIns).await?.place.is_none() {
            return Ok(());
        }
        self.change(Secrets::clear).await
    }

    async fn change<T>(&self, change: impl FnOnce(&mut Secrets) -> T) -> Result<T, AuthError> {
        Ok(self.vault.change(Slot::SignIns, self.in_keychain, change).await?)
    }
}

fn waiting(kept: &Secrets, now: DateTime<Utc>) -> Vec<Pending> {
    let all = kept
        .values()
        .filter_map(|text| serde_json::from_str::<Pending>(text).ok());
    let mut waiting: Vec<Pending> = all.filter(|pending| pending.waits_at(now)).collect();
    waiting.sort_by_key(|pending| std::cmp::Reverse(pending.created_at));
    waiting
}
