//! Search engines, one file each; failover, health, and the cache in front.
