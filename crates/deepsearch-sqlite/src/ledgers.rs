//! Ledgers: what each answer sent to whom. A row of its own says that it is known, so that "nothing" can be told from
//! "nobody wrote it down". It stays on this device, and goes with its chat.

use deepsearch_core::{AnswerLedger, ChatId, Contact, Errand, Ledger, MessageId, SentText, SentTurn};
use sqlx::SqliteConnection;

use crate::error::{Doing, StoreError};
use crate::packing::{compress, decompress};
use crate::store::Store;
use crate::time::from_millis;

/// Of a chat's answers, so many are given at once, the newest.
const OF_A_CHAT: i64 = 500;

impl Store {
    /// Makes this the ledger of an answer; what was kept of it before is replaced.
    ///
    /// # Errors
    /// [`StoreError`]; also when there is no such message.
    pub async fn keep_ledger(&self, kept: &AnswerLedger) -> Result<(), StoreError> {
        const ACTION: &str = "keep what the answer sent";
        let texts = pack(&kept.ledger.texts).doing(ACTION)?;
        let (id, at) = (kept.message_id.as_str(), kept.at.timestamp_millis());
        let mut tx = self.begin(ACTION).await?;
        delete(&mut tx, id).await.doing(ACTION)?;
        sqlx::query!(
            "insert into ledger (message_id, at, private, unlisted) values (?, ?, ?, ?)",
            id,
            at,
            kept.private,
            kept.ledger.unlisted
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        for (position, contact) in (0_i64..).zip(&kept.ledger.contacts) {
            insert_contact(&mut tx, id, position, contact).await.doing(ACTION)?;
        }
        for (position, (text, turns)) in (0_i64..).zip(kept.ledger.texts.iter().zip(texts)) {
            insert_text(&mut tx, id, position, text, turns).await.doing(ACTION)?;
        }
        tx.commit().await.doing(ACTION)
    }

    /// What an answer sent; `None` where nobody wrote it down.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_ledger(&self, message_id: &MessageId) -> Result<Option<AnswerLedger>, StoreError> {
        const ACTION: &str = "look up what the answer sent";
        let id = message_id.as_str();
        // One transaction, so that its parts belong together.
        let mut tx = self.readers().begin().await.doing(ACTION)?;
        let row = sqlx::query!(
            r#"select at, private as "private: bool", unlisted as "unlisted: u32" from ledger where message_id = ?"#,
            id
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(AnswerLedger {
            message_id: message_id.clone(),
            at: from_millis(row.at),
            private: row.private,
            ledger: Ledger {
                contacts: list_contacts(&mut tx, id).await.doing(ACTION)?,
                texts: list_texts(&mut tx, id).await.doing(ACTION)?,
                unlisted: row.unlisted,
            },
        }))
    }

    /// What the answers of a chat sent, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_ledgers(&self, chat_id: &ChatId) -> Result<Vec<AnswerLedger>, StoreError> {
        const ACTION: &str = "list what the chat's answers sent";
        let chat = chat_id.as_str();
        let ids = sqlx::query_scalar!(
            "select ledger.message_id from ledger join message on message.id = ledger.message_id
             where message.chat_id = ? order by ledger.at desc, ledger.message_id desc limit ?",
            chat,
            OF_A_CHAT
        )
        .fetch_all(self.readers())
        .await
        .doing(ACTION)?;
        let mut ledgers = Vec::with_capacity(ids.len());
        for id in ids.into_iter().rev() {
            ledgers.extend(self.lookup_ledger(&MessageId::from_stored(id)).await?);
        }
        Ok(ledgers)
    }
}

async fn delete(tx: &mut SqliteConnection, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from contact where message_id = ?", id)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("delete from sent_text where message_id = ?", id)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("delete from ledger where message_id = ?", id)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// The messages of each text as they are kept.
fn pack(texts: &[SentText]) -> Result<Vec<Option<Vec<u8>>>, sqlx::Error> {
    let packed = texts.iter().map(|text| {
        let Some(turns) = &text.turns else { return Ok(None) };
        let json = serde_json::to_string(turns).map_err(|error| sqlx::Error::Encode(error.into()))?;
        compress(&json).map(Some).map_err(sqlx::Error::Io)
    });
    packed.collect()
}

/// Messages that cannot be read any more are as good as too large to keep; the rest of the ledger holds.
fn unpack(packed: &[u8]) -> Option<Vec<SentTurn>> {
    serde_json::from_str(&decompress(packed).ok()?).ok()
}

async fn insert_contact(
    tx: &mut SqliteConnection,
    id: &str,
    position: i64,
    contact: &Contact,
) -> Result<(), sqlx::Error> {
    let (errand, sent, received) = (
        contact.errand.as_str(),
        count(contact.bytes_out),
        count(contact.bytes_in),
    );
    sqlx::query!(
        "insert into contact (message_id, position, host, errand, service, local, requests, bytes_out, bytes_in)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id,
        position,
        contact.host,
        errand,
        contact.service,
        contact.local,
        contact.requests,
        sent,
        received
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_text(
    tx: &mut SqliteConnection,
    id: &str,
    position: i64,
    text: &SentText,
    turns: Option<Vec<u8>>,
) -> Result<(), sqlx::Error> {
    let bytes = count(text.bytes);
    sqlx::query!(
        "insert into sent_text (message_id, position, model, host, local, times, bytes, sha256, turns)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id,
        position,
        text.model,
        text.host,
        text.local,
        text.times,
        bytes,
        text.sha256,
        turns
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn list_contacts(tx: &mut SqliteConnection, id: &str) -> Result<Vec<Contact>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select host, errand, service, local as "local: bool", requests as "requests: u32", bytes_out, bytes_in
           from contact where message_id = ? order by position"#,
        id
    )
    .fetch_all(tx)
    .await?;
    let contacts = rows.into_iter().filter_map(|row| {
        Some(Contact {
            host: row.host,
            errand: Errand::from_stored(&row.errand)?,
            service: row.service,
            local: row.local,
            requests: row.requests,
            bytes_out: row.bytes_out.unsigned_abs(),
            bytes_in: row.bytes_in.unsigned_abs(),
        })
    });
    Ok(contacts.collect())
}

async fn list_texts(tx: &mut SqliteConnection, id: &str) -> Result<Vec<SentText>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select model, host, local as "local: bool", times as "times: u32", bytes, sha256, turns
           from sent_text where message_id = ? order by position"#,
        id
    )
    .fetch_all(tx)
    .await?;
    let texts = rows.into_iter().map(|row| SentText {
        model: row.model,
        host: row.host,
        local: row.local,
        times: row.times,
        bytes: row.bytes.unsigned_abs(),
        sha256: row.sha256,
        turns: row.turns.as_deref().and_then(unpack),
    });
    Ok(texts.collect())
}

/// As SQLite holds it.
fn count(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
