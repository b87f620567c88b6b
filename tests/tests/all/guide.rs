//! The guide is what the app answers from, so it has to be true.

use std::collections::BTreeSet;

use deepsearch_app::SETTINGS;

/// Names in the guide stand where the code has a wildcard.
fn documented(key: &str) -> String {
    key.replace("{engine}", "NAME").replace("{provider}", "PROVIDER")
}

#[test]
fn the_guide_names_every_setting_and_no_other() {
    let guide = include_str!("../../../guide/settings.md");
    let (_, reference) = guide
        .split_once("## The settings")
        .expect("the guide has a reference of settings");
    let told: BTreeSet<String> = reference
        .lines()
        .filter_map(|line| line.strip_prefix('`')?.split_once('`'))
        .map(|(key, _)| key.to_owned())
        .collect();
    let there: BTreeSet<String> = SETTINGS.iter().map(|info| documented(info.key)).collect();
    assert_eq!(told, there, "left: guide/settings.md, right: SETTINGS");
}
