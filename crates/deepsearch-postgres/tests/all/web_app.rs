//! The web app's own tool on a database of ours: `drizzle-kit push`, with the schema of `tests/webapp`.
//!
//! Without Node or the web app's packages a test says so and passes by; under `cargo xtask test` that is a failure.

use std::process::{Command, Stdio};

/// Pushes the web app's schema, or says that it cannot.
#[expect(clippy::print_stderr, reason = "a test that passes by says so")]
pub(crate) fn push(url: &str) -> bool {
    let folder = std::path::absolute("../../tests/webapp").expect("a folder to run in");
    let program = folder.join("node_modules/drizzle-kit/bin.cjs");
    let has_node = Command::new("node").arg("--version").output().is_ok();
    if !program.is_file() || !has_node {
        let complete = std::env::var_os("DEEPSEARCH_TEST_COMPLETE").is_some();
        assert!(!complete, "Node or tests/webapp/node_modules is missing");
        eprintln!("passed by: Node or tests/webapp/node_modules is missing; `cargo xtask test` brings them");
        return false;
    }
    let output = Command::new("node")
        .arg(program)
        .args([
            "push",
            "--dialect=postgresql",
            "--schema=src/schema.ts",
            "--verbose",
            "--force",
        ])
        .arg("--tablesFilter=ai-app-template_*")
        .arg(format!("--url={url}"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // It ends with 0 after most of its errors.
    assert!(
        said.contains("Changes applied") && said.contains("DISABLE ROW LEVEL SECURITY"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    true
}
