//! Turns: a question is saved with the place for its answer before anything else happens, and the answer is finished
//! with all its evidence, each in one transaction.

use chrono::{DateTime, Utc};
use deepsearch_core::chat::title_from_question;
use deepsearch_core::validate::message_content;
use deepsearch_core::{
    Chat, ChatId, Citation, Invalid, Message, MessageId, MessageMetadata, MessageState, Role, SentenceCheck,
};
use sqlx::SqliteConnection;

use crate::error::{Doing, StoreError};
use crate::messages::{self, read_json, state_str, write_json};
use crate::outbox::{self, Entity};
use crate::store::Store;
use crate::{chats, citations, history, journal, model_use};

/// A question to be answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewTurn {
    /// `None` starts a chat, named after the question.
    pub chat: Option<ChatId>,
    /// The message it follows; `None` is the end of the branch that is shown.
    pub parent: Option<MessageId>,
    /// The question it rewrites: it becomes a sibling of that one, also where that was the first. Wins over `parent`.
    pub edits: Option<MessageId>,
    pub question: String,
    /// Addresses of files that it is asked with. They are known on this machine only, and are not synced.
    pub files: Vec<String>,
    /// What is known of the question.
    pub metadata: Option<MessageMetadata>,
    /// What is known of the answer before there is any: how it is gone on with, should it be cut off.
    pub answer_metadata: Option<MessageMetadata>,
}

/// A question with its answer, which is being written.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub chat: Chat,
    pub question: Message,
    /// Streaming: empty, or as far as it had come before it was interrupted.
    pub answer: Message,
}

/// An answer as it ends. Its sources were kept by [`Store::journal_sources`] before writing began.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedAnswer {
    /// All of it, with what came before an interruption.
    pub content: String,
    pub metadata: Option<MessageMetadata>,
    pub citations: Vec<Citation>,
    pub checks: Vec<SentenceCheck>,
    /// Questions to ask next.
    pub follow_ups: Vec<String>,
    /// Complete or interrupted.
    pub state: MessageState,
}

impl Store {
    /// Saves a question, and the place for its answer; makes the chat where there is none.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a question that cannot be kept, [`StoreError::NotFound`] for an unknown chat, or a
    /// parent that is not in it.
    pub async fn begin_answer(&self, turn: NewTurn) -> Result<Turn, StoreError> {
        const ACTION: &str = "keep the question";
        message_content(&turn.question)?;
        let mut tx = self.begin(ACTION).await?;
        let now = self.now();
        let chat_id = match &turn.chat {
            Some(id) => id.clone(),
            None => add_chat(&mut tx, &turn.question, now).await.doing(ACTION)?,
        };
        let parent = question_parent(&mut tx, &chat_id, &turn).await?;
        let question = Message {
            id: MessageId::new(),
            chat_id: chat_id.clone(),
            parent,
            role: Role::User,
            content: turn.question,
            sources: None,
            metadata: turn.metadata,
            created_at: messages::next_time(&mut tx, &chat_id, now).await.doing(ACTION)?,
            state: MessageState::Complete,
        };
        messages::insert(&mut tx, &chat_id, &question, question.created_at, None)
            .await
            .doing(ACTION)?;
        if !turn.files.is_empty() {
            let (id, files) = (question.id.as_str(), write_json(&turn.files).doing(ACTION)?);
            sqlx::query!("update message set files = ? where id = ?", files, id)
                .execute(&mut *tx)
                .await
                .doing(ACTION)?;
        }
        outbox::add(&mut tx, Entity::Message, question.id.as_str(), now)
            .await
            .doing(ACTION)?;
        let turn = self.add_answer(&mut tx, question, turn.answer_metadata).await?;
        history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(turn)
    }

    /// The addresses of the files that a question was asked with here, in the order they were given in.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_attached_files(&self, question_id: &MessageId) -> Result<Vec<String>, StoreError> {
        let id = question_id.as_str();
        let files = sqlx::query_scalar!("select files from message where id = ?", id)
            .fetch_optional(self.readers())
            .await
            .doing("list the files of a question")?;
        let files = files.flatten().and_then(|json| read_json(&json, "files", id));
        Ok(files.unwrap_or_default())
    }

    /// Begins another answer to a question, beside those it has. `metadata` is what is known of it before there is any.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown question, [`StoreError::Invalid`] for a message that is none.
    pub async fn begin_regenerate(
        &self,
        question_id: &MessageId,
        metadata: Option<MessageMetadata>,
    ) -> Result<Turn, StoreError> {
        const ACTION: &str = "begin another answer";
        let mut tx = self.begin(ACTION).await?;
        let question = require(&mut tx, question_id).await?;
        expect(
            question.role == Role::User,
            "message to answer",
            question_id,
            "question",
        )?;
        let turn = self.add_answer(&mut tx, question, metadata).await?;
        tx.commit().await.doing(ACTION)?;
        Ok(turn)
    }

    /// Takes an interrupted answer up again, where it stopped.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown answer, [`StoreError::Invalid`] for a message that is not an
    /// interrupted answer to a question.
    pub async fn begin_continue(&self, answer_id: &MessageId) -> Result<Turn, StoreError> {
        const ACTION: &str = "continue the answer";
        let mut tx = self.begin(ACTION).await?;
        let mut answer = require(&mut tx, answer_id).await?;
        let is_interrupted = answer.state == MessageState::Interrupted && answer.role == Role::Assistant;
        expect(is_interrupted, "message to continue", answer_id, "interrupted answer")?;
        let Some(question_id) = answer.parent.clone() else {
            return Err(messages::not_found(answer_id));
        };
        let (id, owner) = (answer_id.as_str(), self.owner_id());
        sqlx::query!(
            "update message set state = 'streaming', owner = ? where id = ?",
            owner,
            id
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        // Nothing is sent of it until it has ended again.
        outbox::withdraw(&mut tx, Entity::Message, id).await.doing(ACTION)?;
        answer.state = MessageState::Streaming;
        let question = require(&mut tx, &question_id).await?;
        let turn = self.turn(&mut tx, question, answer).await?;
        tx.commit().await.doing(ACTION)?;
        Ok(turn)
    }

    /// Ends an answer: its text, evidence and metadata are kept together or not at all. Ending it again in the same
    /// way changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for an answer that cannot be kept (what was journalled still is),
    /// [`StoreError::NotFound`] when it is not being written here.
    pub async fn finish_answer(&self, answer_id: &MessageId, finished: FinishedAnswer) -> Result<Message, StoreError> {
        match self.end_answer(answer_id, &finished).await {
            Err(error) if self.made_room(&error) => self.end_answer(answer_id, &finished).await,
            done => done,
        }
    }

    async fn end_answer(&self, answer_id: &MessageId, finished: &FinishedAnswer) -> Result<Message, StoreError> {
        const ACTION: &str = "keep the answer";
        let has_ended = finished.state != MessageState::Streaming;
        expect(
            has_ended,
            "state of the answer",
            answer_id,
            "end (complete or interrupted)",
        )?;
        let mut tx = self.begin(ACTION).await?;
        let mut answer = require(&mut tx, answer_id).await?;
        if answer.state == finished.state && answer.content == finished.content {
            return Ok(answer);
        }
        if !self.is_writing(&mut tx, answer_id).await.doing(ACTION)? {
            return Err(journal::not_streaming(answer_id));
        }
        // What was journalled was acknowledged: an interrupted answer is never shorter.
        let is_behind = finished.state == MessageState::Interrupted && answer.content.starts_with(&finished.content);
        if !is_behind {
            answer.content.clone_from(&finished.content);
        }
        answer.state = finished.state;
        let before = answer.metadata.take();
        answer.metadata = finished.metadata.clone().or_else(|| before.clone());
        answer.validate()?;

        write_end(&mut tx, &answer, &finished.follow_ups).await.doing(ACTION)?;
        citations::replace(&mut tx, answer_id, &finished.citations, &finished.checks).await?;
        journal::clear(&mut tx, answer_id.as_str()).await.doing(ACTION)?;
        model_use::count(&mut tx, before.as_ref(), answer.metadata.as_ref(), self.device_now())
            .await
            .doing(ACTION)?;
        outbox::add(&mut tx, Entity::Message, answer_id.as_str(), self.now())
            .await
            .doing(ACTION)?;
        chats::touch(&mut tx, &answer.chat_id, self.now()).await.doing(ACTION)?;
        history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(answer)
    }

    /// Adds the place for an answer after its question, and shows it.
    async fn add_answer(
        &self,
        tx: &mut SqliteConnection,
        question: Message,
        metadata: Option<MessageMetadata>,
    ) -> Result<Turn, StoreError> {
        const ACTION: &str = "make a place for the answer";
        let created_at = messages::next_time(tx, &question.chat_id, self.now())
            .await
            .doing(ACTION)?;
        let answer = Message {
            id: MessageId::new(),
            chat_id: question.chat_id.clone(),
            parent: Some(question.id.clone()),
            role: Role::Assistant,
            content: String::new(),
            sources: None,
            metadata,
            created_at,
            state: MessageState::Streaming,
        };
        messages::insert(tx, &answer.chat_id, &answer, created_at, Some(self.owner_id()))
            .await
            .doing(ACTION)?;
        self.turn(tx, question, answer).await
    }

    /// The turn, with its chat moved to the answer.
    async fn turn(&self, tx: &mut SqliteConnection, question: Message, answer: Message) -> Result<Turn, StoreError> {
        const ACTION: &str = "show the answer";
        let at = self.now().max(answer.created_at);
        chats::show_newest(tx, &answer.chat_id, &answer.id, at)
            .await
            .doing(ACTION)?;
        let chat = chats::lookup(tx, &answer.chat_id).await.doing(ACTION)?;
        let chat = chat.ok_or_else(|| chats::not_found(&answer.chat_id))?;
        Ok(Turn { chat, question, answer })
    }

    pub(crate) async fn is_writing(&self, tx: &mut SqliteConnection, id: &MessageId) -> Result<bool, sqlx::Error> {
        let (id, owner) = (id.as_str(), self.owner_id());
        let row = sqlx::query_scalar!("select seq from message where id = ? and owner = ?", id, owner)
            .fetch_optional(tx)
            .await?;
        Ok(row.is_some())
    }
}

async fn require(tx: &mut SqliteConnection, id: &MessageId) -> Result<Message, StoreError> {
    let message = messages::lookup(tx, id).await.doing("look up the message")?;
    message.ok_or_else(|| messages::not_found(id))
}

fn expect(holds: bool, field: &'static str, id: &MessageId, expected: &'static str) -> Result<(), Invalid> {
    if holds {
        return Ok(());
    }
    Err(Invalid::Malformed {
        field,
        value: id.to_string(),
        expected,
    })
}

async fn add_chat(tx: &mut SqliteConnection, question: &str, now: DateTime<Utc>) -> Result<ChatId, sqlx::Error> {
    let chat = Chat {
        id: ChatId::new(),
        title: title_from_question(question),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        pinned: false,
        archived: false,
        leaf: None,
    };
    chats::make(tx, &chat).await?;
    Ok(chat.id)
}

async fn question_parent(
    tx: &mut SqliteConnection,
    chat_id: &ChatId,
    turn: &NewTurn,
) -> Result<Option<MessageId>, StoreError> {
    if chats::lookup(tx, chat_id).await.doing("look up the chat")?.is_none() {
        return Err(chats::not_found(chat_id));
    }
    if let Some(edited) = &turn.edits {
        return Ok(require_in(tx, chat_id, edited).await?.parent);
    }
    if let Some(parent) = &turn.parent {
        return Ok(Some(require_in(tx, chat_id, parent).await?.id));
    }
    let leaf = messages::shown_leaf(tx, chat_id)
        .await
        .doing("look up the chat's end")?;
    Ok(leaf.map(MessageId::from_stored))
}

async fn require_in(tx: &mut SqliteConnection, chat_id: &ChatId, id: &MessageId) -> Result<Message, StoreError> {
    let message = require(tx, id).await?;
    if message.chat_id != *chat_id {
        return Err(messages::not_found(id));
    }
    Ok(message)
}

async fn write_end(tx: &mut SqliteConnection, answer: &Message, follow_ups: &[String]) -> Result<(), sqlx::Error> {
    let (id, state) = (answer.id.as_str(), state_str(answer.state));
    let metadata = answer.metadata.as_ref().map(write_json).transpose()?;
    let follow_ups = (!follow_ups.is_empty()).then(|| write_json(&follow_ups)).transpose()?;
    sqlx::query!(
        "update message set content = ?, metadata = ?, follow_ups = ?, state = ?, owner = null, synced = 0
         where id = ?",
        answer.content,
        metadata,
        follow_ups,
        state,
        id
    )
    .execute(tx)
    .await?;
    Ok(())
}
