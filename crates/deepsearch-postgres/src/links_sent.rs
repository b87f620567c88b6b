//! Links that were sent by mail: how many one mailbox got, and one network asked for, whichever gateway sent them.
//!
//! Addresses come in as hashes. How many are too many is the gateway's to say.

use chrono::{DateTime, Utc};

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};
use crate::sign_in::SecretHash;

/// A link that was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentLink(i64);

/// How many links are enough for a mailbox or a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkLimit {
    /// Since `lately`.
    pub lately: i64,
    /// Since `before`.
    pub in_all: i64,
}

impl SharedDatabase {
    /// Counts a link that is to be sent; `None`, and not counted, where it would be one too many for the mailbox or the
    /// network.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn count_link(
        &self,
        (address, of_address): (&SecretHash, LinkLimit),
        (network, of_network): (&SecretHash, LinkLimit),
        lately: DateTime<Utc>,
        before: DateTime<Utc>,
    ) -> Result<Option<SentLink>, DatabaseError> {
        const ACTION: &str = "count the links";
        let mut tx = self.begin().await.doing(ACTION)?;
        // One at a time, or two gateways would each find room for the last.
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended('deepsearch links', 0))")
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        let id = sqlx::query_scalar!(
            "insert into deepsearch.link_sent (address_hash, network_hash, sent_at)
            select $1, $2, $3::timestamptz from (
                select count(*) filter (where address_hash = $1) as address,
                    count(*) filter (where address_hash = $1 and sent_at > $4) as address_lately,
                    count(*) filter (where network_hash = $2) as network,
                    count(*) filter (where network_hash = $2 and sent_at > $4) as network_lately
                from deepsearch.link_sent
                where (address_hash = $1 or network_hash = $2) and sent_at > $5
            ) as sent
            where address < $6 and address_lately < $7 and network < $8 and network_lately < $9
            returning id",
            address.as_slice(),
            network.as_slice(),
            self.now(),
            lately,
            before,
            of_address.in_all,
            of_address.lately,
            of_network.in_all,
            of_network.lately
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(id.map(SentLink))
    }

    /// Takes a link back that nobody got.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer; then it counts.
    pub async fn uncount_link(&self, link: SentLink) -> Result<(), DatabaseError> {
        const ACTION: &str = "take a link back";
        let mut tx = self.begin().await.doing(ACTION)?;
        sqlx::query!("delete from deepsearch.link_sent where id = $1", link.0)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// Forgets links that were sent before, and says how many.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn delete_links_sent(&self, before: DateTime<Utc>) -> Result<u64, DatabaseError> {
        const ACTION: &str = "forget old links";
        let mut tx = self.begin().await.doing(ACTION)?;
        let deleted = sqlx::query!("delete from deepsearch.link_sent where sent_at <= $1", before)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(deleted.rows_affected())
    }
}
