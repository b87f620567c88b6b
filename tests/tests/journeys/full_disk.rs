//! A full disk: what is saved can still be read, and the sentence says what is the matter.
//!
//! On a small disk of its own, which only root may make; elsewhere there is nothing to see here.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use deepsearch_tests::cli::{Home, Ran};
use tempfile::TempDir;

use crate::world::offline;

const QUESTION: &str = "how do I use my own SearXNG?";

struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
            .arg(folder.path())
            .output();
        Ok(mounted
            .is_ok_and(|mounted| mounted.status.success())
            .then_some(Self(folder)))
    }

    /// Writes until nothing more fits.
    fn fill(&self) -> Result<()> {
        let mut file = std::fs::File::create(self.0.path().join("fill"))?;
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a command that was cut off may still hold a file.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn run(home: &Home, folder: &Path, args: &[&str]) -> Result<Ran> {
    let mut command = home.command(args)?;
    Ok(command.env("DEEPSEARCH_HOME", folder).output()?.into())
}

#[test]
fn on_a_full_disk_what_is_saved_can_be_read_and_nothing_is_lost() -> Result<()> {
    let Some(disk) = SmallDisk::mount()? else {
        return Ok(());
    };
    let (home, folder) = (offline()?, disk.0.path());
    let asked = run(&home, folder, &["ask", "--in", "guide", QUESTION])?.succeeded()?;
    disk.fill()?;

    let listed = run(&home, folder, &["chats", "list", "--json"])?.succeeded()?.json()?;
    let id = listed[0]["id"].as_str().context("the chat")?.to_owned();
    let shown = run(&home, folder, &["chats", "show", &id])?.succeeded()?;
    let first_line = asked.stdout.lines().next().context("an answer")?;
    assert!(shown.stdout.contains(first_line), "{}", shown.stdout);

    // Once the reserve is used up too, the sentence says so.
    disk.fill()?;
    let refused = run(&home, folder, &["ask", "--in", "guide", QUESTION])?;
    assert_eq!(refused.code, Some(6), "{}", refused.stderr);
    assert!(refused.stderr.contains("disk is full"), "{}", refused.stderr);
    assert!(refused.stderr.contains("Free some space"), "{}", refused.stderr);

    std::fs::remove_file(folder.join("fill"))?;
    run(&home, folder, &["ask", "--in", "guide", QUESTION])?.succeeded()?;
    let shown = run(&home, folder, &["chats", "show", &id])?.succeeded()?;
    assert!(shown.stdout.contains(first_line), "{}", shown.stdout);
    Ok(())
}
