//! The few words that a browser shows at the end of a sign-in, in the languages of the app.

use deepsearch_auth::Page;

/// Title and text when it went well, and when it did not.
type Words = [(&'static str, &'static str); 2];

const ENGLISH: Words = [
    ("You are signed in", "Go back to DeepSearch; this page can be closed."),
    (
        "Signing in did not work",
        "DeepSearch says why, and lets you try again.",
    ),
];

const OTHERS: [(&str, Words); 6] = [
    (
        "de",
        [
            (
                "Sie sind angemeldet",
                "Zurück zu DeepSearch; diese Seite kann geschlossen werden.",
            ),
            (
                "Die Anmeldung ist nicht gelungen",
                "DeepSearch sagt, warum, und lässt Sie es noch einmal versuchen.",
            ),
        ],
    ),
    (
        "es",
        [
            ("Has iniciado sesión", "Vuelve a DeepSearch; puedes cerrar esta página."),
            (
                "No se pudo iniciar sesión",
                "DeepSearch te dice por qué y te permite intentarlo de nuevo.",
            ),
        ],
    ),
    (
        "fr",
        [
            (
                "Vous êtes connecté",
                "Revenez à DeepSearch ; vous pouvez fermer cette page.",
            ),
            (
                "La connexion n’a pas abouti",
                "DeepSearch vous dit pourquoi et vous permet de réessayer.",
            ),
        ],
    ),
    (
        "ja",
        [
            (
                "サインインしました",
                "DeepSearch に戻ってください。このページは閉じてかまいません。",
            ),
            (
                "サインインできませんでした",
                "DeepSearch に理由が表示されます。もう一度お試しください。",
            ),
        ],
    ),
    (
        "zh",
        [
            ("您已登录", "请返回 DeepSearch；可以关闭此页面。"),
            ("登录未成功", "DeepSearch 会说明原因，您可以重试。"),
        ],
    ),
    (
        "ar",
        [
            ("لقد سجّلت الدخول", "عُد إلى DeepSearch؛ يمكنك إغلاق هذه الصفحة."),
            ("لم ينجح تسجيل الدخول", "يوضّح DeepSearch السبب ويتيح لك المحاولة مجددًا."),
        ],
    ),
];

/// The page in a language of the app, or in English.
pub(super) fn page(language: Option<&str>, done: bool) -> Page {
    let primary = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or("en");
    let found = OTHERS.iter().find(|(language, _)| *language == primary);
    let (language, words) = found.map_or(("en", ENGLISH), |(language, words)| (*language, *words));
    let (title, text) = words[usize::from(!done)];
    Page {
        done,
        language: language.to_owned(),
        title: title.to_owned(),
        text: text.to_owned(),
    }
}
