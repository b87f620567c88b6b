//! What a face shows first: the user, the newest chats and the settings, read side by side (seed 7.4).

use deepsearch_core::{Chat, User, UserId, UserSettings};
use futures::try_join;

use crate::chats::{CHATS_ON_A_PAGE, ChatList};
use crate::database::SharedDatabase;
use crate::error::DatabaseError;

/// A user's beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    pub user: User,
    /// The first page.
    pub chats: Vec<Chat>,
    pub settings: UserSettings,
}

impl SharedDatabase {
    /// Reads all of it at the same time, each on a connection of its own; `None` for an unknown user.
    ///
    /// # Errors
    /// The first [`DatabaseError`] of the three.
    pub async fn overview(&self, user: &UserId) -> Result<Option<Overview>, DatabaseError> {
        let (user, chats, settings) = try_join!(
            self.lookup_user(user),
            self.list_chats(user, ChatList::Active, None, CHATS_ON_A_PAGE),
            self.lookup_user_settings(user),
        )?;
        Ok(user.map(|user| Overview { user, chats, settings }))
    }
}
