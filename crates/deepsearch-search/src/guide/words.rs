//! The guide's own sense of words: which say nothing in a question about a program, and which mean the same.

/// Terms as the guide's index has them: without filler, each group of synonyms as one.
pub(super) fn index_terms(terms: Vec<String>) -> impl Iterator<Item = String> {
    terms
        .into_iter()
        .filter(|term| !FILLER.contains(&term.as_str()))
        .map(synonym)
}

fn synonym(term: String) -> String {
    match SAME.iter().find(|(word, _)| *word == term) {
        Some((_, guide)) => (*guide).to_owned(),
        None => term,
    }
}

/// What people say around what they mean, in stems as `content_terms` gives them.
const FILLER: &[&str] = &[
    "app", "avail", "best", "doe", "everyth", "first", "get", "give", "help", "instanc", "let", "like", "make", "mean",
    "need", "pleas", "possibl", "program", "return", "run", "see", "someth", "tell", "thing", "tri", "use", "want",
    "way", "work",
];

/// A word of a question, and the word that the guide has for it; both stemmed.
const SAME: &[(&str, &str)] = &[
    ("searx", "searxng"),
    ("ddg", "duckduckgo"),
    ("token", "key"),
    ("apikey", "key"),
    ("llm", "model"),
    ("ai", "model"),
    ("gpt", "openai"),
    ("chatgpt", "openai"),
    ("claud", "anthrop"),
    ("eras", "delet"),
    ("remov", "delet"),
    ("convers", "chat"),
    ("discuss", "chat"),
    ("old", "past"),
    ("previous", "past"),
    ("earlier", "past"),
    ("configur", "set"),
    ("setup", "set"),
    ("option", "set"),
    ("prefer", "set"),
    ("internet", "network"),
    ("onlin", "network"),
    ("directori", "folder"),
    ("disk", "folder"),
    ("locat", "folder"),
    ("refer", "citat"),
    ("cite", "citat"),
    ("cli", "command"),
    ("termin", "command"),
    ("cost", "bill"),
    ("price", "bill"),
    ("pay", "bill"),
    ("forbidden", "403"),
    ("step", "start"),
    ("begin", "start"),
    ("broken", "troubleshoot"),
    ("problem", "troubleshoot"),
    ("fix", "troubleshoot"),
    ("fail", "troubleshoot"),
];
