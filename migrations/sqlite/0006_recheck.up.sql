-- A recheck has its evidence, its ledger and a schedule.

-- JSON of what it sent to whom; NULL for those from before there was one.
alter table recheck add column ledger text;
-- Nothing could be compared, and `result` says why.
alter table recheck add column failed integer not null default 0 check (failed in (0, 1));

-- The pages that were read now and that its sentences are held against. Those of the answer are the answer's.
create table recheck_page (
    message_id text not null,
    checked_at integer not null,
    page_id text not null references page (id),
    primary key (message_id, checked_at, page_id),
    foreign key (message_id, checked_at) references recheck (message_id, checked_at)
        on delete cascade on update cascade
) strict, without rowid;

create index recheck_page_page_id_idx on recheck_page (page_id);

-- Answers that are checked again by themselves, on this device.
create table recheck_schedule (
    message_id text primary key not null references message (id) on delete cascade on update cascade,
    -- `deepsearch_core::recheck::Every`.
    every text not null,
    next_at integer not null,
    -- When it was last begun, well or not: which also says when another may be.
    tried_at integer,
    -- How often in a row it could not be done.
    failures integer not null default 0
) strict, without rowid;

create index recheck_schedule_next_at_idx on recheck_schedule (next_at);
create index recheck_schedule_tried_at_idx on recheck_schedule (tried_at);
