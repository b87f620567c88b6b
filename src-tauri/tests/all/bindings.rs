use std::path::Path;

/// `cargo xtask bindings` sets it to write the file instead.
const UPDATE: &str = "DEEPSEARCH_UPDATE_BINDINGS";

#[test]
fn the_bindings_of_the_interface_are_current() {
    let committed = Path::new("../ui/src/bindings/bindings.ts");
    if std::env::var_os(UPDATE).is_some() {
        deepsearch_desktop::export_bindings(committed).expect("writing the bindings");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fresh = folder.path().join("bindings.ts");
    deepsearch_desktop::export_bindings(&fresh).expect("writing the bindings");
    let read = |path: &Path| std::fs::read_to_string(path).expect("reading the bindings");
    assert!(
        read(&fresh) == read(committed),
        "run `cargo xtask bindings` and commit what it writes"
    );
}
