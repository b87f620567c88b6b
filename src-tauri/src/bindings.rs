//! The bindings: what the interface knows of the commands, generated from them.

use std::path::Path;

use deepsearch_core::Failure;
use deepsearch_core::research::ResearchBudget;
use specta_typescript::Typescript;
use tauri_specta::{Builder, ErrorHandlingMode, collect_events};

use crate::commands::{
    self, AccountChanged, FilesDropped, FoldersDropped, LibraryChanged, Navigate, QuickAskShown, SettingsChanged,
    Start, SyncChanged,
};
use crate::opening::OpeningChanged;

pub(crate) fn builder() -> Builder<tauri::Wry> {
    Builder::new()
        .commands(commands::all())
        .events(collect_events![
            AccountChanged,
            LibraryChanged,
            SettingsChanged,
            FilesDropped,
            FoldersDropped,
            SyncChanged,
            Navigate,
            OpeningChanged,
            QuickAskShown
        ])
        .typ::<Start>()
        .typ::<Failure>()
        // The interface says its own, and a test of it holds them against these.
        .constant("usualResearchBudget", ResearchBudget::default())
        .constant("largestResearchBudget", ResearchBudget::MOST)
        // A promise that is rejected with a `Failure`, as everywhere in the interface.
        .error_handling(ErrorHandlingMode::Throw)
        // Sizes and counts, all far below 2^53.
        .dangerously_cast_bigints_to_number()
        // One type for both directions: what is optional when written is optional when read.
        .disable_serde_phases()
}

/// Writes the bindings to a file.
///
/// # Errors
/// When a type cannot be put in TypeScript, or the file cannot be written.
pub fn export_bindings(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let header = "// Generated from Rust by `cargo xtask bindings`; not to be edited.\n/* eslint-disable */\n";
    // Names that Rust writes as aliases, which have no type of their own.
    let aliases = "/** ISO 8601, UTC. */\nexport type DateTime = string;\nexport type EngineId = string;\nexport type ModelId = string;\n";
    let typescript = Typescript::default().header(header).with_raw(aliases);
    builder().export(typescript, path)?;
    Ok(())
}
