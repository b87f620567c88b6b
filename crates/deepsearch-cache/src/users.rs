//! RedisUsers: who may reach the shared tier with which keys, as whoever runs it says so: one user of Redis a device.
//!
//! A device's user can read and write entries under its own prefix and do nothing else: no listing of keys, no scripts,
//! no configuration. Redis is given the hash of its password. Leaves out how a device uses it (`redis.rs`).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ::redis::aio::ConnectionManager;
use ::redis::{Pipeline, RedisError, cmd};
use deepsearch_core::CacheError;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::redis::{connect, failure};

/// Longest that a change of users takes; a sign-in waits for it.
const LIMIT: Duration = Duration::from_secs(2);
/// How many users are changed with one request.
const AT_ONCE: usize = 500;
/// All that a tier does, and what a connection begins with.
const COMMANDS: [&str; 5] = ["+getrange", "+setex", "+ping", "+hello", "+auth"];

/// What a device's user of Redis is to be.
#[derive(Clone)]
pub struct RedisUser {
    pub name: String,
    pub password: String,
    /// How the keys begin that it may read and write.
    pub prefix: String,
}

/// What [`RedisUsers::level`] had to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levelled {
    pub added: usize,
    pub removed: usize,
}

/// The users of a Redis server, seen by one who may change them.
#[derive(Clone)]
pub struct RedisUsers {
    connection: ConnectionManager,
}

impl RedisUsers {
    /// Connects with the first call, never here. Must be made within a Tokio runtime.
    ///
    /// # Errors
    /// [`CacheError`] when the URL is none; the error does not repeat it.
    pub fn new(url: &str, user: Option<&str>, password: Option<&str>) -> Result<Self, CacheError> {
        let connection = connect(url, user, password, LIMIT)?;
        Ok(Self { connection })
    }

    /// Lets users in, each with its password and its keys alone. One that is there already becomes as said.
    ///
    /// # Errors
    /// [`CacheError`] when the server does not do it in time.
    pub async fn allow(&self, users: &[RedisUser]) -> Result<(), CacheError> {
        for users in users.chunks(AT_ONCE) {
            let mut pipeline = Pipeline::new();
            for user in users {
                let command = pipeline.cmd("ACL").arg("SETUSER").arg(&user.name);
                command.arg(rules(user)).ignore();
            }
            self.ask("let a device in", pipeline).await?;
        }
        self.save().await;
        Ok(())
    }

    /// Lets users in no more, and ends their connections.
    ///
    /// # Errors
    /// [`CacheError`] when the server does not do it in time.
    pub async fn forbid(&self, names: &[String]) -> Result<(), CacheError> {
        for names in names.chunks(AT_ONCE) {
            let mut pipeline = Pipeline::new();
            pipeline.cmd("ACL").arg("DELUSER").arg(names).ignore();
            self.ask("let a device in no more", pipeline).await?;
        }
        self.save().await;
        Ok(())
    }

    /// The users whose names begin with `ours`, as the server describes them.
    ///
    /// # Errors
    /// [`CacheError`] when the server does not answer in time.
    pub async fn list(&self, ours: &str) -> Result<Vec<String>, CacheError> {
        const ACTION: &str = "list the devices that it lets in";
        let mut connection = self.connection.clone();
        let mut list = cmd("ACL");
        list.arg("LIST");
        let listed = timeout(LIMIT, list.query_async::<Vec<String>>(&mut connection)).await;
        let lines = listed
            .map_err(|late| failure(ACTION, late))?
            .map_err(|source| failure(ACTION, source))?;
        let users = lines.iter().filter_map(|line| line.strip_prefix("user "));
        Ok(users.filter(|user| user.starts_with(ours)).map(str::to_owned).collect())
    }

    /// Makes the `listed` users those that are wanted: after either server was away. What is wanted is to be looked up
    /// after [`Self::list`], so that nobody is removed who came in between.
    ///
    /// # Errors
    /// [`CacheError`] when the server does not do it in time.
    pub async fn level(&self, listed: &[String], wanted: &[RedisUser]) -> Result<Levelled, CacheError> {
        let known: HashMap<&str, &str> = listed.iter().filter_map(|user| user.split_once(' ')).collect();
        let is_as_wanted = |user: &&RedisUser| {
            let (hash, keys) = (hash(&user.password), format!("~{}*", user.prefix));
            let rules = known.get(&*user.name);
            rules.is_some_and(|rules| {
                let has = |rule: &str| rules.split(' ').any(|known| known == rule);
                has("on") && has(&hash) && has(&keys)
            })
        };
        let missing: Vec<RedisUser> = wanted.iter().filter(|user| !is_as_wanted(user)).cloned().collect();
        let names: HashSet<&str> = wanted.iter().map(|user| &*user.name).collect();
        let left = known.keys().filter(|name| !names.contains(*name));
        let left: Vec<String> = left.map(|name| (*name).to_owned()).collect();
        if !missing.is_empty() {
            self.allow(&missing).await?;
        }
        if !left.is_empty() {
            self.forbid(&left).await?;
        }
        Ok(Levelled {
            added: missing.len(),
            removed: left.len(),
        })
    }

    /// Whether the server is there, and may be told about users.
    ///
    /// # Errors
    /// [`CacheError`] when it is not.
    pub async fn probe(&self) -> Result<(), CacheError> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("ACL").arg("WHOAMI").ignore();
        self.ask("answer", pipeline).await
    }

    /// Where the server keeps its users in a file, they outlive it; elsewhere they are made again by `level`.
    async fn save(&self) {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("ACL").arg("SAVE").ignore();
        if let Err(error) = self.ask("keep its users", pipeline).await {
            tracing::debug!(%error, "Redis keeps its users in memory");
        }
    }

    async fn ask(&self, action: &'static str, pipeline: Pipeline) -> Result<(), CacheError> {
        let mut connection = self.connection.clone();
        let asked: Result<Result<(), RedisError>, _> = timeout(LIMIT, pipeline.query_async(&mut connection)).await;
        asked
            .map_err(|late| failure(action, late))?
            .map_err(|source| failure(action, source))
    }
}

/// From nothing: what a user could do before is forgotten.
fn rules(user: &RedisUser) -> Vec<String> {
    let mut rules = vec!["reset".to_owned(), "on".to_owned(), hash(&user.password)];
    rules.push(format!("~{}*", user.prefix));
    rules.extend(COMMANDS.map(str::to_owned));
    rules
}

/// A password as Redis takes it without learning it.
fn hash(password: &str) -> String {
    format!("#{}", hex::encode(Sha256::digest(password.as_bytes())))
}
