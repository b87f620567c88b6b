//! The promises of the crawler, kept against scripted servers, a lying DNS server and hostile documents.

mod address;
mod charset;
mod extract;
mod limits;
mod manners;
mod media;
mod mutated;
mod parse;
mod pictures;
mod soft;
mod support;
