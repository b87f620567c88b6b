//! Numbers in running text: `1,000`, `1.000`, `1 000` and `1000` are one number, `5 March 2024` and `2024-03-05` one
//! day, `1.5 km` and `1500 m` one length. What can be read in two ways keeps both readings.

use deepsearch_core::text::fold;

/// A number with what it counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    /// The readings of the digits, in the smallest unit of the dimension.
    values: Vec<f64>,
    /// As written, where the form is part of the meaning: version `3.10` is not `3.1`.
    form: Option<String>,
    dimension: Option<&'static str>,
}

/// A number and the bytes it takes, its unit included.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) number: Number,
}

impl Number {
    pub(super) fn of(value: f64) -> Self {
        Self {
            values: vec![value],
            form: None,
            dimension: None,
        }
    }

    pub(super) fn month(month: u8) -> Self {
        Self {
            values: vec![month.into()],
            form: None,
            dimension: Some("month"),
        }
    }

    /// What it counts, where that is said.
    pub(super) fn dimension(&self) -> Option<&'static str> {
        self.dimension
    }

    /// Whether its written form is what it means, as a version's is.
    pub(super) fn is_label(&self) -> bool {
        self.form.is_some()
    }

    /// Whether it is whole and lies between two others, in each of its readings.
    pub(super) fn is_between(&self, least: f64, most: f64) -> bool {
        self.values
            .iter()
            .all(|value| (least..=most).contains(value) && value.fract() == 0.0)
    }

    /// Whether evidence that has this number says what a claim with `claimed` says. Evidence may be more exact: it may
    /// name a unit that the claim leaves out, and may differ by 5 % from a claim that is meant roughly.
    pub(super) fn supports(&self, claimed: &Self, roughly: bool) -> bool {
        if claimed.dimension.is_some() && claimed.dimension != self.dimension {
            return false;
        }
        if let (Some(a), Some(b)) = (&self.form, &claimed.form) {
            return a == b;
        }
        let tolerance = if roughly { 0.05 } else { 1e-9 };
        let near = |a: f64, b: f64| (a - b).abs() <= tolerance * a.abs().max(b.abs());
        claimed
            .values
            .iter()
            .any(|claimed| self.values.iter().any(|own| near(*own, *claimed)))
    }

    /// The readings, for an index: numbers that support each other exactly share one of them.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> {
        self.values.iter().map(|value| value.to_bits())
    }
}

/// All numbers of a text, in order. Digits inside a word (`utf8`, `x86_64`) are part of that word.
pub(super) fn numbers(text: &str) -> Vec<Found> {
    let chars: Vec<(usize, char)> = text.char_indices().map(|(at, c)| (at, plain_digit(c))).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let starts = chars[at].1.is_ascii_digit() && (at == 0 || !joins_word(chars[at - 1].1));
        if !starts {
            at += 1;
            continue;
        }
        at = match date(&chars, at) {
            Some((end, parts)) => {
                let span = (chars[at].0, byte(&chars, end, text));
                found.extend(parts.into_iter().map(|number| Found {
                    start: span.0,
                    end: span.1,
                    number,
                }));
                end
            }
            None => number(text, &chars, at, &mut found),
        };
    }
    found
}

/// Full-width digits as plain ones.
fn plain_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
        _ => c,
    }
}

fn joins_word(c: char) -> bool {
    c == '_' || (c.is_alphanumeric() && !deepsearch_core::text::is_unsegmented(c))
}

fn byte(chars: &[(usize, char)], at: usize, text: &str) -> usize {
    chars.get(at).map_or(text.len(), |(byte, _)| *byte)
}

fn digits(chars: &[(usize, char)], at: usize) -> usize {
    chars[at..].iter().take_while(|(_, c)| c.is_ascii_digit()).count()
}

fn value(chars: &[(usize, char)]) -> f64 {
    chars
        .iter()
        .map(|(_, c)| c)
        .collect::<String>()
        .parse()
        .unwrap_or(f64::MAX)
}

/// A day in digits: year first, or year last with day and month in the order the separator tells, if it does.
fn date(chars: &[(usize, char)], start: usize) -> Option<(usize, Vec<Number>)> {
    let mut fields = Vec::new();
    let mut at = start;
    let separator = chars.get(start + digits(chars, start))?.1;
    if !matches!(separator, '-' | '.' | '/') {
        return None;
    }
    loop {
        let length = digits(chars, at);
        fields.push((length, value(&chars[at..at + length])));
        at += length;
        if fields.len() == 3 {
            break;
        }
        if chars.get(at)?.1 != separator || digits(chars, at + 1) == 0 {
            return None;
        }
        at += 1;
    }
    let (year, first, second) = match (fields[0].0, fields[1].0, fields[2].0) {
        (4, 1..=2, 1..=2) => (fields[0].1, fields[1].1, fields[2].1),
        (1..=2, 1..=2, 4) => (fields[2].1, fields[1].1, fields[0].1),
        _ => return None,
    };
    let month_of = |value: f64| (1.0..=12.0).contains(&value);
    let unclear = separator == '/' && fields[2].0 == 4 && month_of(first) && month_of(second);
    let (months, days) = match (unclear, month_of(first)) {
        (true, _) => (vec![first, second], vec![first, second]),
        (false, true) => (vec![first], vec![second]),
        (false, false) if month_of(second) => (vec![second], vec![first]),
        _ => return None,
    };
    let number = |values, dimension| Number {
        values,
        form: None,
        dimension,
    };
    Some((
        at,
        vec![
            number(vec![year], None),
            number(months, Some("month")),
            number(days, None),
        ],
    ))
}

/// One number with its unit; the place after it.
fn number(text: &str, chars: &[(usize, char)], start: usize, found: &mut Vec<Found>) -> usize {
    let (groups, separators, end) = groups(chars, start);
    let (mut values, form) = readings(&groups, &separators);
    let (unit_end, scale, dimension) = units(text, byte(chars, end, text));
    let after = chars[end..]
        .iter()
        .position(|(at, _)| *at >= unit_end)
        .map_or(chars.len(), |more| end + more);
    // What goes on as a word (`3D`, `1990s`, `2nd`) is that word, but for ordinals.
    let number_end = byte(chars, end, text);
    let suffix: String = text[number_end..].chars().take_while(|c| joins_word(*c)).collect();
    if unit_end == number_end && !suffix.is_empty() && !matches!(suffix.as_str(), "st" | "nd" | "rd" | "th") {
        return end + suffix.chars().count();
    }
    let currency = currency_before(text, chars[start].0);
    let dimension = dimension.or(currency);
    for value in &mut values {
        *value *= scale;
    }
    let form = form.filter(|_| dimension.is_none() && scale == 1.0);
    found.push(Found {
        start: chars[start].0,
        end: unit_end,
        number: Number {
            values,
            form,
            dimension,
        },
    });
    after.max(end)
}

/// Runs of digits and the separators between them.
fn groups(chars: &[(usize, char)], start: usize) -> (Vec<String>, Vec<char>, usize) {
    let take = |at: usize| {
        chars[at..at + digits(chars, at)]
            .iter()
            .map(|(_, c)| c)
            .collect::<String>()
    };
    let mut groups = vec![take(start)];
    let mut separators: Vec<char> = Vec::new();
    let mut at = start + groups[0].len();
    while let Some((_, separator)) = chars.get(at) {
        let length = if at + 1 < chars.len() { digits(chars, at + 1) } else { 0 };
        let thousands = length == 3 && groups[0].len() <= 3 && separators.iter().all(|other| other == separator);
        let goes_on = match separator {
            '.' | ',' => length > 0,
            ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’' => thousands,
            _ => false,
        };
        if !goes_on {
            break;
        }
        separators.push(*separator);
        groups.push(take(at + 1));
        at += 1 + length;
    }
    (groups, separators, at)
}

/// The values that groups of digits may mean, and their form where it matters.
fn readings(groups: &[String], separators: &[char]) -> (Vec<f64>, Option<String>) {
    let parse = |text: String| text.parse::<f64>().unwrap_or(f64::MAX);
    let Some((last, earlier)) = separators.split_last() else {
        return (vec![parse(groups.concat())], None);
    };
    let uniform = earlier.iter().all(|other| other == last);
    let by_thousands = groups[0].len() <= 3 && groups[0] != "0" && groups[1..].iter().all(|group| group.len() == 3);
    let decimal = || {
        let (fraction, whole) = groups.split_last().expect("a separator stands between two groups");
        parse(format!("{}.{fraction}", whole.concat()))
    };
    match (uniform && by_thousands, separators.len()) {
        (true, 1) if matches!(last, '.' | ',') => (vec![parse(groups.concat()), decimal()], None),
        (true, _) => (vec![parse(groups.concat())], None),
        (false, 1) => (vec![decimal()], Some(groups.join("."))),
        (false, _) if uniform => (vec![parse(groups[0].clone())], Some(groups.join("."))),
        (false, _) => (vec![decimal()], None),
    }
}

/// The scale words and the unit right after a number: where they end, the factor, and the dimension.
fn units(text: &str, mut end: usize) -> (usize, f64, Option<&'static str>) {
    let mut factor = 1.0;
    loop {
        let rest = &text[end..];
        let gap = rest.len() - rest.trim_start_matches([' ', '\u{a0}', '\u{202f}', '-']).len();
        let word: &str = match rest[gap..].chars().next() {
            Some(c) if c.is_alphabetic() && !deepsearch_core::text::is_unsegmented(c) => {
                let length = rest[gap..]
                    .find(|c: char| !c.is_alphanumeric() && c != '/')
                    .unwrap_or(rest.len() - gap);
                &rest[gap..gap + length]
            }
            Some(c) => &rest[gap..gap + c.len_utf8()],
            None => return (end, factor, None),
        };
        let folded = fold(word);
        let two_words =
            |first: &str, second: &str| folded == first && rest[gap + word.len()..].trim_start().starts_with(second);
        if two_words("pour", "cent") || two_words("por", "ciento") {
            let tail = rest[gap + word.len()..].trim_start();
            let length = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
            return (text.len() - tail.len() + length, factor, Some("%"));
        }
        if let Some((unit, factor_of_unit, dimension)) = unsegmented_unit(&rest[gap..]) {
            return (end + gap + unit.len(), factor * factor_of_unit, Some(dimension));
        }
        if let Some(scale) = scale(&folded) {
            factor *= scale;
            end += gap + word.len();
        } else if let Some((unit, dimension)) = unit(word, &folded) {
            return (end + gap + word.len(), factor * unit, Some(dimension));
        } else {
            return (end, factor, None);
        }
    }
}

fn scale(folded: &str) -> Option<f64> {
    Some(match folded {
        "thousand" | "tausend" | "mil" | "mille" | "千" => 1e3,
        "万" | "萬" => 1e4,
        "million" | "millions" | "millionen" | "millon" | "millones" | "mio" => 1e6,
        "亿" | "億" => 1e8,
        "billion" | "billions" | "milliarde" | "milliarden" | "milliard" | "milliards" | "mrd" => 1e9,
        _ => return None,
    })
}

/// The factor to the smallest unit, and the dimension. Symbols are told apart by case where that matters.
fn unit(word: &str, folded: &str) -> Option<(f64, &'static str)> {
    if let Some(by_case) = match word {
        "m" => Some((1.0, "length")),
        "MB" => Some((1e6, "bytes")),
        "GB" => Some((1e9, "bytes")),
        "TB" => Some((1e12, "bytes")),
        "kB" | "KB" => Some((1e3, "bytes")),
        "s" => Some((1.0, "time")),
        "h" => Some((3600.0, "time")),
        "g" => Some((1.0, "mass")),
        "%" | "％" => Some((1.0, "%")),
        "€" => Some((1.0, "eur")),
        "$" => Some((1.0, "usd")),
        "£" => Some((1.0, "gbp")),
        "¥" | "円" => Some((1.0, "jpy")),
        "元" => Some((1.0, "cny")),
        "年" => Some((1.0, "")),
        "月" => Some((1.0, "month")),
        "日" => Some((1.0, "")),
        _ => None,
    } {
        // A year and a day carry no unit in the other forms of a date.
        return (!by_case.1.is_empty()).then_some(by_case);
    }
    Some(match folded {
        "percent" | "prozent" => (1.0, "%"),
        "millimetre" | "millimeter" | "millimetres" | "millimeters" | "mm" => (1e-3, "length"),
        "centimetre" | "centimeter" | "centimetres" | "centimeters" | "zentimeter" | "cm" => (1e-2, "length"),
        "metre" | "meter" | "metres" | "meters" | "metros" => (1.0, "length"),
        "kilometre" | "kilometer" | "kilometres" | "kilometers" | "kilometros" | "km" => (1e3, "length"),
        "mile" | "miles" | "meilen" | "millas" => (1609.344, "length"),
        "foot" | "feet" | "ft" => (0.3048, "length"),
        "inch" | "inches" => (0.0254, "length"),
        "kilogram" | "kilograms" | "kilogramm" | "kilogramos" | "kilogrammes" | "kg" => (1e3, "mass"),
        "gram" | "grams" | "gramm" => (1.0, "mass"),
        "tonne" | "tonnes" | "tonnen" => (1e6, "mass"),
        "pound" | "pounds" | "lb" | "lbs" => (453.592_37, "mass"),
        "millisecond" | "milliseconds" | "millisekunden" | "ms" => (1e-3, "time"),
        "microsecond" | "microseconds" | "µs" => (1e-6, "time"),
        "second" | "seconds" | "sekunde" | "sekunden" | "segundos" | "secondes" | "sec" => (1.0, "time"),
        "minute" | "minutes" | "minuten" | "minutos" | "min" => (60.0, "time"),
        "hour" | "hours" | "stunde" | "stunden" | "horas" | "heures" => (3600.0, "time"),
        "day" | "days" | "tag" | "tage" | "tagen" | "dias" | "jours" => (86_400.0, "time"),
        "week" | "weeks" | "wochen" | "semanas" | "semaines" => (604_800.0, "time"),
        "month" | "months" | "monate" | "meses" | "mois" => (2_629_746.0, "time"),
        "year" | "years" | "jahre" | "jahren" | "anos" | "ans" | "annees" => (31_556_952.0, "time"),
        "byte" | "bytes" => (1.0, "bytes"),
        "kilobyte" | "kilobytes" | "kb" => (1e3, "bytes"),
        "megabyte" | "megabytes" | "mb" => (1e6, "bytes"),
        "gigabyte" | "gigabytes" | "gb" => (1e9, "bytes"),
        "terabyte" | "terabytes" | "tb" => (1e12, "bytes"),
        "euro" | "euros" | "eur" => (1.0, "eur"),
        "dollar" | "dollars" | "dolares" | "usd" => (1.0, "usd"),
        "yen" => (1.0, "jpy"),
        "celsius" => (1.0, "celsius"),
        "fahrenheit" => (1.0, "fahrenheit"),
        _ => return None,
    })
}

/// Units in scripts without spaces, where the next word is not parted from them.
fn unsegmented_unit(rest: &str) -> Option<(&'static str, f64, &'static str)> {
    const UNITS: &[(&str, f64, &str)] = &[
        ("公里", 1e3, "length"),
        ("千米", 1e3, "length"),
        ("厘米", 1e-2, "length"),
        ("米", 1.0, "length"),
        ("キロメートル", 1e3, "length"),
        ("センチメートル", 1e-2, "length"),
        ("メートル", 1.0, "length"),
        ("公斤", 1e3, "mass"),
        ("千克", 1e3, "mass"),
        ("キログラム", 1e3, "mass"),
        ("小时", 3600.0, "time"),
        ("時間", 3600.0, "time"),
        ("分钟", 60.0, "time"),
        ("分間", 60.0, "time"),
        ("秒", 1.0, "time"),
        ("パーセント", 1.0, "%"),
        ("美元", 1.0, "usd"),
        ("ドル", 1.0, "usd"),
        ("ユーロ", 1.0, "eur"),
    ];
    UNITS.iter().find(|(unit, ..)| rest.starts_with(unit)).copied()
}

fn currency_before(text: &str, start: usize) -> Option<&'static str> {
    match text[..start].trim_end().chars().next_back()? {
        '$' => Some("usd"),
        '€' => Some("eur"),
        '£' => Some("gbp"),
        '¥' => Some("jpy"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(evidence: &str, claim: &str) -> bool {
        let evidence = numbers(evidence);
        numbers(claim)
            .iter()
            .all(|claimed| evidence.iter().any(|own| own.number.supports(&claimed.number, false)))
    }

    #[test]
    fn one_number_in_many_forms_is_one_number() {
        for (a, b) in [
            ("1,000 users", "1000 users"),
            ("1.000 Nutzer", "1000 Nutzer"),
            ("1 000 personnes", "1000 personnes"),
            ("1,234,567.5", "1234567.5"),
            ("1.234.567,5", "1234567.5"),
            ("3,14", "3.14"),
            ("1.5 km", "1500 m"),
            ("2 hours", "120 minutes"),
            ("12 %", "12 percent"),
            ("3.1 million", "3,100,000"),
            ("$5 billion", "5,000,000,000 dollars"),
            ("2024-03-05", "2024年3月5日"),
            ("05.03.2024", "2024-03-05"),
            ("1991年", "1991"),
            ("120万", "1200000"),
            ("１９９１", "1991"),
            ("the 5th", "5"),
        ] {
            assert!(says(a, b) && says(b, a), "{a} is {b}");
        }
    }

    #[test]
    fn other_numbers_are_other_numbers() {
        for (a, b) in [
            ("3.10", "3.1"),
            ("5 km", "5 miles"),
            ("2024-03-05", "2024-03-06"),
            ("20 %", "20"),
            ("3.12.1", "3.12.2"),
            ("1991", "1992"),
            ("utf8", "8"),
            ("x86_64", "64"),
        ] {
            assert!(!says(a, b) || !says(b, a), "{a} is not {b}");
        }
    }
}
