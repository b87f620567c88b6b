//! DeepSearch is two programs, the window and the command, and each starts the other.

use std::path::PathBuf;

/// The program of this name that belongs to the running one: packages put both into one folder. Where it is not there, its
/// bare name, which `PATH` may know.
pub fn program_beside(name: &str) -> PathBuf {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(&name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_in_the_same_folder_is_named_by_its_path_and_another_by_its_name() {
        let own = std::env::current_exe().expect("the test knows its own path");
        let stem = own.file_stem().and_then(|name| name.to_str()).expect("a name in words");
        assert_eq!(program_beside(stem), own);
        let absent = format!("there-is-no-such-program{}", std::env::consts::EXE_SUFFIX);
        assert_eq!(program_beside("there-is-no-such-program"), PathBuf::from(absent));
    }
}
