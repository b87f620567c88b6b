//! A sentence as what can be compared: its terms with their polarity, its numbers, and who does what to whom.

use deepsearch_core::text::{content_terms, fold, is_stop_word, is_unsegmented, terms, words};

use super::lexicon::{
    UNSEGMENTED_OPPOSITES, is_approximate, is_auxiliary, is_negator, meaning, month, negates_unsegmented, number_word,
};
use super::numbers::{Number, numbers};

/// How many content terms after a negator belong to it.
const NEGATION_REACH: usize = 3;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) terms: Vec<Term>,
    pub(super) numbers: Vec<Amount>,
    /// Whether its numbers are meant roughly.
    pub(super) roughly: bool,
    pub(super) question: bool,
    /// What stands on either side of "than", or does and suffers what is said.
    pub(super) sides: Option<Sides>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Under a negator, or the opposite of what `text` says, but not both.
    pub(super) negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// A proper name, as far as capitals tell.
    Name,
    /// A pair of characters of a script without spaces.
    Pair,
    /// The same with a grammatical character in it, which says little.
    GrammarPair,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Amount {
    pub(super) number: Number,
    /// Written as a word ("two functions"), which other wordings leave out ("both functions").
    pub(super) soft: bool,
}

/// Two groups of terms whose exchange changes the meaning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sides {
    pub(super) comparison: bool,
    pub(super) first: Vec<String>,
    pub(super) second: Vec<String>,
}

impl Statement {
    pub(super) fn of(text: &str) -> Self {
        let mut reader = Reader::new(text);
        reader.read();
        let sides = reader.sides();
        Self {
            terms: reader.terms.into_iter().map(|placed| placed.term).collect(),
            numbers: reader.numbers,
            roughly: reader.roughly,
            question: text.trim_end().ends_with(['?', '？']),
            sides,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.numbers.is_empty()
    }
}

impl Term {
    /// How much it matters that evidence has the term.
    pub(super) fn weight(&self) -> f32 {
        match self.kind {
            Kind::Word | Kind::Pair => 1.0,
            Kind::Name => 1.3,
            Kind::GrammarPair => 0.15,
        }
    }

    /// 1 for the same term, less for forms of one word that the stemmer does not join, 0 for others.
    pub(super) fn likeness(&self, other: &Self) -> f32 {
        const FORM_OF: f32 = 0.9;
        if self.text == other.text {
            return 1.0;
        }
        let (a, b) = (self.text.as_bytes(), other.text.as_bytes());
        if a.len().min(b.len()) < 5 || a[..4] != b[..4] || self.text.chars().any(is_unsegmented) {
            return 0.0;
        }
        let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let longer = a.len().max(b.len());
        let enough = if self.kind == Kind::Name || other.kind == Kind::Name {
            longer - 2
        } else {
            longer * 7 / 10
        };
        if common >= 5 && common >= enough { FORM_OF } else { 0.0 }
    }
}

struct Placed {
    term: Term,
    at: usize,
    clause: usize,
}

struct Reader<'a> {
    text: &'a str,
    terms: Vec<Placed>,
    numbers: Vec<Amount>,
    roughly: bool,
    /// The bytes where negators stand, and their clauses.
    negators: Vec<(usize, usize)>,
    than: Option<usize>,
    by: Option<usize>,
    german: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            terms: Vec::new(),
            numbers: Vec::new(),
            roughly: false,
            negators: Vec::new(),
            than: None,
            by: None,
            german: is_german(text),
        }
    }

    fn read(&mut self) {
        let taken = self.read_numbers();
        let words: Vec<(usize, &str, String)> = words(self.text)
            .filter(|(at, _)| !taken.iter().any(|(start, end)| (*start..*end).contains(at)))
            .map(|(at, word)| (at, word, fold(word)))
            .collect();
        let (mut clause, mut last_end) = (0, 0);
        for (place, (at, word, folded)) in words.iter().enumerate() {
            if self.text[last_end..*at].contains([',', ';', ':', '(', ')', '—', '–', '.', '，', '、', '；']) {
                clause += 1;
            }
            last_end = at + word.len();
            self.read_word(*at, word, folded, clause, place == 0);
        }
        self.roughly |= self.text.contains(['约', '約']);
        self.apply_negators();
        self.apply_unsegmented();
    }

    fn read_numbers(&mut self) -> Vec<(usize, usize)> {
        let found = numbers(self.text);
        let mut taken = Vec::with_capacity(found.len());
        for found in found {
            taken.push((found.start, found.end));
            self.numbers.push(Amount {
                number: found.number,
                soft: false,
            });
        }
        taken
    }

    fn read_word(&mut self, at: usize, word: &'a str, folded: &str, clause: usize, first: bool) {
        self.roughly |= is_approximate(folded);
        match folded {
            "than" | "als" => self.than = Some(at),
            "by" | "von" | "par" | "por" => self.by = Some(at),
            _ => {}
        }
        // `don't` comes as `don` and `t`.
        let contracted = folded == "t" && self.text[..at].ends_with(['\'', '’']);
        let not_only = folded == "not" && self.text[at + word.len()..].trim_start().starts_with("only");
        let is_value = word.starts_with("None") && !first;
        if (is_negator(folded) && !not_only && !is_value) || contracted {
            self.negators.push((at, clause));
            return;
        }
        if let Some((month, clear)) = month(folded)
            && (clear || self.beside_digit(at, word))
        {
            self.numbers.push(Amount {
                number: Number::month(month),
                soft: false,
            });
            return;
        }
        if let Some(value) = number_word(folded) {
            self.numbers.push(Amount {
                number: Number::of(value),
                soft: true,
            });
            return;
        }
        self.read_term(at, word, folded, clause, first);
    }

    fn beside_digit(&self, at: usize, word: &str) -> bool {
        let before = self.text[..at].trim_end_matches([' ', '.']).chars().next_back();
        let after = self.text[at + word.len()..]
            .trim_start_matches([' ', '.'])
            .chars()
            .next();
        before.is_some_and(|c| c.is_ascii_digit()) || after.is_some_and(|c| c.is_ascii_digit())
    }

    fn read_term(&mut self, at: usize, word: &str, folded: &str, clause: usize, first: bool) {
        if let Some(meaning) = meaning(folded) {
            self.push(at, clause, meaning.word.to_owned(), Kind::Word, meaning.opposite);
            return;
        }
        if is_stop_word(folded) || is_auxiliary(folded) {
            return;
        }
        let name = self.is_name(word, first);
        for text in terms(word) {
            let kind = match text.chars().any(is_unsegmented) {
                true if text.chars().any(is_grammar) => Kind::GrammarPair,
                true => Kind::Pair,
                false if name => Kind::Name,
                false => Kind::Word,
            };
            self.push(at, clause, text, kind, false);
        }
    }

    fn push(&mut self, at: usize, clause: usize, text: String, kind: Kind, negated: bool) {
        self.terms.push(Placed {
            term: Term { text, kind, negated },
            at,
            clause,
        });
    }

    /// Capitals in the middle of a sentence, or inside a word. German writes every noun so: there, only the latter.
    fn is_name(&self, word: &str, first: bool) -> bool {
        let mut chars = word.chars();
        let capital = chars.next().is_some_and(char::is_uppercase);
        let inner = chars.any(|c| c.is_uppercase() || c.is_ascii_digit());
        (capital && !first && !self.german) || (capital && inner)
    }

    /// A negator turns the next terms of its clause round; where it ends the clause, those before it.
    fn apply_negators(&mut self) {
        for (at, clause) in &self.negators {
            let same_clause = |placed: &&mut Placed| placed.clause == *clause;
            let mut any = false;
            for placed in self
                .terms
                .iter_mut()
                .filter(same_clause)
                .filter(|placed| placed.at > *at)
                .take(NEGATION_REACH)
            {
                placed.term.negated = !placed.term.negated;
                any = true;
            }
            if any {
                continue;
            }
            for placed in self
                .terms
                .iter_mut()
                .rev()
                .filter(same_clause)
                .filter(|placed| placed.at < *at)
                .take(NEGATION_REACH)
            {
                placed.term.negated = !placed.term.negated;
            }
        }
    }

    /// In scripts without spaces, a negator anywhere turns its whole clause round, and so does one of two opposites.
    fn apply_unsegmented(&mut self) {
        if !self.text.chars().any(is_unsegmented) {
            return;
        }
        for clause in self.text.split(['，', '、', '。', '；', ',', ';']) {
            let start = clause.as_ptr() as usize - self.text.as_ptr() as usize;
            let opposites = UNSEGMENTED_OPPOSITES
                .iter()
                .filter(|(word, other)| clause.contains(other) && !clause.replace(other, "").contains(word))
                .count();
            let turned = negates_unsegmented(clause) != (opposites % 2 == 1);
            for placed in self
                .terms
                .iter_mut()
                .filter(|placed| turned && (start..start + clause.len()).contains(&placed.at))
            {
                placed.term.negated = !placed.term.negated;
            }
        }
    }

    /// Both sides of "than"; or the first and the last name around a verb, turned round in the passive voice.
    fn sides(&self) -> Option<Sides> {
        let texts = |keep: &dyn Fn(&Placed) -> bool| -> Vec<String> {
            self.terms
                .iter()
                .filter(|placed| keep(placed))
                .map(|placed| placed.term.text.clone())
                .collect()
        };
        if let Some(than) = self.than {
            return Some(Sides {
                comparison: true,
                first: texts(&|placed| placed.at < than),
                second: texts(&|placed| placed.at > than),
            });
        }
        let names: Vec<usize> = (0..self.terms.len())
            .filter(|at| self.terms[*at].term.kind == Kind::Name || *at == 0)
            .collect();
        let (&first, &last) = (names.first()?, names.last()?);
        let verb_between = self.terms[first..=last]
            .iter()
            .any(|placed| placed.term.kind == Kind::Word && placed.at > self.terms[first].at);
        if !verb_between || self.terms[last].term.kind != Kind::Name {
            return None;
        }
        let passive = self
            .by
            .is_some_and(|by| (self.terms[first].at..self.terms[last].at).contains(&by));
        let (first, second) = if passive { (last, first) } else { (first, last) };
        Some(Sides {
            comparison: false,
            first: vec![self.terms[first].term.text.clone()],
            second: vec![self.terms[second].term.text.clone()],
        })
    }
}

/// Whether two of the commonest German words, which no other language here has, stand in the text.
fn is_german(text: &str) -> bool {
    const COMMON: &[&str] = &[
        "auch", "auf", "aus", "bei", "das", "dem", "den", "der", "die", "ein", "eine", "einen", "einer", "fur", "hat",
        "im", "ist", "kann", "mit", "nach", "nicht", "sich", "sind", "uber", "und", "vom", "von", "war", "werden",
        "wird", "wurde", "zu", "zum", "zur",
    ];
    words(text)
        .filter(|(_, word)| COMMON.binary_search(&fold(word).as_str()).is_ok())
        .take(2)
        .count()
        == 2
}

/// Characters that Chinese and Japanese use for grammar.
fn is_grammar(c: char) -> bool {
    const GRAMMAR: &str = "的了是在和与為为于於由被把也都就将约約";
    matches!(c, '\u{3040}'..='\u{309F}') || GRAMMAR.contains(c)
}

/// The terms of a title, which tell what "it" is in a page's sentences.
pub(super) fn title_terms(title: &str) -> Vec<String> {
    content_terms(title)
}
