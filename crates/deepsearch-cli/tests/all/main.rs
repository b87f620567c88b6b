//! Promises of the command: bad input, exit codes, what goes where.
