//! What tests need from outside: the documents, the real model, Redis, the built window. `cargo xtask test` brings all of it.
//!
//! Run by plain `cargo test`, a test that lacks something says so and passes by; under `cargo xtask test` it fails,
//! so that nothing is left out unseen.

use std::path::PathBuf;

use url::Url;

/// The folder of manuals, one sub-folder each: `python`, `postgresql`, `sqlite`, `django`, `git`, `apache`.
pub fn corpus() -> Option<PathBuf> {
    from_environment("DEEPSEARCH_TEST_CORPUS").map(PathBuf::from)
}

/// The OpenAI-compatible address of the small real model, whose name there is `smollm2`.
///
/// # Panics
/// When the variable holds no URL.
pub fn model_url() -> Option<Url> {
    from_environment("DEEPSEARCH_TEST_MODEL_URL")
        .map(|url| Url::parse(&url).expect("DEEPSEARCH_TEST_MODEL_URL is a URL"))
}

/// The OpenAI-compatible address of the same model where it embeds.
///
/// # Panics
/// When the variable holds no URL.
pub fn embedding_url() -> Option<Url> {
    from_environment("DEEPSEARCH_TEST_EMBEDDING_URL")
        .map(|url| Url::parse(&url).expect("DEEPSEARCH_TEST_EMBEDDING_URL is a URL"))
}

/// The built program of the window, which carries the built interface.
pub fn desktop() -> Option<PathBuf> {
    from_environment("DEEPSEARCH_TEST_DESKTOP").map(PathBuf::from)
}

/// The folder of an unpacked package, as if it were `/`; `cargo xtask package --check` names it.
pub fn package() -> Option<PathBuf> {
    from_environment("DEEPSEARCH_TEST_PACKAGE").map(PathBuf::from)
}

/// Whether a missing need fails the test.
pub fn complete() -> bool {
    std::env::var_os("DEEPSEARCH_TEST_COMPLETE").is_some()
}

fn from_environment(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        missing(name);
    }
    value
}

/// Says that a need is missing.
///
/// # Panics
/// Under `cargo xtask test`.
#[expect(
    clippy::print_stderr,
    reason = "the one who runs the tests should know what was left out"
)]
pub fn missing(what: &str) {
    assert!(
        !complete(),
        "{what} is missing, and `cargo xtask test` should have brought it"
    );
    eprintln!("passed by: {what} is missing; `cargo xtask test` brings it");
}
