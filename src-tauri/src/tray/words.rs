//! The few words that are shown outside of any window, in the languages of the app.

use deepsearch_app::{App, Origin};

/// The words of one language.
pub(crate) struct Words {
    pub(crate) ask: &'static str,
    pub(crate) open: &'static str,
    pub(crate) quit: &'static str,
    pub(crate) answer_ready: &'static str,
}

const fn words(ask: &'static str, open: &'static str, quit: &'static str, answer_ready: &'static str) -> Words {
    Words {
        ask,
        open,
        quit,
        answer_ready,
    }
}

static ENGLISH: Words = words("Ask…", "Open DeepSearch", "Quit", "Your answer is ready");
static ALL: [(&str, Words); 6] = [
    (
        "de",
        words("Fragen …", "DeepSearch öffnen", "Beenden", "Ihre Antwort ist da"),
    ),
    (
        "es",
        words("Preguntar…", "Abrir DeepSearch", "Salir", "Su respuesta está lista"),
    ),
    (
        "fr",
        words(
            "Poser une question…",
            "Ouvrir DeepSearch",
            "Quitter",
            "Votre réponse est prête",
        ),
    ),
    (
        "ja",
        words("質問する…", "DeepSearch を開く", "終了", "回答ができました"),
    ),
    ("zh", words("提问…", "打开 DeepSearch", "退出", "回答已就绪")),
    ("ar", words("اسأل…", "فتح DeepSearch", "إنهاء", "إجابتك جاهزة")),
];

/// The words of the language that was chosen, or of the system's where none was.
pub(crate) fn of(app: &App) -> &'static Words {
    let chosen = app
        .setting("language")
        .ok()
        .filter(|setting| setting.origin != Origin::Default);
    let chosen = chosen.and_then(|setting| setting.value.as_str().map(str::to_owned));
    let tag = chosen.or_else(sys_locale::get_locale).unwrap_or_default();
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    ALL.iter()
        .find(|(language, _)| *language == primary)
        .map_or(&ENGLISH, |(_, words)| words)
}
