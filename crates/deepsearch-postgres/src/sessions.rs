//! Sessions: who is signed in, and until when (seed 2.3).
//!
//! The token is the key. The web app keeps its own as it is; of a device's only a hash is kept, which whoever signs a
//! device in makes.

use chrono::{DateTime, Utc};
use deepsearch_core::{Session, User, UserId};

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};
use crate::users::UserRow;

/// A session with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionWithUser {
    pub session: Session,
    pub user: User,
}

impl SharedDatabase {
    /// # Errors
    /// [`DatabaseError::Refused`] when the token is taken, or the user unknown.
    pub async fn add_session(&self, session: &Session) -> Result<(), DatabaseError> {
        const ACTION: &str = "keep the session";
        session.validate()?;
        let mut tx = self.begin().await.doing(ACTION)?;
        sqlx::query!(
            r#"insert into "ai-app-template_session" (session_token, user_id, expires) values ($1, $2, $3)"#,
            session.session_token,
            session.user_id.as_str(),
            session.expires
        )
        .execute(&mut *tx)
        .await
        .writing(
            ACTION,
            &[
                ("session_token", &session.session_token),
                ("user_id", session.user_id.as_str()),
            ],
        )?;
        tx.commit().await.doing(ACTION)
    }

    /// The session with its user, unless it has expired.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_session(&self, token: &str) -> Result<Option<SessionWithUser>, DatabaseError> {
        const ACTION: &str = "look up the session";
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query!(
            r#"select expires, u.id, name, email, email_verified, image, is_admin
            from "ai-app-template_session" as session join "ai-app-template_user" as u on u.id = session.user_id
            where session_token = $1 and expires > $2"#,
            token,
            self.now()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(row.map(|row| {
            let user = User::from(UserRow {
                id: row.id,
                name: row.name,
                email: row.email,
                email_verified: row.email_verified,
                image: row.image,
                is_admin: row.is_admin,
            });
            let session = Session {
                session_token: token.to_owned(),
                user_id: user.id.clone(),
                expires: row.expires,
            };
            SessionWithUser { session, user }
        }))
    }

    /// Moves the end of a session that has not ended, and says whether there was one.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn update_session(&self, token: &str, expires: DateTime<Utc>) -> Result<bool, DatabaseError> {
        const ACTION: &str = "prolong the session";
        let mut tx = self.begin().await.doing(ACTION)?;
        let updated = sqlx::query!(
            r#"update "ai-app-template_session" set expires = $2 where session_token = $1 and expires > $3"#,
            token,
            expires,
            self.now()
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(updated.rows_affected() > 0)
    }

    /// Ends a session, and says whether there was one.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn delete_session(&self, token: &str) -> Result<bool, DatabaseError> {
        const ACTION: &str = "end the session";
        let mut tx = self.begin().await.doing(ACTION)?;
        let deleted = sqlx::query!(
            r#"delete from "ai-app-template_session" where session_token = $1"#,
            token
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(deleted.rows_affected() > 0)
    }

    /// Signs a user out everywhere, and says how many sessions that were.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn delete_sessions_of(&self, user: &UserId) -> Result<u64, DatabaseError> {
        const ACTION: &str = "end the user's sessions";
        let mut tx = self.begin().await.doing(ACTION)?;
        let deleted = sqlx::query!(
            r#"delete from "ai-app-template_session" where user_id = $1"#,
            user.as_str()
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(deleted.rows_affected())
    }
}
