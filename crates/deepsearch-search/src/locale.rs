//! A BCP 47 tag taken apart, as far as engines care: language, script and region.

use deepsearch_core::SearchQuery;

/// `zh-Hant-TW` → `zh`, `Hant`, `TW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Locale {
    /// Two or three lower-case letters.
    pub(crate) language: String,
    pub(crate) script: Option<String>,
    /// Two upper-case letters.
    pub(crate) region: Option<String>,
}

impl Locale {
    /// The locale of a query; `None` where there is none or it is no tag we understand.
    pub(crate) fn of(query: &SearchQuery) -> Option<Self> {
        let tag = query.locale.as_deref()?;
        let mut parts = tag.split(['-', '_']);
        let language = parts
            .next()
            .filter(|part| is_alphabetic(part, 2..=3))?
            .to_ascii_lowercase();
        let (mut script, mut region) = (None, None);
        for part in parts {
            if region.is_none() && is_alphabetic(part, 2..=2) {
                region = Some(part.to_ascii_uppercase());
            } else if script.is_none() && region.is_none() && is_alphabetic(part, 4..=4) {
                script = Some(part.to_ascii_lowercase());
            } else {
                break;
            }
        }
        Some(Self {
            language,
            script,
            region,
        })
    }

    /// Whether Chinese is to be written in traditional characters.
    pub(crate) fn is_traditional(&self) -> bool {
        match &self.script {
            Some(script) => script == "hant",
            None => matches!(self.region.as_deref(), Some("TW" | "HK" | "MO")),
        }
    }
}

fn is_alphabetic(part: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locale(tag: &str) -> Option<(String, Option<String>, Option<String>)> {
        let query = SearchQuery {
            text: String::new(),
            locale: Some(tag.into()),
            time_range: None,
            limit: 1,
        };
        Locale::of(&query).map(|locale| (locale.language, locale.script, locale.region))
    }

    #[test]
    fn tags_are_taken_apart() {
        let some = |part: &str| Some(part.to_owned());
        assert_eq!(locale("en"), Some(("en".into(), None, None)));
        assert_eq!(locale("de_ch"), Some(("de".into(), None, some("CH"))));
        assert_eq!(locale("zh-Hant-TW"), Some(("zh".into(), some("hant"), some("TW"))));
        assert_eq!(locale("de-CH-1996"), Some(("de".into(), None, some("CH"))));
        assert_eq!(locale("gsw-u-sd-chzh"), Some(("gsw".into(), None, None)));
        for none in ["", "x", "1234", "not a tag", "../../etc"] {
            assert_eq!(locale(none), None, "{none}");
        }
    }
}
