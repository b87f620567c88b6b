//! The window: how soon it shows a long history, how soon it finds in it, how evenly an answer flows, how soon it shows
//! what another device wrote, and how much memory it takes, beside a window with nothing in it or the same one at rest.
//!
//! The programs are those that `DEEPSEARCH_TEST_DESKTOP` and `DEEPSEARCH_TEST_EMPTY_WINDOW` name, which `cargo xtask
//! bench` builds. What is painted is read from the screen itself. Single measures can be named: `start`, `search`,
//! `quick-ask`, `stream`, `sync`, `memory`, `size`.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

#[cfg(target_os = "linux")]
#[path = "made_up/store.rs"]
mod made_up;
#[cfg(target_os = "linux")]
#[path = "window/measures.rs"]
mod measures;

#[cfg(target_os = "linux")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    measures::measure().await
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("desktop: left out, only Linux's window can be driven here");
}
