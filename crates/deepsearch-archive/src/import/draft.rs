//! A chat of another assistant on its way to be one of ours: a tree of turns in, messages with ids, times and parents
//! out. What each format calls things is in the file of the format; what holds for all of them is here.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::chat::title_from_question;
use deepsearch_core::message::MessageMetadata;
use deepsearch_core::validate::TITLE_LIMIT;
use deepsearch_core::{Chat, ChatId, Labels, Message, MessageId, MessageState, Role, Source};

use super::ids::stable_id;
use super::{Note, Origin, Reason};
use crate::chat::{ArchivedChat, ArchivedMessage, within_limit};

/// A conversation as a format tells it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) origin: Origin,
    /// What names it there, for ever.
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) created_at: Option<DateTime<Utc>>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
    pub(crate) pinned: bool,
    pub(crate) archived: bool,
    pub(crate) turns: Vec<DraftTurn>,
    /// The end of the branch that was shown.
    pub(crate) current: Option<String>,
    pub(crate) notes: Vec<Note>,
}

#[derive(Debug, Default)]
pub(crate) struct DraftTurn {
    pub(crate) key: String,
    pub(crate) parent: Option<String>,
    /// `None` is nobody that we keep: a tool, an instruction.
    pub(crate) role: Option<Role>,
    /// `[n]` in it cites `sources[n - 1]`.
    pub(crate) text: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) model: Option<String>,
    pub(crate) at: Option<DateTime<Utc>>,
}

impl Draft {
    pub(crate) fn new(origin: Origin, key: String) -> Self {
        Self {
            origin,
            key,
            title: String::new(),
            created_at: None,
            updated_at: None,
            pinned: false,
            archived: false,
            turns: Vec::new(),
            current: None,
            notes: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, reason: Reason, count: u64) {
        self.notes.push(Note::new(self.title.clone(), reason).times(count));
    }

    /// The chat, with what had to be left out. `now` stands in where the file tells no time.
    pub(crate) fn finish(mut self, now: DateTime<Utc>) -> Result<(ArchivedChat, Vec<Note>), Reason> {
        let begun = self.created_at.or(self.updated_at).unwrap_or(now);
        let (mut kept, unreached) = keep(&self.turns, begun);
        if unreached > 0 {
            self.note(Reason::Circle, unreached);
        }
        if kept.is_empty() {
            return Err(if unreached > 0 { Reason::Circle } else { Reason::Empty });
        }
        let shown = self.current.as_ref().and_then(|current| {
            let at = self.turns.iter().position(|turn| turn.key == *current)?;
            kept.iter().position(|message| message.turns.contains(&at))
        });
        let order = in_time(&kept);
        let id = |kind: &str, key: &str| stable_id(self.origin, kind, key);
        let chat_id = ChatId::from_stored(format!("chat_{}", id("chat", &self.key)));
        let ids: Vec<MessageId> = kept
            .iter()
            .map(|message| {
                let key = format!("{}/{}", self.key, self.turns[message.turns[0]].key);
                MessageId::from_stored(format!("msg_{}", id("message", &key)))
            })
            .collect();
        let mut shortened = 0;
        let mut last: Option<DateTime<Utc>> = None;
        let mut messages = Vec::with_capacity(order.len());
        for at in order {
            let message = &mut kept[at];
            let (content, cut) = within_limit(std::mem::take(&mut message.text));
            shortened += u64::from(cut);
            let time = last.map_or(message.at, |last| message.at.max(last + TICK));
            last = Some(time);
            messages.push(ArchivedMessage::bare(Message {
                id: ids[at].clone(),
                chat_id: chat_id.clone(),
                parent: message.parent.map(|parent| ids[parent].clone()),
                role: message.role,
                content,
                sources: (!message.sources.is_empty()).then(|| std::mem::take(&mut message.sources)),
                metadata: Some(metadata(self.origin, message.model.take())),
                created_at: time,
                state: MessageState::Complete,
            }));
        }
        if shortened > 0 {
            self.note(Reason::Shortened, shortened);
        }
        let first = messages.iter().find(|message| message.message.role == Role::User);
        let first = first
            .or(messages.first())
            .map_or("", |message| message.message.content.as_str());
        let created_at = self.created_at.unwrap_or(messages[0].message.created_at);
        let chat = Chat {
            id: chat_id,
            title: title(&self.title).unwrap_or_else(|| title_from_question(first)),
            created_at,
            updated_at: self.updated_at.or(last).unwrap_or(created_at).max(created_at),
            deleted_at: None,
            pinned: self.pinned,
            archived: self.archived,
            leaf: Some(match shown {
                Some(at) => ids[at].clone(),
                None => messages[messages.len() - 1].message.id.clone(),
            }),
        };
        let chat = ArchivedChat {
            chat,
            labels: Labels::default(),
            messages,
            pages: Vec::new(),
        };
        Ok((chat, self.notes))
    }
}

/// What two messages of one chat are apart at least.
const TICK: TimeDelta = TimeDelta::milliseconds(1);

fn title(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(TITLE_LIMIT).collect();
    (!cut.is_empty()).then_some(cut)
}

fn metadata(origin: Origin, model: Option<String>) -> MessageMetadata {
    let mut metadata = MessageMetadata {
        model,
        ..MessageMetadata::default()
    };
    metadata.other.insert("importedFrom".into(), origin.as_str().into());
    metadata
}

/// A turn that is kept, with those that were joined to it.
struct Kept {
    turns: Vec<usize>,
    parent: Option<usize>,
    role: Role,
    text: String,
    sources: Vec<Source>,
    model: Option<String>,
    at: DateTime<Utc>,
}

/// Walks the tree from its roots. What is kept follows the nearest one above it that is kept; what an assistant said in
/// pieces, with its tools in between, is one message. Also says how many turns no root leads to.
fn keep(turns: &[DraftTurn], begun: DateTime<Utc>) -> (Vec<Kept>, u64) {
    let by_key: HashMap<&str, usize> = turns
        .iter()
        .enumerate()
        .map(|(at, turn)| (turn.key.as_str(), at))
        .collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); turns.len()];
    let mut roots = Vec::new();
    for (at, turn) in turns.iter().enumerate() {
        match turn.parent.as_deref().and_then(|parent| by_key.get(parent)) {
            // Two turns of one name: only the last is found by it.
            _ if by_key.get(turn.key.as_str()) != Some(&at) => {}
            Some(&parent) => children[parent].push(at),
            None => roots.push(at),
        }
    }
    let mut kept: Vec<Kept> = Vec::new();
    let mut reached = 0;
    let mut walk: Vec<(usize, Option<usize>, bool)> = roots.into_iter().rev().map(|root| (root, None, false)).collect();
    while let Some((at, above, alone)) = walk.pop() {
        reached += 1;
        let (below, is_new) = place(&turns[at], at, above, alone, begun, &mut kept);
        let alone = (is_new || alone) && children[at].len() == 1;
        walk.extend(children[at].iter().rev().map(|&child| (child, below, alone)));
    }
    (kept, turns.len() as u64 - reached)
}

/// Keeps a turn, or joins it to the one above. Returns what stands above those below it, and whether that is new.
fn place(
    turn: &DraftTurn,
    at: usize,
    above: Option<usize>,
    alone: bool,
    begun: DateTime<Utc>,
    kept: &mut Vec<Kept>,
) -> (Option<usize>, bool) {
    let role = match turn.role {
        Some(role) if !turn.text.trim().is_empty() => role,
        _ => {
            // The end that was shown may be a turn that is not kept.
            if let Some(above) = above.filter(|_| alone) {
                kept[above].turns.push(at);
            }
            return (above, false);
        }
    };
    if let Some(above) = above
        && alone
        && role == Role::Assistant
        && kept[above].role == Role::Assistant
    {
        let joined = &mut kept[above];
        let text = renumbered(turn.text.trim(), turn.sources.len(), joined.sources.len());
        joined.text.push_str("\n\n");
        joined.text.push_str(&text);
        joined.sources.extend(turn.sources.iter().cloned());
        joined.turns.push(at);
        return (Some(above), false);
    }
    let no_earlier = above.map_or(begun, |above| kept[above].at);
    kept.push(Kept {
        turns: vec![at],
        parent: above,
        role,
        text: turn.text.trim().to_owned(),
        sources: turn.sources.clone(),
        model: turn.model.clone(),
        at: turn.at.unwrap_or(no_earlier).max(no_earlier),
    });
    (Some(kept.len() - 1), true)
}

/// `[n]` of a text with `count` sources, as they are numbered behind `offset` others.
fn renumbered(text: &str, count: usize, offset: usize) -> String {
    if offset == 0 || count == 0 {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        let number = from[1..]
            .split_once(']')
            .and_then(|(inner, _)| inner.parse::<usize>().ok());
        match number.filter(|number| (1..=count).contains(number)) {
            Some(number) => {
                out.push_str(&format!("[{}]", number + offset));
                rest = &from[from.find(']').map_or(1, |close| close + 1)..];
            }
            None => {
                out.push('[');
                rest = &from[1..];
            }
        }
    }
    out + rest
}

/// Oldest first; what has one time stays as it is, so that a parent is never behind its child.
fn in_time(kept: &[Kept]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by_key(|&at| kept[at].at);
    order
}
