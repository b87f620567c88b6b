//! Parts of a question without a model: what it asks for itself, and what the pages that were read go into.

use std::collections::{HashMap, HashSet};

use deepsearch_core::Page;
use deepsearch_core::text::{content_terms, fold, words};

use super::subquestions::tidy;

/// The questions that a question is made of. The first is the question itself, unless it is several in a row.
pub(super) fn of_question(question: &str) -> Vec<String> {
    let several = in_a_row(question);
    if several.len() > 1 {
        return several;
    }
    let mut parts: Vec<String> = tidy(question).into_iter().collect();
    for side in compared(question) {
        if !parts.contains(&side) {
            parts.push(side);
        }
    }
    if parts.is_empty() {
        parts.push(question.trim().to_owned());
    }
    parts
}

/// "Who built it and when was it opened?" is two questions; what the first is about, the second is too.
fn in_a_row(question: &str) -> Vec<String> {
    const ASKING: &[&str] = &[
        "how", "what", "when", "where", "which", "who", "why", "wie", "was", "wann", "wo", "welche", "wer", "warum",
        "comment", "quand", "pourquoi", "qui", "quel", "quelle", "como", "cuando", "donde", "quien", "por",
    ];
    const JOINING: &[&str] = &["and", "und", "et", "y"];
    let mut cuts = Vec::new();
    let all: Vec<(usize, &str)> = words(question).collect();
    for pair in all.windows(2) {
        let [(at, joining), (next, asking)] = pair else {
            continue;
        };
        let between = &question[at + joining.len()..*next];
        if JOINING.contains(&fold(joining).as_str())
            && ASKING.contains(&fold(asking).as_str())
            && between.trim().is_empty()
        {
            cuts.push((*at, *next));
        }
    }
    for (at, mark) in question.match_indices(['?', '？', '؟']) {
        cuts.push((at, at + mark.len()));
    }
    cuts.sort_unstable();
    let mut parts: Vec<String> = Vec::new();
    let mut start = 0;
    for (end, next) in cuts.into_iter().chain([(question.len(), question.len())]) {
        let Some(mut part) = question.get(start..end).and_then(tidy) else {
            continue;
        };
        if content_terms(&part).is_empty() {
            continue;
        }
        if !part.ends_with(['?', '？', '؟']) {
            part.push('?');
        }
        parts.push(part);
        start = next;
    }
    parts
}

/// The two things that a question compares.
fn compared(question: &str) -> Vec<String> {
    const BETWEEN: &[(&str, &[&str])] = &[
        ("between ", &[" and "]),
        ("compare ", &[" and ", " with ", " to "]),
        ("zwischen ", &[" und "]),
        ("entre ", &[" et ", " y "]),
    ];
    const AGAINST: &[&str] = &[" versus ", " vs. ", " vs ", " or ", " oder "];
    let bare = question.trim().trim_end_matches(['?', '.', '？']);
    let lower = bare.to_lowercase();
    // Folding may change how long letters are; then nothing is cut.
    if lower.len() != bare.len() {
        return Vec::new();
    }
    let sides = BETWEEN
        .iter()
        .find_map(|(before, joins)| {
            let start = lower.find(before)? + before.len();
            let (at, join) = joins
                .iter()
                .find_map(|join| Some((lower[start..].find(join)? + start, join)))?;
            Some((&bare[start..at], &bare[at + join.len()..]))
        })
        .or_else(|| {
            let (at, join) = AGAINST.iter().find_map(|join| Some((lower.find(join)?, join)))?;
            // What is compared is named right before the word, mostly by a name or a noun.
            let left = bare[..at].rsplit([' ', ':', ',']).next()?;
            let right = bare[at + join.len()..].split([' ', ',', ';']).next()?;
            Some((left, right))
        });
    let short = |side: &str| tidy(side).filter(|side| side.split(' ').count() <= 4);
    match sides.map(|(left, right)| (short(left), short(right))) {
        Some((Some(left), Some(right))) => vec![left, right],
        _ => Vec::new(),
    }
}

/// A page that was read, as far as it says what a topic has parts.
pub(super) struct Outlined<'a> {
    pub(super) page: &'a Page,
    pub(super) site: &'a str,
}

// What fewer sites go into is one writer's interest.
const FEWEST_SITES: usize = 2;
const LONGEST_HEADING: usize = 7;

/// What the pages go into beside the question, most common first: by their headings, each counted once a site, and by
/// whether other pages speak of it too.
pub(super) fn of_pages(question: &str, pages: &[Outlined<'_>], known: &[&str], most: usize) -> Vec<String> {
    let topic: HashSet<String> = content_terms(question).into_iter().collect();
    let mut taken: HashSet<String> = known.iter().flat_map(|known| content_terms(known)).collect();
    taken.extend(topic.iter().cloned());
    let spoken: Vec<(&str, HashSet<String>)> = pages
        .iter()
        .map(|outlined| (outlined.site, content_terms(&outlined.page.text).into_iter().collect()))
        .collect();
    let mut headings: HashMap<String, Facet> = HashMap::new();
    for outlined in pages {
        for span in deepsearch_rank::headings(outlined.page) {
            let line = outlined.page.quote(span);
            let Some(heading) = facet_line(line) else { continue };
            let terms: Vec<String> = content_terms(&heading)
                .into_iter()
                .filter(|term| !topic.contains(term))
                .collect();
            if terms.is_empty() || terms.len() > LONGEST_HEADING {
                continue;
            }
            let mut key = terms.clone();
            key.sort();
            let facet = headings.entry(key.join(" ")).or_insert_with(|| Facet {
                heading,
                terms,
                sites: HashSet::new(),
            });
            facet.sites.insert(outlined.site.to_owned());
        }
    }
    let mut ranked: Vec<(usize, Facet)> = headings
        .into_values()
        .map(|facet| {
            let speaking = spoken
                .iter()
                .filter(|(_, terms)| facet.terms.iter().all(|term| terms.contains(term)));
            let speaking: HashSet<&str> = speaking.map(|(site, _)| *site).collect();
            (2 * facet.sites.len() + speaking.len(), speaking.len(), facet)
        })
        .filter(|(_, speaking, _)| *speaking >= FEWEST_SITES)
        .map(|(weight, _, facet)| (weight, facet))
        .collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.heading.cmp(&b.1.heading)));
    let mut facets = Vec::new();
    for (_, facet) in ranked {
        // One that says nothing new beside the others would be written from the same sentences.
        if facets.len() < most && !facet.terms.iter().any(|term| taken.contains(term)) {
            taken.extend(facet.terms);
            facets.push(facet.heading);
        }
    }
    facets
}

struct Facet {
    heading: String,
    terms: Vec<String>,
    sites: HashSet<String>,
}

/// A heading without its number; `None` for what every site has.
fn facet_line(line: &str) -> Option<String> {
    const EVERYWHERE: &[&str] = &[
        "about",
        "also",
        "author",
        "bibliography",
        "comments",
        "conclusion",
        "contact",
        "contents",
        "cookie",
        "cookies",
        "credits",
        "external",
        "faq",
        "footnotes",
        "further",
        "home",
        "imprint",
        "index",
        "introduction",
        "licence",
        "license",
        "links",
        "literature",
        "menu",
        "navigation",
        "newsletter",
        "next",
        "note",
        "notes",
        "overview",
        "previous",
        "privacy",
        "reading",
        "references",
        "related",
        "search",
        "see",
        "share",
        "sources",
        "subscribe",
        "summary",
        "table",
        "tags",
        "topics",
        "einleitung",
        "einzelnachweise",
        "inhalt",
        "literatur",
        "quellen",
        "ubersicht",
        "weblinks",
        "zusammenfassung",
        "references",
        "sommaire",
        "voir",
        "referencias",
        "vease",
    ];
    let line = tidy(line)?;
    let all: Vec<String> = words(&line).map(|(_, word)| fold(word)).collect();
    let common = all.iter().filter(|word| EVERYWHERE.contains(&word.as_str())).count();
    (common * 2 < all.len().max(1)).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_in_a_row_are_parts_of_their_own() {
        assert_eq!(
            of_question("Who built the Halden lighthouse and when was it opened?"),
            ["Who built the Halden lighthouse?", "when was it opened?"]
        );
        assert_eq!(
            of_question("What is Rust? Is it fast?"),
            ["What is Rust?", "Is it fast?"]
        );
    }

    #[test]
    fn what_is_compared_has_a_part_of_its_own_each() {
        assert_eq!(
            of_question("What is the difference between heat pumps and gas boilers?"),
            [
                "What is the difference between heat pumps and gas boilers?",
                "heat pumps",
                "gas boilers"
            ]
        );
        assert_eq!(of_question("Rust vs Zig"), ["Rust vs Zig", "Rust", "Zig"]);
        assert_eq!(of_question("How do heat pumps work?"), ["How do heat pumps work?"]);
    }

    #[test]
    fn a_question_of_signs_is_a_plan_all_the_same() {
        assert_eq!(of_question("?!"), ["?!"]);
    }
}
