//! Promises of the pipeline, module by module.

mod fakes;

mod links;
mod pipeline;
mod plan;
mod recheck;
mod rerank;
mod research;
