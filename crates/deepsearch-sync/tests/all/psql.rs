//! A session of `psql`: the web app's connection, which may leave a transaction open for as long as it likes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const END: &str = "<<end>>";

/// Dropping it ends it, and takes back what it has not committed.
pub(crate) struct Psql {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Psql {
    pub(crate) fn open(programs: &Path, url: &str) -> Self {
        let mut process = Command::new(programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", url])
            .env("PGOPTIONS", "-c client_min_messages=error -c lock_timeout=2s")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("psql starts");
        Self {
            input: process.stdin.take().expect("an input"),
            output: BufReader::new(process.stdout.take().expect("an output")),
            process,
        }
    }

    /// What statements give, a line a row; `None` when the last one was refused.
    pub(crate) fn ask(&mut self, sql: &str) -> Option<Vec<String>> {
        writeln!(self.input, "{sql};\n\\echo {END} :ERROR").expect("psql reads");
        self.input.flush().expect("psql reads");
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).expect("psql writes");
            assert!(read > 0, "psql ended at: {sql}");
            match line.trim_end().strip_prefix(END) {
                Some(failed) => return (failed.trim() == "false").then_some(lines),
                None => lines.push(line.trim_end().to_owned()),
            }
        }
    }

    /// As [`Self::ask`], for what has to go well.
    pub(crate) fn must(&mut self, sql: &str) -> Vec<String> {
        self.ask(sql).unwrap_or_else(|| panic!("refused: {sql}"))
    }
}

impl Drop for Psql {
    fn drop(&mut self) {
        // Both fail only where it has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
