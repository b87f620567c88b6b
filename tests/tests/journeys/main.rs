//! Journeys: what a person does with the `deepsearch` command, from the first question to the thousandth.
//!
//! The real command in a data folder of its own, against a web, engines and models that speak their real formats over
//! sockets. What a crate promises by itself is tested beside that crate.

use deepsearch_tests::purpose;

mod recorded;
mod world;

mod first_question;
mod main_job;

mod engines;
mod folders;
mod kinds_of_page;
mod stale;

mod ledger;
mod ledger_of_more;
mod pictures;
mod private;
mod usage;

mod branches;
mod model;
mod model_faults;
mod real_model;
mod real_model_research;
mod rerank;

mod hostile;
mod interrupted;

mod archives;
mod bad_input;
mod bad_places;
mod faults;
mod full_disk;
mod imports;
mod killed;
mod reading;
mod recheck;
mod redis;
mod research;
mod research_killed;
mod secrets;
mod settings;
mod sign_in;
mod sorting;
mod sync;
mod sync_faults;
mod team;
mod team_database;
mod upkeep;
