//! Where the configuration comes from: a TOML file, variables of the environment over it, secrets from files of their own.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use toml::{Table, Value};
use url::Url;

use super::ConfigError;

/// Variables begin so; two underscores stand for a dot.
const PREFIX: &str = "DEEPSEARCH_GATEWAY_";
/// These name no setting.
const NOT_SETTINGS: [&str; 2] = ["CONFIG", "LOG"];
const FILE_SUFFIX: &str = "_file";
/// A certificate or a secret is smaller.
const FILE_LIMIT: u64 = 64 * 1024;

pub(super) fn read(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Table, ConfigError> {
    let mut problems = Vec::new();
    let mut table = match file.map(parse) {
        None => Table::new(),
        Some(Ok(table)) => table,
        Some(Err(problem)) => {
            return Err(ConfigError {
                problems: vec![problem],
            });
        }
    };
    overlay(&mut table, environment, &mut problems);
    read_files(&mut table, "", &mut problems);
    if problems.is_empty() {
        Ok(table)
    } else {
        Err(ConfigError { problems })
    }
}

fn parse(path: &Path) -> Result<Table, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("`{shown}` cannot be read: {error}."))?;
    // The parser's own display quotes the line, which may hold a secret.
    text.parse::<Table>().map_err(|error| {
        let line = error
            .span()
            .map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        let line = line.map(|line| format!(" in line {line}")).unwrap_or_default();
        format!(
            "`{shown}` is not valid TOML{line}: {}.",
            error.message().trim_end_matches('.')
        )
    })
}

fn overlay(table: &mut Table, environment: &BTreeMap<String, String>, problems: &mut Vec<String>) {
    for (variable, text) in environment {
        let Some(name) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        if NOT_SETTINGS.contains(&name) || text.is_empty() {
            continue;
        }
        let name = name.to_ascii_lowercase();
        let (path, last) = name.rsplit_once("__").unwrap_or(("", &name));
        let place = match reach(table, path) {
            Ok(place) => place,
            Err(part) => {
                problems.push(format!("`{variable}` names a part of `{part}`, which has no parts."));
                continue;
            }
        };
        // A variable stands over a file that holds the same, and the other way round.
        let other = last
            .strip_suffix(FILE_SUFFIX)
            .map_or_else(|| format!("{last}{FILE_SUFFIX}"), str::to_owned);
        let its_variable = format!("{}{other}", &name[..name.len() - last.len()]).to_ascii_uppercase();
        if !environment.contains_key(&format!("{PREFIX}{its_variable}")) {
            place.remove(&other);
        }
        place.insert(last.to_owned(), Value::String(text.clone()));
    }
}

/// The table at a path whose parts are joined by two underscores, made where it is not there yet.
fn reach<'a>(table: &'a mut Table, path: &str) -> Result<&'a mut Table, String> {
    path.split("__")
        .filter(|part| !part.is_empty())
        .try_fold(table, |place, part| {
            match place.entry(part).or_insert_with(|| Value::Table(Table::new())) {
                Value::Table(inner) => Ok(inner),
                _ => Err(part.to_owned()),
            }
        })
}

/// Puts what the file of `name_file` holds in the place of `name`.
fn read_files(table: &mut Table, path: &str, problems: &mut Vec<String>) {
    let names: Vec<String> = table.keys().cloned().collect();
    for name in names {
        let full = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        if let Some(Value::Table(inner)) = table.get_mut(&name) {
            read_files(inner, &full, problems);
        }
        let Some(base) = name.strip_suffix(FILE_SUFFIX) else {
            continue;
        };
        if table.contains_key(base) {
            problems.push(format!(
                "Both `{full}` and the setting itself are given; one of them is enough."
            ));
            continue;
        }
        let Some(Value::String(file)) = table.remove(&name) else {
            problems.push(format!("`{full}` must be the path of a file."));
            continue;
        };
        match read_small(Path::new(&file)) {
            Ok(text) => {
                table.insert(base.to_owned(), Value::String(text));
            }
            Err(problem) => problems.push(format!("`{full}`: `{file}` {problem}.")),
        }
    }
}

fn read_small(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path)
        .map_err(|error| format!("cannot be read: {error}"))?
        .len();
    if size > FILE_LIMIT {
        return Err(format!("is larger than {FILE_LIMIT} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        Err("is empty".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// The password within an address, which alone must not be logged either.
pub(super) fn password_of(url: &SecretString) -> Option<SecretString> {
    Some(Url::parse(url.expose_secret()).ok()?.password()?.to_owned().into())
}
