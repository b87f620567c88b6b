//! The screen: an X server that paints into memory, and a window manager on it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};

use super::processes::{Processes, finish};
use super::until;

const WIDTH: usize = 1440;
const HEIGHT: usize = 900;

/// A screen that shows itself to nobody.
#[derive(Debug)]
pub struct Screen {
    /// What is painted, as an XWD picture that the server keeps up to date.
    picture: PathBuf,
    display: String,
}

/// A part of the screen, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Region {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

impl Region {
    pub const ALL: Self = Self {
        x: 0,
        y: 0,
        width: WIDTH,
        height: HEIGHT,
    };
}

impl Screen {
    pub(super) async fn open(processes: &mut Processes, folder: &Path) -> Result<Self> {
        let mut server = processes.command("Xvfb");
        server
            .args([
                "-displayfd",
                "1",
                // Else it starts over when its only client leaves, which takes a window manager that is just coming with it.
                "-noreset",
                "-nolisten",
                "tcp",
                "-screen",
                "0",
                &format!("{WIDTH}x{HEIGHT}x24"),
                "-fbdir",
            ])
            .arg(folder)
            .stdout(Stdio::piped());
        let server = processes.spawn(server)?;
        let told = server.stdout.take().context("the screen's output")?;
        // It tells its number as soon as it can be connected to.
        let number = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(told).read_line(&mut line).map(|_| line)
        });
        let number = number.await?.context("reading the screen's number")?;
        anyhow::ensure!(!number.trim().is_empty(), "Xvfb did not start");
        let display = format!(":{}", number.trim());
        processes.set("DISPLAY", display.as_str());
        Ok(Self {
            display,
            picture: folder.join("Xvfb_screen0"),
        })
    }

    /// Its name for who connects to it.
    pub(super) fn display(&self) -> &str {
        &self.display
    }

    pub(super) async fn manage_windows(&self, processes: &mut Processes) -> Result<()> {
        let mut manager = processes.command("openbox");
        manager.arg("--sm-disable");
        processes.spawn(manager)?;
        until("the window manager", async || {
            let mut ask = processes.command("wmctrl");
            ask.arg("-m");
            let told = finish(ask).await?;
            Ok(told.status.success().then_some(()))
        })
        .await
    }

    /// What is painted now in a part of the screen, four bytes a pixel.
    ///
    /// # Errors
    /// When the screen has gone.
    pub fn look(&self, region: Region) -> Result<Vec<u8>> {
        const COLOUR: usize = 12;
        let picture = File::open(&self.picture).context("looking at the screen")?;
        let mut head = [0; 80];
        picture.read_exact_at(&mut head, 0)?;
        // Big-endian words: the length of the head comes first, the length of a line and the number of colours later.
        let word = |at: usize| {
            u32::from_be_bytes([head[at * 4], head[at * 4 + 1], head[at * 4 + 2], head[at * 4 + 3]]) as usize
        };
        let (start, line) = (word(0) + word(19) * COLOUR, word(12));
        let bottom = (region.y + region.height).min(HEIGHT);
        let mut lines = vec![0; (bottom - region.y) * line];
        picture.read_exact_at(&mut lines, (start + region.y * line) as u64)?;
        let wanted = region.x * 4..(region.x + region.width).min(WIDTH) * 4;
        Ok(lines
            .chunks(line)
            .flat_map(|line| &line[wanted.clone()])
            .copied()
            .collect())
    }
}
