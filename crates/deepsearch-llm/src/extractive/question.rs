//! What a question asks for: its kind, told by its question word, and the terms an answer should hold.

use deepsearch_core::{NumberedPassage, text};
use whatlang::Lang;

/// What would be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Definition,
    HowTo,
    When,
    HowMany,
    Who,
    Why,
    Where,
    List,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    German,
    French,
    Spanish,
    Chinese,
    Japanese,
    Arabic,
}

#[derive(Debug)]
pub(super) struct Question {
    pub(super) kind: Kind,
    /// Content terms, each once, in order.
    pub(super) terms: Vec<String>,
    /// The two things that are compared, each as a question of its own.
    pub(super) sides: Option<Box<[Question; 2]>>,
    language: Language,
    /// The terms that are written alike in every language: `SearXNG`, `IPv6`, and what stands in Latin letters among others.
    names: Vec<String>,
}

use Kind::{Definition, HowMany, HowTo, List, Other, When, Where, Who, Why};
use Language::{Arabic, Chinese, English, French, German, Japanese, Spanish};

/// Beginnings of questions, longer ones before the shorter ones they begin with.
const OPENINGS: &[(&str, Kind, Language)] = &[
    ("how many", HowMany, English),
    ("how much", HowMany, English),
    ("how long", HowMany, English),
    ("how old", HowMany, English),
    ("how far", HowMany, English),
    ("how high", HowMany, English),
    ("how fast", HowMany, English),
    ("how often", HowMany, English),
    ("how", HowTo, English),
    ("what year", When, English),
    ("in what year", When, English),
    ("what does", Definition, English),
    ("what is the difference", Other, English),
    ("what is the number", HowMany, English),
    ("what is", Definition, English),
    ("what's", Definition, English),
    ("what are the", List, English),
    ("what are", Definition, English),
    ("what was", Definition, English),
    ("which", Other, English),
    ("when", When, English),
    ("who", Who, English),
    ("whose", Who, English),
    ("why", Why, English),
    ("where", Where, English),
    ("list", List, English),
    ("name", List, English),
    ("define", Definition, English),
    ("explain", Definition, English),
    ("wie viele", HowMany, German),
    ("wie viel", HowMany, German),
    ("wie lange", HowMany, German),
    ("wie", HowTo, German),
    ("was ist", Definition, German),
    ("was sind", Definition, German),
    ("was", Other, German),
    ("wann", When, German),
    ("wer", Who, German),
    ("warum", Why, German),
    ("wieso", Why, German),
    ("wo", Where, German),
    ("welche", Other, German),
    ("qu'est-ce", Definition, French),
    ("comment", HowTo, French),
    ("quand", When, French),
    ("qui", Who, French),
    ("pourquoi", Why, French),
    ("combien", HowMany, French),
    ("où", Where, French),
    ("quelle", Other, French),
    ("quel", Other, French),
    ("qué es", Definition, Spanish),
    ("qué", Other, Spanish),
    ("cómo", HowTo, Spanish),
    ("cuándo", When, Spanish),
    ("quién", Who, Spanish),
    ("por qué", Why, Spanish),
    ("cuánt", HowMany, Spanish),
    ("dónde", Where, Spanish),
    ("كيف", HowTo, Arabic),
    ("ما هو", Definition, Arabic),
    ("ما هي", Definition, Arabic),
    ("متى", When, Arabic),
    ("من", Who, Arabic),
    ("لماذا", Why, Arabic),
    ("كم", HowMany, Arabic),
    ("أين", Where, Arabic),
];

/// Question phrases of scripts without spaces. They stand anywhere, and would be taken for terms if they stayed.
const PHRASES: &[(&str, Kind)] = &[
    ("什么时候", When),
    ("何时", When),
    ("为什么", Why),
    ("為什麼", Why),
    ("什么是", Definition),
    ("是什么", Definition),
    ("什麼是", Definition),
    ("是什麼", Definition),
    ("哪一年", When),
    ("多少", HowMany),
    ("几个", HowMany),
    ("怎么样", HowTo),
    ("怎么", HowTo),
    ("如何", HowTo),
    ("谁", Who),
    ("哪里", Where),
    ("どうやって", HowTo),
    ("どのように", HowTo),
    ("には？", HowTo),
    ("には?", HowTo),
    ("いつ", When),
    ("なぜ", Why),
    ("いくつ", HowMany),
    ("とは何ですか", Definition),
    ("とは", Definition),
    ("誰", Who),
    ("どこ", Where),
    ("何ですか", Other),
    ("什么", Other),
    ("ですか", Other),
    ("ますか", Other),
    ("吗", Other),
    ("呢", Other),
];

/// Words that say how something is asked and not what about.
const ASKING: &[&str] = &[
    "use",
    "get",
    "make",
    "work",
    "mean",
    "call",
    "tell",
    "explain",
    "describe",
    "define",
    "list",
    "name",
    "need",
    "want",
    "way",
    "difference",
    "purpose",
    "reason",
    "meaning",
    "best",
    "between",
    "please",
    "compare",
    "comparison",
    "versus",
    "vs",
    "exist",
    "happen",
];

impl Question {
    pub(super) fn parse(asked: &str) -> Self {
        let lower = asked.trim().trim_start_matches(['¿', '¡', '"', '\'']).to_lowercase();
        let opening = OPENINGS.iter().find(|(opening, ..)| starts_with_words(&lower, opening));
        let (mut bare, mut kind) = (asked.to_owned(), opening.map_or(Other, |(_, kind, _)| *kind));
        for (phrase, of) in PHRASES {
            if bare.contains(phrase) {
                bare = bare.replace(phrase, " ");
                kind = if kind == Other { *of } else { kind };
            }
        }
        let bare = bare.replace(['的', 'は', 'が', 'を', 'の', '是'], " ");
        let language = language(asked, opening.map(|(.., language)| *language));
        Self {
            kind,
            terms: content(&bare),
            sides: compared(&lower).and_then(|sides| Self::sides(sides, language)),
            language,
            names: names(asked, language),
        }
    }

    /// The question as it can be held against these sources. Where they are in another language, none of its words is in
    /// them but names; and what something is, or how it is done, is said where it is named.
    pub(super) fn put_to(mut self, passages: &[NumberedPassage]) -> Self {
        if matches!(self.kind, Definition | HowTo) && !self.names.is_empty() && self.language.is_foreign_to(passages) {
            self.terms.clone_from(&self.names);
        }
        self
    }

    /// `None` where a side has no word of its own.
    fn sides((one, other): (&str, &str), language: Language) -> Option<Box<[Self; 2]>> {
        let (one, other) = (content(one), content(other));
        let side = |own: &[String], other: &[String]| Self {
            kind: Definition,
            terms: own.iter().filter(|term| !other.contains(term)).cloned().collect(),
            sides: None,
            language,
            names: Vec::new(),
        };
        let sides = [side(&one, &other), side(&other, &one)];
        sides.iter().all(|side| !side.terms.is_empty()).then(|| Box::new(sides))
    }

    /// Said in place of an answer, and cites nothing.
    pub(super) fn not_answered(&self) -> &'static str {
        match self.language {
            English => "The sources that were found do not answer this question.",
            German => "Die gefundenen Quellen beantworten diese Frage nicht.",
            French => "Les sources trouvées ne répondent pas à cette question.",
            Spanish => "Las fuentes encontradas no responden a esta pregunta.",
            Chinese => "找到的来源没有回答这个问题。",
            Japanese => "見つかった情報源には、この質問への答えがありません。",
            Arabic => "المصادر التي عُثر عليها لا تجيب عن هذا السؤال.",
        }
    }
}

impl Language {
    /// Whether most of what the sources say is in another language. What cannot be told apart is taken to be in this one.
    fn is_foreign_to(self, passages: &[NumberedPassage]) -> bool {
        const ENOUGH: usize = 2_000;
        let text = passages.iter().flat_map(|passage| passage.text.chars()).take(ENOUGH);
        let told = whatlang::detect(&text.collect::<String>());
        let own = match self {
            English => Lang::Eng,
            German => Lang::Deu,
            French => Lang::Fra,
            Spanish => Lang::Spa,
            Chinese => Lang::Cmn,
            Japanese => Lang::Jpn,
            Arabic => Lang::Ara,
        };
        told.is_some_and(|told| told.is_reliable() && told.lang() != own)
    }

    fn has_latin_letters(self) -> bool {
        matches!(self, English | German | French | Spanish)
    }
}

fn names(asked: &str, language: Language) -> Vec<String> {
    let words =
        asked.split(|c: char| !(c.is_ascii_alphanumeric() || (language.has_latin_letters() && c.is_alphanumeric())));
    let is_name = |word: &&str| {
        let has_letter = word.contains(|c: char| c.is_ascii_alphabetic());
        let is_marked = word.chars().skip(1).any(|c| c.is_uppercase() || c.is_numeric());
        has_letter && (is_marked || !language.has_latin_letters())
    };
    words.filter(is_name).flat_map(text::content_terms).collect()
}

/// What a question compares, without what is said of both: `TCP vs. UDP for games` compares `tcp` and `udp`.
fn compared(lower: &str) -> Option<(&str, &str)> {
    const PAIRS: &[(&str, &[&str])] = &[
        ("difference between ", &[" and "]),
        ("differences between ", &[" and "]),
        ("differ", &[" from "]),
        ("compare ", &[" and ", " with ", " to "]),
        ("unterschied zwischen ", &[" und "]),
        ("différence entre ", &[" et "]),
        ("diferencia entre ", &[" y "]),
    ];
    const AGAINST: &[&str] = &[" versus ", " vs. ", " vs "];
    let paired = PAIRS.iter().find_map(|(before, between)| {
        let (asked, rest) = lower.split_once(before)?;
        match *before {
            // `How does X differ from Y?` has its first side before the word.
            "differ" => Some((asked, rest.split_once("from ")?.1)),
            _ => between.iter().find_map(|between| rest.split_once(between)),
        }
    });
    let (one, other) = paired.or_else(|| AGAINST.iter().find_map(|mark| lower.split_once(mark)))?;
    let one = one.rsplit([',', ':', ';']).next().unwrap_or(one);
    let ends = [
        ",", "?", ".", ";", ":", " for ", " in ", " when ", " für ", " pour ", " para ",
    ];
    let end = ends
        .iter()
        .filter_map(|end| other.find(end))
        .min()
        .unwrap_or(other.len());
    Some((one, &other[..end]))
}

fn starts_with_words(text: &str, opening: &str) -> bool {
    let rest = text.strip_prefix(opening);
    // `cuánt` stands for all its endings.
    rest.is_some_and(|rest| opening == "cuánt" || !rest.chars().next().is_some_and(char::is_alphanumeric))
}

fn content(question: &str) -> Vec<String> {
    let asking: Vec<String> = ASKING.iter().flat_map(|word| text::terms(word)).collect();
    let mut all: Vec<String> = text::content_terms(question);
    all.retain(|term| term.chars().count() > 1 || term.chars().any(|c| c.is_numeric() || text::is_unsegmented(c)));
    let mut seen = std::collections::HashSet::new();
    all.retain(|term| seen.insert(term.clone()));
    let narrowed: Vec<String> = all.iter().filter(|term| !asking.contains(term)).cloned().collect();
    if narrowed.is_empty() { all } else { narrowed }
}

fn language(asked: &str, told: Option<Language>) -> Language {
    if asked.chars().any(|c| matches!(c, '\u{3040}'..='\u{30FF}')) {
        return Japanese;
    }
    if asked.chars().any(|c| matches!(c, '\u{3400}'..='\u{9FFF}')) {
        return Chinese;
    }
    if asked.chars().any(|c| matches!(c, '\u{0600}'..='\u{06FF}')) {
        return Arabic;
    }
    told.unwrap_or(English)
}
