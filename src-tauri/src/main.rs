//! The `deepsearch-desktop` program. What it does is in the library, so that tests can reach it.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    deepsearch_desktop::run()
}
