//! Texts: what pages and mails say, in the app's seven languages.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::markup::{Markup, escape};

/// A language that the app speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Lang {
    #[default]
    En,
    De,
    Es,
    Fr,
    Ja,
    Zh,
    Ar,
}

impl Lang {
    const ALL: [Self; 7] = [Self::En, Self::De, Self::Es, Self::Fr, Self::Ja, Self::Zh, Self::Ar];

    /// Chooses by what the app said (`ui_locales`), then by what the browser prefers, else English.
    pub(crate) fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        let wanted = ui_locales.unwrap_or_default().split_whitespace();
        let mut accepted: Vec<(f32, &str)> = accept_language
            .unwrap_or_default()
            .split(',')
            .take(20)
            .filter_map(|part| {
                let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
                Some((weight.trim().parse().ok()?, tag.trim()))
            })
            .collect();
        // Stable, so that equals stay in the browser's order.
        accepted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        wanted
            .chain(accepted.into_iter().map(|(_, tag)| tag))
            .find_map(Self::of_tag)
            .unwrap_or_default()
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|lang| lang.primary() == primary)
    }

    fn primary(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::Ja => "ja",
            Self::Zh => "zh",
            Self::Ar => "ar",
        }
    }

    /// For `<html lang>`.
    pub(crate) fn tag(self) -> &'static str {
        if self == Self::Zh { "zh-Hans" } else { self.primary() }
    }

    /// For `<html dir>`.
    pub(crate) fn direction(self) -> &'static str {
        if self == Self::Ar { "rtl" } else { "ltr" }
    }

    pub(crate) fn texts(self) -> &'static Texts {
        let place = Self::ALL.iter().position(|lang| *lang == self).unwrap_or_default();
        &TEXTS[place]
    }
}

static TEXTS: LazyLock<[Texts; 7]> = LazyLock::new(|| {
    [
        include_str!("../messages/en.json"),
        include_str!("../messages/de.json"),
        include_str!("../messages/es.json"),
        include_str!("../messages/fr.json"),
        include_str!("../messages/ja.json"),
        include_str!("../messages/zh.json"),
        include_str!("../messages/ar.json"),
    ]
    // They are part of the program, and a test reads each.
    .map(|json| serde_json::from_str(json).expect("the messages have every text and no other"))
});

macro_rules! texts {
    ($($name:ident,)*) => {
        /// Every text, by its name. One that a language lacks, or has and nobody uses, is a mistake.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct Texts {
            $(pub(crate) $name: Text,)*
        }

        #[cfg(test)]
        impl Texts {
            fn all(&self) -> Vec<(&'static str, &Text)> {
                vec![$((stringify!($name), &self.$name)),*]
            }
        }
    };
}

texts! {
    sign_in_title,
    choose_lead,
    choose_lead_device,
    continue_with,
    continue_email,
    email_title,
    email_lead,
    email_label,
    email_send,
    other_way,
    bad_address,
    mailed_title,
    mailed_text,
    mailed_junk,
    mailed_again,
    mail_subject,
    mail_text,
    mail_text_device,
    mail_button,
    mail_note,
    consent_title,
    consent_lead,
    consent_started,
    consent_new,
    consent_allow,
    consent_deny,
    consent_other,
    label_account,
    label_way,
    label_code,
    label_asked,
    asked_from,
    email_way,
    consent_device_warning,
    device_title,
    device_lead,
    device_label,
    device_continue,
    device_done_title,
    device_done_text,
    done_title,
    done_text,
    denied_title,
    denied_text,
    home_text,
    again_in_app,
    bad_app_title,
    bad_app_text,
    flow_title,
    flow_text,
    link_title,
    link_text,
    provider_title,
    provider_text,
    no_email_title,
    no_email_text,
    unverified_title,
    unverified_text,
    taken_title,
    taken_text,
    limited_title,
    limited_text,
    code_title,
    code_text,
    mail_failed_title,
    mail_failed_text,
    not_found_title,
    not_found_text,
    internal_title,
    internal_text,
    footer,
}

/// A text with places for values: `{device}`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text(String);

impl Text {
    /// As markup. Each value stands apart, so that one written from right to left does not turn around its neighbours.
    pub(crate) fn with(&self, values: &[(&str, &str)]) -> Markup {
        Markup(self.fill(escape, values, |value| format!("<bdi>{}</bdi>", escape(value))))
    }

    /// As plain text, for the title of a page and for mails.
    pub(crate) fn plain(&self, values: &[(&str, &str)]) -> String {
        self.fill(str::to_owned, values, str::to_owned)
    }

    /// Goes through the text once, so that what a value holds is never taken for a place.
    fn fill(&self, text: impl Fn(&str) -> String, values: &[(&str, &str)], value: impl Fn(&str) -> String) -> String {
        let mut filled = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else {
                break;
            };
            filled.push_str(&text(before));
            let found = values.iter().find(|(known, _)| *known == name);
            filled.push_str(&found.map(|(_, given)| value(given)).unwrap_or_default());
            rest = behind;
        }
        filled.push_str(&text(rest));
        filled
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_text_with_the_same_places() {
        let places = |text: &Text| {
            let mut places: Vec<String> = text
                .0
                .split('{')
                .skip(1)
                .map(|part| part.split('}').next().unwrap_or_default().to_owned())
                .collect();
            places.sort();
            places
        };
        for lang in Lang::ALL {
            for ((name, text), (_, english)) in lang.texts().all().into_iter().zip(Lang::En.texts().all()) {
                assert!(!text.0.trim().is_empty(), "{lang:?} {name}");
                assert_eq!(places(text), places(english), "{lang:?} {name}");
            }
        }
    }

    #[test]
    fn the_app_s_language_goes_before_the_browser_s() {
        assert_eq!(Lang::choose(Some("de-AT"), Some("fr")), Lang::De);
        assert_eq!(Lang::choose(Some("xx"), Some("nl, ja;q=0.5, fr;q=0.9")), Lang::Fr);
        assert_eq!(Lang::choose(None, Some("zh-CN,zh;q=0.9")), Lang::Zh);
        assert_eq!(Lang::choose(None, Some("*;q=x,,;q=NaN")), Lang::En);
        assert_eq!(Lang::choose(None, None), Lang::En);
    }

    #[test]
    fn a_value_is_text_and_nothing_else() {
        let title = &Lang::En.texts().consent_title;
        let markup = title
            .with(&[("device", "<b>{name}</b>"), ("name", "O'Neil & \"Co\"")])
            .0;
        assert_eq!(
            markup,
            "Sign in to DeepSearch on <bdi>&lt;b&gt;{name}&lt;/b&gt;</bdi> as <bdi>O&#39;Neil &amp; &quot;Co&quot;</bdi>?"
        );
    }
}
