//! Settings: the seed's, which follow the person, and the app's own by name, which stay on this device.
//!
//! Secrets are never kept here: the store is backed up, synced and handed over in reports.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::validate::chars_between;
use deepsearch_core::{Invalid, UserSettings};
use serde_json::Value;
use sqlx::{SqliteConnection, SqliteExecutor};

use crate::error::{Doing, StoreError};
use crate::messages::{read_json, write_json};
use crate::store::Store;
use crate::sync::note_changes;
use crate::time::from_millis;

impl Store {
    /// What the person chose; the defaults, where that is nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_user_settings(&self) -> Result<UserSettings, StoreError> {
        lookup(self.readers()).await.doing("look up the settings")
    }

    /// Keeps all of a person's settings and returns them with their new `updated_at`; the one given is not looked at.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a value that cannot be kept.
    pub async fn update_user_settings(&self, settings: &UserSettings) -> Result<UserSettings, StoreError> {
        const ACTION: &str = "keep the settings";
        settings.validate()?;
        let mut tx = self.begin(ACTION).await?;
        let now = self.now();
        let before = lookup(&mut *tx).await.doing(ACTION)?;
        let updated_at = (before.updated_at).map_or(now, |last| now.max(last + TimeDelta::milliseconds(1)));
        write(&mut tx, settings, updated_at).await.doing(ACTION)?;
        note_changes(&mut tx, &before, settings, now).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(UserSettings {
            updated_at: Some(updated_at),
            ..settings.clone()
        })
    }

    /// A setting of the app, by its name (`engines.searxng.url`).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_setting(&self, key: &str) -> Result<Option<Value>, StoreError> {
        let json = sqlx::query_scalar!("select value from setting where key = ?", key)
            .fetch_optional(self.readers())
            .await
            .doing("look up the setting")?;
        Ok(json.and_then(|json| read_json(&json, "setting", key)))
    }

    /// All settings of the app, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_settings(&self) -> Result<Vec<(String, Value)>, StoreError> {
        let rows = sqlx::query!("select key, value from setting order by key")
            .fetch_all(self.readers())
            .await
            .doing("list the settings")?;
        let settings = rows
            .into_iter()
            .filter_map(|row| read_json(&row.value, "setting", &row.key).map(|value| (row.key, value)));
        Ok(settings.collect())
    }

    /// Keeps a setting of the app.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a name that is empty, too long, or a secret's.
    pub async fn update_setting(&self, key: &str, value: &Value) -> Result<(), StoreError> {
        const ACTION: &str = "keep the setting";
        chars_between("the setting's name", key, 1, 200)?;
        refuse_secret(key)?;
        let (value, now) = (write_json(value).doing(ACTION)?, self.now().timestamp_millis());
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!(
            "replace into setting (key, value, updated_at) values (?, ?, ?)",
            key,
            value,
            now
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// Puts a setting back to its default, and says whether it had been set.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn delete_setting(&self, key: &str) -> Result<bool, StoreError> {
        const ACTION: &str = "delete the setting";
        let mut tx = self.begin(ACTION).await?;
        let deleted = sqlx::query!("delete from setting where key = ?", key)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(deleted.rows_affected() > 0)
    }
}

pub(crate) async fn lookup(executor: impl SqliteExecutor<'_>) -> Result<UserSettings, sqlx::Error> {
    let row = sqlx::query!(
        r#"select theme, language, default_model, enable_search_by_default as "enable_search_by_default: bool",
            max_search_results as "max_search_results: i32", updated_at
        from user_settings where id = 1"#
    )
    .fetch_optional(executor)
    .await?;
    let default = UserSettings::default();
    Ok(row.map_or(default.clone(), |row| UserSettings {
        theme: row.theme.unwrap_or(default.theme),
        language: row.language.unwrap_or(default.language),
        default_model: row.default_model,
        enable_search_by_default: row.enable_search_by_default,
        max_search_results: row.max_search_results.unwrap_or(default.max_search_results),
        updated_at: Some(from_millis(row.updated_at)),
    }))
}

pub(crate) async fn write(
    tx: &mut SqliteConnection,
    settings: &UserSettings,
    updated_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let millis = updated_at.timestamp_millis();
    sqlx::query!(
        "replace into user_settings
            (id, theme, language, default_model, enable_search_by_default, max_search_results, updated_at)
         values (1, ?, ?, ?, ?, ?, ?)",
        settings.theme,
        settings.language,
        settings.default_model,
        settings.enable_search_by_default,
        settings.max_search_results,
        millis
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn refuse_secret(key: &str) -> Result<(), Invalid> {
    let last = key.rsplit('.').next().unwrap_or(key);
    if matches!(last, "key" | "token" | "secret" | "password") {
        return Err(Invalid::Malformed {
            field: "setting",
            value: key.to_owned(),
            expected: "setting of the store, where secrets are not kept",
        });
    }
    Ok(())
}
