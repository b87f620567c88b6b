//! Settings as sync knows them: one value and one clock for each key.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::UserSettings;
use deepsearch_core::sync::SETTING_KEYS;
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::SyncTx;
use crate::error::{Doing, StoreError};
use crate::outbox::{self, Entity};
use crate::settings;
use crate::time::from_millis;

impl SyncTx {
    /// A setting's value and its clock; no clock for one that nobody ever chose.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_setting(&mut self, key: &str) -> Result<(Value, Option<DateTime<Utc>>), StoreError> {
        const ACTION: &str = "look up a setting to sync";
        let settings = settings::lookup(self.tx()).await.doing(ACTION)?;
        let at = sqlx::query_scalar!("select at from sync_setting where key = ?", key)
            .fetch_optional(self.tx())
            .await
            .doing(ACTION)?;
        Ok((value_of(&settings, key), at.map(from_millis)))
    }

    /// Keeps a setting's value and clock. A value of another type than ours changes nothing but the clock.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn put_setting(&mut self, key: &str, value: &Value, at: DateTime<Utc>) -> Result<(), StoreError> {
        const ACTION: &str = "keep a synced setting";
        self.brought.settings = true;
        let mut settings = settings::lookup(self.tx()).await.doing(ACTION)?;
        if set_value(&mut settings, key, value) {
            let at = settings.updated_at.map_or(at, |before| before.max(at));
            settings::write(self.tx(), &settings, at).await.doing(ACTION)?;
        }
        keep_clock(self.tx(), key, at).await.doing(ACTION)
    }
}

/// Notes which settings differ, with their clocks, in the transaction that changes them.
pub(crate) async fn note_changes(
    tx: &mut SqliteConnection,
    before: &UserSettings,
    after: &UserSettings,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    for key in SETTING_KEYS {
        if value_of(before, key) == value_of(after, key) {
            continue;
        }
        let last = sqlx::query_scalar!("select at from sync_setting where key = ?", key)
            .fetch_optional(&mut *tx)
            .await?;
        let at = last.map_or(now, |last| now.max(from_millis(last) + TimeDelta::milliseconds(1)));
        keep_clock(tx, key, at).await?;
        outbox::add(tx, Entity::UserSettings, key, now).await?;
    }
    Ok(())
}

async fn keep_clock(tx: &mut SqliteConnection, key: &str, at: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let at = at.timestamp_millis();
    sqlx::query!("replace into sync_setting (key, at) values (?, ?)", key, at)
        .execute(tx)
        .await?;
    Ok(())
}

fn value_of(settings: &UserSettings, key: &str) -> Value {
    match key {
        "theme" => json!(settings.theme),
        "language" => json!(settings.language),
        "default_model" => json!(settings.default_model),
        "enable_search_by_default" => json!(settings.enable_search_by_default),
        "max_search_results" => json!(settings.max_search_results),
        _ => Value::Null,
    }
}

/// Sets a value that is of the setting's type; null is the default (seed R24).
fn set_value(settings: &mut UserSettings, key: &str, value: &Value) -> bool {
    let default = UserSettings::default();
    let text = value.as_str().map(str::to_owned);
    match (key, value) {
        ("theme", Value::String(_) | Value::Null) => settings.theme = text.unwrap_or(default.theme),
        ("language", Value::String(_) | Value::Null) => settings.language = text.unwrap_or(default.language),
        ("default_model", Value::String(_) | Value::Null) => settings.default_model = text,
        ("enable_search_by_default", Value::Bool(on)) => settings.enable_search_by_default = *on,
        ("max_search_results", Value::Null) => settings.max_search_results = default.max_search_results,
        ("max_search_results", Value::Number(number)) => match number.as_i64().map(i32::try_from) {
            Some(Ok(number)) => settings.max_search_results = number,
            _ => return false,
        },
        _ => return false,
    }
    true
}
