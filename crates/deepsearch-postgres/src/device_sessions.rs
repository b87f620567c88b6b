//! Devices that are signed in, as the sign-in server sees them: it lets them in, lists them and takes their session back.
//!
//! Roles and sessions are made by functions of the schema `deepsearch`, which alone have the rights for it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::{User, UserId};
use futures::{Stream, TryStreamExt};
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::database::SharedDatabase;
use crate::device_requests::DeviceGrant;
use crate::devices::{self, Admission, DeviceError, DeviceId};
use crate::error::{DatabaseError, Doing};
use crate::sign_in::Redemption;
use crate::users::{self, UserRow};

/// More than one person has.
const LIMIT: i64 = 1000;
const EXPORT: &str = "collect everything of the user";

/// What a device brings and gets when it is let in. Neither secret comes here: not its password, not its token.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// As `pg_authid` keeps it.
    pub scram_verifier: String,
    /// `ds1:` and the SHA-256 of the token.
    pub token_hash: String,
    /// By the database's clock, as all that is said of a session: a device's own connections go by that one.
    pub lasts: TimeDelta,
}

/// A device that was let in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: User,
    pub device_id: Uuid,
    /// Its login role.
    pub role: String,
}

/// A device of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub id: Uuid,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// Whom a session token belongs to, and on which device.
#[derive(Debug, Clone)]
pub struct DeviceSession {
    pub user: User,
    pub device_id: Uuid,
    /// How much longer.
    pub lasts: TimeDelta,
}

/// What tells one session of a device from every other.
#[derive(Debug, Clone)]
pub struct DeviceKey {
    pub device_id: Uuid,
    pub user_id: UserId,
    pub token_hash: String,
}

impl Redemption {
    /// Lets the device in that the code was given to.
    ///
    /// # Errors
    /// As [`SharedDatabase::mint_device`]; then the code is as it was.
    pub async fn mint(self, session: &NewSession) -> Result<SignedIn, DeviceError> {
        let Self { code, tx } = self;
        let admission = session.admission(code.device_id, code.user_id, code.device_name);
        mint(tx, admission).await
    }
}

impl DeviceGrant {
    /// Lets the device in.
    ///
    /// # Errors
    /// As [`SharedDatabase::mint_device`]; then the request is as it was.
    pub async fn mint(self, session: &NewSession) -> Result<SignedIn, DeviceError> {
        let admission = session.admission(self.device_id, self.user_id, self.device_name);
        mint(self.tx, admission).await
    }
}

impl NewSession {
    fn admission(&self, device: DeviceId, user: UserId, name: String) -> Admission {
        Admission {
            device,
            user,
            name,
            scram_verifier: self.scram_verifier.clone(),
            token_hash: self.token_hash.clone(),
            lasts: self.lasts,
        }
    }
}

/// In the transaction that used the code up: either both happen or neither.
async fn mint(mut tx: Transaction<'static, Postgres>, admission: Admission) -> Result<SignedIn, DeviceError> {
    let failed = |error| devices::told(error, devices::MINT);
    let user = users::lookup(&mut tx, &admission.user).await.map_err(failed)?;
    let user = user.ok_or_else(|| DeviceError::Refused("the user has gone".to_owned()))?;
    let role = devices::mint(&mut tx, &admission).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Ok(SignedIn {
        user,
        device_id: admission.device,
        role,
    })
}

impl SharedDatabase {
    /// Whose session a token is, by its hash, and on which device; `None` when it has ended.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_device_session(&self, token_hash: &str) -> Result<Option<DeviceSession>, DatabaseError> {
        const ACTION: &str = "look up the session";
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query!(
            r#"select device.id as device_id,
                extract(epoch from session.expires - statement_timestamp())::bigint as "seconds!", u.id, u.name, u.email, u.email_verified, u.image, u.is_admin
            from deepsearch.device
            join "ai-app-template_session" as session
                on session.session_token = device.session_token and session.user_id = device.user_id
            join "ai-app-template_user" as u on u.id = device.user_id
            where device.session_token = $1 and device.revoked_at is null
                and session.expires > statement_timestamp()"#,
            token_hash
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(row.map(|row| DeviceSession {
            device_id: row.device_id,
            lasts: TimeDelta::try_seconds(row.seconds).unwrap_or(TimeDelta::MAX),
            user: User::from(UserRow {
                id: row.id,
                name: row.name,
                email: row.email,
                email_verified: row.email_verified,
                image: row.image,
                is_admin: row.is_admin,
            }),
        }))
    }

    /// Lets the session of a device that is signed in last so long from now.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn prolong_device_session(&self, token_hash: &str, lasts: TimeDelta) -> Result<(), DatabaseError> {
        const ACTION: &str = "prolong the session";
        let mut tx = self.begin().await.doing(ACTION)?;
        sqlx::query!(
            r#"update "ai-app-template_session" set expires = statement_timestamp() + $2::bigint * interval '1 second'
            where session_token = $1 and expires > statement_timestamp()"#,
            token_hash,
            lasts.num_seconds()
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// A user's devices that are signed in, oldest first.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn list_devices_of(&self, user: &UserId) -> Result<Vec<Device>, DatabaseError> {
        const ACTION: &str = "list the devices";
        let mut tx = self.begin().await.doing(ACTION)?;
        let devices = sqlx::query_as!(
            Device,
            r#"select device.id, device.name, device.created_at, device.last_seen_at
            from deepsearch.device
            join "ai-app-template_session" as session
                on session.session_token = device.session_token and session.user_id = device.user_id
            where device.user_id = $1 and device.revoked_at is null and session.expires > $2
            order by device.created_at, device.id limit $3"#,
            user.as_str(),
            self.now(),
            LIMIT
        )
        .fetch_all(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(devices)
    }

    /// Every device that is signed in, of whichever user.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn list_device_keys(&self) -> Result<Vec<DeviceKey>, DatabaseError> {
        const ACTION: &str = "list the devices";
        // More than one server has.
        const LIMIT: i64 = 100_000;
        let mut tx = self.begin().await.doing(ACTION)?;
        let rows = sqlx::query!(
            r#"select device.id, device.user_id as "user_id!", session.session_token
            from deepsearch.device
            join "ai-app-template_session" as session
                on session.session_token = device.session_token and session.user_id = device.user_id
            where device.revoked_at is null and session.expires > statement_timestamp() order by device.id limit $1"#,
            LIMIT
        )
        .fetch_all(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        let keys = rows.into_iter().map(|row| DeviceKey {
            device_id: row.id,
            user_id: UserId::from_stored(row.user_id),
            token_hash: row.session_token,
        });
        Ok(keys.collect())
    }

    /// Takes a user's device its login, its session and its connections, and says whether it was signed in.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn revoke_device_of(&self, user: &UserId, device: Uuid) -> Result<bool, DatabaseError> {
        const ACTION: &str = "sign the device out";
        let mut tx = self.begin().await.doing(ACTION)?;
        let revoked = sqlx::query_scalar!(
            r#"select deepsearch.revoke_device(id) as "revoked!" from deepsearch.device where id = $1 and user_id = $2"#,
            device,
            user.as_str()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(revoked.unwrap_or(false))
    }

    /// Signs a user out of every device and of the web app, and says how many devices that were.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer; then nobody was signed out.
    pub async fn sign_out_everywhere(&self, user: &UserId) -> Result<u64, DatabaseError> {
        const ACTION: &str = "sign out everywhere";
        let mut tx = self.begin().await.doing(ACTION)?;
        let revoked = revoke_all(&mut tx, user).await.doing(ACTION)?;
        sqlx::query!(
            r#"delete from "ai-app-template_session" where user_id = $1"#,
            user.as_str()
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(revoked)
    }

    /// Drops the roles of devices that were signed out, and says how many.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn drop_revoked_devices(&self) -> Result<i32, DatabaseError> {
        const ACTION: &str = "drop the roles of devices that were signed out";
        let mut tx = self.begin().await.doing(ACTION)?;
        let dropped = sqlx::query_scalar!(r#"select deepsearch.drop_revoked_devices() as "dropped!""#)
            .fetch_one(&mut *tx)
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(dropped)
    }

    /// Ends transactions of devices that have gone on for longer than this, and says how many.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn end_long_transactions(&self, older_than: Duration) -> Result<i32, DatabaseError> {
        const ACTION: &str = "end transactions that are too long";
        let mut tx = self.begin().await.doing(ACTION)?;
        let ended = sqlx::query_scalar!(
            r#"select deepsearch.end_long_transactions(make_interval(secs => $1)) as "ended!""#,
            older_than.as_secs_f64()
        )
        .fetch_one(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(ended)
    }

    /// Everything of a user, each part as the name of its kind and its row in JSON, one row at a time. Tokens of
    /// providers and sessions are left out.
    pub fn export(&self, user: &UserId) -> impl Stream<Item = Result<(String, String), DatabaseError>> + Send + use<> {
        let database = self.clone();
        let user = user.clone();
        async_stream(move |rows| async move {
            let mut tx = database.begin().await.doing(EXPORT)?;
            // One moment for all parts.
            sqlx::query("set transaction isolation level repeatable read, read only")
                .execute(&mut *tx)
                .await
                .doing(EXPORT)?;
            // Each list in an order that an index has, so that nothing of the size of a library is sorted.
            send(
                &rows,
                sqlx::query_as!(
                    Part,
                    r#"select kind as "kind!", body::text as "body!" from (
                    select 1 as part, 'user' as kind, u.id as place, null::timestamptz as at, to_json(u) as body
                    from "ai-app-template_user" as u where u.id = $1
                    union all
                    select 2, 'account', provider, null, json_build_object('provider', provider, 'type', type,
                        'provider_account_id', provider_account_id, 'scope', scope)
                    from "ai-app-template_account" where user_id = $1
                    union all
                    select 3, 'settings', user_id, null, to_json(s)
                    from "ai-app-template_user_settings" as s where user_id = $1
                    union all
                    select 4, 'setting_clock', key, null, json_build_object('key', key, 'at', clock.at)
                    from deepsearch_sync.setting_clock as clock where user_id = $1
                    union all
                    select 5, 'device', id::text, created_at, json_build_object('id', id, 'name', name,
                        'created_at', created_at, 'last_seen_at', last_seen_at, 'revoked_at', revoked_at)
                    from deepsearch.device where user_id = $1
                    union all
                    select 6, 'search', query, created_at, json_build_object('query', query, 'results', results,
                        'created_at', created_at, 'expires_at', expires_at)
                    from deepsearch.own_search where user_id = $1
                    union all
                    select 7, 'chat', id, created_at, to_json(c)
                    from "ai-app-template_chat" as c where user_id = $1
                    union all
                    select 8, 'chat_flags', chat_id, null, json_build_object('chat_id', chat_id, 'pinned', pinned,
                        'archived', archived, 'leaf', leaf, 'collection', collection, 'tags', tags, 'at', flags.at)
                    from deepsearch_sync.chat_flags as flags where user_id = $1
                    union all
                    select 9, 'message', m.id, m.created_at, to_json(m)
                    from "ai-app-template_message" as m join "ai-app-template_chat" as c on c.id = m.chat_id
                    where c.user_id = $1
                ) as parts order by part, at, place"#,
                    user.as_str()
                )
                .fetch(&mut *tx),
            )
            .await?;
            // What a message rests on: its citations, checks and follow-ups.
            send(
                &rows,
                sqlx::query_as!(
                    Part,
                    r#"select 'message_extras' as "kind!",
                    json_build_object('message_id', message_id, 'extras', body)::text as "body!"
                from deepsearch_sync.message_extras where user_id = $1 order by message_id"#,
                    user.as_str()
                )
                .fetch(&mut *tx),
            )
            .await?;
            send(&rows, sqlx::query_as!(
                Part,
                r#"select 'page' as "kind!", json_build_object('content_hash', content_hash, 'text', text, 'html', html,
                    'at', page.at)::text as "body!"
                from deepsearch_sync.page where user_id = $1 order by content_hash"#,
                user.as_str()
            ).fetch(&mut *tx)).await?;
            Ok(())
        })
    }
}

/// Ends every device of a user, within a transaction.
pub(crate) async fn revoke_all(tx: &mut PgConnection, user: &UserId) -> Result<u64, sqlx::Error> {
    let revoked = sqlx::query_scalar!(
        r#"select count(*) filter (where deepsearch.revoke_device(id)) as "revoked!"
        from deepsearch.device where user_id = $1"#,
        user.as_str()
    )
    .fetch_one(tx)
    .await?;
    Ok(u64::try_from(revoked).unwrap_or_default())
}

/// A row of an export, as its JSON.
struct Part {
    kind: String,
    body: String,
}

/// Hands rows on for as long as somebody listens.
async fn send(rows: &Rows, found: impl Stream<Item = Result<Part, sqlx::Error>>) -> Result<(), DatabaseError> {
    let mut found = std::pin::pin!(found);
    while let Some(row) = found.try_next().await.doing(EXPORT)? {
        if rows.send(Ok((row.kind, row.body))).await.is_err() {
            break;
        }
    }
    Ok(())
}

type Rows = tokio::sync::mpsc::Sender<Result<(String, String), DatabaseError>>;

/// A stream of what a task sends, a few rows ahead of its reader. Dropping the stream ends the task.
fn async_stream<F>(task: impl FnOnce(Rows) -> F) -> impl Stream<Item = Result<(String, String), DatabaseError>> + Send
where
    F: Future<Output = Result<(), DatabaseError>> + Send + 'static,
{
    const AHEAD: usize = 16;
    let (sender, mut receiver) = tokio::sync::mpsc::channel(AHEAD);
    let work = task(sender.clone());
    tokio::spawn(async move {
        if let Err(error) = work.await {
            // Whoever has gone need not know.
            let _ = sender.send(Err(error)).await;
        }
    });
    futures::stream::poll_fn(move |context| receiver.poll_recv(context))
}
