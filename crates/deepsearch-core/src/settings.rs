//! UserSettings: what a person chose, synced between devices (seed 3.4).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::validate::{Invalid, chars_between};

/// The seed's settings, unknown values tolerated when read (seed R24).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSettings {
    /// `dark`, `light` or `system`.
    pub theme: String,
    /// A BCP 47 language tag, at most 10 characters.
    pub language: String,
    /// A model id, at most 50 characters; `None` chooses by what is available.
    pub default_model: Option<String>,
    pub enable_search_by_default: bool,
    /// How many results one search brings, 1 to 50.
    pub max_search_results: i32,
    pub updated_at: Option<DateTime<Utc>>,
}

impl Default for UserSettings {
    fn default() -> Self {
        Self {
            theme: "dark".into(),
            language: "en".into(),
            default_model: None,
            enable_search_by_default: true,
            max_search_results: 10,
            updated_at: None,
        }
    }
}

impl UserSettings {
    /// Holds settings that are to be written against the limits of the table.
    ///
    /// # Errors
    /// The first value that it cannot hold.
    pub fn validate(&self) -> Result<(), Invalid> {
        chars_between("the theme", &self.theme, 1, 20)?;
        chars_between("the language", &self.language, 1, 10)?;
        self.default_model
            .iter()
            .try_for_each(|model| chars_between("the default model", model, 1, 50))?;
        if !(1..=50).contains(&self.max_search_results) {
            return Err(Invalid::Malformed {
                field: "the number of search results",
                value: self.max_search_results.to_string(),
                expected: "number from 1 to 50",
            });
        }
        Ok(())
    }
}
