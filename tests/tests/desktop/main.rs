//! The app as a person sees it: the real window, the real shell, WebKit; a small web and scripted models around it.
//!
//! What an answer says and how it is found is promised by the journeys of the command; here it is shown that a person
//! reaches all of it, and that nothing hostile reaches the person.

#![cfg(target_os = "linux")]

mod world;

mod asking;
mod branches;
mod first_start;
mod opening;
mod reading;
mod recheck;
mod researching;
mod settings;
mod sorting;
mod using;

mod carrying;
mod dropping;
mod restoring;
mod shared_file;

mod faults;
mod interrupted;
mod keeping_private;
mod offline;

mod links;
mod quick_ask;
mod shell;
mod sign_in;
mod team;
mod tray;

mod hostile;

mod packaged;
