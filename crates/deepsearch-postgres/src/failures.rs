//! What a person is told about the shared database, and what they can do next. Never the address: it holds a password.

use deepsearch_core::error::sentence;
use deepsearch_core::{ErrorCode, Failure};

use crate::database::ConnectError;
use crate::devices::DeviceError;
use crate::error::DatabaseError;
use crate::migrations::SchemaError;

/// What to do about a pooler that hands connections on from one transaction to the next.
pub(crate) const POOLED: &str = "Let PgBouncer keep prepared statements (1.21 and newer, `max_prepared_statements`), \
    or say that it is there: `--pooled`, or `?statement-cache-capacity=0` in the address.";

impl From<&ConnectError> for Failure {
    fn from(error: &ConnectError) -> Self {
        match error {
            ConnectError::Address(_) => Self::new(ErrorCode::Invalid, sentence(&error.to_string()))
                .hint("Characters such as @, / and : in a password are written as %40, %2F and %3A."),
            ConnectError::Connect { host, source } => unreachable(host, source),
        }
    }
}

fn unreachable(host: &str, source: &sqlx::Error) -> Failure {
    let say = |code, what: &str| Failure::new(code, format!("The database at `{host}` {what}."));
    match source {
        sqlx::Error::Tls(why) => unproven(host, why),
        // What the certificate lacks comes as data that could not be read.
        sqlx::Error::Io(why) if why.kind() == std::io::ErrorKind::InvalidData => unproven(host, why),
        sqlx::Error::Database(said) => match said.code().as_deref() {
            Some("28P01" | "28000") => say(ErrorCode::KeyRefused, "does not let this role in")
                .hint("Check the user and the password in the address."),
            Some("3D000") => say(ErrorCode::NotFound, "does not exist on that server")
                .hint("Check the name at the end of the address, or create it: `createdb NAME`."),
            Some("08P01") if said.message().contains("startup parameter") => say(
                ErrorCode::Upstream,
                "is behind a pooler that keeps no prepared statements",
            )
            .hint(POOLED),
            Some("53300") => say(ErrorCode::RateLimited, "has too many connections").hint("Try again in a moment."),
            _ => say(ErrorCode::Upstream, &format!("answers: {}", said.message())),
        },
        sqlx::Error::PoolTimedOut => say(ErrorCode::TimedOut, "does not answer").hint("Check that it runs."),
        other => say(ErrorCode::Offline, &format!("cannot be reached: {other}"))
            .hint("Check the host and the port in the address, and that the server runs."),
    }
}

fn unproven(host: &str, why: &dyn std::fmt::Display) -> Failure {
    let says = format!("The database at `{host}` cannot prove that it is the right one: {why}.");
    Failure::new(ErrorCode::Refused, says)
        .hint("Give the certificate of its authority in the address: `?sslrootcert=FILE`.")
}

impl From<&SchemaError> for Failure {
    fn from(error: &SchemaError) -> Self {
        let say = |code| Self::new(code, sentence(&error.to_string()));
        match error {
            SchemaError::Refused(_) => say(ErrorCode::Invalid).hint("Nothing was changed."),
            SchemaError::Loses(_) => say(ErrorCode::Invalid).hint(
                "Nothing was changed. `--force` goes back all the same; keep a copy first, for instance with `pg_dump`.",
            ),
            SchemaError::Stopped { source, .. } => Self {
                code: Self::from(&**source).code,
                ..say(ErrorCode::Internal).hint("`deepsearch db status` shows it; the same command goes on from there.")
            },
            SchemaError::Newer { .. } | SchemaError::Changed { .. } => {
                say(ErrorCode::ReadOnly).hint("Update DeepSearch; nothing was changed.")
            }
            SchemaError::Behind { .. } => say(ErrorCode::Invalid).hint("`deepsearch db migrate` runs them."),
            SchemaError::Locked => say(ErrorCode::TimedOut).hint("Wait for it to end and try again."),
            SchemaError::InUse { .. } => say(ErrorCode::TimedOut).hint(
                "Wait until their transaction ends, or end it (`select * from pg_stat_activity` shows it), and run it again.",
            ),
            SchemaError::Denied { .. } => say(ErrorCode::KeyRefused)
                .hint("Connect as the role that owns the tables; it must be allowed to create roles."),
            SchemaError::Database(error) => with_reason(error),
            SchemaError::File { .. } => say(ErrorCode::Storage).hint("Name the folder of migrations with `--folder`."),
            SchemaError::Name { .. } => say(ErrorCode::Invalid),
        }
    }
}

impl From<&DeviceError> for Failure {
    fn from(error: &DeviceError) -> Self {
        match error {
            DeviceError::Refused(said) => Self::new(ErrorCode::Invalid, sentence(said)),
            DeviceError::Database(error) => with_reason(error),
        }
    }
}

/// Who looks after the database is also told what it said where we know nothing better.
fn with_reason(error: &DatabaseError) -> Failure {
    match error {
        DatabaseError::Internal { source, .. } => {
            Failure::new(ErrorCode::Upstream, sentence(&format!("{error}: {source}")))
        }
        known => Failure::from(known),
    }
}
