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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use crate::args::Args;

    #[test]
    fn every_verb_has_its_place_in_the_window_or_a_reason_to_have_none() {
        let architecture = include_str!("../../../ARCHITECTURE.md");
        let table = architecture.split("| verb | in the window |").nth(1);
        let rows = table.expect("the table of verbs").lines().skip(2);
        let rows = rows.take_while(|line| line.starts_with('|')).map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let verb = cells.next().unwrap_or_default().trim_matches('`').to_owned();
            (verb, cells.next().unwrap_or_default().to_owned())
        });
        let rows: Vec<(String, String)> = rows.collect();
        let told: BTreeSet<&str> = rows.iter().map(|(verb, _)| verb.as_str()).collect();
        let command = Args::command();
        let verbs: BTreeSet<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(told, verbs);
        for (verb, place) in &rows {
            let is_reason = place.strip_prefix("none").is_none_or(|reason| reason.starts_with(": "));
            assert!(!place.is_empty() && is_reason, "{verb}: {place}");
        }
    }
}
