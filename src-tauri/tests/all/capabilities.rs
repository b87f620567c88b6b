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

#[test]
fn a_window_may_do_nothing_but_listen_and_call_our_commands() {
    let ours = commands();
    for file in ["capabilities/main.json", "capabilities/quick.json"] {
        for permission in permissions(file) {
            assert!(
                ours.contains(&permission) || LISTEN.contains(&permission.as_str()),
                "{file}: {permission}"
            );
        }
    }
}

#[test]
fn every_command_can_be_called_from_some_window() {
    let allowed = &permissions("capabilities/main.json") | &permissions("capabilities/quick.json");
    let missing: Vec<_> = commands().difference(&allowed).cloned().collect();
    assert!(missing.is_empty(), "in no capability: {missing:?}");
}

#[test]
fn quick_ask_changes_neither_settings_nor_chats_nor_backups() {
    let quick = permissions("capabilities/quick.json");
    let changing = [
        "update-", "delete-", "restore-", "rename-", "pin-", "archive-", "empty-", "export-", "create-",
    ];
    for permission in quick {
        assert!(!changing.iter().any(|verb| permission.contains(verb)), "{permission}");
    }
}

#[test]
fn the_policy_lets_nothing_out_and_no_foreign_script_in() {
    let policy = &read("tauri.conf.json")["app"]["security"]["csp"];
    let expected = serde_json::json!({
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": "'self' ipc: http://ipc.localhost",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-src": "'none'",
        "frame-ancestors": "'none'"
    });
    assert_eq!(*policy, expected);
}
