//! User settings: what a person chose, the same on every device (seed 3.4).

use deepsearch_core::{UserId, UserSettings};
use sqlx::PgConnection;

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};

impl SharedDatabase {
    /// What the user chose; the defaults, where that is nothing. NULL reads as the default, and a value that we do not
    /// know as it is (seed R24).
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_user_settings(&self, user: &UserId) -> Result<UserSettings, DatabaseError> {
        const ACTION: &str = "look up the settings";
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query!(
            r#"select theme, language, default_model, enable_search_by_default, max_search_results, updated_at
            from "ai-app-template_user_settings" where user_id = $1"#,
            user.as_str()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        let default = UserSettings::default();
        Ok(row.map_or(default.clone(), |row| UserSettings {
            theme: row.theme.unwrap_or(default.theme),
            language: row.language.unwrap_or(default.language),
            default_model: row.default_model,
            enable_search_by_default: row.enable_search_by_default,
            max_search_results: row.max_search_results.unwrap_or(default.max_search_results),
            updated_at: Some(row.updated_at),
        }))
    }

    /// Keeps all of a user's settings and returns them with their new `updated_at`, which only ever moves on; the one
    /// given is not looked at.
    ///
    /// # Errors
    /// [`DatabaseError::Invalid`] for a value that cannot be kept, [`DatabaseError::Refused`] for an unknown user.
    pub async fn update_user_settings(
        &self,
        user: &UserId,
        settings: &UserSettings,
    ) -> Result<UserSettings, DatabaseError> {
        const ACTION: &str = "keep the settings";
        settings.validate()?;
        let mut tx = self.begin().await.doing(ACTION)?;
        // A row to update is made first, rather than updated on conflict: that asks for no right to read others' rows.
        insert_defaults(&mut tx, user).await.writing(ACTION, &[])?;
        let updated_at = sqlx::query_scalar!(
            r#"update "ai-app-template_user_settings" set theme = $2, language = $3, default_model = $4,
                enable_search_by_default = $5, max_search_results = $6,
                updated_at = greatest($7, date_trunc('milliseconds', updated_at) + interval '1 millisecond')
            where user_id = $1 returning updated_at"#,
            user.as_str(),
            settings.theme,
            settings.language,
            settings.default_model,
            settings.enable_search_by_default,
            settings.max_search_results,
            self.now()
        )
        .fetch_one(&mut *tx)
        .await
        .writing(
            ACTION,
            &[
                ("theme", &settings.theme),
                ("language", &settings.language),
                ("default_model", settings.default_model.as_deref().unwrap_or_default()),
            ],
        )?;
        tx.commit().await.doing(ACTION)?;
        Ok(UserSettings {
            updated_at: Some(updated_at),
            ..settings.clone()
        })
    }
}

async fn insert_defaults(tx: &mut PgConnection, user: &UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"insert into "ai-app-template_user_settings" (user_id, updated_at) values ($1, 'epoch')
        on conflict (user_id) do nothing"#,
        user.as_str()
    )
    .execute(tx)
    .await?;
    Ok(())
}
