//! The person of a database of their own: whom `share init` admits a device for, where no gateway proves who it is.

use deepsearch_core::UserId;

use crate::database::SharedDatabase;
use crate::devices::{DeviceError, told};

const ACTION: &str = "find whose database it is";

impl SharedDatabase {
    /// The user with this address, made if there is none; without an address, the only user there is.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] when no address is given and the database has no user, or several.
    pub async fn find_or_add_person(&self, email: Option<&str>, name: Option<&str>) -> Result<UserId, DeviceError> {
        match email {
            Some(email) => self.find_or_add_by_email(email.trim(), name).await,
            None => self.only_person().await,
        }
    }

    async fn find_or_add_by_email(&self, email: &str, name: Option<&str>) -> Result<UserId, DeviceError> {
        let is_address = email
            .split_once('@')
            .is_some_and(|(who, host)| !who.is_empty() && !host.is_empty());
        if !is_address || email.chars().count() > 255 {
            return Err(DeviceError::Refused(format!("`{email}` is no e-mail address")));
        }
        let found = self.owned(async |tx| {
            // Two who add the same person at once must not make two of them (seed R1).
            sqlx::query!(
                "select pg_advisory_xact_lock(hashtextextended('deepsearch user ' || lower($1), 0))",
                email
            )
            .execute(&mut *tx)
            .await?;
            let known = sqlx::query_scalar!(
                r#"select id from "ai-app-template_user" where lower(email) = lower($1)
                order by email = $1 desc, email_verified nulls last, id collate "C" limit 1"#,
                email
            )
            .fetch_optional(&mut *tx)
            .await?;
            if let Some(id) = known {
                return Ok(UserId::from_stored(id));
            }
            let id = UserId::new();
            // Whoever owns the database says that the address is theirs.
            sqlx::query!(
                r#"insert into "ai-app-template_user" (id, name, email, email_verified, image, is_admin)
                values ($1, $2, $3, now(), null, true)"#,
                id.as_str(),
                name,
                email
            )
            .execute(tx)
            .await?;
            Ok(id)
        });
        found.await.map_err(|error| told(error, ACTION))
    }

    async fn only_person(&self) -> Result<UserId, DeviceError> {
        let ids = self.owned(async |tx| {
            sqlx::query_scalar!(r#"select id from "ai-app-template_user" order by id limit 2"#)
                .fetch_all(tx)
                .await
        });
        let ids = ids.await.map_err(|error| told(error, ACTION))?;
        match <[String; 1]>::try_from(ids) {
            Ok([id]) => Ok(UserId::from_stored(id)),
            Err(ids) if ids.is_empty() => Err(DeviceError::Refused(
                "the database has no user yet: say who you are with `--email`".to_owned(),
            )),
            Err(_) => Err(DeviceError::Refused(
                "the database has several users: say which one you are with `--email`".to_owned(),
            )),
        }
    }
}
