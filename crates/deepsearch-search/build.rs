//! Lists the topics of the built-in guide, so that a new file in `guide/` is part of the next build by itself.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let folder = Path::new(&root).join("../../guide");
    println!("cargo:rerun-if-changed={}", folder.display());

    let mut files: Vec<_> = fs::read_dir(&folder)?
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    let topics: Vec<_> = files
        .iter()
        .filter_map(|file| Some((file.file_stem()?.to_str()?, fs::canonicalize(file).ok()?)))
        .map(|(topic, file)| format!("({topic:?}, include_str!({file:?})),\n"))
        .collect();
    fs::write(Path::new(&out).join("topics.rs"), format!("&[\n{}]", topics.concat()))
}
