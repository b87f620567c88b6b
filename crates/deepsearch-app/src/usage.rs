//! Usage: what models were used for and what that cost, by month and by chat, with the prices that the person entered.
//!
//! No price list of ours would stay true. What a model costs today is what all of its tokens are counted with.

use std::collections::BTreeMap;

use deepsearch_answer::research::Prices;
use deepsearch_core::{ChatId, Invalid};
use deepsearch_sqlite::ModelUse;
use serde::Serialize;

use crate::app::App;
use crate::config::Resolved;
use crate::error::AppError;

/// Rows of months and models that are given at once: more than ten years of ten models.
const MONTHS: u32 = 1_500;
/// Chats that are given beside the months, those that used most.
const CHATS: u32 = 20;
const MILLION: f64 = 1e6;

/// What one model was used for.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct UsedModel {
    /// `provider/name`, or `extractive`.
    pub model: String,
    pub answers: u32,
    /// Tokens that it read.
    pub prompt: u64,
    /// Tokens that it wrote.
    pub completion: u64,
    /// In US dollars; `None` where no price was entered.
    pub cost: Option<f64>,
}

/// A month with the models that were used in it, the most used first.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct UsedMonth {
    /// As `2026-11`, in UTC.
    pub month: String,
    pub models: Vec<UsedModel>,
}

/// A chat with the models that answered in it.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
pub struct UsedChat {
    pub chat_id: ChatId,
    pub title: String,
    pub models: Vec<UsedModel>,
}

/// What was used in all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, specta::Type)]
pub struct Usage {
    /// The newest first.
    pub months: Vec<UsedMonth>,
    /// Those that used most, of the chats that there are.
    pub chats: Vec<UsedChat>,
}

impl App {
    /// What was used in every month, or in one that is named as `2026-11`, and the chats that used most.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a month that is none.
    pub async fn usage(&self, month: Option<&str>) -> Result<Usage, AppError> {
        if let Some(month) = month {
            valid_month(month)?;
        }
        let prices = prices(&self.wired().settings);
        let mut months: Vec<UsedMonth> = Vec::new();
        for row in self.store().list_month_use(month, MONTHS).await? {
            let model = used(row.of, &prices);
            match months.last_mut().filter(|last| last.month == row.month) {
                Some(last) => last.models.push(model),
                None => months.push(UsedMonth {
                    month: row.month,
                    models: vec![model],
                }),
            }
        }
        let chats = match month {
            Some(_) => Vec::new(),
            None => self.chats_by_use(None).await?,
        };
        Ok(Usage { months, chats })
    }

    /// What was used in one chat; `None` where no model told what it used.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a chat that is not there.
    pub async fn usage_of(&self, chat: &ChatId) -> Result<Option<UsedChat>, AppError> {
        self.chat(chat).await?;
        Ok(self.chats_by_use(Some(chat)).await?.pop())
    }

    async fn chats_by_use(&self, chat: Option<&ChatId>) -> Result<Vec<UsedChat>, AppError> {
        let prices = prices(&self.wired().settings);
        let mut chats: Vec<UsedChat> = Vec::new();
        for row in self.store().list_chat_use(chat, CHATS).await? {
            let model = used(row.of, &prices);
            match chats.last_mut().filter(|last| last.chat_id == row.chat_id) {
                Some(last) => last.models.push(model),
                None => chats.push(UsedChat {
                    chat_id: row.chat_id,
                    title: row.title,
                    models: vec![model],
                }),
            }
        }
        Ok(chats)
    }
}

/// What tokens cost by model, as the person entered it; what is no price is left out.
pub(crate) fn prices(settings: &Resolved) -> BTreeMap<String, Prices> {
    settings
        .list("models.prices")
        .iter()
        .filter_map(|entry| price(entry))
        .collect()
}

fn price(entry: &str) -> Option<(String, Prices)> {
    let (model, prices) = entry.rsplit_once('=')?;
    let (read, written) = prices.split_once('/')?;
    let prices = Prices {
        prompt: read.trim().parse().ok()?,
        completion: written.trim().parse().ok()?,
    };
    Some((model.trim().to_owned(), prices))
}

fn used(of: ModelUse, prices: &BTreeMap<String, Prices>) -> UsedModel {
    let cost = prices
        .get(&of.model)
        .map(|prices| (of.prompt as f64 * prices.prompt + of.completion as f64 * prices.completion) / MILLION);
    UsedModel {
        model: of.model,
        answers: of.answers,
        prompt: of.prompt,
        completion: of.completion,
        cost,
    }
}

fn valid_month(month: &str) -> Result<(), Invalid> {
    let is_one = month.len() == 7 && chrono::NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").is_ok();
    if is_one {
        return Ok(());
    }
    Err(Invalid::Malformed {
        field: "month",
        value: month.chars().take(20).collect(),
        expected: "month as 2026-11",
    })
}
