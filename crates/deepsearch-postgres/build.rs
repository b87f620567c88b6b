//! Rebuilds the crate when a migration is added or a query's checked description changes: both are read by macros,
//! which Cargo does not see.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations/postgres");
    println!("cargo::rerun-if-changed=.sqlx");
    println!("cargo::rerun-if-env-changed=POSTGRES_DATABASE_URL");
}
