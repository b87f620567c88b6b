//! The tests of the crate, one module for each file of `src`.

mod attacks;
mod boundary;
mod check;
mod cleaning;
mod database;
mod migrations;
mod people;

mod cluster;
