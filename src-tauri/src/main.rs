//! The `deepsearch-desktop` program. What it does is in the library, so that tests can reach it.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    // The app starts this very program again to parse pages in a process that may die.
    if std::env::args_os().nth(1).is_some_and(|first| first == "__parse") {
        return deepsearch_app::run_parser();
    }
    deepsearch_desktop::run()
}
