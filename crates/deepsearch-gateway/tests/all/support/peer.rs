//! A peer that runs in Node: see `tests/sign-in-peers`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use super::missing;

const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// Ends when it is dropped: its standard input does.
pub(crate) struct Peer {
    pub(crate) port: u16,
    lines: Receiver<Value>,
    process: Child,
    stdin: Option<ChildStdin>,
}

impl Peer {
    /// `None` where Node or the packages are missing; the test passes by then.
    pub(crate) fn start(kind: &str, options: &Value) -> Option<Self> {
        let folder = folder();
        if !folder.join("node_modules/.package-lock.json").is_file() {
            missing("the packages of tests/sign-in-peers");
            return None;
        }
        let started = Command::new("node")
            .current_dir(&folder)
            .args(["peer.mjs", kind, &options.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut process) = started else {
            missing("Node");
            return None;
        };
        let stdout = process.stdout.take().expect("its output is ours");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Ok(value) = serde_json::from_str(&line) else {
                    continue;
                };
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        let first: Value = lines.recv_timeout(ANSWERS_WITHIN).expect("the peer starts");
        let port = first["port"].as_u64().expect("it says its port");
        Some(Self {
            port: u16::try_from(port).expect("a port"),
            lines,
            stdin: process.stdin.take(),
            process,
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it tells next.
    pub(crate) fn next(&self) -> Value {
        self.lines
            .recv_timeout(ANSWERS_WITHIN)
            .expect("the peer tells something")
    }

    /// Whether it has nothing to tell.
    pub(crate) fn is_silent(&self) -> bool {
        self.lines.recv_timeout(Duration::from_millis(300)).is_err()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.process.wait();
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sign-in-peers")
}
