//! The account at the gateway: its devices, what leaves with an export, and ending it. A device proves itself with its
//! session's token.

use chrono::{DateTime, Utc};
use deepsearch_net::Response;
use oauth2::http::StatusCode;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use uuid::Uuid;

use crate::error::AuthError;
use crate::gateway::{GatewayUrl, presentable_text};
use crate::http::{bounded, failure};
use crate::session::{Session, SessionUser};
use crate::sign_in::SignIns;

const MOST_DEVICES: usize = 200;
const LONGEST_NAME: usize = 60;

/// A device that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Device {
    #[specta(type = String)]
    pub id: Uuid,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: Option<DateTime<Utc>>,
    /// The one that asks.
    #[serde(default)]
    pub current: bool,
}

/// An account as the gateway tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct Account {
    pub user: SessionUser,
    pub devices: Vec<Device>,
}

impl SignIns {
    /// The account with its devices, this one first.
    ///
    /// # Errors
    /// [`AuthError::SessionOver`] when this device is signed out there; others when it cannot be asked.
    pub async fn account(&self, session: &Session) -> Result<Account, AuthError> {
        const DOING: &str = "about the account";
        let (host, response) = self
            .ask(session, Method::GET, "/account", DOING, |request| request)
            .await?;
        let body = bounded(&host, DOING, response).await?;
        let mut account: Account = serde_json::from_slice(&body).map_err(|error| AuthError::Unusable {
            host,
            doing: DOING,
            detail: format!(
                "it is not what was expected (line {}, column {})",
                error.line(),
                error.column()
            ),
        })?;
        account.devices.truncate(MOST_DEVICES);
        for device in &mut account.devices {
            device.name = presentable_text(&device.name, LONGEST_NAME);
            // The device knows itself better than it is told.
            device.current = device.id == session.about.device_id;
        }
        account
            .devices
            .sort_by_key(|device| (!device.current, std::cmp::Reverse(device.last_seen_at)));
        Ok(account)
    }

    /// Signs another device out. `false` when there is none of that id.
    ///
    /// # Errors
    /// As [`SignIns::account`].
    pub async fn revoke_device(&self, session: &Session, device: Uuid) -> Result<bool, AuthError> {
        let path = format!("/account/devices/{device}");
        let revoked = self
            .ask(session, Method::DELETE, &path, "to sign a device out", |request| {
                request
            })
            .await;
        match revoked {
            Ok(_) => Ok(true),
            Err(AuthError::Status { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Signs this device out at the gateway. One that is signed out already is fine.
    ///
    /// # Errors
    /// As [`SignIns::account`].
    pub async fn sign_out(&self, session: &Session) -> Result<(), AuthError> {
        let told = self
            .ask(session, Method::POST, "/account/sign-out", "to sign out", |request| {
                request
            })
            .await;
        match told {
            Ok(_) | Err(AuthError::SessionOver) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Signs every device of this person out, this one included.
    ///
    /// # Errors
    /// As [`SignIns::account`].
    pub async fn sign_out_everywhere(&self, session: &Session) -> Result<(), AuthError> {
        let path = "/account/sign-out-everywhere";
        self.ask(session, Method::POST, path, "to sign out everywhere", |request| request)
            .await?;
        Ok(())
    }

    /// Writes everything that the gateway's database holds of this person, as it comes. Returns its size.
    ///
    /// # Errors
    /// As [`SignIns::account`], and [`AuthError::Unwritable`].
    pub async fn export(&self, session: &Session, to: &mut (impl AsyncWrite + Unpin)) -> Result<u64, AuthError> {
        const DOING: &str = "for an export";
        let url = GatewayUrl::parse(&session.about.gateway)?;
        let request = self.http.stream(url.join("/account/export"));
        let host = url.host();
        let mut response = held(&host, DOING, self.http.send(&host, authorized(session, request)).await?)?;
        let mut size = 0;
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&host, error.into()))? {
            size += chunk.len() as u64;
            to.write_all(&chunk).await.map_err(AuthError::Unwritable)?;
        }
        to.flush().await.map_err(AuthError::Unwritable)?;
        Ok(size)
    }

    /// Deletes the account with everything that the shared database holds of it. The e-mail address says that it is meant.
    ///
    /// # Errors
    /// As [`SignIns::account`]; [`AuthError::Refused`] when the address is not the account's.
    pub async fn delete_account(&self, session: &Session, email: &str) -> Result<(), AuthError> {
        let body = serde_json::json!({ "confirm": email });
        let asked = self
            .ask(
                session,
                Method::DELETE,
                "/account",
                "to delete the account",
                |request| request.json(&body),
            )
            .await;
        match asked {
            Ok(_) => Ok(()),
            Err(AuthError::Status {
                status: 400 | 409 | 422,
                ..
            }) => Err(AuthError::Refused {
                why: "the e-mail address is not the account's".into(),
            }),
            Err(error) => Err(error),
        }
    }

    async fn ask(
        &self,
        session: &Session,
        method: Method,
        path: &str,
        doing: &'static str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<(String, Response), AuthError> {
        let url = GatewayUrl::parse(&session.about.gateway)?;
        let request = authorized(session, with(self.http.request(method, url.join(path))));
        let host = url.host();
        let response = held(&host, doing, self.http.send(&host, request).await?)?;
        Ok((host, response))
    }
}

fn authorized(session: &Session, request: RequestBuilder) -> RequestBuilder {
    request.bearer_auth(session.token.expose_secret())
}

fn held(host: &str, doing: &'static str, response: Response) -> Result<Response, AuthError> {
    match response.status() {
        status if status.is_success() => Ok(response),
        StatusCode::UNAUTHORIZED => Err(AuthError::SessionOver),
        status => Err(AuthError::Status {
            host: host.to_owned(),
            doing,
            status: status.as_u16(),
        }),
    }
}
