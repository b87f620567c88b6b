//! DatabaseError: what was asked of the shared database, what stopped it, and what a person may do.
//!
//! Rules are kept before anything is sent; what the database still refuses (a web app may have made a column shorter,
//! another row may have come first) is told by the field and the rule, never with the row's values.

use deepsearch_core::error::sentence;
use deepsearch_core::{ErrorCode, Failure, Invalid};
use sqlx::postgres::PgDatabaseError;
use thiserror::Error;

use crate::failures::POOLED;

/// Why the shared database did not do what was asked.
#[derive(Debug, Error)]
pub enum DatabaseError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("there is no {what} `{id}` in the shared database")]
    NotFound { what: &'static str, id: String },
    #[error("the shared database could not {action}: `{field}` {rule}")]
    Refused {
        action: &'static str,
        /// The column, or columns, in question.
        field: String,
        rule: Rule,
        /// `None` where we looked before the database had to say so.
        #[source]
        source: Option<sqlx::Error>,
    },
    #[error("the shared database takes no changes now, so it could not {action}")]
    ReadOnly {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("the shared database was busy, so it could not {action}")]
    Busy {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("the disk of the shared database is full, so it could not {action}")]
    DiskFull {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("the shared database does not let this device or person {action}")]
    Denied {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("the shared database lacks a table or column that DeepSearch needs to {action}")]
    OtherTables {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("the shared database cannot be reached to {action}")]
    Unreachable {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("a pooler before the shared database changes connections, so it could not {action}")]
    Pooled {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("the shared database could not {action}")]
    Internal {
        action: &'static str,
        #[source]
        source: sqlx::Error,
    },
}

/// A rule of the tables that a value broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rule {
    /// 22001.
    #[error("is longer than {limit} characters")]
    TooLong { limit: usize },
    /// 22021, 22P05: PostgreSQL keeps no NUL character.
    #[error("holds a character that cannot be kept")]
    NotText,
    /// 23502.
    #[error("is missing")]
    Missing,
    /// 23503 while writing.
    #[error("refers to what is not there")]
    Unknown,
    /// 23503 while deleting.
    #[error("is still referred to")]
    InUse,
    /// 23505.
    #[error("is taken")]
    Taken,
    /// 23514.
    #[error("has a value that is not allowed")]
    NotAllowed,
}

impl DatabaseError {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) | Self::Refused { .. } => ErrorCode::Invalid,
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::ReadOnly { .. } => ErrorCode::ReadOnly,
            Self::Busy { .. } => ErrorCode::TimedOut,
            Self::DiskFull { .. } | Self::OtherTables { .. } => ErrorCode::Storage,
            Self::Denied { .. } => ErrorCode::Refused,
            Self::Unreachable { .. } => ErrorCode::Offline,
            Self::Pooled { .. } => ErrorCode::Upstream,
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// The row is there already, or another with what may be there only once.
    pub(crate) fn taken(action: &'static str, field: &'static str) -> Self {
        Self::Refused {
            action,
            field: field.to_owned(),
            rule: Rule::Taken,
            source: None,
        }
    }

    /// What the database said, or did not.
    pub(crate) fn of(action: &'static str, error: sqlx::Error) -> Self {
        Self::from_sqlx(action, error, &[])
    }

    fn from_sqlx(action: &'static str, error: sqlx::Error, fields: &[(&'static str, &str)]) -> Self {
        let Some(code) = error.as_database_error().and_then(|error| error.code()) else {
            return Self::without_code(action, error);
        };
        match code.as_ref() {
            "22001" | "22021" | "22P05" | "23502" | "23503" | "23505" | "23514" => Self::refused(action, error, fields),
            "25006" => Self::ReadOnly { action, source: error },
            // Too many connections, out of memory, locks, conflicts, time limits.
            "53200" | "53300" | "55P03" | "40001" | "40P01" | "57014" | "25P03" => Self::Busy { action, source: error },
            "53100" => Self::DiskFull { action, source: error },
            // `DS002` is the boundary's own word for a device that is not signed in.
            "42501" | "44000" | "28000" | "28P01" | "DS002" => Self::Denied { action, source: error },
            "42P01" | "42703" | "42883" | "3F000" => Self::OtherTables { action, source: error },
            // A prepared statement that is not there, or is there already: somebody else's connection.
            "26000" | "42P05" => Self::Pooled { action, source: error },
            code if code.starts_with("08") || code.starts_with("57P") => Self::Unreachable { action, source: error },
            _ => Self::Internal { action, source: error },
        }
    }

    fn without_code(action: &'static str, source: sqlx::Error) -> Self {
        match source {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed => Self::Unreachable { action, source },
            source => Self::Internal { action, source },
        }
    }

    fn refused(action: &'static str, error: sqlx::Error, fields: &[(&'static str, &str)]) -> Self {
        let refusal = error
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
            .map(|error| (rule(error), field(error, fields)));
        match refusal {
            Some((rule, field)) => Self::Refused {
                action,
                field,
                rule,
                source: Some(error),
            },
            None => Self::Internal { action, source: error },
        }
    }
}

/// Says what was being done when a statement failed.
pub(crate) trait Doing<T> {
    fn doing(self, action: &'static str) -> Result<T, DatabaseError>;

    /// With the texts that were being written, by their columns: of one that is too long the database says only how
    /// long it may be.
    fn writing(self, action: &'static str, fields: &[(&'static str, &str)]) -> Result<T, DatabaseError>;

    /// A row that others refer to cannot be deleted; while writing, the same code means the opposite.
    fn deleting(self, action: &'static str) -> Result<T, DatabaseError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, action: &'static str) -> Result<T, DatabaseError> {
        self.writing(action, &[])
    }

    fn writing(self, action: &'static str, fields: &[(&'static str, &str)]) -> Result<T, DatabaseError> {
        self.map_err(|error| DatabaseError::from_sqlx(action, error, fields))
    }

    fn deleting(self, action: &'static str) -> Result<T, DatabaseError> {
        self.doing(action).map_err(|mut error| {
            if let DatabaseError::Refused { rule, .. } = &mut error
                && *rule == Rule::Unknown
            {
                *rule = Rule::InUse;
            }
            error
        })
    }
}

fn rule(error: &PgDatabaseError) -> Rule {
    match error.code() {
        "22001" => Rule::TooLong {
            limit: limit(error).unwrap_or_default(),
        },
        "23502" => Rule::Missing,
        "23503" => Rule::Unknown,
        "23505" => Rule::Taken,
        "23514" => Rule::NotAllowed,
        _ => Rule::NotText,
    }
}

/// The column that the database names, or the one that its words lead to.
fn field(error: &PgDatabaseError, fields: &[(&'static str, &str)]) -> String {
    let written = |breaks: &dyn Fn(&str) -> bool| fields.iter().find(|(_, value)| breaks(value)).map(|(name, _)| *name);
    let named = match error.code() {
        "22001" => limit(error).and_then(|limit| written(&|value| value.chars().count() > limit)),
        "22021" | "22P05" => written(&|value| value.contains('\0')),
        _ => error.column(),
    };
    named
        // `Key (provider, provider_account_id)=(…) already exists.`, in whatever language.
        .or_else(|| {
            error
                .detail()?
                .split_once(")=(")?
                .0
                .split_once('(')
                .map(|(_, columns)| columns)
        })
        .or_else(|| {
            error
                .constraint()
                .map(|name| name.strip_suffix("_check").unwrap_or(name))
        })
        .unwrap_or("a value")
        .to_owned()
}

/// `value too long for type character varying(500)`, in whatever language.
fn limit(error: &PgDatabaseError) -> Option<usize> {
    let (_, limit) = error.message().rsplit_once('(')?;
    limit.split_once(')')?.0.parse().ok()
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::from(&error)
    }
}

impl From<&DatabaseError> for Failure {
    fn from(error: &DatabaseError) -> Self {
        let failure = Self::new(error.code(), sentence(&error.to_string()));
        match error {
            DatabaseError::ReadOnly { .. } => {
                failure.hint("Try again when its administrators have opened it for changes; nothing was lost.")
            }
            DatabaseError::Busy { .. } => failure.hint("Try again in a moment."),
            DatabaseError::DiskFull { .. } => failure.hint("Ask whoever looks after the database to make room."),
            DatabaseError::Denied { .. } => failure.hint("Sign in again, or ask whoever looks after the database."),
            DatabaseError::OtherTables { .. } => {
                failure.hint("`deepsearch db check` says what is missing, and `deepsearch db migrate` makes it.")
            }
            DatabaseError::Pooled { .. } => failure.hint(POOLED),
            DatabaseError::Unreachable { .. } => {
                failure.hint("Check the network connection and the database's address.")
            }
            DatabaseError::Invalid(_)
            | DatabaseError::NotFound { .. }
            | DatabaseError::Refused { .. }
            | DatabaseError::Internal { .. } => failure,
        }
    }
}
