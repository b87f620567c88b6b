//! The parser child on its own, for this crate's tests and benchmarks; the app starts its own binary instead.

use std::process::ExitCode;

fn main() -> ExitCode {
    deepsearch_crawl::run_parser()
}
