//! The processes of one desktop: started with its environment and nothing of the person's own, found again by a mark in
//! it however far they have wandered, and ended one by one.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

/// Inherited by all that a desktop starts, whoever starts it there.
const MARK: &str = "DEEPSEARCH_TESTS_DESKTOP";

#[derive(Debug)]
pub(super) struct Processes {
    environment: Vec<(OsString, OsString)>,
    children: Vec<Child>,
    mark: String,
    log: PathBuf,
}

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub id: u32,
    pub parent: u32,
    pub arguments: Vec<String>,
}

impl Processes {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let (home, runtime) = (folder.join("home"), folder.join("runtime"));
        std::fs::create_dir_all(&home)?;
        std::fs::create_dir_all(&runtime)?;
        // Programs refuse a runtime folder that others may look into.
        std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o700))?;
        let mark = folder.to_string_lossy().into_owned();
        let mut environment: Vec<(OsString, OsString)> = vec![
            (MARK.into(), (&mark).into()),
            ("HOME".into(), home.into()),
            ("XDG_RUNTIME_DIR".into(), runtime.into()),
            ("LANG".into(), "C.UTF-8".into()),
            // With it xdg-open asks GIO, which finds the entries in this home.
            ("XDG_CURRENT_DESKTOP".into(), "GNOME".into()),
            ("GSETTINGS_BACKEND".into(), "memory".into()),
            ("GTK_A11Y".into(), "none".into()),
            ("NO_AT_BRIDGE".into(), "1".into()),
            ("DEEPSEARCH_LOG".into(), "info".into()),
        ];
        let passed_on = ["PATH", "LD_LIBRARY_PATH", "RUST_BACKTRACE"];
        environment.extend(
            passed_on
                .iter()
                .filter_map(|name| Some((name.into(), std::env::var_os(name)?))),
        );
        Ok(Self {
            environment,
            children: Vec::new(),
            mark,
            log: folder.join("log"),
        })
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Gives all later processes one more variable.
    pub(super) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.push((name.into(), value.into()));
    }

    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Starts a process that goes on running; what it says of errors goes to the log.
    pub(super) fn spawn(&mut self, mut command: Command) -> Result<&mut Child> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log)?;
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        self.children.push(child);
        self.children.last_mut().context("a child was just added")
    }

    /// All processes of this desktop.
    pub(super) fn running(&self) -> Vec<Process> {
        let mark = format!("{MARK}={}", self.mark);
        let is_ours = |process: &Process| {
            let environment = std::fs::read(format!("/proc/{}/environ", process.id)).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == mark.as_bytes())
        };
        all().into_iter().filter(is_ours).collect()
    }

    /// Ends all of them, in rounds: one that is ended may just have started another.
    pub(super) fn end(&mut self) -> Vec<Process> {
        for child in &mut self.children {
            let _ = child.kill();
        }
        for _ in 0..50 {
            let running = self.running();
            if running.is_empty() {
                break;
            }
            for process in running {
                kill(process.id);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        for mut child in self.children.drain(..) {
            let _ = child.wait();
        }
        self.running()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.end();
    }
}

/// A process and all that it started, as they are now.
#[derive(Debug, Clone)]
pub struct Tree(pub Vec<Process>);

impl Tree {
    pub fn of(root: u32) -> Self {
        let all = all();
        let mut tree: Vec<Process> = all.iter().filter(|process| process.id == root).cloned().collect();
        let mut next = 0;
        while let Some(parent) = tree.get(next).map(|process| process.id) {
            tree.extend(all.iter().filter(|process| process.parent == parent).cloned());
            next += 1;
        }
        Self(tree)
    }

    /// Memory in kB, what is shared counted by its share.
    pub fn memory(&self) -> u64 {
        self.0.iter().filter_map(|process| proportional(process.id)).sum()
    }
}

fn proportional(process: u32) -> Option<u64> {
    let told = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Runs a command to its end, which must come soon.
pub(super) async fn finish(mut command: Command) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = tokio::process::Command::from(command).kill_on_drop(true).output();
    tokio::time::timeout(super::PATIENCE, output)
        .await
        .map_err(|_| anyhow!("{program} does not end"))?
        .with_context(|| format!("running {program}"))
}

/// Ends a process and gives it no time for a last word.
pub(super) fn kill(process: u32) {
    let _ = Command::new("kill")
        .args(["-KILL", &process.to_string()])
        .stderr(Stdio::null())
        .status();
}

pub(super) fn all() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(look).collect()
}

fn look(id: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before it may hold anything, parentheses included.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let arguments = std::fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
    let arguments = arguments.split_terminator('\0').map(str::to_owned).collect();
    (state != "Z").then_some(Process { id, parent, arguments })
}
