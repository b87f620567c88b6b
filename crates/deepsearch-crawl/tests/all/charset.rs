//! Text arrives as it was written, whoever lies about its charset.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, KOI8_R, SHIFT_JIS, UTF_8, WINDOWS_1250, WINDOWS_1251,
    WINDOWS_1252, WINDOWS_1253,
};
use url::Url;

use crate::support::reader;

const WESTERN: &str =
    "Der Müller aß Äpfel in Köln, und das Café war für Señor Núñez früh geöffnet. Preis: 5 € – „günstig“.";
const POLISH: &str =
    "Zażółć gęślą jaźń. Wczoraj wieczorem w Łodzi padał śnieg, a dziś świeci słońce i ludzie wyszli na ulicę.";
const RUSSIAN: &str =
    "Смотритель маяка записывал погоду каждое утро, и книга потом была напечатана. Читатели возвращаются к ней.";
const GREEK: &str =
    "Ο φαροφύλακας έγραφε τον καιρό κάθε πρωί και το βιβλίο τυπώθηκε αργότερα. Οι αναγνώστες επιστρέφουν.";
const JAPANESE: &str =
    "灯台守は毎朝天気を書き留め、その本は後に印刷された。読者は今でもそれを読み返している。カタカナも。";
const CHINESE: &str =
    "灯塔看守人每天早晨都记录天气，这本书后来出版了。读者们至今仍然会重读它，因为它讲述了四十个冬天的故事。";
const TAIWANESE: &str =
    "燈塔看守人每天早晨都記錄天氣，這本書後來出版了。讀者們至今仍然會重讀它，因為它講述了四十個冬天。";
const KOREAN: &str =
    "등대지기는 매일 아침 날씨를 적었고 그 책은 나중에 인쇄되었다. 독자들은 지금도 그 책을 다시 읽는다.";

/// Charset, how it is declared (by the server, in the document), the text.
type Case = (
    &'static Encoding,
    Option<&'static str>,
    Option<&'static str>,
    &'static str,
);

const CASES: &[Case] = &[
    // said by the server, said in the document, not said at all
    (UTF_8, Some("utf-8"), None, WESTERN),
    (UTF_8, None, Some("utf-8"), WESTERN),
    (UTF_8, None, None, WESTERN),
    (WINDOWS_1252, Some("windows-1252"), None, WESTERN),
    (WINDOWS_1252, None, Some("iso-8859-1"), WESTERN),
    (WINDOWS_1252, None, None, WESTERN),
    (WINDOWS_1250, Some("windows-1250"), None, POLISH),
    (WINDOWS_1250, None, None, POLISH),
    (WINDOWS_1251, None, Some("windows-1251"), RUSSIAN),
    (WINDOWS_1251, None, None, RUSSIAN),
    (KOI8_R, Some("koi8-r"), None, RUSSIAN),
    (KOI8_R, None, None, RUSSIAN),
    (WINDOWS_1253, Some("windows-1253"), None, GREEK),
    (SHIFT_JIS, Some("shift_jis"), None, JAPANESE),
    (SHIFT_JIS, None, Some("Shift_JIS"), JAPANESE),
    (SHIFT_JIS, None, None, JAPANESE),
    (EUC_JP, None, None, JAPANESE),
    (ISO_2022_JP, Some("iso-2022-jp"), None, JAPANESE),
    (ISO_2022_JP, None, None, JAPANESE),
    (GBK, Some("gbk"), None, CHINESE),
    (GBK, None, Some("gb2312"), CHINESE),
    (GBK, None, None, CHINESE),
    (GB18030, Some("gb18030"), None, CHINESE),
    (BIG5, Some("big5"), None, TAIWANESE),
    (BIG5, None, None, TAIWANESE),
    (EUC_KR, Some("euc-kr"), None, KOREAN),
    (EUC_KR, None, None, KOREAN),
    // said wrongly
    (UTF_8, Some("iso-8859-1"), None, WESTERN),
    (UTF_8, Some("windows-1251"), None, RUSSIAN),
    (UTF_8, None, Some("shift_jis"), JAPANESE),
    (UTF_8, Some("iso-8859-1"), Some("gbk"), CHINESE),
    (WINDOWS_1252, Some("utf-8"), None, WESTERN),
    (GBK, Some("utf-8"), None, CHINESE),
    (SHIFT_JIS, None, Some("utf-8"), JAPANESE),
    (WINDOWS_1251, Some("nonsense"), None, RUSSIAN),
    (WINDOWS_1252, Some("nonsense"), Some("windows-1252"), WESTERN),
    (UTF_8, None, Some("utf-16"), WESTERN),
];

#[tokio::test]
async fn every_charset_of_the_table_is_read() {
    let reader = reader();
    let url = Url::parse("https://example.org/").unwrap();
    for (encoding, by_server, inside, text) in CASES {
        let name = format!("{} said {by_server:?} and {inside:?}", encoding.name());
        let meta = inside.map_or(String::new(), |charset| format!("<meta charset=\"{charset}\">"));
        let html = format!(
            "<!doctype html><html><head>{meta}<title>T</title></head><body><article><h1>H</h1><p>{text}</p><p>{text}</p><p>{text}</p></article></body></html>"
        );
        let (bytes, _, has_unmappable) = encoding.encode(&html);
        assert!(!has_unmappable, "{name}: the text does not exist in this charset");
        let content_type = by_server.map_or("text/html".into(), |charset| format!("text/html; charset={charset}"));
        let page = reader
            .parse(&bytes, Some(&content_type), &url)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.text.contains(text), "{name}: {}", page.text);
    }
}

#[tokio::test]
async fn utf_16_is_read_with_and_without_its_mark() {
    let reader = reader();
    let url = Url::parse("https://example.org/").unwrap();
    let html = format!("<!doctype html><html><body><article><p>{WESTERN}</p><p>{WESTERN}</p></article></body></html>");
    let little: Vec<u8> = html.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = html.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (name, bytes, content_type) in [
        ("LE with mark", [&[0xff, 0xfe][..], &little].concat(), "text/html"),
        (
            "BE with mark",
            [&[0xfe, 0xff][..], &big].concat(),
            "text/html; charset=utf-8",
        ),
        ("LE said", little.clone(), "text/html; charset=utf-16le"),
        ("BE said", big.clone(), "text/html; charset=utf-16be"),
        ("LE unsaid", little, "text/html"),
        ("BE unsaid", big, "text/html"),
    ] {
        let page = reader
            .parse(&bytes, Some(content_type), &url)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.text.contains(WESTERN), "{name}: {}", page.text);
    }
}

#[tokio::test]
async fn a_mark_goes_before_what_is_said_and_damage_is_survived() {
    let reader = reader();
    let url = Url::parse("https://example.org/").unwrap();
    let marked = [b"\xef\xbb\xbf", WESTERN.as_bytes()].concat();
    let page = reader
        .parse(&marked, Some("text/plain; charset=windows-1251"), &url)
        .await
        .unwrap();
    assert_eq!(page.text, WESTERN);
    let damaged = [WESTERN.as_bytes(), b" \xff\xfe broken"].concat();
    let page = reader
        .parse(&damaged, Some("text/plain; charset=utf-8"), &url)
        .await
        .unwrap();
    assert!(
        page.text.starts_with(WESTERN) && page.text.ends_with("broken"),
        "{}",
        page.text
    );
}
