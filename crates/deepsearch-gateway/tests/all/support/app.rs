//! The app's side of a sign-in, as a public client does it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::browser::Page;
use super::world::World;

pub(crate) const REDIRECT: &str = "deepsearch://auth/callback";

#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) verifier: String,
    pub(crate) state: String,
    pub(crate) device_id: Uuid,
    pub(crate) device_name: String,
    pub(crate) password: String,
    pub(crate) redirect_uri: String,
}

impl App {
    pub(crate) fn new(device_name: &str) -> Self {
        Self {
            verifier: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()),
            state: Uuid::new_v4().simple().to_string(),
            device_id: Uuid::now_v7(),
            device_name: device_name.to_owned(),
            password: Uuid::new_v4().simple().to_string(),
            redirect_uri: REDIRECT.to_owned(),
        }
    }

    pub(crate) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }

    pub(crate) fn parameters(&self, provider: Option<&str>) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("response_type", "code".to_owned()),
            ("client_id", "deepsearch-desktop".to_owned()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("code_challenge", self.challenge()),
            ("code_challenge_method", "S256".to_owned()),
            ("state", self.state.clone()),
            ("device_id", self.device_id.to_string()),
            ("device_name", self.device_name.clone()),
        ];
        parameters.extend(provider.map(|provider| ("provider", provider.to_owned())));
        parameters
    }

    pub(crate) fn authorize(&self, gateway: &str, provider: Option<&str>) -> String {
        authorize_with(gateway, &self.parameters(provider))
    }

    /// The form for `/token` with a code.
    pub(crate) fn redemption(&self, world: &World, code: &str) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", "deepsearch-desktop".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("code_verifier", self.verifier.clone()),
            ("device_id", self.device_id.to_string()),
            ("device_name", self.device_name.clone()),
            ("scram_verifier", world.database.scram_verifier(&self.password)),
        ]
    }

    /// The code that the gateway sent here, after the checks that an app owes.
    pub(crate) fn code(&self, answer: &Page, issuer: &str) -> String {
        assert!(answer.url.as_str().starts_with(&self.redirect_uri), "{}", answer.url);
        assert_eq!(answer.parameter("state").as_deref(), Some(self.state.as_str()));
        assert_eq!(answer.parameter("iss").as_deref(), Some(issuer));
        answer
            .parameter("code")
            .unwrap_or_else(|| panic!("no code in {}", answer.url))
    }

    pub(crate) async fn redeem(&self, world: &World, code: &str) -> (u16, Value) {
        world.post("/token", &self.redemption(world, code)).await
    }
}

pub(crate) fn authorize_with(gateway: &str, parameters: &[(&str, String)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    format!("{gateway}/authorize?{}", query.finish())
}
