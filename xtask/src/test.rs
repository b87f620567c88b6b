//! `cargo xtask test`: everything CI holds the project to, in the order that fails fastest, all reported at the end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::setup::{self, Consent};
use crate::{corpus, model, prepare, shell};

struct Outcome {
    name: &'static str,
    took: Duration,
    result: Result<()>,
}

/// Sets up, checks and tests the whole workspace. `bare` leaves out what needs servers, the model or the documents.
///
/// # Errors
/// When the set-up fails, or any check or test does.
pub(crate) fn test(consent: Consent, bare: bool) -> Result<()> {
    let mut needs: Vec<_> = setup::BUILD.iter().collect();
    if !bare {
        needs.extend(setup::TESTS);
    }
    setup::ensure(consent, &needs)?;
    let mut outcomes = checks();
    outcomes.push(step("tests", || tests(consent, bare)));
    outcomes.push(step("examples in the docs", || {
        shell::run(&mut shell::cargo(&[
            "test",
            "--workspace",
            "--locked",
            "--doc",
            "--quiet",
        ]))
    }));
    report(&outcomes)
}

fn checks() -> Vec<Outcome> {
    vec![
        step("format", || shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))),
        step("licences and bans", deny),
        step("clippy", || {
            shell::run(&mut shell::cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ]))
        }),
        step("checked queries", || prepare::prepare(true)),
        step("docs", || {
            shell::run(
                shell::cargo(&[
                    "doc",
                    "--workspace",
                    "--no-deps",
                    "--locked",
                    "--document-private-items",
                ])
                .env("RUSTDOCFLAGS", "-D warnings"),
            )
        }),
    ]
}

// Advisories need the network and change by the day: the workflow asks for them, not each test run.
fn deny() -> Result<()> {
    if shell::which("cargo-deny").is_none() {
        println!("    left out: cargo-deny is not installed (`cargo install cargo-deny --locked` brings it)");
        return Ok(());
    }
    shell::run(&mut shell::cargo(&[
        "deny",
        "--offline",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))
}

fn tests(consent: Consent, bare: bool) -> Result<()> {
    let mut command = if shell::which("cargo-nextest").is_some() {
        shell::cargo(&["nextest", "run", "--workspace", "--locked", "--no-fail-fast"])
    } else {
        shell::cargo(&[
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--lib",
            "--bins",
            "--tests",
        ])
    };
    if bare {
        return shell::run(&mut command);
    }
    let documents = corpus::ensure(consent)?;
    // Ends when it goes out of scope: after the tests, however they went.
    let server = model::ModelServer::start(&model::ensure(consent)?)?;
    shell::run(
        command
            .env("DEEPSEARCH_TEST_CORPUS", documents)
            .env("DEEPSEARCH_TEST_MODEL_URL", server.url())
            // A test that lacks one of these is a failure here, not left out.
            .env("DEEPSEARCH_TEST_COMPLETE", "1"),
    )
    .context("some tests failed; their names and reasons are above")
}

fn step(name: &'static str, work: impl FnOnce() -> Result<()>) -> Outcome {
    shell::say(name);
    let started = Instant::now();
    let result = work();
    if let Err(error) = &result {
        eprintln!("    failed: {error:#}");
    }
    Outcome {
        name,
        took: started.elapsed(),
        result,
    }
}

fn report(outcomes: &[Outcome]) -> Result<()> {
    println!();
    for outcome in outcomes {
        let mark = if outcome.result.is_ok() { "ok    " } else { "FAILED" };
        println!("{mark} {:>7.1} s  {}", outcome.took.as_secs_f64(), outcome.name);
    }
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_err())
        .map(|outcome| outcome.name)
        .collect();
    if !failed.is_empty() {
        bail!(
            "{} failed; mend the first and run `cargo xtask test` again",
            failed.join(", ")
        );
    }
    Ok(())
}
