//! The few words that are shown outside of any window, in the languages of the app.

use deepsearch_app::{App, Origin};

/// The words of one language.
pub(crate) struct Words {
    pub(crate) ask: &'static str,
    pub(crate) open: &'static str,
    pub(crate) quit: &'static str,
    /// What the window of quick ask is called, by desktops and in the list of their shortcuts.
    pub(crate) quick_ask: &'static str,
    pub(crate) answer_ready: &'static str,
    pub(crate) answer_changed: &'static str,
    pub(crate) sync: SyncWords,
}

/// How sync stands, as the window says it too.
#[derive(Clone, Copy)]
pub(crate) struct SyncWords {
    pub(crate) waiting: &'static str,
    pub(crate) synced: &'static str,
    pub(crate) running: &'static str,
    pub(crate) offline: &'static str,
    pub(crate) stopped: &'static str,
    pub(crate) private: &'static str,
}

const fn words(
    [ask, open, quit, quick_ask, answer_ready, answer_changed]: [&'static str; 6],
    sync: [&'static str; 6],
) -> Words {
    let [waiting, synced, running, offline, stopped, private] = sync;
    Words {
        ask,
        open,
        quit,
        quick_ask,
        answer_ready,
        answer_changed,
        sync: SyncWords {
            waiting,
            synced,
            running,
            offline,
            stopped,
            private,
        },
    }
}

static ENGLISH: Words = words(
    [
        "Ask…",
        "Open DeepSearch",
        "Quit",
        "DeepSearch – quick ask",
        "Your answer is ready",
        "An old answer has changed",
    ],
    [
        "Waiting to sync",
        "Synced",
        "Syncing…",
        "Offline",
        "Sync stopped",
        "Private mode",
    ],
);
static ALL: [(&str, Words); 6] = [
    (
        "de",
        words(
            [
                "Fragen …",
                "DeepSearch öffnen",
                "Beenden",
                "DeepSearch – Schnellfrage",
                "Ihre Antwort ist da",
                "Eine frühere Antwort hat sich geändert",
            ],
            [
                "Wartet auf Abgleich",
                "Synchronisiert",
                "Wird abgeglichen …",
                "Offline",
                "Abgleich angehalten",
                "Privater Modus",
            ],
        ),
    ),
    (
        "es",
        words(
            [
                "Preguntar…",
                "Abrir DeepSearch",
                "Salir",
                "DeepSearch: pregunta rápida",
                "Su respuesta está lista",
                "Una respuesta anterior ha cambiado",
            ],
            [
                "Pendiente de sincronizar",
                "Sincronizado",
                "Sincronizando…",
                "Sin conexión",
                "Sincronización detenida",
                "Modo privado",
            ],
        ),
    ),
    (
        "fr",
        words(
            [
                "Poser une question…",
                "Ouvrir DeepSearch",
                "Quitter",
                "DeepSearch – question rapide",
                "Votre réponse est prête",
                "Une ancienne réponse a changé",
            ],
            [
                "En attente de synchronisation",
                "Synchronisé",
                "Synchronisation…",
                "Hors ligne",
                "Synchronisation arrêtée",
                "Mode privé",
            ],
        ),
    ),
    (
        "ja",
        words(
            [
                "質問する…",
                "DeepSearch を開く",
                "終了",
                "DeepSearch – クイック質問",
                "回答ができました",
                "以前の回答に変更があります",
            ],
            [
                "同期待ち",
                "同期済み",
                "同期中…",
                "オフライン",
                "同期が停止しました",
                "プライベートモード",
            ],
        ),
    ),
    (
        "zh",
        words(
            [
                "提问…",
                "打开 DeepSearch",
                "退出",
                "DeepSearch – 快速提问",
                "回答已就绪",
                "以前的回答有变化",
            ],
            ["等待同步", "已同步", "正在同步…", "离线", "同步已停止", "隐私模式"],
        ),
    ),
    (
        "ar",
        words(
            [
                "اسأل…",
                "فتح DeepSearch",
                "إنهاء",
                "DeepSearch – سؤال سريع",
                "إجابتك جاهزة",
                "تغيّرت إجابة سابقة",
            ],
            [
                "بانتظار المزامنة",
                "تمت المزامنة",
                "جارٍ المزامنة…",
                "غير متصل",
                "توقفت المزامنة",
                "الوضع الخاص",
            ],
        ),
    ),
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
