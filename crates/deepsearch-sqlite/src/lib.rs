//! The local store: one file per table, history search, outbox, snapshots, backup, salvage.
