//! The deepsearch command: a thin face of the app.
fn main() {}
