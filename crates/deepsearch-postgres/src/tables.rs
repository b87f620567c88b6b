//! The seed's tables as the data view knows them: their columns, their keys, and which of them nobody gets to see.

use serde::{Deserialize, Serialize};

use crate::inspect::ColumnHead;

/// Characters of a cell that are shown.
pub(crate) const CELL: usize = 200;

/// What a masked cell that holds something shows.
const MASK: &str = "•••";

/// One of the seed's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    User,
    Account,
    Session,
    VerificationToken,
    Chat,
    Message,
    SearchCache,
    UserSettings,
}

/// How a key's part is compared.
#[derive(Clone, Copy)]
enum Key {
    Text(&'static str),
    Number(&'static str),
    /// A secret: by its hash, which no index knows. These tables are small.
    Hash(&'static str),
}

struct Layout {
    name: &'static str,
    columns: &'static [&'static str],
    masked: &'static [&'static str],
    key: &'static [Key],
}

impl Table {
    pub const ALL: [Self; 8] = [
        Self::User,
        Self::Account,
        Self::Session,
        Self::VerificationToken,
        Self::Chat,
        Self::Message,
        Self::SearchCache,
        Self::UserSettings,
    ];

    /// The table's name without the prefix.
    pub fn name(self) -> &'static str {
        self.layout().name
    }

    /// The table with this name, with or without the prefix.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.strip_prefix("ai-app-template_").unwrap_or(name);
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    pub(crate) fn quoted(self) -> String {
        format!("\"ai-app-template_{}\"", self.name())
    }

    pub(crate) fn key_length(self) -> usize {
        self.layout().key.len()
    }

    pub(crate) fn heads(self) -> Vec<ColumnHead> {
        let Layout { columns, masked, .. } = self.layout();
        let head = |name: &&'static str| ColumnHead {
            name,
            is_masked: masked.contains(name),
        };
        columns.iter().map(head).collect()
    }

    /// The statement for a page: `$1` rows, after the key `$2` where there is one. Made of the constants below alone.
    pub(crate) fn select(self, is_after: bool) -> String {
        let Layout {
            columns, masked, key, ..
        } = self.layout();
        let cell = |name: &&str| match masked.contains(name) {
            true => format!("case when \"{name}\" is not null then '{MASK}' end"),
            false => format!("left(\"{name}\"::text, {})", CELL + 1),
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        let parts: Vec<String> = key.iter().map(|part| part.expression()).collect();
        let given: Vec<String> = key.iter().zip(1..).map(|(part, n)| part.given(n)).collect();
        let (cells, parts, given, table) = (cells.join(", "), parts.join(", "), given.join(", "), self.quoted());
        let condition = if is_after {
            format!("where ({parts}) > ({given})")
        } else {
            String::new()
        };
        format!(
            "select array[{cells}]::text[] as cells, array[{parts}]::text[] as key from {table} {condition} \
             order by {parts} limit $1"
        )
    }

    fn layout(self) -> &'static Layout {
        match self {
            Self::User => &Layout {
                name: "user",
                columns: &["id", "name", "email", "email_verified", "image", "is_admin"],
                masked: &[],
                key: &[Key::Text("id")],
            },
            Self::Account => &Layout {
                name: "account",
                columns: &[
                    "user_id",
                    "type",
                    "provider",
                    "provider_account_id",
                    "refresh_token",
                    "access_token",
                    "expires_at",
                    "token_type",
                    "scope",
                    "id_token",
                    "session_state",
                ],
                masked: &["refresh_token", "access_token", "id_token", "session_state"],
                key: &[Key::Text("provider"), Key::Text("provider_account_id")],
            },
            Self::Session => &Layout {
                name: "session",
                columns: &["session_token", "user_id", "expires"],
                masked: &["session_token"],
                key: &[Key::Hash("session_token")],
            },
            Self::VerificationToken => &Layout {
                name: "verification_token",
                columns: &["identifier", "token", "expires"],
                masked: &["token"],
                key: &[Key::Text("identifier"), Key::Hash("token")],
            },
            Self::Chat => &Layout {
                name: "chat",
                columns: &["id", "user_id", "title", "created_at", "updated_at", "deleted_at"],
                masked: &[],
                key: &[Key::Text("id")],
            },
            Self::Message => &Layout {
                name: "message",
                columns: &["id", "chat_id", "role", "content", "sources", "metadata", "created_at"],
                masked: &[],
                key: &[Key::Text("id")],
            },
            Self::SearchCache => &Layout {
                name: "search_cache",
                columns: &["id", "query", "results", "created_at", "expires_at"],
                masked: &[],
                key: &[Key::Number("id")],
            },
            Self::UserSettings => &Layout {
                name: "user_settings",
                columns: &[
                    "user_id",
                    "theme",
                    "language",
                    "default_model",
                    "enable_search_by_default",
                    "max_search_results",
                    "updated_at",
                ],
                masked: &[],
                key: &[Key::Text("user_id")],
            },
        }
    }
}

impl Key {
    fn expression(self) -> String {
        match self {
            Self::Text(column) | Self::Number(column) => format!("\"{column}\""),
            Self::Hash(column) => format!("encode(sha256(convert_to(\"{column}\", 'UTF8')), 'hex')"),
        }
    }

    fn given(self, n: usize) -> String {
        match self {
            Self::Text(_) | Self::Hash(_) => format!("($2::text[])[{n}]"),
            // What is no number is before all of them.
            Self::Number(_) => format!("coalesce(substring(($2::text[])[{n}] from '^[0-9]{{1,18}}$')::bigint, 0)"),
        }
    }
}
