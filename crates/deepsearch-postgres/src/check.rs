//! Check: the live schema against the one that our migrations make, and for each difference the statement that mends it.
//!
//! What is expected is described once from an empty, migrated database (`schema.jsonl`, by `cargo xtask prepare`) and
//! compared fact by fact with the same description of the live one. Nothing is changed here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::database::SharedDatabase;
use crate::migrations::SchemaError;

const DESCRIBE: &str = include_str!("check.sql");
/// As after a restore on another server, where the roles are not: such a device has to sign in again.
const LOST_DEVICES: &str = "select json_build_object('kind', 'device without its role', 'name', role,
        'definition', 'signed in', 'unmake', format('select deepsearch.revoke_device(%L)', id))::text
    from deepsearch.device where revoked_at is null and not exists (select from pg_roles where rolname = role)
    order by role limit 1000";
const EXPECTED: &str = include_str!("../schema.jsonl");
const ACTION: &str = "describe its schema";

/// What the live schema has otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is: `column`, `index`, `right`, …
    pub kind: String,
    pub name: String,
    #[serde(flatten)]
    pub problem: Problem,
    /// What mends it.
    pub statement: String,
    /// Whether it weakens nothing that we rely on; only a superuser may mend it.
    pub is_advice: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "problem")]
pub enum Problem {
    Missing,
    Different { expected: String, found: String },
    Unexpected,
}

#[derive(Debug, Clone, Deserialize)]
struct Fact {
    kind: String,
    name: String,
    definition: String,
    make: Option<String>,
    unmake: Option<String>,
    /// Turns one of another definition into this.
    remake: Option<String>,
}

type Facts = BTreeMap<(String, String), Fact>;

impl SharedDatabase {
    /// Compares the schema with ours. Nothing but what we rely on is looked at: tables, and rights on them, that are
    /// somebody else's are not.
    ///
    /// # Errors
    /// [`SchemaError::Behind`] when migrations are missing, which would be most of what is found.
    pub async fn check(&self) -> Result<Vec<Difference>, SchemaError> {
        let all = self.list_migrations().await?;
        if let Some(newer) = all.iter().find(|migration| !migration.known) {
            return Err(SchemaError::Newer { version: newer.version });
        }
        let pending = all.iter().filter(|migration| migration.applied_at.is_none()).count();
        if pending > 0 {
            return Err(SchemaError::Behind { pending });
        }
        let unread = |source| SchemaError::of(source, ACTION);
        let described = self.owned(async |tx| {
            sqlx::raw_sql("set transaction read only; set local search_path = ''")
                .execute(&mut *tx)
                .await?;
            let mut lines: Vec<String> = sqlx::query_scalar(DESCRIBE).fetch_all(&mut *tx).await?;
            let has_devices: bool = sqlx::query_scalar("select to_regclass('deepsearch.device') is not null")
                .fetch_one(&mut *tx)
                .await?;
            if has_devices {
                lines.extend(
                    sqlx::query_scalar::<_, String>(LOST_DEVICES)
                        .fetch_all(&mut *tx)
                        .await?,
                );
            }
            let database: String = sqlx::query_scalar("select quote_ident(current_database())")
                .fetch_one(&mut *tx)
                .await?;
            Ok((lines, database))
        });
        let (lines, database) = described.await.map_err(unread)?;
        let live = read(lines.iter().map(String::as_str)).map_err(unread)?;
        let expected = read(EXPECTED.lines()).map_err(unread)?;
        let mut differences = compare(&expected, &live);
        for difference in &mut differences {
            difference.statement = difference.statement.replace("{database}", &database);
        }
        Ok(differences)
    }
}

fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Facts, sqlx::Error> {
    lines
        .map(|line| {
            let fact: Fact = serde_json::from_str(line).map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok(((fact.kind.clone(), fact.name.clone()), fact))
        })
        .collect()
}

fn compare(expected: &Facts, live: &Facts) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (key, fact) in expected {
        let told = match live.get(key) {
            // A table is made with its columns.
            None if is_of_missing_table(fact, live) => None,
            None => fact.make.clone().map(|make| (Problem::Missing, make)),
            Some(found) if found.definition != fact.definition => Some((
                Problem::Different {
                    expected: fact.definition.clone(),
                    found: found.definition.clone(),
                },
                remake(fact, found),
            )),
            Some(_) => None,
        };
        differences.extend(told.map(|(problem, statement)| difference(fact, problem, statement)));
    }
    for (key, found) in live.iter().filter(|(key, _)| !expected.contains_key(*key)) {
        // A column that is not ours brings its own default with it.
        let goes_with_column = matches!(key.0.as_str(), "default" | "not null")
            && !expected.contains_key(&("column".to_owned(), key.1.clone()));
        if let Some(unmake) = found.unmake.clone().filter(|_| !goes_with_column) {
            differences.push(difference(found, Problem::Unexpected, unmake));
        }
    }
    differences
}

fn difference(fact: &Fact, problem: Problem, statement: String) -> Difference {
    Difference {
        kind: fact.kind.clone(),
        name: fact.name.clone(),
        problem,
        statement,
        is_advice: fact.kind == "advice",
    }
}

fn is_of_missing_table(fact: &Fact, live: &Facts) -> bool {
    let table = fact.name.rsplit_once('.').map(|(table, _)| table.to_owned());
    matches!(fact.kind.as_str(), "column" | "default" | "not null")
        && table.is_some_and(|table| !live.contains_key(&("table".to_owned(), table)))
}

fn remake(expected: &Fact, found: &Fact) -> String {
    match (&expected.remake, &found.unmake, &expected.make) {
        (Some(remake), ..) => remake.replace("{found}", &found.definition),
        // These replace what is there, and what depends on it stays.
        (None, _, Some(make)) if matches!(expected.kind.as_str(), "view" | "function") => make.clone(),
        (None, Some(unmake), Some(make)) => format!("{unmake}; {make}"),
        (None, _, make) => make.clone().unwrap_or_default(),
    }
}
