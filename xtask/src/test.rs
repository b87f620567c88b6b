//! `cargo xtask test`: everything CI holds the project to, in the order that fails fastest, all reported at the end.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{self, Consent};
use crate::{corpus, model, peers, prepare, python, shell, ui, web_app};

struct Outcome {
    name: &'static str,
    took: Duration,
    result: Result<()>,
}

/// What the tests find around them. Nothing of it in a bare run.
struct World {
    documents: PathBuf,
    python: PathBuf,
}

/// Sets up, checks and tests the whole workspace. `bare` leaves out what needs servers, the model or the documents.
///
/// # Errors
/// When the set-up fails, or any check or test does.
pub(crate) fn test(consent: Consent, bare: bool) -> Result<()> {
    setup::ensure(consent, setup::BUILD)?;
    setup::ensure(consent, setup::DESKTOP)?;
    // All questions come first, so that nobody has to sit through the checks.
    let world = if bare { None } else { Some(World::ensure(consent)?) };
    // The shell carries the interface, so nothing of it compiles before this.
    ui::build()?;
    let mut outcomes = checks();
    outcomes.extend(interface());
    if world.is_some() {
        outcomes.push(step("interface: in a browser", ui::browser_tests));
        outcomes.push(step("web app: types and style", web_app::check));
        outcomes.push(step("web app on the shared tables", web_app::test));
        outcomes.push(step("checked queries", || prepare::prepare(consent, true)));
    }
    outcomes.push(step("tests", || tests(world.as_ref())));
    outcomes.push(step("examples in the docs", || {
        shell::run(&mut shell::cargo("test --workspace --locked --doc --quiet"))
    }));
    report(&outcomes)
}

impl World {
    fn ensure(consent: Consent) -> Result<Self> {
        setup::ensure(consent, setup::TESTS)?;
        web_app::ensure()?;
        setup::ensure(consent, setup::WINDOW_TESTS)?;
        peers::packages()?;
        Ok(Self {
            documents: corpus::ensure(consent)?,
            python: python::ensure(consent)?,
        })
    }
}

fn checks() -> Vec<Outcome> {
    vec![
        step("format", || shell::run(&mut shell::cargo("fmt --all --check"))),
        step("licences and bans", deny),
        step("clippy", || {
            shell::run(&mut shell::cargo(
                "clippy --workspace --all-targets --locked -- -D warnings",
            ))
        }),
        step("docs", || {
            let mut doc = shell::cargo("doc --workspace --no-deps --locked --document-private-items");
            shell::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
        }),
    ]
}

fn interface() -> Vec<Outcome> {
    vec![
        step("interface: types", || shell::run(&mut ui::npm(&["run", "check"]))),
        step("interface: style", || shell::run(&mut ui::npm(&["run", "lint"]))),
        step("interface: tests", || shell::run(&mut ui::npm(&["test"]))),
    ]
}

// Advisories change by the day: the workflow asks for them, not each test run.
fn deny() -> Result<()> {
    if shell::which("cargo-deny").is_none() {
        println!("    left out: cargo-deny is not installed (`cargo install cargo-deny --locked` brings it)");
        return Ok(());
    }
    shell::run(&mut shell::cargo("deny check bans licenses sources"))
}

fn tests(world: Option<&World>) -> Result<()> {
    let run = if shell::which("cargo-nextest").is_some() {
        "nextest run --workspace --locked"
    } else {
        "test --workspace --locked --no-fail-fast --lib --bins --tests"
    };
    let mut command = shell::cargo(run);
    let [command_line, gateway, window] = build(run)?;
    command
        .env("DEEPSEARCH_TEST_BIN", command_line)
        .env("DEEPSEARCH_TEST_GATEWAY", gateway)
        .env("DEEPSEARCH_TEST_DESKTOP", window);
    let Some(world) = world else {
        return shell::run(&mut command);
    };
    // Ends when it goes out of scope: after the tests, however they went.
    let server = model::ModelServer::start(&world.python)?;
    shell::run(
        command
            .env("DEEPSEARCH_TEST_CORPUS", &world.documents)
            .env("DEEPSEARCH_TEST_MODEL_URL", server.url())
            .env("DEEPSEARCH_TEST_EMBEDDING_URL", server.embedding_url())
            // A test that lacks one of these is a failure here, not left out.
            .env("DEEPSEARCH_TEST_COMPLETE", "1"),
    )
}

/// Builds the tests, and with them the command, the gateway and the window that journeys run: with the same features, so nothing is
/// built twice.
fn build(run: &str) -> Result<[PathBuf; 3]> {
    let xtask = std::env::current_exe().context("finding the folder of built programs")?;
    let programs = ["deepsearch", "deepsearch-gateway", "deepsearch-desktop"]
        .map(|name| xtask.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
    // Cargo puts them back where they belong to the tests; if it did not, old ones would be tested in vain.
    for program in &programs {
        match std::fs::remove_file(program) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing `{}`", program.display()));
            }
            _ => {}
        }
    }
    shell::run(&mut shell::cargo(&format!("{run} --no-run")))?;
    for program in &programs {
        ensure!(program.is_file(), "no test builds `{}`", program.display());
    }
    Ok(programs)
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
    for outcome in outcomes {
        if let Err(error) = &outcome.result {
            println!("{}: {error:#}", outcome.name);
        }
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
