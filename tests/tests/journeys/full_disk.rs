//! A full disk: what is saved can still be read, and the sentence says what is the matter.
//!
//! On a small disk of its own, in a namespace that a user without any rights can have.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use deepsearch_tests::cli::{Home, Ran};
use deepsearch_tests::needs;
use tempfile::TempDir;

use crate::world::offline;

const QUESTION: &str = "how do I use my own SearXNG?";

/// A file system of 24 MB, which only those see who are in its namespace.
struct SmallDisk {
    folder: TempDir,
    /// Holds the namespace; it ends with its standard input, at the latest with the test.
    holder: Child,
}

impl SmallDisk {
    fn mount() -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
            .arg("mount -t tmpfs -o size=24m tmpfs \"$0\" && echo mounted && exec cat")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("running unshare")?;
        let mut told = String::new();
        let said = holder.stdout.take().context("its output")?;
        BufReader::new(said).read_line(&mut told)?;
        let disk = Self { folder, holder };
        if told.is_empty() {
            needs::missing("a namespace of one's own, for a small disk");
            return Ok(None);
        }
        Ok(Some(disk))
    }

    /// Runs the command with a data folder on this disk.
    fn run(&self, home: &Home, args: &[&str]) -> Result<Ran> {
        let command = home.command(args)?;
        let mut inside = Command::new("nsenter");
        inside
            .args(["--preserve-credentials", "--user", "--mount", "--target"])
            .arg(self.holder.id().to_string())
            .arg("--")
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside.env("DEEPSEARCH_HOME", self.folder.path()).stdin(Stdio::null());
        Ok(inside.output().context("running nsenter")?.into())
    }

    /// Writes until nothing more fits.
    fn fill(&self) -> Result<()> {
        let mut file = std::fs::File::create(self.filling())?;
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
        Ok(())
    }

    /// What fills the disk, as it is seen from outside.
    fn filling(&self) -> PathBuf {
        let folder = self.folder.path().strip_prefix("/").unwrap_or(self.folder.path());
        Path::new("/proc")
            .join(self.holder.id().to_string())
            .join("root")
            .join(folder)
            .join("fill")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[test]
fn on_a_full_disk_what_is_saved_can_be_read_and_nothing_is_lost() -> Result<()> {
    let Some(disk) = SmallDisk::mount()? else {
        return Ok(());
    };
    let home = offline()?;
    let asked = disk.run(&home, &["ask", "--in", "guide", QUESTION])?.succeeded()?;
    disk.fill()?;

    let listed = disk.run(&home, &["chats", "list", "--json"])?.succeeded()?.json()?;
    let id = listed[0]["id"].as_str().context("the chat")?.to_owned();
    let shown = disk.run(&home, &["chats", "show", &id])?.succeeded()?;
    let first_line = asked.stdout.lines().next().context("an answer")?;
    assert!(shown.stdout.contains(first_line), "{}", shown.stdout);

    // Once the reserve is used up too, the sentence says so.
    disk.fill()?;
    let refused = disk.run(&home, &["ask", "--in", "guide", QUESTION])?;
    assert_eq!(refused.code, Some(6), "{}", refused.stderr);
    assert!(refused.stderr.contains("disk is full"), "{}", refused.stderr);
    assert!(refused.stderr.contains("Free some space"), "{}", refused.stderr);

    std::fs::remove_file(disk.filling())?;
    disk.run(&home, &["ask", "--in", "guide", QUESTION])?.succeeded()?;
    let shown = disk.run(&home, &["chats", "show", &id])?.succeeded()?;
    assert!(shown.stdout.contains(first_line), "{}", shown.stdout);
    Ok(())
}
