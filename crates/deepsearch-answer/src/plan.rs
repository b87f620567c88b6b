//! From what was asked to what is searched for. Code decides whether to search; a model only rewords.

use std::time::Duration;

use deepsearch_core::text::{content_terms, fold, words};
use deepsearch_core::{ChatModel, ChatRequest, Page, Purpose, Role, TokenUsage, Turn};
use url::Url;

use crate::pipeline::{Question, SearchMode};
use crate::write::collect;

/// What is searched for and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The question as it stands alone, without the chat before it.
    pub question: String,
    /// Empty where no search is needed.
    pub queries: Vec<String>,
    /// Addresses that the person wrote into the question: they are read first.
    pub urls: Vec<Url>,
    /// The question asks for what is new.
    pub prefer_fresh: bool,
    /// What rewording cost, where the model tells.
    pub usage: TokenUsage,
}

impl Plan {
    /// What evidence is chosen by: the question without addresses, which say where to read and not what about. A
    /// question that is nothing but an address is about what its page is called.
    pub(crate) fn subject(&self, first: Option<&Page>) -> String {
        let words = without_urls(&self.question);
        match first {
            Some(page) if words.is_empty() => page.title.clone(),
            _ if words.is_empty() => self.question.clone(),
            _ => words,
        }
    }
}

// Engines cut or refuse longer ones (Brave: 400 characters, 50 words).
const QUERY_CHARS: usize = 380;
const QUERIES: usize = 3;
const URLS: usize = 5;

/// Plans the search. Asks the model only where a follow-up cannot stand alone, and never waits longer than `limit`.
pub async fn plan(question: &Question, model: &dyn ChatModel, limit: Duration) -> Plan {
    let mut urls = question.named.clone();
    if question.reads_addresses {
        urls.extend(urls_in(&question.text));
    }
    let prefer_fresh = asks_for_news(&question.text);
    if !needs_search(question) {
        return Plan {
            question: question.text.clone(),
            queries: Vec::new(),
            urls,
            prefer_fresh,
            usage: TokenUsage::default(),
        };
    }
    let depends = !question.history.is_empty() && depends_on_history(&question.text);
    let (mut queries, mut usage) = (Vec::new(), TokenUsage::default());
    if depends && model.follows_instructions() {
        (queries, usage) = tokio::time::timeout(limit, reworded(question, model))
            .await
            .unwrap_or_default();
    }
    let alone = match queries.first() {
        Some(reworded) => reworded.clone(),
        None if depends => with_topic_of(&question.history, &question.text),
        None => question.text.clone(),
    };
    // A question that is only an address is answered from that page.
    if queries.is_empty() {
        queries.extend(query_from(&without_urls(&alone)));
    }
    Plan {
        question: alone,
        queries,
        urls,
        prefer_fresh,
        usage,
    }
}

/// The setting, the mode and the question decide, in this order.
pub fn needs_search(question: &Question) -> bool {
    match question.search {
        SearchMode::Never => false,
        SearchMode::Always => true,
        SearchMode::Auto => !is_small_talk(&question.text) && !is_about_the_chat(question),
    }
}

fn is_small_talk(text: &str) -> bool {
    const PHRASES: &[&str] = &[
        "hi",
        "hello",
        "hey",
        "hello there",
        "hi there",
        "good morning",
        "good evening",
        "thanks",
        "thank you",
        "thank you very much",
        "thanks a lot",
        "ok",
        "okay",
        "great",
        "cool",
        "bye",
        "goodbye",
        "danke",
        "hallo",
        "merci",
        "bonjour",
        "gracias",
        "hola",
    ];
    PHRASES.contains(&folded_words(text).join(" ").as_str())
}

/// "Translate that", "make it shorter": work on what was said, for which there is nothing to search.
fn is_about_the_chat(question: &Question) -> bool {
    const VERBS: &[&str] = &[
        "translate",
        "rephrase",
        "rewrite",
        "reword",
        "shorten",
        "summarize",
        "summarise",
        "simplify",
        "reformat",
        "proofread",
    ];
    const OBJECTS: &[&str] = &["that", "this", "it", "your", "above", "previous", "last"];
    let words = folded_words(&question.text);
    let starts = words
        .iter()
        .find(|word| !matches!(word.as_str(), "please" | "can" | "could" | "you" | "now"));
    !question.history.is_empty()
        && urls_in(&question.text).is_empty()
        && starts.is_some_and(|verb| VERBS.contains(&verb.as_str()))
        && words.iter().any(|word| OBJECTS.contains(&word.as_str()))
}

/// Whether a follow-up leans on what was said before: by a pronoun, by "and …?", or by being too short to say anything.
pub fn depends_on_history(text: &str) -> bool {
    const LEANING: &[&str] = &[
        "it", "its", "they", "them", "their", "he", "she", "his", "her", "him", "this", "that", "these", "those",
        "one", "ones", "there", "former", "latter", "same", "another", "else", "er", "sie", "dies", "diese", "dieser",
        "il", "elle", "ca", "cela", "eso", "esto", "ello",
    ];
    const OPENINGS: &[&str] = &[
        "and", "but", "so", "also", "then", "why", "how", "und", "aber", "et", "mais", "y", "pero",
    ];
    let words = folded_words(text);
    let opens_leaning = words.first().is_some_and(|word| OPENINGS.contains(&word.as_str())) && words.len() <= 5;
    words.iter().any(|word| LEANING.contains(&word.as_str())) || opens_leaning || content_terms(text).len() < 2
}

pub(crate) fn asks_for_news(text: &str) -> bool {
    const NEW: &[&str] = &[
        "today",
        "latest",
        "newest",
        "recent",
        "recently",
        "current",
        "currently",
        "now",
        "news",
        "yesterday",
        "tonight",
        "aktuell",
        "heute",
        "neueste",
        "actualidad",
        "hoy",
        "aujourd",
        "dernier",
        "derniere",
    ];
    folded_words(text).iter().any(|word| NEW.contains(&word.as_str()))
}

/// Without a model: the follow-up and the words of the latest question that it leans on.
fn with_topic_of(history: &[Turn], text: &str) -> String {
    let latest = history.iter().rev().find(|turn| turn.role == Role::User);
    match latest {
        Some(turn) => format!("{text} {}", first_chars(turn.content.trim(), 200)),
        None => text.to_owned(),
    }
}

async fn reworded(question: &Question, model: &dyn ChatModel) -> (Vec<String>, TokenUsage) {
    let mut turns = vec![Turn {
        role: Role::System,
        content: REWORD.into(),
    }];
    let recent = question.history.len().saturating_sub(4);
    let mut chat = String::new();
    for turn in &question.history[recent..] {
        chat.push_str(&format!(
            "{}: {}\n",
            turn.role.as_str(),
            first_chars(&turn.content, 600)
        ));
    }
    turns.push(Turn {
        role: Role::User,
        content: format!("Chat:\n{chat}\nLast message: {}", first_chars(&question.text, 2000)),
    });
    let request = ChatRequest {
        purpose: Purpose::Plan,
        question: question.text.clone(),
        turns,
        passages: Vec::new(),
        max_tokens: Some(120),
        temperature: Some(0.0),
    };
    let Ok((text, usage)) = collect(model, request).await else {
        return Default::default();
    };
    // Whatever a model writes here is only ever a query: plain words on a line, bounded.
    let queries = text
        .lines()
        .map(|line| {
            line.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '*' | '.' | ')' | ' ' | '"'))
        })
        .filter_map(query_from)
        .take(QUERIES)
        .collect();
    (queries, usage)
}

const REWORD: &str = "Rewrite the last message as a web search that can be understood without the chat. Write one search on each \
line, at most three, best first, in the language of the message. Write nothing else.";

/// A query that an engine takes: one line of at most 380 characters. A long text is known by its beginning and its end,
/// where questions stand.
pub(crate) fn query_from(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_matches('"').trim();
    if line.is_empty() {
        return None;
    }
    if line.chars().count() <= QUERY_CHARS {
        return Some(line.to_owned());
    }
    let tail: String = line
        .chars()
        .rev()
        .take(QUERY_CHARS / 2)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    Some(format!("{} {tail}", first_chars(line, QUERY_CHARS / 2 - 1)))
}

pub(crate) fn urls_in(text: &str) -> Vec<Url> {
    let mut urls: Vec<Url> = Vec::new();
    for word in text.split_whitespace() {
        let Some(at) = word.find("https://").or_else(|| word.find("http://")) else {
            continue;
        };
        let address = without_punctuation(&word[at..]);
        if let Ok(url) = Url::parse(address)
            && !urls.contains(&url)
            && urls.len() < URLS
        {
            urls.push(url);
        }
    }
    urls
}

/// An address without the punctuation of the sentence around it; a bracket that it opened itself is its own.
fn without_punctuation(mut address: &str) -> &str {
    loop {
        let closes = address.ends_with(')') && address.matches(')').count() > address.matches('(').count();
        match address.chars().next_back() {
            Some(last) if closes || ".,;:!?]}>\"'".contains(last) => {
                address = &address[..address.len() - last.len_utf8()]
            }
            _ => return address,
        }
    }
}

pub(crate) fn without_urls(text: &str) -> String {
    let is_address = |word: &&str| word.contains("https://") || word.contains("http://");
    text.split_whitespace()
        .filter(|word| !is_address(word))
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn folded_words(text: &str) -> Vec<String> {
    words(text).map(|(_, word)| fold(word)).collect()
}

pub(crate) fn first_chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}
