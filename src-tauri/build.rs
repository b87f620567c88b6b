//! Declares every command to Tauri, so that a window may call only those that its capability names.

use std::path::Path;

fn main() {
    let source = Path::new("src/commands/mod.rs");
    println!("cargo::rerun-if-changed={}", source.display());
    // The program carries the built interface: another build of it makes another program.
    println!("cargo::rerun-if-changed=../ui/dist");
    let text = std::fs::read_to_string(source).expect("reading the list of commands");
    let commands: &'static [&'static str] = Vec::leak(commands(&text));
    let manifest = tauri_build::AppManifest::new().commands(commands);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)).expect("preparing the Tauri build");
}

/// The names in `collect_commands![…]`, their one list.
fn commands(text: &str) -> Vec<&'static str> {
    let list = text
        .split("collect_commands![")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    let paths = list
        .expect("the list of commands")
        .split(',')
        .map(str::trim)
        .filter(|path| !path.is_empty());
    paths
        .map(|path| &*path.rsplit("::").next().unwrap_or(path).to_owned().leak())
        .collect()
}
