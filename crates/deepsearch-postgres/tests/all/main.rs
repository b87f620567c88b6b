//! The tests of the crate, one module for each file of `src`.
