//! Settings: which layer wins, and that a change holds.

use anyhow::Result;
use deepsearch_tests::cli::Home;
use serde_json::{Value, json};

use crate::world::offline;

fn get(home: &Home, key: &str) -> Result<(Value, Value)> {
    let mut setting = home.run(["settings", "get", key, "--json"])?.succeeded()?.json()?;
    Ok((setting["value"].take(), setting["origin"].take()))
}

#[test]
fn the_environment_goes_before_the_file_the_file_before_what_is_stored_and_that_before_the_default() -> Result<()> {
    let home = offline()?;
    for (key, default, stored, file, environment) in [
        ("max_search_results", json!(10), json!(20), json!(30), json!(40)),
        ("answer.pages", json!(8), json!(3), json!(4), json!(5)),
    ] {
        let config = home.path().join("config.toml");
        let _ = std::fs::remove_file(&config);
        assert_eq!(
            get(&home, key)?,
            (
                default.clone(),
                json!(if key.contains('.') { "default" } else { "stored" })
            )
        );
        home.run(["settings", "set", key, &stored.to_string()])?.succeeded()?;
        assert_eq!(get(&home, key)?, (stored.clone(), json!("stored")));
        std::fs::write(&config, format!("{key} = {file}\n"))?;
        assert_eq!(get(&home, key)?, (file, json!("file")));

        let refused = home.run(["settings", "set", key, "7"])?;
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains("configuration file"), "{}", refused.stderr);
        let variable = format!("DEEPSEARCH_{}", key.to_uppercase().replace('.', "__"));
        let output = home
            .command(["settings", "get", key, "--json"])?
            .env(variable, environment.to_string())
            .output()?;
        let setting: Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!(
            (&setting["value"], &setting["origin"]),
            (&environment, &json!("environment"))
        );

        std::fs::remove_file(&config)?;
        assert_eq!(get(&home, key)?.0, stored, "what was stored is still there");
        home.run(["settings", "unset", key])?.succeeded()?;
        assert_eq!(get(&home, key)?.0, default);
    }
    Ok(())
}

#[test]
fn every_setting_is_listed_with_its_meaning() -> Result<()> {
    let home = offline()?;
    let all = home.run(["settings", "list", "--json"])?.succeeded()?.json()?;
    let keys: Vec<&str> = all
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["key"].as_str())
        .collect();
    for key in [
        "theme",
        "language",
        "default_model",
        "enable_search_by_default",
        "max_search_results",
        "engines.order",
        "redis.url",
    ] {
        assert!(keys.contains(&key), "{key} in {keys:?}");
    }
    assert!(
        all.as_array()
            .into_iter()
            .flatten()
            .all(|one| one["about"].as_str().is_some_and(|about| !about.is_empty()))
    );
    Ok(())
}
