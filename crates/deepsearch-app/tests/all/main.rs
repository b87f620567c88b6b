//! Promises of the use cases that need no network. Journeys with a web and a model are in the workspace's `tests/`.

mod asking;
mod carry;
mod offered_folders;
mod settings;
mod watched_folders;

use std::path::Path;

use deepsearch_app::{App, AppOptions, Config};

/// An app on a data folder, with settings as the environment gives them. Nothing is looked for on this machine.
async fn app(home: &Path, environment: &[(&str, &str)]) -> App {
    App::open(AppOptions::new(config(home, environment).unwrap()))
        .await
        .unwrap()
}

fn config(home: &Path, environment: &[(&str, &str)]) -> Result<Config, deepsearch_app::AppError> {
    let fixed = [
        ("DEEPSEARCH_HOME", home.to_str().unwrap()),
        ("DEEPSEARCH_MODELS__DISCOVER_LOCAL", "false"),
        ("DEEPSEARCH_SECRETS__KEYCHAIN", "false"),
    ];
    let pairs = fixed
        .iter()
        .chain(environment)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(pairs)
}
