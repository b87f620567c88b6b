//! Promises of deep research, on a web, a search and a model that are scripted, and a notebook that can die at any step.

mod desk;

mod budget;
mod disagreement;
mod edits;
mod killed;
mod named;
mod report;
