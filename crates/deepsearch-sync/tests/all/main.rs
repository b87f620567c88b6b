//! What sync promises.

mod device;
mod engine;
mod labels;
mod link;
mod psql;
mod real;
mod regressions;
mod server;
mod simulation;
mod worlds;

/// A campaign's figures, for whoever runs it with `--nocapture`.
fn report(line: &str) {
    use std::io::Write;
    writeln!(std::io::stdout().lock(), "{line}").unwrap();
}
