//! The web app on the shared tables: a small real one (`tests/webapp`: drizzle-orm, drizzle-kit, Auth.js) beside
//! DeepSearch on one PostgreSQL, each reading what the other wrote.
//!
//! What the web app sees is asserted there, in TypeScript; what DeepSearch sees, here.

mod reading;
mod schema;
mod sign_in;
mod world;
mod writing;
