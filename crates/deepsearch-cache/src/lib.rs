//! The search cache: memory, Redis and table tiers behind one trait.
