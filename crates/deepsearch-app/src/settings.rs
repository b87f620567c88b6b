//! The settings there are: one row each, from which help, validation and the reference are made.

use deepsearch_core::UserSettings;
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::changes::Change;
use crate::config::Origin;
use crate::error::AppError;
use crate::secrets;

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SettingKind {
    Bool,
    Integer {
        min: i64,
        max: i64,
    },
    /// One of these.
    Choice {
        of: &'static [&'static str],
    },
    Text {
        longest: usize,
    },
    /// Comma-separated on the command line and in the environment.
    List,
    Url,
    /// Never shown, never stored in the database.
    Secret,
}

/// One setting. `{engine}` and `{provider}` in a key stand for any engine or model provider.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SettingInfo {
    pub key: &'static str,
    #[serde(flatten)]
    pub kind: SettingKind,
    pub about: &'static str,
}

/// A setting as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct SettingValue {
    pub key: String,
    /// Of a secret only whether it is set.
    pub value: Value,
    pub origin: Origin,
    pub about: &'static str,
}

const fn setting(key: &'static str, kind: SettingKind, about: &'static str) -> SettingInfo {
    SettingInfo { key, kind, about }
}

/// Every setting. The first five are the seed's user_settings and travel with a person; the rest belong to a machine.
pub const SETTINGS: &[SettingInfo] = &[
    setting(
        "theme",
        SettingKind::Choice {
            of: &["dark", "light", "system"],
        },
        "How the window looks.",
    ),
    setting(
        "language",
        SettingKind::Text { longest: 10 },
        "Language of the app and of searches, as a tag: en, de, pt-BR.",
    ),
    setting(
        "default_model",
        SettingKind::Text { longest: 50 },
        "Model that answers, as provider/name; empty chooses by what is available.",
    ),
    setting(
        "enable_search_by_default",
        SettingKind::Bool,
        "Whether questions are searched for, or only given to the model.",
    ),
    setting(
        "max_search_results",
        SettingKind::Integer { min: 1, max: 50 },
        "Results that one search brings.",
    ),
    setting(
        "engines.order",
        SettingKind::List,
        "Web engines in the order they are asked; empty takes all that are ready.",
    ),
    setting(
        "engines.{engine}.enabled",
        SettingKind::Bool,
        "Whether this engine is asked at all.",
    ),
    setting("engines.{engine}.key", SettingKind::Secret, "Key of this engine."),
    setting(
        "engines.{engine}.url",
        SettingKind::Url,
        "Address of this engine, such as that of your own SearXNG.",
    ),
    setting(
        "secrets.keychain",
        SettingKind::Bool,
        "Whether secrets are kept in the system's keychain, where there is one, or encrypted in secrets.toml.",
    ),
    setting(
        "gateway.url",
        SettingKind::Url,
        "Address of the gateway to sign in at; whoever runs it tells it.",
    ),
    setting(
        "models.{provider}.enabled",
        SettingKind::Bool,
        "Whether this provider's models are offered.",
    ),
    setting("models.{provider}.key", SettingKind::Secret, "Key of this provider."),
    setting(
        "models.{provider}.url",
        SettingKind::Url,
        "Address of this provider; any OpenAI-compatible server can be added under a name of yours.",
    ),
    setting(
        "models.prices",
        SettingKind::List,
        "US dollars that a million tokens cost, read and written, as provider/name=0.25/2; answers then show what they cost.",
    ),
    setting(
        "models.discover_local",
        SettingKind::Bool,
        "Whether Ollama, LM Studio and llama.cpp are looked for on this machine.",
    ),
    setting(
        crate::reranking::KEY,
        SettingKind::Text { longest: 120 },
        "Embedding model of this machine that puts passages in order, as ollama/all-minilm; empty leaves it to their words.",
    ),
    setting(
        "redis.url",
        SettingKind::Secret,
        "Address of a shared search cache, redis:// or rediss://.",
    ),
    setting(
        "shared.url",
        SettingKind::Secret,
        "Address of the shared database as its owner, for `deepsearch db`.",
    ),
    setting(
        "shared.device_url",
        SettingKind::Secret,
        "Address of the shared database as this device; `deepsearch share init` sets it.",
    ),
    setting(
        "shared.session",
        SettingKind::Secret,
        "Session of this device with the shared database; `deepsearch share init` sets it.",
    ),
    setting(
        "shared.search_cache",
        SettingKind::Bool,
        "Whether search results are kept in the shared database, for everybody where its owner shares searches, and counted there then.",
    ),
    setting(
        "sync.pages",
        SettingKind::Bool,
        "Whether the saved pages that answers rest on are synced with your other devices too.",
    ),
    setting(
        "answer.pictures",
        SettingKind::Bool,
        "Whether copies of the pictures that sources show themselves with are kept and shown with an answer.",
    ),
    setting(
        "answer.pages",
        SettingKind::Integer { min: 1, max: 20 },
        "Pages that are read for one answer.",
    ),
    setting(
        "answer.evidence_tokens",
        SettingKind::Integer { min: 256, max: 100_000 },
        "Tokens of sources that a model is shown at most.",
    ),
    setting(
        "answer.tokens",
        SettingKind::Integer { min: 64, max: 32_000 },
        "Tokens that an answer has at most.",
    ),
    setting(
        "answer.show_checks",
        SettingKind::Bool,
        "Whether the window marks each sentence as supported by its sources or not.",
    ),
    setting(
        "appearance.text_size",
        SettingKind::Integer { min: 80, max: 160 },
        "Size of the window's text, in percent.",
    ),
    setting(
        "notifications.enabled",
        SettingKind::Bool,
        "Whether the system tells that an answer is there while its window is not looked at, or that one which is checked again by itself has changed.",
    ),
    setting(
        "shortcut.quick_ask",
        SettingKind::Text { longest: 60 },
        "Keys that open the quick question from anywhere.",
    ),
    setting(
        "privacy.mode",
        SettingKind::Choice {
            of: &["off", "private"],
        },
        "Whether answers come from this computer alone, and nothing may reach another one.",
    ),
    setting(
        "crawl.allow_private",
        SettingKind::Bool,
        "Whether pages of this machine and of the local network may be read.",
    ),
    setting(
        "sites.allow",
        SettingKind::List,
        "Sites that alone are searched; empty searches all.",
    ),
    setting(
        "sites.block",
        SettingKind::List,
        "Sites that are never read or shown among results.",
    ),
    setting(
        "folders.paths",
        SettingKind::List,
        "Folders of yours that are searched; `deepsearch folders add` adds one.",
    ),
    setting(
        "folders.hidden",
        SettingKind::Bool,
        "Whether hidden files in these folders are read too.",
    ),
    setting(
        "folders.ignore_files",
        SettingKind::Bool,
        "Whether what .gitignore and .ignore name in these folders is left out.",
    ),
    setting(
        "folders.largest_mb",
        SettingKind::Integer { min: 1, max: 200 },
        "Size of the largest file that is read in these folders, in megabytes.",
    ),
    setting(
        "folders.paused",
        SettingKind::Bool,
        "Whether looking through these folders is paused.",
    ),
    setting(
        "trash.days",
        SettingKind::Integer { min: 1, max: 3650 },
        "Days after which chats in Trash are gone for good.",
    ),
];

impl App {
    /// Every setting that has a value, and every one without wildcards, by key.
    pub fn settings(&self) -> Vec<SettingValue> {
        let wired = self.wired();
        let plain = SETTINGS.iter().map(|info| info.key).filter(|key| !key.contains('{'));
        let mut keys: Vec<&str> = plain.chain(wired.settings.keys().map(String::as_str)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().filter_map(|key| self.setting(key).ok()).collect()
    }

    /// One setting as it stands.
    ///
    /// # Errors
    /// [`AppError::UnknownSetting`].
    pub fn setting(&self, key: &str) -> Result<SettingValue, AppError> {
        let info = info(key)?;
        let (value, origin) = match self.wired().settings.get(key) {
            Some((_, origin)) if info.kind == SettingKind::Secret => (json!(true), *origin),
            Some((value, origin)) => (value.clone(), *origin),
            None => (default_of(info), Origin::Default),
        };
        Ok(SettingValue {
            key: key.to_owned(),
            value,
            origin,
            about: info.about,
        })
    }

    /// Sets one setting from its text, or with `None` puts it back to its default. Takes effect at once.
    ///
    /// # Errors
    /// [`AppError`] for an unknown key, a value that does not suit it, or a key that the environment or the
    /// configuration file decides.
    pub async fn update_setting(&self, key: &str, text: Option<&str>) -> Result<SettingValue, AppError> {
        let info = info(key)?;
        let value = text.map(|text| parse(key, info, text)).transpose()?;
        if let Some((_, origin)) = self.config().over(key) {
            let origin = if origin == Origin::File {
                "the configuration file"
            } else {
                "the environment"
            };
            return Err(AppError::Overridden {
                key: key.to_owned(),
                origin: origin.to_owned(),
            });
        }
        if let Some(id) = value.as_ref().and_then(Value::as_str)
            && key == crate::reranking::KEY
            && !id.is_empty()
        {
            self.wired().check_embedder(id)?;
        }
        if is_of_user(key) {
            self.update_user_setting(key, value).await?;
        } else if info.kind == SettingKind::Secret {
            let in_keychain = self.in_keychain();
            let secret = value.as_ref().and_then(Value::as_str);
            secrets::update(&self.inner.vault, key, secret, in_keychain).await?;
        } else if let Some(value) = &value {
            self.store().update_setting(key, value).await?;
        } else {
            self.store().delete_setting(key).await?;
        }
        self.rewire().await?;
        self.tell_change(Change::Settings {
            keys: vec![key.to_owned()],
        });
        self.nudge_sync();
        self.setting(key)
    }

    /// Whether secrets are to lie in the system's keychain.
    pub(crate) fn in_keychain(&self) -> bool {
        self.wired().settings.flag("secrets.keychain", true)
    }

    async fn update_user_setting(&self, key: &str, value: Option<Value>) -> Result<(), AppError> {
        let defaults = UserSettings::default();
        let mut user = self.store().lookup_user_settings().await?;
        let text = || {
            value
                .as_ref()
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        match key {
            "theme" => user.theme = text().unwrap_or(defaults.theme),
            "language" => user.language = text().unwrap_or(defaults.language),
            "default_model" => user.default_model = text(),
            "enable_search_by_default" => {
                let flag = value.as_ref().and_then(Value::as_bool);
                user.enable_search_by_default = flag.unwrap_or(defaults.enable_search_by_default);
            }
            _ => {
                let number = value
                    .as_ref()
                    .and_then(Value::as_i64)
                    .and_then(|number| i32::try_from(number).ok());
                user.max_search_results = number.unwrap_or(defaults.max_search_results);
            }
        }
        self.store().update_user_settings(&user).await?;
        Ok(())
    }
}

/// Whether a setting is one of the seed's user_settings.
fn is_of_user(key: &str) -> bool {
    matches!(
        key,
        "theme" | "language" | "default_model" | "enable_search_by_default" | "max_search_results"
    )
}

fn default_of(info: &SettingInfo) -> Value {
    match info.key {
        "privacy.mode" => json!("off"),
        "answer.pages" => json!(8),
        "answer.evidence_tokens" => json!(6_000),
        "answer.tokens" => json!(2_048),
        "trash.days" => json!(30),
        "appearance.text_size" => json!(100),
        "shortcut.quick_ask" => json!("CommandOrControl+Shift+Space"),
        "folders.largest_mb" => json!(20),
        "crawl.allow_private" | "shared.search_cache" | "folders.hidden" | "folders.paused" => json!(false),
        _ => match info.kind {
            SettingKind::Bool => json!(true),
            SettingKind::List => json!([]),
            SettingKind::Secret => json!(false),
            _ => json!(""),
        },
    }
}

/// The row of a key, wildcards resolved.
///
/// # Errors
/// [`AppError::UnknownSetting`].
pub(crate) fn info(key: &str) -> Result<&'static SettingInfo, AppError> {
    SETTINGS
        .iter()
        .find(|info| matches(info.key, key))
        .ok_or_else(|| AppError::UnknownSetting { key: key.to_owned() })
}

fn matches(pattern: &str, key: &str) -> bool {
    let (mut pattern, mut key) = (pattern.split('.'), key.split('.'));
    loop {
        match (pattern.next(), key.next()) {
            (None, None) => return true,
            (Some("{engine}"), Some(name)) if is_engine(name) => {}
            (Some("{provider}"), Some(name)) if is_name(name) => {}
            (Some(part), Some(name)) if part == name => {}
            _ => return false,
        }
    }
}

fn is_engine(name: &str) -> bool {
    deepsearch_search::ENGINES.iter().any(|engine| engine.id == name)
}

fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

/// A value as it is written on a command line or in the environment.
///
/// # Errors
/// [`AppError::BadSetting`], which says what is expected.
pub(crate) fn parse(key: &str, info: &SettingInfo, text: &str) -> Result<Value, AppError> {
    let text = text.trim();
    let value = match info.kind {
        SettingKind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => json!(true),
            "false" | "no" | "off" | "0" => json!(false),
            _ => json!(text),
        },
        SettingKind::Integer { .. } => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        SettingKind::List => json!(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
        ),
        _ => json!(text),
    };
    check(key, info, &value)?;
    Ok(value)
}

/// Holds a value, from wherever it comes, against its row.
///
/// # Errors
/// [`AppError::BadSetting`].
pub(crate) fn check(key: &str, info: &SettingInfo, value: &Value) -> Result<(), AppError> {
    let text = value.as_str().unwrap_or_default();
    let expected = match info.kind {
        SettingKind::Bool if !value.is_boolean() => "write true or false".to_owned(),
        SettingKind::Integer { min, max } if !value.as_i64().is_some_and(|number| (min..=max).contains(&number)) => {
            format!("write a whole number from {min} to {max}")
        }
        SettingKind::Choice { of } if !of.contains(&text) => format!("choose one of {}", of.join(", ")),
        SettingKind::Text { longest } if !value.is_string() || text.chars().count() > longest => {
            format!("write a text of at most {longest} characters")
        }
        SettingKind::Text { .. } if key == crate::reranking::KEY && !is_model_or_none(text) => {
            "write provider/name, such as ollama/all-minilm".to_owned()
        }
        SettingKind::List if !value.as_array().is_some_and(|list| list.iter().all(Value::is_string)) => {
            "write a list of names".to_owned()
        }
        SettingKind::List if key == "engines.order" => match unknown_engine(value) {
            Some(name) => format!("there is no engine `{name}`; `deepsearch engines` lists them"),
            None => return Ok(()),
        },
        SettingKind::List if key.starts_with("sites.") => match wrong_site(value) {
            Some(site) => format!("`{site}` is no site; write it as example.org"),
            None => return Ok(()),
        },
        SettingKind::List if key == "models.prices" => match wrong_price(value) {
            Some(entry) => format!("`{entry}` is no price; write provider/name=0.25/2"),
            None => return Ok(()),
        },
        SettingKind::Url if key == "gateway.url" && deepsearch_auth::GatewayUrl::parse(text).is_err() => {
            "write an address that begins with https://, or with http:// on this machine".to_owned()
        }
        SettingKind::Url if !is_web_address(text) => "write an address that begins with http:// or https://".to_owned(),
        SettingKind::Secret if text.is_empty() => "write the secret".to_owned(),
        _ => return Ok(()),
    };
    let shown = if info.kind == SettingKind::Secret {
        "(hidden)".to_owned()
    } else {
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    };
    Err(AppError::BadSetting {
        key: key.to_owned(),
        value: shown,
        expected,
    })
}

fn is_model_or_none(id: &str) -> bool {
    let of_provider = |(provider, name): (&str, &str)| is_name(provider) && !name.trim().is_empty();
    id.is_empty() || id.split_once('/').is_some_and(of_provider)
}

fn unknown_engine(list: &Value) -> Option<&str> {
    list.as_array()?
        .iter()
        .filter_map(Value::as_str)
        .find(|name| !is_engine(name))
}

/// The first entry that names no site.
fn wrong_site(value: &Value) -> Option<&str> {
    let sites = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    sites.into_iter().find(|site| crate::sites::host(site).is_none())
}

/// The first entry that does not say what a million tokens of a model cost, read and written.
fn wrong_price(list: &Value) -> Option<&str> {
    let is_price = |text: &str| {
        text.parse::<f64>()
            .is_ok_and(|dollars| dollars.is_finite() && dollars >= 0.0)
    };
    let is_entry = |entry: &str| {
        entry.split_once('=').is_some_and(|(model, prices)| {
            let named = model
                .split_once('/')
                .is_some_and(|(of, name)| !of.is_empty() && !name.is_empty());
            named
                && prices
                    .split_once('/')
                    .is_some_and(|(read, written)| is_price(read) && is_price(written))
        })
    };
    list.as_array()?
        .iter()
        .filter_map(Value::as_str)
        .find(|entry| !is_entry(entry))
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
