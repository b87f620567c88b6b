//! Verification tokens: what a link in an e-mail proves, once (seed 2.4).

use deepsearch_core::VerificationToken;

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};

impl SharedDatabase {
    /// # Errors
    /// [`DatabaseError::Refused`] when the address has this token already.
    pub async fn add_verification_token(&self, token: &VerificationToken) -> Result<(), DatabaseError> {
        const ACTION: &str = "keep the verification token";
        token.validate()?;
        let mut tx = self.begin().await.doing(ACTION)?;
        sqlx::query!(
            r#"insert into "ai-app-template_verification_token" (identifier, token, expires) values ($1, $2, $3)"#,
            token.identifier,
            token.token,
            token.expires
        )
        .execute(&mut *tx)
        .await
        .writing(ACTION, &[("identifier", &token.identifier), ("token", &token.token)])?;
        tx.commit().await.doing(ACTION)
    }

    /// Uses a token up. Of two who try at once one gets it; one that is over is gone by being tried, and gives nothing.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer. Whether it was used is then not known: a new one is to be
    /// asked for.
    pub async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>, DatabaseError> {
        const ACTION: &str = "use the verification token";
        let mut tx = self.begin().await.doing(ACTION)?;
        let expires = sqlx::query_scalar!(
            r#"delete from "ai-app-template_verification_token" where identifier = $1 and token = $2 returning expires"#,
            identifier,
            token
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        let now = self.now();
        Ok(expires
            .filter(|expires| *expires > now)
            .map(|expires| VerificationToken {
                identifier: identifier.to_owned(),
                token: token.to_owned(),
                expires,
            }))
    }
}
