use std::collections::BTreeSet;

use serde_json::Value;

const LISTEN: [&str; 2] = ["core:event:allow-listen", "core:event:allow-unlisten"];

fn read(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).expect("reading the file")).expect("JSON")
}

fn permissions(file: &str) -> BTreeSet<String> {
    let capability = read(file);
    let list = capability["permissions"].as_array().expect("a list of permissions");
    list.iter()
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect()
}

fn commands() -> BTreeSet<String> {
    let source = include_str!("../../src/commands/mod.rs");
    let list = source
        .split("collect_commands![")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    list.expect("the list of commands")
        .split(',')
        .filter_map(|path| path.trim().rsplit_once("::"))
        .map(|(_, name)| format!("allow-{}", name.replace('_', "-")))
        .collect()
}

/// All that quick ask may do: ask, and show one answer. Whoever lets it do more changes this list.
const QUICK_ASK: [&str; 19] = [
    "core:event:allow-listen",
    "core:event:allow-unlisten",
    "allow-ask",
    "allow-watch-answer",
    "allow-stop-answer",
    "allow-running-answers",
    "allow-open-chat",
    "allow-open-message",
    "allow-open-page",
    "allow-favicon",
    "allow-open-link",
    "allow-copy-text",
    "allow-list-settings",
    "allow-list-engines",
    "allow-default-model",
    "allow-info",
    "allow-hide-quick-ask",
    "allow-fit-quick-ask",
    "allow-carry-on",
];

/// All that the window of a start may do: nothing of it needs an app.
const OPENING: [&str; 6] = [
    "core:event:allow-listen",
    "core:event:allow-unlisten",
    "allow-current-opening",
    "allow-open-again",
    "allow-show-data-folder",
    "allow-close-window",
];

#[test]
fn each_small_window_may_do_what_it_is_for_and_a_main_window_all_but_what_is_theirs_alone() {
    let own: BTreeSet<String> = [
        "allow-hide-quick-ask",
        "allow-fit-quick-ask",
        "allow-carry-on",
        "allow-current-opening",
        "allow-open-again",
        "allow-show-data-folder",
    ]
    .map(str::to_owned)
    .into();
    let set = |permissions: &[&str]| permissions.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(permissions("capabilities/quick.json"), set(&QUICK_ASK));
    assert_eq!(permissions("capabilities/opening.json"), set(&OPENING));
    let everything: BTreeSet<String> = commands().into_iter().chain(LISTEN.map(str::to_owned)).collect();
    let expected = &everything - &own;
    assert_eq!(permissions("capabilities/main.json"), expected);
}

/// Styles may stand in the document, and nothing else may: KaTeX sets each letter of a formula in its place by a `style`
/// attribute, and the list of chats, the reader's width and the toasts do likewise with what they have measured. No nonce or
/// hash lets an attribute through. What strangers wrote brings none in (`ui/src/shared/markdown/sanitise.ts` and the reader
/// take them off), and where a style would fetch something from, `img-src`, `font-src` and `default-src` say.
#[test]
fn the_policy_lets_nothing_out_and_no_foreign_script_in() {
    let policy = &read("tauri.conf.json")["app"]["security"]["csp"];
    let expected = serde_json::json!({
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self' ipc: http://ipc.localhost",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-src": "'none'",
        "frame-ancestors": "'none'"
    });
    assert_eq!(*policy, expected);
}
