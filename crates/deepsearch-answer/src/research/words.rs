//! The few words that the report itself says, in the languages of the interface.

use deepsearch_core::text::{fold, words};

#[derive(Debug)]
pub(super) struct Words {
    language: &'static str,
    pub(super) disagree: &'static str,
    /// These end in a colon: a line that announces claims nothing.
    pub(super) numbers: &'static str,
    pub(super) dates: &'static str,
    pub(super) denials: &'static str,
    /// For a page that does not say when it is from.
    pub(super) read_on: &'static str,
    pub(super) not_found: &'static str,
    pub(super) no_source: &'static str,
}

impl Words {
    /// The words of the question's language, as far as it can be told; of the person's else.
    pub(super) fn of(question: &str, locale: Option<&str>) -> &'static Self {
        let of = |language: &str| ALL.iter().find(|words| language.starts_with(words.language));
        let by_locale = || locale.and_then(of);
        language_of(question).and_then(of).or_else(by_locale).unwrap_or(&ALL[0])
    }
}

fn language_of(question: &str) -> Option<&'static str> {
    let any = |range: std::ops::RangeInclusive<char>| question.chars().any(|c| range.contains(&c));
    if any('\u{3040}'..='\u{30FF}') {
        return Some("ja");
    }
    if any('\u{4E00}'..='\u{9FFF}') {
        return Some("zh");
    }
    if any('\u{0600}'..='\u{06FF}') {
        return Some("ar");
    }
    let folded: Vec<String> = words(question).map(|(_, word)| fold(word)).collect();
    let count = |telling: &[&str]| folded.iter().filter(|word| telling.contains(&word.as_str())).count();
    let counts = [
        (
            "en",
            count(&[
                "the", "is", "are", "what", "how", "of", "and", "does", "which", "why", "who", "when", "do", "in",
            ]),
        ),
        (
            "de",
            count(&[
                "der", "die", "das", "ist", "sind", "wie", "und", "was", "wer", "wann", "welche", "warum", "ein", "von",
            ]),
        ),
        (
            "es",
            count(&[
                "el", "los", "las", "es", "son", "que", "como", "cual", "y", "de", "del", "cuando", "por", "quien",
            ]),
        ),
        (
            "fr",
            count(&[
                "le", "les", "est", "sont", "que", "comment", "quel", "quelle", "et", "des", "du", "quand", "pourquoi",
                "qui",
            ]),
        ),
    ];
    let (language, most) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    let alone = counts.iter().filter(|(_, count)| *count == most).count() == 1;
    (most > 0 && alone).then_some(language)
}

static ALL: [Words; 7] = [
    Words {
        language: "en",
        disagree: "Where sources disagree",
        numbers: "Sources give different numbers:",
        dates: "Sources give different dates:",
        denials: "One source denies what another says:",
        read_on: "undated, read on {}",
        not_found: "Not found",
        no_source: "No source that was read answers:",
    },
    Words {
        language: "de",
        disagree: "Worin sich die Quellen widersprechen",
        numbers: "Die Quellen nennen verschiedene Zahlen:",
        dates: "Die Quellen nennen verschiedene Daten:",
        denials: "Eine Quelle bestreitet, was eine andere sagt:",
        read_on: "ohne Datum, gelesen am {}",
        not_found: "Nicht gefunden",
        no_source: "Keine gelesene Quelle beantwortet:",
    },
    Words {
        language: "es",
        disagree: "En qué discrepan las fuentes",
        numbers: "Las fuentes dan cifras distintas:",
        dates: "Las fuentes dan fechas distintas:",
        denials: "Una fuente niega lo que otra afirma:",
        read_on: "sin fecha, leída el {}",
        not_found: "No encontrado",
        no_source: "Ninguna de las fuentes leídas responde a:",
    },
    Words {
        language: "fr",
        disagree: "Ce sur quoi les sources divergent",
        numbers: "Les sources donnent des chiffres différents :",
        dates: "Les sources donnent des dates différentes :",
        denials: "Une source nie ce qu’une autre affirme :",
        read_on: "sans date, lue le {}",
        not_found: "Non trouvé",
        no_source: "Aucune source lue ne répond à :",
    },
    Words {
        language: "ja",
        disagree: "情報源の食い違い",
        numbers: "情報源によって数値が異なります:",
        dates: "情報源によって日付が異なります:",
        denials: "ある情報源が別の情報源の記述を否定しています:",
        read_on: "日付なし、{}に閲覧",
        not_found: "見つからなかったこと",
        no_source: "読んだ情報源には答えがありませんでした:",
    },
    Words {
        language: "zh",
        disagree: "来源之间的分歧",
        numbers: "各来源给出的数字不同:",
        dates: "各来源给出的日期不同:",
        denials: "一个来源否认另一个来源的说法:",
        read_on: "无日期，阅读于 {}",
        not_found: "未找到",
        no_source: "读过的来源没有回答:",
    },
    Words {
        language: "ar",
        disagree: "ما تختلف فيه المصادر",
        numbers: "تذكر المصادر أرقامًا مختلفة:",
        dates: "تذكر المصادر تواريخ مختلفة:",
        denials: "ينفي مصدر ما يقوله مصدر آخر:",
        read_on: "بلا تاريخ، قُرئ في {}",
        not_found: "لم يُعثر عليه",
        no_source: "لا يجيب أي مصدر مقروء عن:",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_speaks_the_language_of_the_question() {
        for (question, locale, language) in [
            ("How high is the tower?", Some("de"), "en"),
            ("Wie hoch ist der Turm?", Some("en"), "de"),
            ("¿Cuál es la altura de la torre y por qué?", None, "es"),
            ("Quelle est la hauteur de la tour et pourquoi ?", None, "fr"),
            ("塔有多高？", Some("en"), "zh"),
            ("塔の高さは？", None, "ja"),
            ("ما ارتفاع البرج؟", None, "ar"),
            ("Halden", Some("de-CH"), "de"),
            ("Halden", None, "en"),
        ] {
            assert_eq!(Words::of(question, locale).language, language, "{question}");
        }
    }
}
