//! Every page as a browser gets it, kept in `tests/pages`: `ui/tests/browser/gateway.test.ts` shows them in a real browser,
//! light and dark, narrow and from right to left, and asks whether everybody can use them.
//!
//! After a change of a template or a text, `DEEPSEARCH_UPDATE_PAGES=1` writes them anew.

use std::path::Path;

use super::{Asked, Frame, Page, Way, letter_mark, mail_mark, mail_sign, style_path};
use crate::texts::Lang;
use crate::trouble::{notice, success};

const DEVICE: &str = "Ada’s ThinkPad";
const NAME: &str = "Ada Lovelace";
const EMAIL: &str = "ada@example.org";
const LONG_EMAIL: &str = "augusta.ada.king.countess.of.lovelace@analytical-engines.example.org";

/// A page of the app's own name, without what changes with the style alone.
fn kept(name: &str, lang: Lang, page: Page) -> (String, String) {
    let html = page.html.replace(style_path(), "/style.css");
    (format!("{name}.{}.html", lang.tag()), html + "\n")
}

fn frame(lang: Lang) -> Frame {
    Frame {
        lang,
        host: "sign-in.example.org".to_owned(),
    }
}

fn ways(frame: &Frame) -> Page {
    let t = frame.lang.texts();
    let way = |label, mark| Way {
        address: "/sign-in/way?flow=f".to_owned(),
        label,
        mark,
    };
    let of = |name: &str| way(t.continue_with.with(&[("provider", name)]), letter_mark(name, 2));
    let ways = vec![
        of("Google"),
        of("GitHub"),
        of("Analytical Engines"),
        way(t.continue_email.with(&[]), mail_mark()),
    ];
    Page::of(&show!(Choose, frame, { lead: t.choose_lead.with(&[("device", DEVICE)]), ways }))
}

/// Of somebody who is known, on this device or elsewhere; or who is new, with all that may be long.
fn consent(frame: &Frame, elsewhere: bool, new: bool) -> Page {
    let t = frame.lang.texts();
    let values = [("device", DEVICE), ("name", if new { LONG_EMAIL } else { NAME })];
    let asked = || Asked {
        asked: t.asked_from.with(&[("when", "14:02 UTC"), ("address", "203.0.113.77")]),
        code: "BCDF-GHJK".to_owned(),
    };
    Page::of(&show!(Consent, frame, {
        plain_title: t.consent_title.plain(&values),
        title: t.consent_title.with(&values),
        lead: t.consent_lead.with(&values),
        mark: letter_mark(values[1].1, 1),
        name: (!new).then(|| NAME.to_owned()),
        email: if new { LONG_EMAIL } else { EMAIL }.to_owned(),
        way: if new { t.email_way.plain(&[]) } else { "GitHub".to_owned() },
        request: elsewhere.then(asked),
        new,
        flow: "f".to_owned(),
        form: "g".to_owned(),
    }))
}

fn all(lang: Lang) -> Vec<(String, String)> {
    let frame = &frame(lang);
    let t = lang.texts();
    let (flow, code) = ("f".to_owned(), "BCDF-XXXX".to_owned());
    let email = |address: &str, bad| {
        let (flow, address) = (flow.clone(), address.to_owned());
        Page::of(&show!(Email, frame, { flow, address, bad }))
    };
    let provider = [("provider", "GitHub")];
    let text = t.mailed_text.with(&[("address", EMAIL)]);
    let (address, link) = (
        EMAIL.to_owned(),
        Some(("/choose?flow=f".to_owned(), t.other_way.plain(&[]))),
    );
    let pages = [
        ("choose", ways(frame)),
        ("email", email("", false)),
        ("email-bad", email("ada@example", true)),
        (
            "mailed",
            Page::of(&show!(Mailed, frame, { flow: flow.clone(), address, text, sign: mail_sign() })),
        ),
        ("consent", consent(frame, false, false)),
        ("consent-new", consent(frame, false, true)),
        ("consent-elsewhere", consent(frame, true, false)),
        (
            "device",
            Page::of(&show!(Device, frame, { code: String::new(), bad: false })),
        ),
        ("device-bad", Page::of(&show!(Device, frame, { code, bad: true }))),
        (
            "device-done",
            success(
                frame,
                (&t.device_done_title, &t.device_done_text),
                &[("device", DEVICE)],
            ),
        ),
        ("done", success(frame, (&t.done_title, &t.done_text), &[])),
        ("denied", notice(frame, (&t.denied_title, &t.denied_text), &[])),
        (
            "provider",
            Page::of(&show!(Message, frame, {
                plain_title: t.provider_title.plain(&provider), title: t.provider_title.with(&provider),
                text: t.provider_text.with(&provider), sign: None, next: None, link,
            })),
        ),
        (
            "link",
            Page::of(&show!(Message, frame, {
                plain_title: t.link_title.plain(&[]), title: t.link_title.with(&[]), text: t.link_text.with(&[]),
                sign: None, next: Some(t.again_in_app.plain(&[])), link: None,
            })),
        ),
    ];
    pages.into_iter().map(|(name, page)| kept(name, lang, page)).collect()
}

#[test]
fn the_pages_are_those_that_were_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    let is_updated = std::env::var_os("DEEPSEARCH_UPDATE_PAGES").is_some();
    for (name, html) in [Lang::En, Lang::De, Lang::Ar].into_iter().flat_map(all) {
        let file = folder.join(&name);
        if is_updated {
            std::fs::write(&file, html).expect("the page is written");
            continue;
        }
        let looked_at = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            // A checkout may end lines its own way.
            looked_at.replace("\r\n", "\n") == html,
            "{name} has changed: look at it (DEEPSEARCH_UPDATE_PAGES=1 writes it, `npm run test:browser -- gateway` shows it)"
        );
    }
}
