//! Promises of the use cases.
