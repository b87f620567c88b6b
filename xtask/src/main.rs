//! Set-up and chores, the same on all three systems: `cargo xtask run | test | bench | simulate |
//! prepare | bindings | package`.
//!
//! Each command first brings in what it needs, says what it does and why, and can be run again. The product is never
//! imported here, so that this builds in seconds on a machine that has only Rust.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program for the terminal"
)]

mod bench;
mod corpus;
mod model;
mod npm;
mod package;
mod peers;
mod prepare;
mod python;
mod run;
mod setup;
mod shell;
mod simulate;
mod test;
mod ui;
mod web_app;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask run [-- ARGS]        set up, build, and open the window
                                 (with ARGS: run `deepsearch ARGS` instead)
cargo xtask test [--bare]        set up everything the tests need, then check and test the whole workspace
                                 (--bare: only what needs no server, no model and no documents)
cargo xtask bench [NAME]         run all benchmarks, or one
                                 (desktop -- MEASURE: only start, search, quick-ask, stream, memory or size)
cargo xtask simulate [--seeds N] [--steps M] [--from SEED]
                                 let devices, a web app and a server that fails live through N random worlds
cargo xtask prepare [--check]    write the data of the compile-time checked queries anew
                                 (--check: only say whether it is current)
cargo xtask bindings             write the TypeScript that the interface knows Rust by anew
cargo xtask package [--check]    build the packages that a person installs
                                 (--check: then unpack them, look at what is in them, start from them, ask and quit;
                                 as root, in CI or a container or with a yes, the .deb is installed and removed again)

Where a person sits at the terminal, nothing is installed unasked. --yes answers yes to every question.
DEEPSEARCH_DEV_CACHE moves the folder for what is downloaded for the tests.";

fn main() -> ExitCode {
    match dispatch(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(mut args: Vec<String>) -> anyhow::Result<()> {
    if args.is_empty() {
        anyhow::bail!("say what to do:\n{USAGE}");
    }
    let command = args.remove(0);
    let (mut own, passed) = split_at_dashes(args);
    let consent = setup::Consent::new(take(&mut own, "--yes"));
    match command.as_str() {
        "run" => run::run(consent, &[own, passed].concat()),
        "test" => {
            let bare = take(&mut own, "--bare");
            none_left(&own)?;
            test::test(consent, bare)
        }
        "bench" => bench::bench(consent, own.first().map(String::as_str), &passed),
        "simulate" => simulate::simulate(consent, own),
        "prepare" => {
            let check = take(&mut own, "--check");
            none_left(&own)?;
            prepare::prepare(consent, check)
        }
        "bindings" => {
            none_left(&own)?;
            ui::bindings(consent)
        }
        "package" => {
            let check = take(&mut own, "--check");
            none_left(&own)?;
            package::package(consent, check)
        }
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => anyhow::bail!("there is no `cargo xtask {other}`; there are:\n{USAGE}"),
    }
}

fn split_at_dashes(mut args: Vec<String>) -> (Vec<String>, Vec<String>) {
    match args.iter().position(|arg| arg == "--") {
        Some(at) => {
            let passed = args.split_off(at + 1);
            args.truncate(at);
            (args, passed)
        }
        None => (args, Vec::new()),
    }
}

fn take(args: &mut Vec<String>, flag: &str) -> bool {
    let before = args.len();
    args.retain(|arg| arg != flag);
    args.len() < before
}

fn none_left(args: &[String]) -> anyhow::Result<()> {
    match args.first() {
        Some(arg) => anyhow::bail!("`{arg}` is not understood here:\n{USAGE}"),
        None => Ok(()),
    }
}
