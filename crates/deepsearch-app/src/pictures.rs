//! Pictures: while an answer is written, copies are made of what its sources show themselves with. Looking at them later
//! asks nobody, so no site learns that it is looked at.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deepsearch_core::{MessageId, Page, PageId, PictureLink, SourcePicture};
use deepsearch_net::carried;
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, StreamExt};

use crate::app::App;
use crate::error::AppError;

/// Of one answer, so many sources have theirs copied, the best first.
const AT_MOST: usize = 6;
const AT_ONCE: usize = 3;
/// After this an answer has those that came.
const WITHIN: Duration = Duration::from_secs(20);

type Copying = Shared<BoxFuture<'static, ()>>;

/// Answers whose pictures are on their way.
#[derive(Default)]
pub(crate) struct Pictures(Mutex<HashMap<MessageId, Copying>>);

impl Pictures {
    fn under_way(&self) -> MutexGuard<'_, HashMap<MessageId, Copying>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// The pictures of an answer's sources, in their order; those on their way are waited for, for seconds at most.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a message that is not there.
    pub async fn pictures(&self, message: &MessageId) -> Result<Vec<SourcePicture>, AppError> {
        let copying = self.inner.pictures.under_way().get(message).cloned();
        if let Some(copying) = copying {
            copying.await;
        }
        let pictures = self.store().list_pictures_of(message).await?;
        if pictures.is_empty() {
            self.message(message).await?;
        }
        Ok(pictures)
    }

    /// Begins to copy the pictures of an answer's sources. `saved` are the pages as the store has them, in order.
    pub(crate) fn copy_pictures(&self, answer: &MessageId, pages: &[Page], saved: &[PageId]) {
        let links: Vec<(PageId, PictureLink)> = pages
            .iter()
            .zip(saved)
            .filter_map(|(page, id)| Some((id.clone(), page.picture.clone()?)))
            .take(AT_MOST)
            .collect();
        if links.is_empty() || !self.wired().settings.flag("answer.pictures", true) {
            return;
        }
        let (app, id) = (self.clone(), answer.clone());
        let work = async move {
            let closing = app.inner.runs.closing().clone();
            let copies = futures::stream::iter(links)
                .map(|(page, link)| app.copy_picture(page, link))
                .buffer_unordered(AT_ONCE)
                .collect::<()>();
            // Those that have come by then are kept.
            let _ = closing.run_until_cancelled(tokio::time::timeout(WITHIN, copies)).await;
            app.inner.pictures.under_way().remove(&id);
        };
        // Whoever waits for it moves it along, and what it sends is still this answer's.
        let work = carried(work).boxed().shared();
        self.inner.pictures.under_way().insert(answer.clone(), work.clone());
        self.inner.tasks.spawn(work);
    }

    /// A picture that cannot be had is nothing to tell: the answer stands without it.
    async fn copy_picture(&self, page: PageId, link: PictureLink) {
        if self.store().has_picture(&page).await.unwrap_or(true) {
            return;
        }
        let crawler = self.wired().crawler.clone();
        match crawler.copy_picture(&page, &link).await {
            Ok(picture) => {
                if let Err(error) = self.store().keep_picture(&picture).await {
                    tracing::debug!(%error, "the picture of a page is not kept");
                }
            }
            Err(error) => tracing::debug!(%error, "no picture"),
        }
    }
}
