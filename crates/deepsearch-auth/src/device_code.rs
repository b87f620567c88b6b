//! Signing in with a code (RFC 8628): a person types it into any browser, on any machine, and we ask until they have.

use std::time::Duration;

use oauth2::basic::{BasicErrorResponse, BasicErrorResponseType};
use oauth2::{ClientId, DeviceAuthorizationUrl, DeviceCodeErrorResponse, DeviceCodeErrorResponseType, TokenUrl};

use crate::error::AuthError;
use crate::gateway::GatewayUrl;
use crate::pending::{Pending, Way};
use crate::session::Session;
use crate::sign_in::{CLIENT_ID, DeviceInfo, OauthClient, SignIns, refusal, token_failure};

/// Between two questions, where the network fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

impl SignIns {
    /// Asks for a code. It waits as others do, so that a new start of the app goes on asking.
    ///
    /// # Errors
    /// [`AuthError`] when the gateway offers none, or nothing can be kept.
    pub async fn begin_with_code(
        &self,
        url: &GatewayUrl,
        device: &DeviceInfo,
        in_keychain: bool,
    ) -> Result<Pending, AuthError> {
        let gateway = self.look_at(url).await?;
        let endpoint = gateway.device.clone().ok_or(AuthError::Lacks { what: "codes" })?;
        let mut pending = self.prepare(&gateway, device, Way::DeviceCode)?;
        let client = OauthClient::new(ClientId::new(CLIENT_ID.to_owned()))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(endpoint));
        let request = client
            .exchange_device_code()
            .add_extra_param("device_id", pending.device_id.to_string())
            .add_extra_param("device_name", pending.device_name.clone());
        let granted: oauth2::StandardDeviceAuthorizationResponse = request
            .request_async(&self.http)
            .await
            .map_err(|error| token_failure(&pending, error, |told: &BasicErrorResponse| refusal(told.error())))?;
        // Where a person is sent to is the gateway itself, whatever it says.
        let shown = [
            Some(granted.verification_uri().as_str()),
            granted.verification_uri_complete().map(|uri| uri.secret().as_str()),
        ];
        let is_there = |address: &str| {
            address
                .parse::<url::Url>()
                .is_ok_and(|url| url.origin() == gateway.token.origin())
        };
        if !shown.into_iter().flatten().all(is_there) || !is_readable(granted.user_code().secret()) {
            return Err(AuthError::Unusable {
                host: url.host(),
                doing: "for a code",
                detail: "it leads elsewhere, or is none".into(),
            });
        }
        pending.granted = Some(granted);
        self.pending(in_keychain).add(&pending).await?;
        Ok(pending)
    }

    /// Asks until the person has typed the code, as slowly as the gateway wants it; at the longest until the code is no
    /// longer good.
    ///
    /// # Errors
    /// [`AuthError`] when the person or the gateway said no, or it took too long.
    pub async fn wait_for_code(&self, pending: &Pending, in_keychain: bool) -> Result<Session, AuthError> {
        let Some(granted) = &pending.granted else {
            return Err(AuthError::NothingWaits);
        };
        let left = (pending.expires_at() - self.clock.now())
            .to_std()
            .map_err(|_| AuthError::Expired)?;
        let client = OauthClient::new(ClientId::new(CLIENT_ID.to_owned()))
            .set_token_uri(TokenUrl::from_url(pending.token.clone()));
        let clock = self.clock.clone();
        let request = client
            .exchange_device_access_token(granted)
            .set_time_fn(move || clock.now())
            .set_max_backoff_interval(LONGEST_PAUSE)
            .add_extra_param("device_id", pending.device_id.to_string())
            .add_extra_param("scram_verifier", pending.scram_verifier.clone());
        let asking = request.request_async(&self.http, tokio::time::sleep, Some(left));
        // Whatever clocks say, it ends.
        let answer = tokio::time::timeout(left + LONGEST_PAUSE, asking)
            .await
            .map_err(|_| AuthError::Expired)?;
        // One that was called off meanwhile is not taken any more.
        let taken = self.pending(in_keychain).take(&pending.state).await;
        let answer = answer.map_err(|error| token_failure(pending, error, code_refusal))?;
        let pending = taken?.ok_or(AuthError::NothingWaits)?;
        self.settle(pending, &answer, in_keychain).await
    }
}

/// Whether a code is one that a person can read and type.
fn is_readable(code: &str) -> bool {
    (4..=20).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn code_refusal(told: &DeviceCodeErrorResponse) -> AuthError {
    match told.error() {
        DeviceCodeErrorResponseType::AccessDenied => AuthError::Denied,
        DeviceCodeErrorResponseType::ExpiredToken => AuthError::Expired,
        DeviceCodeErrorResponseType::Basic(error) => refusal(error),
        other => refusal(&BasicErrorResponseType::Extension(other.to_string())),
    }
}
