//! Splits pages into passages, scores, fuses, de-duplicates; pure functions.
