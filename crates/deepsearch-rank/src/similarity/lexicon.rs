//! The few words whose meaning decides between "says so" and "says the opposite": negators, opposites, months, units
//! of counting, and a little help with irregular forms. English first, then German, Spanish, French, Chinese, Japanese.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Folded words that turn a statement round.
const NEGATORS: &[&str] = &[
    "aint", "aucun", "aucune", "cannot", "hardly", "jamais", "jamas", "kein", "keine", "keinem", "keinen", "keiner",
    "keines", "lacks", "neither", "never", "nicht", "nie", "niemals", "ningun", "ninguna", "no", "none", "nor", "not",
    "nunca", "ohne", "pas", "rarely", "sans", "sin", "unable", "weder", "without",
];

/// The same in scripts without spaces, and the words they are part of without negating.
const UNSEGMENTED_NEGATORS: &[&str] = &[
    "不",
    "没",
    "沒",
    "无",
    "無",
    "未",
    "ない",
    "ません",
    "なかっ",
    "なし",
    "ずに",
];
const UNSEGMENTED_EXCEPTIONS: &[&str] = &[
    "不同",
    "不仅",
    "不僅",
    "不但",
    "不断",
    "不斷",
    "不过",
    "不過",
    "不久",
    "不少",
    "未来",
    "未來",
    "无线",
    "無線",
    "無料",
    "だけでなく",
    "だけではなく",
    "かもしれない",
    "しかない",
];
/// Opposites in scripts without spaces.
pub(super) const UNSEGMENTED_OPPOSITES: &[(&str, &str)] = &[
    ("增加", "减少"),
    ("增加", "減少"),
    ("上升", "下降"),
    ("最大", "最小"),
    ("最高", "最低"),
    ("上昇", "下降"),
    ("高い", "低い"),
    ("大きい", "小さい"),
    ("長い", "短い"),
    ("速い", "遅い"),
    ("增长", "下降"),
    ("允许", "禁止"),
    ("同步", "异步"),
    ("開始", "終了"),
    ("开始", "结束"),
    ("可变", "不可变"),
    ("必须", "可选"),
    ("之前", "之后"),
];

/// Opposites: the words of the second list say the contrary of those of the first.
const OPPOSITES: &[(&[&str], &[&str])] = &[
    (
        &[
            "increase", "rise", "rose", "risen", "grow", "grew", "grown", "gain", "climb",
        ],
        &[
            "decrease", "fall", "fell", "fallen", "shrink", "shrank", "decline", "drop", "reduce",
        ],
    ),
    (&["enable", "activate"], &["disable", "deactivate"]),
    (
        &["allow", "permit", "let"],
        &["forbid", "forbidden", "prohibit", "prevent", "disallow", "deny", "ban"],
    ),
    (&["accept", "approve"], &["reject", "refuse"]),
    (&["include", "contain", "comprise"], &["exclude", "omit"]),
    (&["before", "earlier"], &["after", "later"]),
    (&["first"], &["last"]),
    (&["high", "higher", "highest"], &["low", "lower", "lowest"]),
    (&["more", "most"], &["less", "least", "fewer", "fewest"]),
    (&["maximum", "max"], &["minimum", "min"]),
    (
        &["large", "larger", "largest", "big", "bigger", "biggest", "huge"],
        &["small", "smaller", "smallest", "tiny"],
    ),
    (&["long", "longer", "longest"], &["short", "shorter", "shortest"]),
    (
        &["fast", "faster", "fastest", "quick", "quickly", "rapid"],
        &["slow", "slower", "slowest", "slowly"],
    ),
    (&["new", "newer", "newest"], &["old", "older", "oldest"]),
    (&["true"], &["false"]),
    (&["win", "won"], &["lose", "lost"]),
    (
        &["begin", "began", "begun", "start", "commence"],
        &["end", "finish", "conclude"],
    ),
    (&["ascend", "ascending"], &["descend", "descending"]),
    (
        &["require", "required", "need", "needed", "mandatory", "necessary"],
        &["optional", "unnecessary"],
    ),
    (&["synchronous", "synchronously"], &["asynchronous", "asynchronously"]),
    (&["succeed", "success", "successful"], &["fail", "failure"]),
    (&["northern", "north"], &["southern", "south"]),
    (&["eastern", "east"], &["western", "west"]),
    (
        &["hot", "warm", "hotter", "warmer"],
        &["cold", "cool", "colder", "cooler"],
    ),
    (&["strong", "stronger"], &["weak", "weaker"]),
    (&["public"], &["private"]),
    (&["mutable"], &["immutable"]),
    (&["signed"], &["unsigned"]),
    (&["safe"], &["unsafe"]),
    (&["valid"], &["invalid"]),
    (&["possible"], &["impossible"]),
    (&["legal"], &["illegal"]),
    (&["same", "identical", "equal"], &["different", "unequal"]),
    (&["open", "opened"], &["close", "closed"]),
    (&["cheap", "cheaper"], &["expensive"]),
    (&["positive"], &["negative"]),
    (&["odd"], &["even"]),
    (&["lazy", "lazily"], &["eager", "eagerly"]),
    (&["ordered"], &["unordered"]),
    (&["upper", "uppercase"], &["lowercase"]),
    (
        &["steigen", "stieg", "gestiegen", "wachsen", "zugenommen"],
        &["sinken", "sank", "gesunken", "schrumpfen", "abgenommen"],
    ),
    (&["mehr"], &["weniger"]),
    (
        &["grosser", "grosste", "grossten"],
        &["kleiner", "kleinste", "kleinsten"],
    ),
    (&["schneller"], &["langsamer"]),
    (
        &["aumentar", "aumento", "aumentaron", "subio"],
        &["disminuir", "disminuyo", "disminuyeron", "bajo"],
    ),
    (&["mayor"], &["menor"]),
    (&["mas"], &["menos"]),
    (&["augmenter", "augmente"], &["diminuer", "diminue", "baisse"]),
];

/// Words that say the same, or are forms of one word that a stemmer does not join. The first stands for all.
const SAME: &[&[&str]] = &[
    &[
        "establish",
        "established",
        "founded",
        "founder",
        "founding",
        "foundation",
    ],
    &["find", "found"],
    &["write", "wrote", "written"],
    &["buy", "bought", "purchase", "acquire"],
    &["use", "used", "uses", "utilize", "utilise", "employ"],
    &["create", "make", "made", "build", "built"],
    &["release", "publish"],
    &["film", "movie"],
    &["car", "automobile"],
    &["die", "died", "death"],
    &["birth", "born"],
    &["locate", "situate", "lies"],
    &["show", "shown", "display"],
    &["delete", "remove", "erase"],
    &["change", "modify", "alter"],
    &["whole", "entire"],
    &["help", "assist"],
    &["nation", "country"],
    &["company", "firm"],
    &["people", "inhabitants", "residents", "population"],
    &["hold", "held"],
    &["sell", "sold"],
    &["take", "took", "taken"],
    &["give", "gave", "given"],
    &["become", "became"],
    &["run", "ran"],
    &["keep", "kept"],
    &["lead", "led"],
    &["send", "sent"],
    &["know", "knew", "known"],
    &["choose", "chose", "chosen"],
    &["break", "broke", "broken"],
    &["teach", "taught"],
    &["tall", "height"],
    &["approximately", "about", "roughly", "around"],
];

/// What one word stands for, and whether it says the contrary of that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub(super) word: &'static str,
    pub(super) opposite: bool,
}

static MEANINGS: LazyLock<HashMap<&'static str, Meaning>> = LazyLock::new(|| {
    let same = SAME.iter().map(|words| (*words, words[0], false));
    let one = OPPOSITES.iter().map(|(words, _)| (*words, words[0], false));
    let other = OPPOSITES.iter().map(|(words, others)| (*others, words[0], true));
    same.chain(one)
        .chain(other)
        .flat_map(|(words, word, opposite)| words.iter().map(move |form| (*form, Meaning { word, opposite })))
        .collect()
});

/// The meaning of a folded word: as it is written, or of a regular form of it.
pub(super) fn meaning(folded: &str) -> Option<Meaning> {
    let known = |form: &str| MEANINGS.get(form).copied();
    let with_y = || {
        folded
            .strip_suffix("ied")
            .or(folded.strip_suffix("ies"))
            .and_then(|stem| known(&format!("{stem}y")))
    };
    known(folded).or_else(with_y).or_else(|| {
        ["s", "d", "es", "ed", "ing", "ly"].iter().find_map(|ending| {
            let stem = folded.strip_suffix(ending).filter(|stem| stem.len() >= 3)?;
            known(stem).or_else(|| known(&format!("{stem}e")))
        })
    })
}

pub(super) fn is_negator(folded: &str) -> bool {
    NEGATORS.binary_search(&folded).is_ok()
}

/// Whether a clause in a script without spaces is negated.
pub(super) fn negates_unsegmented(clause: &str) -> bool {
    let mut clause = clause.to_owned();
    for exception in UNSEGMENTED_EXCEPTIONS {
        clause = clause.replace(exception, "");
    }
    UNSEGMENTED_NEGATORS.iter().any(|negator| clause.contains(negator))
}

/// Verbs and particles that help other words in German, Spanish and French, where the core's stop words lack them.
pub(super) fn is_auxiliary(folded: &str) -> bool {
    const AUXILIARIES: &[&str] = &[
        "desde", "durch", "era", "ete", "etait", "fue", "fueron", "gibt", "ha", "habe", "haben", "han", "hat", "hatte",
        "hatten", "hay", "kann", "konnen", "leur", "nach", "ne", "ont", "peut", "puede", "sa", "ser", "ses", "sido",
        "sont", "su", "sus", "tiene", "tienen", "uber", "war", "waren", "werden", "wird", "worden", "wurde", "wurden",
    ];
    AUXILIARIES.binary_search(&folded).is_ok()
}

/// Words after which a number is meant roughly.
pub(super) fn is_approximate(folded: &str) -> bool {
    const APPROXIMATE: &[&str] = &[
        "about",
        "almost",
        "aproximadamente",
        "approximately",
        "around",
        "ca",
        "casi",
        "circa",
        "environ",
        "etwa",
        "nearly",
        "over",
        "presque",
        "roughly",
        "rund",
        "some",
        "ungefahr",
        "unos",
    ];
    APPROXIMATE.binary_search(&folded).is_ok()
}

/// 1 to 12 for the name of a month, and whether the name can mean nothing else.
pub(super) fn month(folded: &str) -> Option<(u8, bool)> {
    const MONTHS: &[&[&str]] = &[
        &["january", "januar", "enero", "janvier", "jan"],
        &["february", "februar", "febrero", "fevrier", "feb"],
        &["march", "marz", "marzo", "mars", "mar"],
        &["april", "abril", "avril", "apr"],
        &["may", "mai", "mayo"],
        &["june", "juni", "junio", "juin", "jun"],
        &["july", "juli", "julio", "juillet", "jul"],
        &["august", "agosto", "aout", "aug"],
        &["september", "septiembre", "septembre", "sept", "sep"],
        &["october", "oktober", "octubre", "octobre", "oct", "okt"],
        &["november", "noviembre", "novembre", "nov"],
        &["december", "dezember", "diciembre", "decembre", "dec", "dez"],
    ];
    let at = MONTHS.iter().position(|names| names.contains(&folded))?;
    let clear = folded.len() > 4 && !matches!(folded, "march" | "marzo" | "august");
    Some((u8::try_from(at).ok()? + 1, clear))
}

/// Small numbers in words. "One" is left out: it is more often an article or a pronoun.
pub(super) fn number_word(folded: &str) -> Option<f64> {
    const WORDS: &[(&[&str], f64)] = &[
        (&["zero"], 0.0),
        (&["two", "zwei", "dos", "deux", "twice"], 2.0),
        (&["three", "drei", "tres", "trois"], 3.0),
        (&["four", "vier", "cuatro", "quatre"], 4.0),
        (&["five", "funf", "cinco", "cinq"], 5.0),
        (&["six", "sechs", "seis"], 6.0),
        (&["seven", "sieben", "siete", "sept"], 7.0),
        (&["eight", "acht", "ocho", "huit"], 8.0),
        (&["nine", "neun", "nueve", "neuf"], 9.0),
        (&["ten", "zehn", "diez", "dix"], 10.0),
        (&["eleven", "elf", "onze"], 11.0),
        (&["twelve", "zwolf", "doce", "douze"], 12.0),
        (&["twenty", "zwanzig", "veinte", "vingt"], 20.0),
        (&["hundred", "hundert"], 100.0),
    ];
    WORDS
        .iter()
        .find(|(words, _)| words.contains(&folded))
        .map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_searched_lists_are_sorted() {
        assert!(NEGATORS.is_sorted());
        assert!(is_auxiliary("desde") && is_auxiliary("ser") && is_auxiliary("wurden"));
        assert!(is_approximate("about") && is_approximate("unos"));
    }

    #[test]
    fn regular_forms_have_the_meaning_of_their_word() {
        for (form, word, opposite) in [
            ("increases", "increase", false),
            ("disabled", "enable", true),
            ("purchased", "buy", false),
        ] {
            assert!(
                meaning(form).is_some_and(|found| found.word == word && found.opposite == opposite),
                "{form}"
            );
        }
    }
}
