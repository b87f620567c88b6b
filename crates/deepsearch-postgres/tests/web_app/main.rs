//! The web app on the shared tables: a small real one (`tests/webapp`: drizzle-orm, drizzle-kit, Auth.js) beside
//! DeepSearch on one PostgreSQL, each reading what the other wrote.
//!
//! What the web app sees is asserted there, in TypeScript; what DeepSearch sees, here. What drizzle-kit makes of our
//! migrations is asked by `xtask/src/web_app.rs`.

mod reading;
mod sign_in;
mod world;
mod writing;
