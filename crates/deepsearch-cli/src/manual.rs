//! Shell completions and the manual page, made from the arguments themselves.

use std::process::ExitCode;

use clap::CommandFactory;
use deepsearch_app::AppError;

use crate::args::Args;
use crate::outcome::Outcome;
use crate::print;

pub(crate) fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "deepsearch", &mut out);
    print::part(&String::from_utf8_lossy(&out));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man() -> Outcome {
    let mut out = Vec::new();
    let rendered = clap_mangen::Man::new(Args::command()).render(&mut out);
    rendered.map_err(|source| AppError::Unreadable {
        path: "the manual page".into(),
        source,
    })?;
    print::part(&String::from_utf8_lossy(&out));
    Ok(ExitCode::SUCCESS)
}
