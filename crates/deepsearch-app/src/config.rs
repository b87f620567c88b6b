//! Config: resolved once, at the edge. Environment, then configuration file, then what is stored, then the default.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::error::AppError;
use crate::settings::{self, SettingKind};

/// Keys with dots, and their values.
pub(crate) type Layer = BTreeMap<String, Value>;

pub(crate) const FILE: &str = "config.toml";
const PREFIX: &str = "DEEPSEARCH_";
/// The setting of private mode, and its value where that is on.
pub(crate) const PRIVACY: &str = "privacy.mode";
pub(crate) const PRIVATE: &str = "private";

/// Where a value comes from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Environment,
    File,
    Stored,
    Default,
}

/// The layers that stand over what is stored: environment and files. Fixed while the app runs.
#[derive(Clone, Default)]
pub struct Config {
    /// The data folder.
    pub home: PathBuf,
    environment: Layer,
    file: Layer,
}

impl Config {
    /// Reads the environment, finds the data folder and reads its configuration file.
    ///
    /// # Errors
    /// [`AppError`] when a file or a variable cannot be understood; nothing is guessed.
    pub fn load(environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, AppError> {
        let environment: Vec<_> = environment.into_iter().collect();
        let home = Self::find_home(&environment);
        let mut layer = Layer::new();
        for (name, text) in environment {
            let Some(name) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let key = name.to_ascii_lowercase().replace("__", ".");
            // Other programs' variables may begin like ours (DEEPSEARCH_LOG, those of tests); only settings count.
            if let Ok(info) = settings::info(&key) {
                layer.insert(key.clone(), settings::parse(&key, info, &text)?);
            }
        }
        let home = home.ok_or_else(|| AppError::Folder {
            path: PathBuf::from("the user's data folder"),
            source: ErrorKind::NotFound.into(),
        })?;
        let path = home.join(FILE);
        let file = read_layer(&path)?;
        for (key, value) in &file {
            let located = |error: AppError| AppError::ConfigMalformed {
                path: path.clone(),
                detail: error.to_string(),
            };
            settings::check(key, settings::info(key).map_err(located)?, value).map_err(located)?;
        }
        Ok(Self {
            home,
            environment: layer,
            file,
        })
    }

    /// The data folder, also where its configuration file cannot be understood.
    pub fn find_home(environment: &[(String, String)]) -> Option<PathBuf> {
        let named = environment
            .iter()
            .rfind(|(name, _)| name.strip_prefix(PREFIX) == Some("HOME"));
        let named = named.map(|(_, path)| PathBuf::from(path));
        named.filter(|home| !home.as_os_str().is_empty()).or_else(default_home)
    }

    /// Private mode, whatever else is set.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.environment.insert(PRIVACY.into(), PRIVATE.into());
        self
    }

    /// Whether private mode is on before any store was opened.
    pub(crate) fn is_private(&self) -> bool {
        self.over(PRIVACY).is_some_and(|(mode, _)| mode == PRIVATE)
    }

    /// What stands over the stored value of `key`, if anything does.
    pub(crate) fn over(&self, key: &str) -> Option<(&Value, Origin)> {
        let environment = self.environment.get(key).map(|value| (value, Origin::Environment));
        environment.or_else(|| self.file.get(key).map(|value| (value, Origin::File)))
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        self.environment.keys().chain(self.file.keys())
    }
}

// Keys may stand in the file and in the environment.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

fn default_home() -> Option<PathBuf> {
    Some(dirs::data_dir()?.join("deepsearch"))
}

/// A TOML file as keys with dots; an absent one is empty.
pub(crate) fn read_layer(path: &Path) -> Result<Layer, AppError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        // Where the folder itself is none, opening it says so.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Layer::new());
        }
        Err(source) => {
            return Err(AppError::ConfigUnreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    let malformed = |detail: &str| AppError::ConfigMalformed {
        path: path.to_owned(),
        detail: detail.to_owned(),
    };
    // The parser's own message quotes the line, which may hold a key.
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| malformed(error.message()))?;
    let mut layer = Layer::new();
    let value = serde_json::to_value(table).map_err(|_| malformed("it holds a value that cannot be used"))?;
    flatten(String::new(), value, &mut layer);
    Ok(layer)
}

/// Tables within tables as keys with dots.
pub(crate) fn flatten(key: String, value: Value, layer: &mut Layer) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let key = if key.is_empty() { name } else { format!("{key}.{name}") };
                flatten(key, member, layer);
            }
        }
        value => {
            layer.insert(key, value);
        }
    }
}

/// All settings as they stand at one moment. Each part of the app receives only its own section of it.
#[derive(Clone, Default)]
pub(crate) struct Resolved {
    values: BTreeMap<String, (Value, Origin)>,
}

impl Resolved {
    /// `stored` is what the database and the secrets file hold.
    pub(crate) fn new(config: &Config, stored: Layer) -> Self {
        let mut values: BTreeMap<String, (Value, Origin)> = BTreeMap::new();
        for (key, value) in stored {
            values.insert(key, (value, Origin::Stored));
        }
        for key in config.keys() {
            if let Some((value, origin)) = config.over(key) {
                values.insert(key.clone(), (value.clone(), origin));
            }
        }
        Self { values }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&(Value, Origin)> {
        self.values.get(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.values.keys()
    }

    pub(crate) fn is_private(&self) -> bool {
        self.text(PRIVACY) == Some(PRIVATE)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.0.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn flag(&self, key: &str, default: bool) -> bool {
        self.get(key).and_then(|(value, _)| value.as_bool()).unwrap_or(default)
    }

    pub(crate) fn number(&self, key: &str, default: i64) -> i64 {
        self.get(key).and_then(|(value, _)| value.as_i64()).unwrap_or(default)
    }

    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        let list = self.get(key).and_then(|(value, _)| value.as_array());
        list.into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }

    pub(crate) fn url(&self, key: &str) -> Option<Url> {
        self.text(key)?.parse().ok()
    }

    pub(crate) fn secret(&self, key: &str) -> Option<SecretString> {
        self.text(key).map(SecretString::from)
    }

    /// The names between `prefix.` and the last dot: the providers that something is set for.
    pub(crate) fn names_under(&self, prefix: &str) -> Vec<String> {
        let name = |key: &String| {
            Some(
                key.strip_prefix(prefix)?
                    .strip_prefix('.')?
                    .rsplit_once('.')?
                    .0
                    .to_owned(),
            )
        };
        let mut names: Vec<String> = self.values.keys().filter_map(name).collect();
        names.dedup();
        names
    }
}

/// Whether a key holds a secret, by its row.
pub(crate) fn is_secret(key: &str) -> bool {
    settings::info(key).is_ok_and(|info| info.kind == SettingKind::Secret)
}
