-- The files that a question was asked with, as a JSON array of their addresses; null where there were none. They lie on this
-- machine, and what is said of them here goes nowhere else.
alter table message add column files text;
