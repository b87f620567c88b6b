//! The desktop shell: windows, tray, shortcut, deep link, and the commands that the windows call. The only Rust that
//! knows Tauri; everything that answers, stores or decides is in `deepsearch-app`.

mod opening;
mod start;

mod commands;
mod windows;

mod deep_link;
mod notify;
#[cfg(target_os = "linux")]
mod portal;
mod shortcut;
mod tray;

mod bindings;
mod changes;

pub use bindings::export_bindings;
pub use start::run;
