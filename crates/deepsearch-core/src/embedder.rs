//! Embedder: turns texts into vectors, so that what means the same lies near. Used to put passages in a better order.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::ModelError;

/// Something that embeds texts, always on this computer: it is shown passages of whatever was read.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// `provider/name`.
    fn id(&self) -> &str;

    /// One vector a text, in their order: all of one length, each with a direction, every number finite. Long texts are
    /// cut. Gives up after `within`, whatever the other side does; dropping the future stops it.
    ///
    /// # Errors
    /// [`ModelError`]. There are all vectors or none.
    async fn embed(&self, texts: &[String], within: Duration) -> Result<Vec<Vec<f32>>, ModelError>;
}
