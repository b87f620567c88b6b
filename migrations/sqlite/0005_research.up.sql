-- Deep research: each is kept after every one of its steps, so that one that was cut off goes on from the last. Only this
-- device has them; what is sent to others is the answer. Ids of messages may change, which sync can bring about.

create table research (
    message_id text primary key not null references message (id) on delete cascade on update cascade,
    -- JSON of all that there is to know but the pages' texts.
    state text not null,
    -- The last edit of the plan that the state holds.
    edited integer not null default 0,
    updated_at integer not null
) strict, without rowid;

create index research_updated_at_idx on research (updated_at);

-- The pages that were read for it, until its report is written: then those that the report cites are its sources.
create table research_page (
    message_id text not null references research (message_id) on delete cascade on update cascade,
    page_id text not null references page (id),
    primary key (message_id, page_id)
) strict, without rowid;

create index research_page_page_id_idx on research_page (page_id);

-- What a person changes of a plan, from whichever program, until a state that holds it is kept.
create table research_edit (
    number integer primary key autoincrement,
    message_id text not null references research (message_id) on delete cascade on update cascade,
    edit text not null
) strict;

create index research_edit_message_id_idx on research_edit (message_id, number);

-- An answer that was held against what its question brings now.
create table recheck (
    message_id text not null references message (id) on delete cascade on update cascade,
    checked_at integer not null,
    -- How many of its sentences do not hold as they did.
    changed integer not null,
    -- JSON: sentence by sentence, with the evidence then and now.
    result text not null,
    primary key (message_id, checked_at)
) strict, without rowid;
