-- What each answer sent to whom, how engines have been doing, and what models were used for.

-- An answer has a row here from when it was written down; those from before have none, and nothing is known of them.
create table ledger (
    message_id text primary key not null references message (id) on delete cascade,
    at integer not null,
    -- Whether private mode was on.
    private integer not null check (private in (0, 1)),
    -- Contacts that were too many to be listed.
    unlisted integer not null
) strict, without rowid;

create table contact (
    message_id text not null references message (id) on delete cascade,
    position integer not null,
    host text not null,
    -- `deepsearch_core::Errand`.
    errand text not null,
    service text not null,
    local integer not null check (local in (0, 1)),
    requests integer not null,
    bytes_out integer not null,
    bytes_in integer not null,
    primary key (message_id, position)
) strict, without rowid;

create table sent_text (
    message_id text not null references message (id) on delete cascade,
    position integer not null,
    model text not null,
    host text not null,
    local integer not null check (local in (0, 1)),
    times integer not null,
    bytes integer not null,
    sha256 text not null,
    -- JSON of the messages, zstd; NULL where they were too large to keep.
    turns blob,
    primary key (message_id, position)
) strict, without rowid;

-- Every time an engine was asked, as far back as src/engine_events.rs keeps it.
create table engine_event (
    id integer primary key,
    engine text not null,
    at integer not null,
    milliseconds integer not null,
    -- JSON of why it failed; NULL where it answered.
    failure text
) strict;

create index engine_event_engine_idx on engine_event (engine, id);

-- Tokens by month and model. Apart from the messages, because what was used stays used when a chat is deleted.
create table model_use (
    -- As 2026-11, in UTC.
    month text not null,
    model text not null,
    answers integer not null,
    prompt integer not null,
    completion integer not null,
    primary key (month, model)
) strict, without rowid;

insert into model_use (month, model, answers, prompt, completion)
select strftime('%Y-%m', created_at / 1000, 'unixepoch') as used_in,
    json_extract(metadata, '$.model') as used_model,
    count(*),
    coalesce(sum(json_extract(metadata, '$.tokens.prompt')), 0),
    coalesce(sum(json_extract(metadata, '$.tokens.completion')), 0)
from message
where role = 'assistant' and metadata is not null and json_valid(metadata)
    and json_type(metadata, '$.model') = 'text'
    and json_type(metadata, '$.tokens.prompt') = 'integer'
    and json_type(metadata, '$.tokens.completion') = 'integer'
group by used_in, used_model;
