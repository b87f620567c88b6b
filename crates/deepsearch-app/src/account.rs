//! The account: its devices, signing out, taking everything along, ending it.

use std::path::Path;

use deepsearch_auth::{Account, AuthError, Session};
use deepsearch_sqlite::{Store, StoreOptions};
use serde::Serialize;

use crate::app::{App, STORE_FILE};
use crate::error::AppError;
use crate::files;

/// What waits is sent before it would be removed, if that takes no longer.
const LAST_RUN: std::time::Duration = std::time::Duration::from_secs(20);

/// What came of signing out. On this device it always works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, specta::Type)]
pub struct SignedOut {
    /// Whether the gateway knows; otherwise this device is still listed there, and another one can revoke it.
    pub told_gateway: bool,
}

impl App {
    /// The account as the gateway tells of it, with its devices.
    ///
    /// # Errors
    /// [`AppError::Auth`] when nobody is signed in, or the gateway cannot be asked. When it says that this device is
    /// signed out, it is signed out here too.
    pub async fn account(&self) -> Result<Account, AppError> {
        let session = self.signed_in()?;
        let told = self.inner.sign_ins.account(&session).await;
        self.heed(told).await
    }

    /// Signs another device out.
    ///
    /// # Errors
    /// As [`App::account`]; [`AppError::Unknown`] for a device that is not listed.
    pub async fn revoke_device(&self, id: &str) -> Result<(), AppError> {
        let session = self.signed_in()?;
        let unknown = || AppError::Unknown {
            what: "device",
            id: id.to_owned(),
        };
        let device = id.parse().map_err(|_| unknown())?;
        let told = self.inner.sign_ins.revoke_device(&session, device).await;
        if !self.heed(told).await? {
            return Err(unknown());
        }
        if device == session.about.device_id {
            self.leave(None).await?;
        }
        Ok(())
    }

    /// What would be gone with the local copy, because it is nowhere else: changes that were not sent or that the server
    /// refused, saved pages that it may lack, and chats that were not handed over. What can still be sent is, if somebody
    /// is signed in.
    ///
    /// # Errors
    /// [`AppError::OnlyHere`] when there is something; [`AppError::Store`] when the store cannot be read.
    pub async fn hold_what_is_only_here(&self) -> Result<(), AppError> {
        if self.store().lookup_sync_account().await?.is_none() {
            // It never was anywhere else, and whoever removes it knows.
            return Ok(());
        }
        match tokio::time::timeout(LAST_RUN, self.sync_now()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::info!(%error, "what waits is not sent before signing out"),
            Err(_) => tracing::info!("sending what waits took too long before signing out"),
        }
        let counts = self.sync_counts().await?;
        let pages = self.store().count_queued_pages().await?;
        let changes = counts.outbox.saturating_add(counts.dead).saturating_add(pages);
        let offers = self.list_chat_offers(None, 1_000).await?;
        if changes == 0 && offers.is_empty() {
            return Ok(());
        }
        Err(AppError::OnlyHere {
            changes,
            chats: u32::try_from(offers.len()).unwrap_or(u32::MAX),
        })
    }

    /// Signs this device out. What it holds stays; [`App::remove_local_copy`] removes it.
    ///
    /// # Errors
    /// [`AppError::Auth`] when the session cannot be forgotten here.
    pub async fn sign_out(&self) -> Result<SignedOut, AppError> {
        let told_gateway = match self.session() {
            Some(session) => match self.inner.sign_ins.sign_out(&session).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(%error, "the gateway was not told that this device signs out");
                    false
                }
            },
            None => false,
        };
        self.leave(None).await?;
        Ok(SignedOut { told_gateway })
    }

    /// Signs every device of this person out, this one included.
    ///
    /// # Errors
    /// As [`App::account`]; then this device is still signed in.
    pub async fn sign_out_everywhere(&self) -> Result<(), AppError> {
        let session = self.signed_in()?;
        let told = self.inner.sign_ins.sign_out_everywhere(&session).await;
        self.heed(told).await?;
        self.leave(None).await
    }

    /// Writes everything that the shared database holds of this person to a file. Returns its size. A file that was
    /// there is replaced only when all is written.
    ///
    /// # Errors
    /// As [`App::account`], and when the file cannot be written.
    pub async fn export_account(&self, path: &Path) -> Result<u64, AppError> {
        let session = self.signed_in()?;
        files::replace(path, async |file| {
            let told = self.inner.sign_ins.export(&session, file).await;
            self.heed(told).await
        })
        .await
    }

    /// Deletes the account with everything that the shared database holds of it, and signs this device out. What the
    /// device holds stays.
    ///
    /// # Errors
    /// As [`App::account`]; `email` must be the account's.
    pub async fn delete_account(&self, email: &str) -> Result<(), AppError> {
        let session = self.signed_in()?;
        let told = self.inner.sign_ins.delete_account(&session, email.trim()).await;
        self.heed(told).await?;
        self.leave(None).await
    }

    /// Removes every chat, page and backup from this device; settings stay. The app is closed with it, and must be
    /// opened anew.
    ///
    /// Nothing of it is a deletion that would be carried to other devices.
    ///
    /// # Errors
    /// [`AppError::Store`] when another program has the store open; then nothing is gone.
    pub async fn remove_local_copy(&self) -> Result<(), AppError> {
        let settings = self.store().list_settings().await?;
        let sync_file = self.config().home.join(crate::sync::KEPT_FILE);
        let user = self.store().lookup_user_settings().await?;
        let home = self.config().home.clone();
        self.close().await;
        let path = home.join(STORE_FILE);
        Store::remove(&path).await?;
        // Only how the last run went; where it stays, it is told of another store until that is synced.
        let _ = std::fs::remove_file(sync_file);
        let favicons = home.join("favicons");
        if let Err(source) = std::fs::remove_dir_all(&favicons)
            && source.kind() != std::io::ErrorKind::NotFound
        {
            return Err(AppError::Unwritable { path: favicons, source });
        }
        let store = Store::open(&path, StoreOptions::default()).await?;
        for (key, value) in &settings {
            store.update_setting(key, value).await?;
        }
        store.update_user_settings(&user).await?;
        store.delete_outbox(i64::MAX).await?;
        store.close().await;
        Ok(())
    }

    fn signed_in(&self) -> Result<Session, AuthError> {
        self.session().ok_or(AuthError::SignedOut)
    }

    /// Signs out here as well when the gateway says that this device is.
    async fn heed<T>(&self, told: Result<T, AuthError>) -> Result<T, AppError> {
        if let Err(error @ AuthError::SessionOver) = &told {
            self.leave(Some(error)).await?;
        }
        Ok(told?)
    }
}
