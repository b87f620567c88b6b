//! Recheck: what has become of each sentence of an old answer, now that its question was asked again; and how often that
//! is to be done by itself.

use chrono::{DateTime, Months, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::chat::ChatId;
use crate::error::Failure;
use crate::message::MessageId;
use crate::page::PageId;
use crate::text::Span;

/// An answer that was held against what its question brings now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Recheck {
    pub checked_at: DateTime<Utc>,
    /// How many sentences do not stand as they did.
    pub changed: u32,
    /// The old answer's sentences in order, without those that rested on nothing, then those that only the new one has.
    pub sentences: Vec<Compared>,
    /// Why nothing could be compared. Then there are no sentences.
    #[serde(default)]
    pub failure: Option<Failure>,
    /// Nobody asked for it: it was time.
    #[serde(default)]
    pub scheduled: bool,
}

impl Recheck {
    /// One of which nothing came.
    pub fn failed(checked_at: DateTime<Utc>, failure: Failure) -> Self {
        Self {
            checked_at,
            changed: 0,
            sentences: Vec::new(),
            failure: Some(failure),
            scheduled: false,
        }
    }

    /// How many sentences stand otherwise than an earlier check found: what is still as changed as it was is no news.
    pub fn news_since(&self, earlier: Option<&Self>) -> u32 {
        let known = |now: &&Compared| {
            let then = earlier.and_then(|earlier| earlier.find(&now.sentence));
            then.is_some_and(|then| then.says_as(now))
        };
        let changed = self.sentences.iter().filter(|compared| compared.standing.is_changed());
        let news = changed.filter(|compared| !known(compared)).count();
        u32::try_from(news).unwrap_or(u32::MAX)
    }

    fn find(&self, sentence: &str) -> Option<&Compared> {
        self.sentences.iter().find(|compared| compared.sentence == sentence)
    }
}

/// What has become of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A source that was read now says so too.
    Same,
    /// A source that was read now says otherwise.
    Changed,
    /// No source that was read now says so any more.
    Gone,
    /// Only the new answer says so.
    New,
    /// The source that was cited could not be read now, and no other that was read says anything of it.
    Unread,
}

impl Standing {
    /// Whether the old answer said something that does not stand as it did.
    pub fn is_changed(self) -> bool {
        matches!(self, Self::Changed | Self::Gone)
    }
}

/// One sentence, with what it rests on, then and now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Compared {
    pub standing: Standing,
    pub sentence: String,
    pub before: Option<Proof>,
    pub now: Option<Proof>,
}

impl Compared {
    fn says_as(&self, other: &Self) -> bool {
        let quote = |of: &Self| of.now.as_ref().map(|now| now.quote.clone());
        self.standing == other.standing && (self.standing == Standing::Gone || quote(self) == quote(other))
    }
}

/// A sentence of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct Proof {
    pub quote: String,
    pub title: String,
    pub url: String,
    /// The saved page it stands in, where one was kept.
    #[serde(default)]
    pub page_id: Option<PageId>,
    /// Where it stands there.
    #[serde(default)]
    pub page_span: Option<Span>,
}

/// How often an answer is checked again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    Daily,
    Weekly,
    Monthly,
}

impl Every {
    pub const ALL: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    /// As it is stored and as the command writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|every| every.as_str() == text)
    }

    /// When it is time again. However long ago the last time was, it is one time that follows `now`, not those between.
    pub fn after(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let next = match self {
            Self::Daily => now.checked_add_signed(TimeDelta::days(1)),
            Self::Weekly => now.checked_add_signed(TimeDelta::days(7)),
            Self::Monthly => now.checked_add_months(Months::new(1)),
        };
        next.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// When what could not be done is tried again: soon, then less often, and never less often than it is due anyway.
    pub fn after_failure(self, now: DateTime<Utc>, failures: u32) -> DateTime<Utc> {
        let hours = 1_i64 << failures.clamp(1, 7).saturating_sub(1);
        let soon = now.checked_add_signed(TimeDelta::hours(hours));
        soon.unwrap_or(DateTime::<Utc>::MAX_UTC).min(self.after(now))
    }
}

/// When an answer is checked again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct RecheckSchedule {
    pub every: Every,
    pub next_at: DateTime<Utc>,
    /// How often in a row it could not be done.
    pub failures: u32,
}

/// What an answer says of its rechecks in one line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct RecheckNote {
    /// The last one that compared anything.
    pub checked_at: Option<DateTime<Utc>>,
    pub changed: u32,
    pub every: Option<Every>,
    /// Whether it is checked right now, in this program.
    pub running: bool,
}

/// An answer that is checked again by itself, in a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct ScheduledRecheck {
    pub answer_id: MessageId,
    pub chat_id: ChatId,
    pub question: String,
    pub schedule: RecheckSchedule,
    /// The last one that compared anything, and what it found.
    pub checked_at: Option<DateTime<Utc>>,
    pub changed: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn compared(standing: Standing, sentence: &str, quote: &str) -> Compared {
        Compared {
            standing,
            sentence: sentence.into(),
            before: None,
            now: Some(Proof {
                quote: quote.into(),
                title: String::new(),
                url: String::new(),
                page_id: None,
                page_span: None,
            }),
        }
    }

    fn recheck(sentences: Vec<Compared>) -> Recheck {
        Recheck {
            checked_at: at(0),
            changed: 0,
            sentences,
            failure: None,
            scheduled: true,
        }
    }

    #[test]
    fn what_was_told_once_is_no_news() {
        let first = recheck(vec![
            compared(Standing::Changed, "It is 41 m high.", "It is 38 m high."),
            compared(Standing::Gone, "Three keepers live there.", "One keeper lives there."),
            compared(Standing::Same, "It stands.", "It stands."),
            compared(Standing::New, "It has a horn.", "It has a horn."),
        ]);
        assert_eq!(first.news_since(None), 2);
        assert_eq!(first.news_since(Some(&first)), 0);
        let mut second = first.clone();
        second.sentences[1].now = None;
        assert_eq!(
            second.news_since(Some(&first)),
            0,
            "what is gone may be gone in other words"
        );
        second.sentences[0] = compared(Standing::Changed, "It is 41 m high.", "It is 30 m high.");
        second.sentences[2].standing = Standing::Gone;
        assert_eq!(second.news_since(Some(&first)), 2);
    }

    #[test]
    fn after_a_long_absence_it_is_time_once_and_what_fails_is_tried_again_less_and_less_often() {
        assert_eq!(Every::Daily.after(at(1000)), at(1024));
        assert_eq!(Every::Weekly.after(at(0)), at(7 * 24));
        assert_eq!(Every::Monthly.after(at(0)), at(31 * 24));
        let tries = [0, 1, 2, 3, 7, 40].map(|failures| Every::Weekly.after_failure(at(0), failures));
        assert_eq!(tries, [1, 1, 2, 4, 64, 64].map(at));
        assert_eq!(
            Every::Daily.after_failure(at(0), 40),
            at(24),
            "never later than it is due"
        );
        assert_eq!(
            Every::ALL.map(|every| Every::from_stored(every.as_str())),
            Every::ALL.map(Some)
        );
    }

    #[test]
    fn what_an_older_version_kept_is_still_read() {
        let old = r#"{"checked_at":"2026-01-02T03:04:05Z","changed":1,"sentences":[{"standing":"gone","sentence":"a",
            "before":{"quote":"a","title":"t","url":"https://a.example/"},"now":null}]}"#;
        let read: Recheck = serde_json::from_str(old).expect("it is read");
        assert_eq!((read.changed, read.failure, read.scheduled), (1, None, false));
        assert_eq!(read.sentences[0].before.as_ref().expect("it has one").page_id, None);
    }
}
