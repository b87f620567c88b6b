//! Section: one table of the configuration while it is read. Notes each thing that is wrong, and goes on.

use std::str::FromStr;

use secrecy::SecretString;
use toml::{Table, Value};
use url::{Host, Url};

pub(super) struct Section {
    table: Table,
    path: String,
    known: Vec<&'static str>,
}

pub(super) type Problems = Vec<String>;

impl Section {
    pub(super) fn root(table: Table) -> Self {
        Self {
            table,
            path: String::new(),
            known: Vec::new(),
        }
    }

    /// The table of that name, if it is there.
    pub(super) fn part(&mut self, name: &'static str, problems: &mut Problems) -> Option<Self> {
        self.known.push(name);
        match self.table.remove(name)? {
            Value::Table(table) => Some(Self {
                table,
                path: self.full(name),
                known: Vec::new(),
            }),
            _ => {
                problems.push(format!("`{}` must be a section.", self.full(name)));
                None
            }
        }
    }

    /// Every table within, whatever its name.
    pub(super) fn parts(self, problems: &mut Problems) -> Vec<(String, Self)> {
        let path = self.path.clone();
        let part = |(name, value): (String, Value)| match value {
            Value::Table(table) => {
                let path = format!("{path}.{name}");
                let known = Vec::new();
                Some((name, Self { table, path, known }))
            }
            _ => {
                problems.push(format!("`{path}.{name}` must be a section."));
                None
            }
        };
        self.table.into_iter().filter_map(part).collect()
    }

    pub(super) fn full(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(super) fn text(&mut self, name: &'static str, problems: &mut Problems) -> Option<String> {
        self.known.push(name);
        match self.table.remove(name)? {
            Value::String(text) if text.trim().is_empty() => {
                problems.push(format!("`{}` is empty.", self.full(name)));
                None
            }
            Value::String(text) => Some(text),
            Value::Integer(number) => Some(number.to_string()),
            Value::Boolean(flag) => Some(flag.to_string()),
            _ => {
                problems.push(format!("`{}` must be a text.", self.full(name)));
                None
            }
        }
    }

    pub(super) fn needed(&mut self, name: &'static str, what: &str, problems: &mut Problems) -> Option<String> {
        self.known.push(name);
        self.demand(name, what, problems)?;
        self.text(name, problems)
    }

    /// Says that a setting is missing, and otherwise leaves it to be read.
    pub(super) fn demand(&self, name: &'static str, what: &str, problems: &mut Problems) -> Option<()> {
        if self.table.contains_key(name) {
            return Some(());
        }
        problems.push(format!("`{}` is missing: {what}.", self.full(name)));
        None
    }

    pub(super) fn secret(&mut self, name: &'static str, problems: &mut Problems) -> Option<SecretString> {
        self.text(name, problems).map(Into::into)
    }

    /// A value that is written as text, such as a number, `true`, or an address.
    pub(super) fn value<T: FromStr>(&mut self, name: &'static str, what: &str, problems: &mut Problems) -> Option<T> {
        let parsed = self.text(name, problems)?.trim().parse().ok();
        if parsed.is_none() {
            problems.push(format!("`{}` must be {what}.", self.full(name)));
        }
        parsed
    }

    pub(super) fn flag(&mut self, name: &'static str, problems: &mut Problems) -> bool {
        self.value(name, "`true` or `false`", problems).unwrap_or(false)
    }

    /// A list, or one text with commas or spaces.
    pub(super) fn list(&mut self, name: &'static str, problems: &mut Problems) -> Vec<String> {
        self.known.push(name);
        match self.table.remove(name) {
            None => Vec::new(),
            Some(Value::String(text)) => text
                .split([',', ' '])
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect(),
            Some(Value::Array(items)) => {
                let texts: Option<Vec<String>> =
                    items.into_iter().map(|item| item.as_str().map(str::to_owned)).collect();
                texts.unwrap_or_else(|| {
                    problems.push(format!("`{}` must be a list of texts.", self.full(name)));
                    Vec::new()
                })
            }
            Some(_) => {
                problems.push(format!("`{}` must be a list of texts.", self.full(name)));
                Vec::new()
            }
        }
    }

    /// An address that secrets travel to: `https`, or a server on this machine.
    pub(super) fn safe_url(&mut self, name: &'static str, problems: &mut Problems) -> Option<Url> {
        let url: Url = self.value(name, "an address such as `https://example.org`", problems)?;
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !bare {
            problems.push(format!("`{}` must hold no user, password or `#`.", self.full(name)));
            return None;
        }
        if url.scheme() != "https" && !(url.scheme() == "http" && is_this_machine(&url)) {
            problems.push(format!(
                "`{}` must begin with `https://`; only a server on this machine may do without.",
                self.full(name)
            ));
            return None;
        }
        Some(url)
    }

    /// Names what is there and means nothing.
    pub(super) fn finish(self, problems: &mut Problems) {
        for name in self.table.keys() {
            let near = self.known.iter().find(|known| alike(known, name));
            let hint = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            problems.push(format!("`{}` is not a setting.{hint}", self.full(name)));
        }
    }
}

pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Whether one was probably meant by the other: but for underscores and two letters they are the same, or one is the
/// beginning or the end of the other.
fn alike(known: &str, written: &str) -> bool {
    let (known, written) = (known.replace('_', ""), written.replace('_', ""));
    let differ = known
        .chars()
        .zip(written.chars())
        .filter(|(one, other)| one != other)
        .count();
    let mistyped = known.len() > 3 && known.len().abs_diff(written.len()) <= 1 && differ <= 2;
    mistyped || (written.len() > 2 && (known.contains(&written) || written.contains(&known)))
}
