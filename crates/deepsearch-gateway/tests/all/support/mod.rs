//! What the tests share: a world of servers, a browser, an app.

pub(crate) mod app;
pub(crate) mod browser;
pub(crate) mod database;
pub(crate) mod doubles;
pub(crate) mod peer;
pub(crate) mod world;

/// Says that something is missing. Under `cargo xtask test` that is a failure.
#[expect(
    clippy::print_stderr,
    reason = "the one who runs the tests should know what was left out"
)]
pub(crate) fn missing(what: &str) {
    let complete = std::env::var_os("DEEPSEARCH_TEST_COMPLETE").is_some();
    assert!(
        !complete,
        "{what} is missing, and `cargo xtask test` should have brought it"
    );
    eprintln!("passed by: {what} is missing; `cargo xtask test` brings it");
}
