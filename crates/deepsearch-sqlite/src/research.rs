//! Research: what is kept of one after each of its steps, in one transaction with the text of its report; and what a
//! person changes of its plan, from whichever program.

use deepsearch_core::{Invalid, MessageId, Page, PageId, PlanEdit, ResearchState};
use sqlx::SqliteConnection;

use crate::error::{Doing, StoreError};
use crate::journal::{self, not_streaming};
use crate::messages::write_json;
use crate::pages::{self, PackedPage};
use crate::store::Store;

/// A state is bounded by its own rules to far less; one that grows beyond this is a fault, and is not kept.
const STATE_LIMIT: usize = 4 << 20;
/// Edits that wait for one research: more are no plan.
const EDITS_LIMIT: i64 = 200;

impl Store {
    /// Keeps the state of a research that this program works on, with the report's text so far: both or neither. Gives
    /// the edits that the state does not hold yet, numbered, oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the answer is not being written here.
    pub async fn keep_research(
        &self,
        answer_id: &MessageId,
        state: &ResearchState,
        text: &str,
        edited: i64,
    ) -> Result<Vec<(i64, PlanEdit)>, StoreError> {
        match self.write_research(answer_id, state, text, edited).await {
            Err(error) if self.made_room(&error) => self.write_research(answer_id, state, text, edited).await,
            done => done,
        }
    }

    async fn write_research(
        &self,
        answer_id: &MessageId,
        state: &ResearchState,
        text: &str,
        edited: i64,
    ) -> Result<Vec<(i64, PlanEdit)>, StoreError> {
        const ACTION: &str = "keep the research";
        let json = write_json(state).doing(ACTION)?;
        if json.len() > STATE_LIMIT {
            return Err(StoreError::Invalid(Invalid::TooLong {
                field: "the research",
                length: json.len(),
                limit: STATE_LIMIT,
                unit: "bytes",
            }));
        }
        let (id, now) = (answer_id.as_str(), self.now().timestamp_millis());
        let mut tx = self.begin(ACTION).await?;
        if !self.is_writing(&mut tx, answer_id).await.doing(ACTION)? {
            return Err(not_streaming(answer_id));
        }
        sqlx::query!(
            "insert into research (message_id, state, edited, updated_at) values (?1, ?2, ?3, ?4)
             on conflict (message_id) do update set state = ?2, edited = max(edited, ?3), updated_at = ?4",
            id,
            json,
            edited,
            now
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        sqlx::query!(
            "delete from research_edit where message_id = ? and number <= ?",
            id,
            edited
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        // What was journalled is an older text of the same report.
        journal::clear(&mut tx, id).await.doing(ACTION)?;
        // Before its first word there may be the report of an earlier stop, which stays until there is another.
        sqlx::query!(
            "update message set content = ?1 where id = ?2 and content <> ?1 and ?1 <> ''",
            text,
            id
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        let edits = edits(&mut tx, id).await?;
        tx.commit().await.doing(ACTION)?;
        Ok(edits)
    }

    /// Saves pages that were read for a research, and gives the ids that they are saved under, in order: a page that was
    /// saved before keeps the id it had.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the answer is not being written here.
    pub async fn add_research_pages(&self, answer_id: &MessageId, pages: &[Page]) -> Result<Vec<PageId>, StoreError> {
        const ACTION: &str = "keep the pages of the research";
        let packed = PackedPage::pack_all(pages).await?;
        let id = answer_id.as_str();
        let mut tx = self.begin(ACTION).await?;
        if !self.is_writing(&mut tx, answer_id).await.doing(ACTION)? {
            return Err(not_streaming(answer_id));
        }
        let ids = pages::save_all(&mut tx, &packed).await.doing(ACTION)?;
        for page_id in &ids {
            let page_id = page_id.as_str();
            sqlx::query!(
                "insert or ignore into research_page (message_id, page_id) values (?, ?)",
                id,
                page_id
            )
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        }
        crate::history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(ids)
    }

    /// The research that an answer is made of, as it was kept last.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is there and cannot be read.
    pub async fn lookup_research(&self, answer_id: &MessageId) -> Result<Option<ResearchState>, StoreError> {
        const ACTION: &str = "look up the research";
        let id = answer_id.as_str();
        let row = sqlx::query_scalar!("select state from research where message_id = ?", id)
            .fetch_optional(self.readers())
            .await
            .doing(ACTION)?;
        let read = |json: String| {
            serde_json::from_str(&json).map_err(|error| StoreError::Corrupt {
                action: ACTION,
                source: error.into(),
            })
        };
        row.map(read).transpose()
    }

    /// Answers that are researches, the latest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_researches(&self, limit: u32) -> Result<Vec<MessageId>, StoreError> {
        let rows = sqlx::query_scalar!(
            r#"select message_id as "id!" from research order by updated_at desc limit ?"#,
            limit
        )
        .fetch_all(self.readers())
        .await
        .doing("list the researches")?;
        Ok(rows.into_iter().map(MessageId::from_stored).collect())
    }

    /// Changes the plan of a research that is not finished. Whoever works on it takes the change after the step it is at.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no such research, [`StoreError::Invalid`] for more edits than a plan has.
    pub async fn edit_research(&self, answer_id: &MessageId, edit: &PlanEdit) -> Result<(), StoreError> {
        const ACTION: &str = "change the plan";
        let json = write_json(edit).doing(ACTION)?;
        let id = answer_id.as_str();
        let mut tx = self.begin(ACTION).await?;
        let waiting = sqlx::query_scalar!(
            r#"select count(*) as "count!: i64" from research_edit where message_id = ?"#,
            id
        )
        .fetch_one(&mut *tx)
        .await
        .doing(ACTION)?;
        if waiting >= EDITS_LIMIT {
            return Err(StoreError::Invalid(Invalid::TooLong {
                field: "the list of changes that wait",
                length: waiting as usize,
                limit: EDITS_LIMIT as usize,
                unit: "changes",
            }));
        }
        let added = sqlx::query!(
            "insert into research_edit (message_id, edit) select message_id, ? from research where message_id = ?",
            json,
            id
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        if added.rows_affected() == 0 {
            return Err(StoreError::NotFound {
                what: "research with the id",
                id: answer_id.to_string(),
            });
        }
        tx.commit().await.doing(ACTION)
    }

    /// The edits of a plan that no kept state holds yet, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_research_edits(&self, answer_id: &MessageId) -> Result<Vec<(i64, PlanEdit)>, StoreError> {
        let mut connection = self.readers().acquire().await.doing("list the changes of the plan")?;
        edits(&mut connection, answer_id.as_str()).await
    }

    /// Whether edits wait for a research that this program works on. Only reads, so that it may be asked all the while.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the answer is not being written here.
    pub async fn has_research_edits(&self, answer_id: &MessageId) -> Result<bool, StoreError> {
        const ACTION: &str = "look for changes of the plan";
        let mut connection = self.readers().acquire().await.doing(ACTION)?;
        if !self.is_writing(&mut connection, answer_id).await.doing(ACTION)? {
            return Err(not_streaming(answer_id));
        }
        Ok(!edits(&mut connection, answer_id.as_str()).await?.is_empty())
    }

    /// Lets go of the pages that were read for a research and that nothing cites: its report is written.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn release_research_pages(&self, answer_id: &MessageId) -> Result<(), StoreError> {
        const ACTION: &str = "let go of pages that the report does not cite";
        let id = answer_id.as_str();
        let mut tx = self.begin(ACTION).await?;
        let released = sqlx::query_scalar!("delete from research_page where message_id = ? returning page_id", id)
            .fetch_all(&mut *tx)
            .await
            .doing(ACTION)?;
        pages::delete_unused(&mut tx, &released).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// Every page that was read for a research. One that is damaged is left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_research_pages(&self, answer_id: &MessageId) -> Result<Vec<Page>, StoreError> {
        pages::list_of_research(self.readers(), answer_id).await
    }
}

async fn edits(connection: &mut SqliteConnection, id: &str) -> Result<Vec<(i64, PlanEdit)>, StoreError> {
    let rows = sqlx::query!(
        r#"select number as "number!: i64", edit from research_edit where message_id = ? order by number"#,
        id
    )
    .fetch_all(connection)
    .await
    .doing("list the changes of the plan")?;
    // One that a newer version wrote is none that this version can make.
    let read = rows
        .into_iter()
        .filter_map(|row| Some((row.number, serde_json::from_str(&row.edit).ok()?)));
    Ok(read.collect())
}
