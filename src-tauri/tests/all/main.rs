//! Promises of the desktop shell that need no window.

mod bindings;
mod capabilities;
