//! The pipeline of an answer: plan, retrieve, read, rank, write, cite, check.
