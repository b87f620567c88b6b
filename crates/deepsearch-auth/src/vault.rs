//! Vault: the secrets of a data folder, in the system's keychain, or where that cannot be used sealed in a file; never
//! in the database, a log or a backup.
//!
//! `secrets.toml` says where each slot lies: under which name in the keychain, or sealed in the file itself. Who keeps
//! no secrets never waits for a keychain. Keys that a person wrote into the file by hand are read as they stand.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::keychain;
use crate::seal;

const FILE: &str = "secrets.toml";
const LOCK: &str = "secrets.lock";
/// The table that says where the slots lie.
const TABLE: &str = "kept";
/// Another program of ours writes for milliseconds, or waits for a person to unlock the keychain.
const PATIENCE: Duration = Duration::from_secs(65);

/// Secrets by name.
pub type Secrets = BTreeMap<String, String>;

/// What belongs together: read at once, kept in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Of search engines and model providers.
    Keys,
    Session,
    /// Sign-ins that wait for their answer.
    SignIns,
}

/// Where secrets lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Keychain,
    /// Sealed in `secrets.toml`.
    File,
}

/// What a slot holds.
#[derive(Default)]
pub struct Kept {
    pub secrets: Secrets,
    /// Where; `None` when there is nothing.
    pub place: Option<Place>,
    /// Why some may be missing: the keychain that holds them cannot be used now, or they were sealed elsewhere.
    pub missing: Option<VaultError>,
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("`{path}` cannot be read or written")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` is not valid: {detail}")]
    Malformed { path: PathBuf, detail: String },
    #[error("what `{path}` holds was sealed on another machine, or is damaged")]
    Foreign { path: PathBuf },
    #[error("another program of DeepSearch's holds the secrets")]
    Busy,
    #[error("the keychain cannot be used: {0}")]
    Keychain(String),
}

impl From<keychain::Unavailable> for VaultError {
    fn from(keychain::Unavailable(why): keychain::Unavailable) -> Self {
        Self::Keychain(why)
    }
}

/// The secrets of one data folder.
#[derive(Debug, Clone)]
pub struct Vault {
    folder: PathBuf,
}

/// Where one slot lies: the keychain's entry, and what the file itself holds, which is newer. A name without a secret
/// is one that was removed while the keychain could not be reached.
#[derive(Default)]
struct Where {
    keychain: Option<String>,
    sealed: Option<String>,
}

type Layer = BTreeMap<String, Option<String>>;

impl Slot {
    const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Session => "session",
            Self::SignIns => "sign-ins",
        }
    }
}

impl Vault {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// What a slot holds. Secrets in a keychain that cannot be used now are missing.
    ///
    /// # Errors
    /// [`VaultError`] when the file is there and cannot be read.
    pub async fn read(&self, slot: Slot) -> Result<Kept, VaultError> {
        let file = self.file()?;
        let place = place(&file, slot);
        let mut kept = Kept {
            place: match (&place.keychain, &place.sealed) {
                (_, Some(_)) => Some(Place::File),
                (Some(_), None) => Some(Place::Keychain),
                (None, None) => None,
            },
            ..Kept::default()
        };
        if let Some(entry) = &place.keychain {
            match keychain::read(entry).await {
                Ok(secrets) => kept.secrets = secrets,
                Err(error) => kept.missing = Some(error.into()),
            }
        }
        match self.unseal(slot, place.sealed.as_deref()) {
            Ok(over) => lay_over(&mut kept.secrets, over),
            Err(seal::Foreign) => kept.missing = Some(VaultError::Foreign { path: self.path() }),
        }
        Ok(kept)
    }

    /// What was written into the file by hand, or by an older version: everything but where the slots lie.
    ///
    /// # Errors
    /// [`VaultError`] when the file is there and cannot be read.
    pub fn by_hand(&self) -> Result<toml::Table, VaultError> {
        let mut file = self.file()?;
        file.remove(TABLE);
        Ok(file)
    }

    /// Sets or, with `None`, removes one secret. `in_keychain` says where the slot is to lie from now on; where the
    /// keychain cannot be used, the file keeps the change.
    ///
    /// # Errors
    /// [`VaultError`] when it cannot be written, or what lies in a keychain cannot be brought from there.
    pub async fn update(
        &self,
        slot: Slot,
        name: &str,
        secret: Option<&str>,
        in_keychain: bool,
    ) -> Result<(), VaultError> {
        let secret = secret.map(str::to_owned);
        self.change_known(slot, in_keychain, Some(name), |secrets| {
            match secret {
                Some(secret) => secrets.insert(name.to_owned(), secret),
                None => secrets.remove(name),
            };
        })
        .await
    }

    /// As [`Vault::update`], of everything that a slot holds, and nobody else changes it meanwhile.
    ///
    /// # Errors
    /// As [`Vault::update`].
    pub async fn change<T>(
        &self,
        slot: Slot,
        in_keychain: bool,
        change: impl FnOnce(&mut Secrets) -> T,
    ) -> Result<T, VaultError> {
        self.change_known(slot, in_keychain, None, change).await
    }

    /// `name` is one that may lie in a keychain that does not tell its names now.
    async fn change_known<T>(
        &self,
        slot: Slot,
        in_keychain: bool,
        name: Option<&str>,
        change: impl FnOnce(&mut Secrets) -> T,
    ) -> Result<T, VaultError> {
        let lock = self.lock().await?;
        let mut file = self.file()?;
        let Where { keychain, sealed } = place(&file, slot);
        // Sealed elsewhere is lost here; what is set anew takes its place.
        let over = self.unseal(slot, sealed.as_deref()).unwrap_or_default();
        let reached = match &keychain {
            Some(entry) => keychain::read(entry).await,
            None => Ok(Secrets::new()),
        };
        let now = match reached {
            Ok(mut secrets) => {
                lay_over(&mut secrets, over);
                let done = change(&mut secrets);
                let now = self.settle(slot, keychain, secrets, in_keychain).await?;
                self.put(&mut file, slot, now)?;
                done
            }
            Err(error) if in_keychain => {
                tracing::info!(%error, "a secret is kept in `{FILE}`");
                let (done, over) = beside(over, name, change);
                let sealed = Some(self.sealed(slot, &over)?);
                self.put(&mut file, slot, Where { keychain, sealed })?;
                done
            }
            Err(error) => return Err(error.into()),
        };
        drop(lock);
        Ok(now)
    }

    /// Takes a slot's hand-written secrets out of the file, once they lie where they should.
    ///
    /// # Errors
    /// [`VaultError`] when the file cannot be written.
    pub async fn forget_by_hand(&self) -> Result<(), VaultError> {
        let lock = self.lock().await?;
        let mut file = self.file()?;
        let before = file.len();
        file.retain(|name, _| name == TABLE);
        if file.len() != before {
            self.write(&file)?;
        }
        drop(lock);
        Ok(())
    }

    /// Puts all secrets of a slot where they belong, and says where that is.
    async fn settle(
        &self,
        slot: Slot,
        entry: Option<String>,
        secrets: Secrets,
        in_keychain: bool,
    ) -> Result<Where, VaultError> {
        if secrets.is_empty() {
            if let Some(entry) = entry {
                keychain::write(&entry, &secrets).await?;
            }
            return Ok(Where::default());
        }
        if in_keychain {
            let name = entry.clone().unwrap_or_else(|| self.entry(slot));
            match keychain::write(&name, &secrets).await {
                Ok(()) => {
                    return Ok(Where {
                        keychain: Some(name),
                        sealed: None,
                    });
                }
                Err(error) => tracing::info!(%error, "secrets are kept in `{FILE}`"),
            }
        } else if let Some(entry) = &entry {
            keychain::write(entry, &Secrets::new()).await?;
        }
        let layer = secrets.into_iter().map(|(name, secret)| (name, Some(secret))).collect();
        Ok(Where {
            keychain: entry.filter(|_| in_keychain),
            sealed: Some(self.sealed(slot, &layer)?),
        })
    }

    /// The name of a slot's entry in the keychain, which other data folders do not have.
    fn entry(&self, slot: Slot) -> String {
        let folder = self.folder.to_string_lossy();
        match slot {
            Slot::Keys => folder.into_owned(),
            slot => format!("{folder}#{}", slot.name()),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    fn failed(&self, source: std::io::Error) -> VaultError {
        VaultError::File {
            path: self.path(),
            source,
        }
    }

    fn file(&self) -> Result<toml::Table, VaultError> {
        let text = match std::fs::read_to_string(self.path()) {
            Ok(text) => text,
            // Where the folder itself is none, opening it says so.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => String::new(),
            Err(error) => return Err(self.failed(error)),
        };
        // The parser's own message quotes the line, which may hold a secret.
        text.parse().map_err(|error: toml::de::Error| VaultError::Malformed {
            path: self.path(),
            detail: error.message().to_owned(),
        })
    }

    fn write(&self, file: &toml::Table) -> Result<(), VaultError> {
        let text = toml::to_string(file).map_err(|error| self.failed(std::io::Error::other(error)))?;
        write_private(&self.path(), text.as_bytes()).map_err(|error| self.failed(error))
    }

    fn put(&self, file: &mut toml::Table, slot: Slot, now: Where) -> Result<(), VaultError> {
        let empty = || toml::Value::Table(toml::Table::new());
        let kept = file.entry(TABLE).or_insert_with(empty);
        if let Some(kept) = kept.as_table_mut() {
            let lines = [("keychain", now.keychain), ("sealed", now.sealed)];
            let lines = lines.into_iter().filter_map(|(name, text)| Some((name, text?)));
            let table: toml::Table = lines.map(|(name, text)| (name.to_owned(), text.into())).collect();
            kept.remove(slot.name());
            if !table.is_empty() {
                kept.insert(slot.name().to_owned(), table.into());
            }
        }
        self.write(file)
    }

    fn sealed(&self, slot: Slot, layer: &Layer) -> Result<String, VaultError> {
        let bytes = serde_json::to_vec(layer).map_err(|error| self.failed(error.into()))?;
        seal::seal(&self.folder, slot.name(), &bytes).map_err(|error| self.failed(error))
    }

    fn unseal(&self, slot: Slot, sealed: Option<&str>) -> Result<Layer, seal::Foreign> {
        let Some(sealed) = sealed else {
            return Ok(Layer::new());
        };
        let bytes = seal::open(&self.folder, slot.name(), sealed)?;
        serde_json::from_slice(&bytes).map_err(|_| seal::Foreign)
    }

    /// The window and the command may write at once.
    async fn lock(&self) -> Result<std::fs::File, VaultError> {
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(self.folder.join(LOCK))
            .map_err(|error| self.failed(error))?;
        let wait = async {
            while file.try_lock().is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            return Err(VaultError::Busy);
        }
        Ok(file)
    }
}

fn place(file: &toml::Table, slot: Slot) -> Where {
    let table = file.get(TABLE).and_then(|kept| kept.get(slot.name()));
    let text = |name| table.and_then(|table| table.get(name)?.as_str().map(str::to_owned));
    Where {
        keychain: text("keychain"),
        sealed: text("sealed"),
    }
}

fn lay_over(secrets: &mut Secrets, over: Layer) {
    for (name, secret) in over {
        match secret {
            Some(secret) => secrets.insert(name, secret),
            None => secrets.remove(&name),
        };
    }
}

/// Makes a change without what lies in the keychain, which it will be laid over.
fn beside<T>(over: Layer, name: Option<&str>, change: impl FnOnce(&mut Secrets) -> T) -> (T, Layer) {
    let mut secrets = Secrets::new();
    lay_over(&mut secrets, over.clone());
    let known: Vec<String> = secrets.keys().cloned().chain(name.map(str::to_owned)).collect();
    let done = change(&mut secrets);
    let mut now = over;
    for name in known.into_iter().filter(|name| !secrets.contains_key(name)) {
        now.insert(name, None);
    }
    now.extend(secrets.into_iter().map(|(name, secret)| (name, Some(secret))));
    (done, now)
}

/// The file is written anew beside the old one and put in its place, so that a crash leaves either.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // One that a crash left behind may be open to others, and would stay so.
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
