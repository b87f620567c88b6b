//! Holds the tables of ARCHITECTURE.md against the workspace, so that the document stays true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// Asked when it runs: checkouts that share a target folder share this program.
fn root() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo says where xtask lies");
    Path::new(&xtask)
        .parent()
        .expect("xtask lies in the workspace")
        .to_owned()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()
        .expect("`cargo metadata` describes the workspace")
}

/// The rows below the header that starts with `| {title} |`: the names in backticks of the first and the last cell.
fn table(title: &str) -> BTreeMap<String, BTreeSet<String>> {
    let document = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let rows: BTreeMap<_, _> = document
        .lines()
        .skip_while(|line| !line.starts_with(&format!("| {title} |")))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            let subject = names(cells[0])
                .into_iter()
                .next()
                .expect("the first cell names its subject");
            (subject, names(cells[cells.len() - 1]))
        })
        .collect();
    assert!(!rows.is_empty(), "ARCHITECTURE.md has no table `{title}`");
    rows
}

fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn ours(metadata: &Metadata) -> BTreeMap<String, &Package> {
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| (package.name.to_string(), package))
        .collect()
}

#[test]
fn every_crate_has_a_row_and_every_row_a_crate() {
    let metadata = metadata();
    let crates: BTreeSet<String> = ours(&metadata).into_keys().collect();
    let rows: BTreeSet<String> = table("crate").into_keys().collect();
    assert_eq!(
        crates, rows,
        "left: the workspace, right: the crate table of ARCHITECTURE.md"
    );
}

#[test]
fn crates_import_only_what_their_row_allows() {
    let metadata = metadata();
    let crates = ours(&metadata);
    let rows = table("crate");
    let forbidden: Vec<String> = crates
        .iter()
        .flat_map(|(name, package)| {
            let allowed = rows.get(name).cloned().unwrap_or_default();
            let used = package.dependencies.iter().map(|dependency| dependency.name.clone());
            used.filter(|used| crates.contains_key(used) && used != name && !allowed.contains(used))
                .map(|used| format!("{name} imports {used}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(forbidden, Vec::<String>::new());
}

#[test]
fn the_table_allows_no_circle() {
    let mut left = table("crate");
    while !left.is_empty() {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, imports)| imports.iter().all(|import| !left.contains_key(import)))
            .map(|(name, _)| name.clone())
            .collect();
        assert!(
            !free.is_empty(),
            "these crates may import each other in a circle: {:?}",
            left.keys()
        );
        left.retain(|name, _| !free.contains(name));
    }
}

#[test]
fn a_library_with_one_home_is_used_nowhere_else() {
    let metadata = metadata();
    let homes = table("library");
    let strays: Vec<String> = ours(&metadata)
        .iter()
        .flat_map(|(name, package)| {
            package
                .dependencies
                .iter()
                .filter(|dependency| homes.get(&dependency.name).is_some_and(|homes| !homes.contains(name)))
                .map(|dependency| format!("{name} uses {}", dependency.name))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(strays, Vec::<String>::new());
}

#[test]
fn the_library_table_names_crates_that_exist() {
    let metadata = metadata();
    let crates = ours(&metadata);
    for (library, homes) in table("library") {
        for home in homes {
            assert!(
                crates.contains_key(&home),
                "`{home}`, the home of {library}, is no crate of the workspace"
            );
        }
    }
}

/// A file that no `mod` names is compiled by nobody, and its tests pass for ever.
#[test]
fn every_file_of_a_test_is_compiled() {
    let root = root();
    let crates = std::fs::read_dir(root.join("crates")).expect("the crates are there");
    let mut folders: Vec<PathBuf> = crates
        .filter_map(|entry| Some(entry.ok()?.path().join("tests/all")))
        .chain(["tests/tests/all", "tests/tests/desktop", "tests/tests/journeys"].map(|folder| root.join(folder)))
        .chain([root.join("src-tauri/tests/all")])
        .filter(|folder| folder.is_dir())
        .collect();
    let mut orphans = Vec::new();
    while let Some(folder) = folders.pop() {
        let own = ["main.rs", "mod.rs"].map(|name| folder.join(name));
        let parent = own
            .into_iter()
            .find(|file| file.is_file())
            .unwrap_or_else(|| folder.with_extension("rs"));
        let Ok(text) = std::fs::read_to_string(&parent) else {
            continue;
        };
        for entry in std::fs::read_dir(&folder)
            .expect("a folder of tests can be read")
            .flatten()
        {
            let path = entry.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && path != parent
                && !text.lines().any(|line| line.trim().ends_with(&format!("mod {name};")))
            {
                orphans.push(path);
            }
        }
    }
    assert!(orphans.is_empty(), "no `mod` names {orphans:?}");
}
