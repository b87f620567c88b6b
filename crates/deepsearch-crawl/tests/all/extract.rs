//! What is kept of a page and what is left, on small documents of the kinds that people read.

use deepsearch_crawl::{ExtractError, Extracted, extract_html};
use url::Url;

fn url() -> Url {
    Url::parse("https://www.example.org/blog/2024/bread").expect("a valid address")
}

fn read(html: &str) -> Extracted {
    extract_html(html, &url()).expect("a readable page")
}

const NAVIGATION: &str = r#"<header><nav class="site-nav"><ul><li><a href="/">Home</a></li><li><a href="/shop">Shop</a></li>
<li><a href="/about">About us</a></li><li><a href="/contact">Contact</a></li></ul></nav></header>"#;

const FOOTER: &str = r#"<div class="share-buttons"><a href="/s/1">Share on Facebook</a> <a href="/s/2">Tweet</a></div>
<div id="cookie-consent">We use cookies to improve your experience. <button>Accept all cookies</button></div>
<footer class="footer"><p>© 2024 Example Media. All rights reserved.</p><a href="/privacy">Privacy policy</a></footer>"#;

const LOAF: &str = "Sourdough needs nothing but flour, water, salt and patience, and the last of these is the hardest to \
find. Feed the starter in the morning, mix the dough at noon, and let it rest until the evening.";
const OVEN: &str = "Heat the oven to its highest setting, with a heavy pot inside. The steam that stays in the pot is what \
gives the crust its shine, so keep the lid on for the first twenty minutes and only then take it off.";
const CRUMB: &str = "A dense crumb means that the dough was cold or hurried. Give it another hour next time, and write down \
how warm the kitchen was, because the weather changes the bread more than any recipe does.";

fn article(extra: &str) -> String {
    format!(
        r#"<!DOCTYPE html><html lang="en-GB"><head><title>Slow bread | Example Media</title>
<meta property="og:site_name" content="Example Media"><link rel="shortcut icon" href="/icons/e.png">
<script type="application/ld+json">{{"@context":"https://schema.org","@type":"Article","headline":"Slow bread",
"datePublished":"2024-03-05T08:30:00+01:00","author":[{{"@type":"Person","name":"Ada Baker"}}]}}</script></head>
<body>{NAVIGATION}<main><article class="post-content"><h1>Slow bread</h1><p>{LOAF}</p><h2>In the oven</h2><p>{OVEN}</p>
{extra}<p>{CRUMB}</p></article></main>{FOOTER}</body></html>"#
    )
}

#[test]
fn an_article_is_kept_whole_and_its_furniture_left() {
    let page = read(&article(""));
    for kept in [LOAF, OVEN, CRUMB, "In the oven"] {
        assert!(
            page.text.lines().any(|line| line == kept),
            "`{kept}` is missing in:\n{}",
            page.text
        );
    }
    for left in ["Contact", "Tweet", "cookies", "rights reserved", "Privacy policy"] {
        assert!(!page.text.contains(left), "`{left}` was kept in:\n{}", page.text);
    }
}

#[test]
fn what_the_page_declares_is_read() {
    let page = read(&article(""));
    assert_eq!(page.title, "Slow bread");
    assert_eq!(page.author.as_deref(), Some("Ada Baker"));
    assert_eq!(page.site_name.as_deref(), Some("Example Media"));
    assert_eq!(
        page.published_at.map(|time| time.to_rfc3339()).as_deref(),
        Some("2024-03-05T07:30:00+00:00")
    );
    assert_eq!(
        page.favicon.map(String::from).as_deref(),
        Some("https://www.example.org/icons/e.png")
    );
    assert_eq!(page.language.as_deref(), Some("en-GB"));
}

#[test]
fn without_structured_data_the_head_and_the_page_tell() {
    let html = format!(
        r#"<html><head><title>Slow bread - Example</title><meta name="author" content="By Ada Baker">
<meta http-equiv="content-language" content="en_US"></head><body><h1>Slow bread</h1>
<time datetime="2023-11-02">2 November</time><p>{LOAF}</p><p>{OVEN}</p></body></html>"#
    );
    let page = read(&html);
    assert_eq!(page.title, "Slow bread");
    assert_eq!(page.author.as_deref(), Some("Ada Baker"));
    assert_eq!(
        page.published_at.map(|time| time.to_rfc3339()).as_deref(),
        Some("2023-11-02T00:00:00+00:00")
    );
    assert_eq!(page.language.as_deref(), Some("en-US"));
    assert_eq!(
        page.favicon.map(String::from).as_deref(),
        Some("https://www.example.org/favicon.ico")
    );
}

#[test]
fn lists_tables_and_code_keep_their_lines() {
    let page = read(&article(
        "<ul><li>500 grams of strong white flour</li><li>350 grams of water, warm to the hand</li></ul>\
         <table><tr><td>First rise, covered</td><td>four hours</td></tr><tr><td>Second rise, in the basket</td>\
         <td>one hour</td></tr></table>\
         <pre><code>let dough = mix(flour, water);\n    dough.rest(Hours(4));\nbake(dough);</code></pre>",
    ));
    let has = |wanted: &str| assert!(page.text.contains(wanted), "`{wanted}` is missing in:\n{}", page.text);
    has("\n500 grams of strong white flour\n350 grams of water, warm to the hand\n");
    has("\nFirst rise, covered | four hours\nSecond rise, in the basket | one hour\n");
    has("\nlet dough = mix(flour, water);\n    dough.rest(Hours(4));\nbake(dough);\n");
}

#[test]
fn the_reader_view_holds_the_same_words_and_nothing_that_acts() {
    let page = read(&article(
        r#"<p onclick="steal()">Read the <a href="/flour?a=1&b=2" onmouseover="x()">notes on flour</a> that we made while
the dough was resting, and the <a href="javascript:alert(1)">other notes</a> too.
<img src="https://tracker.example/pixel.gif" onerror="x()"><script>alert(2)</script></p>"#,
    ));
    let html = page.html.expect("a reader view");
    for unsafe_part in [
        "script",
        "onclick",
        "onmouseover",
        "onerror",
        "<img",
        "tracker",
        "style",
    ] {
        assert!(!html.contains(unsafe_part), "`{unsafe_part}` is in:\n{html}");
    }
    let link = r#"<a href="https://www.example.org/flour?a=1&amp;b=2" rel="noopener noreferrer">notes on flour</a>"#;
    assert!(html.contains(link), "{html}");
    let shown = words(&scrubbed(&html));
    assert_eq!(shown, words(&page.text));
}

fn scrubbed(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for char in html.chars() {
        match char {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            char if !inside => text.push(char),
            _ => {}
        }
    }
    text
}

fn words(text: &str) -> Vec<String> {
    text.split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_post_of_a_thread_is_kept() {
    let posts = [LOAF, OVEN, CRUMB].map(|text| {
        format!(
            r#"<div class="post"><div class="post-body"><p>{text}</p></div>
<div class="post-actions"><a href="/like">Like</a> <a href="/report">Report</a></div></div>"#
        )
    });
    let html = format!(
        r#"<html><head><title>My bread is flat</title></head><body>{NAVIGATION}<h1>My bread is flat</h1>
<div class="thread">{}</div>{FOOTER}</body></html>"#,
        posts.concat()
    );
    let page = read(&html);
    for post in [LOAF, OVEN, CRUMB] {
        assert!(page.text.contains(post), "a post is missing in:\n{}", page.text);
    }
    assert!(!page.text.contains("Report"), "{}", page.text);
}

#[test]
fn text_for_browsers_without_scripts_is_read_where_the_page_is_bare() {
    let html = format!(
        r#"<html><head><title>App</title></head><body><div id="app"></div><noscript><div class="post"><p>{LOAF}</p>
<p>{OVEN}</p></div></noscript></body></html>"#
    );
    assert!(read(&html).text.contains(LOAF));
}

#[test]
fn text_carried_as_data_for_scripts_is_read_where_the_page_is_bare() {
    let data = serde_json::json!({ "page": { "title": "Slow bread", "body": format!("<p>{LOAF}</p><p>{OVEN}</p>") } });
    let html = format!(
        r#"<html><head><title>App</title></head><body><div id="app"></div>
<script type="application/json">{}</script></body></html>"#,
        data.to_string().replace("</", "<\\/")
    );
    let page = read(&html);
    assert!(page.text.contains(LOAF) && page.text.contains(OVEN), "{}", page.text);
}

#[test]
fn a_page_with_no_text_gives_at_least_its_description() {
    let html =
        r#"<html><head><meta name="description" content="How to bake bread at home."></head><body></body></html>"#;
    assert_eq!(read(html).text, "How to bake bread at home.");
}

#[test]
fn a_page_with_nothing_to_read_says_so() {
    for html in [
        "",
        "   ",
        "<html><body><script>draw()</script></body></html>",
        "\u{0}\u{0}",
    ] {
        let error = extract_html(html, &url()).expect_err("nothing to read");
        assert!(matches!(error, ExtractError::NoText { .. }));
        assert!(error.to_string().contains("https://www.example.org/blog/2024/bread"));
    }
}

#[test]
fn hostile_nesting_and_size_are_survived() {
    let deep = format!("{}<p>{LOAF}</p>", "<div>".repeat(3_000));
    assert!(read(&deep).text.contains(LOAF));
    let spans = format!("<p>{}{LOAF}", "<span>".repeat(1_000));
    assert!(read(&spans).text.contains(LOAF));
    let wide = format!("<table>{}</table>", "<tr><td>one</td><td>two</td></tr>".repeat(8_000));
    assert!(!read(&wide).text.is_empty());
    let broken =
        "<a <b <c \" ' = <!-- <![CDATA[ <table><tr><p></table></div></p><svg><p>text that stays readable here</svg>";
    drop(extract_html(broken, &url()));
}

#[test]
fn other_scripts_than_latin_are_read() {
    let text = "天然酵母のパンに必要なのは、小麦粉と水と塩、そして時間だけです。朝に種を育て、昼に生地をこね、夜まで休ませます。";
    let html =
        format!("<html lang=\"ja\"><body><article><h1>パン</h1><p>{text}</p><p>{text}</p></article></body></html>");
    assert!(read(&html).text.contains(text));
}
