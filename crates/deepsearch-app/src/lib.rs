//! The use cases; builds and wires everything.
