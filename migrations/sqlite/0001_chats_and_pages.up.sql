-- The local store: chats, messages, saved pages, evidence, settings, the search cache and the outbox.
-- Names are the seed's where the thing is the seed's; what only this device knows has further columns.
--
-- Times are integers, Unix milliseconds: the resolution both programs on the shared tables keep, they sort and
-- compare as they are, and an index entry is a third of what text would take.
-- `seq` is a row's number for full-text search and salvage; being declared, it survives VACUUM, as a rowid would not.
-- JSON is text, kept as it was written, so that members we do not know survive.

create table chat (
    id text primary key not null,
    title text not null,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer,
    pinned integer not null default 0 check (pinned in (0, 1)),
    archived integer not null default 0 check (archived in (0, 1)),
    -- The newest message of the branch that is shown. No foreign key: sync may bring the chat before its messages.
    leaf text
) strict;

-- One index per view of the list, so that a page costs the same in a list of ten and of a hundred thousand.
create index chat_active_idx on chat (updated_at, id) where deleted_at is null and archived = 0;
create index chat_pinned_idx on chat (updated_at, id) where deleted_at is null and archived = 0 and pinned = 1;
create index chat_archived_idx on chat (updated_at, id) where deleted_at is null and archived = 1;
create index chat_trash_idx on chat (updated_at, id) where deleted_at is not null;
create index chat_deleted_at_idx on chat (deleted_at) where deleted_at is not null;

create table message (
    seq integer primary key,
    id text not null unique,
    chat_id text not null references chat (id) on delete cascade,
    -- No foreign key: sync and salvage may bring a message before its parent, or without it.
    parent text,
    role text not null check (role in ('user', 'assistant', 'system')),
    content text not null,
    sources text,
    metadata text,
    created_at integer not null,
    state text not null check (state in ('streaming', 'complete', 'interrupted')),
    -- The process that writes a streaming message; see src/owner.rs.
    owner text,
    -- JSON array of suggested questions.
    follow_ups text,
    check ((state = 'streaming') = (owner is not null))
) strict;

create index message_chat_id_created_at_idx on message (chat_id, created_at);
-- Siblings and children, in order.
create index message_branch_idx on message (chat_id, parent, created_at);
create index message_streaming_idx on message (owner) where owner is not null;

-- What has been streamed of a message since its row was last written; appended about four times a second.
create table journal (
    message_id text not null references message (id) on delete cascade,
    chunk integer not null,
    text text not null,
    primary key (message_id, chunk)
) strict, without rowid;

-- A source as it read when it was fetched. Never changed; shared by all answers that read the same.
create table page (
    seq integer primary key,
    id text not null unique,
    url text not null,
    host text not null,
    title text not null,
    author text,
    site_name text,
    published_at integer,
    favicon text,
    language text,
    media_type text not null check (media_type in ('html', 'pdf', 'text')),
    fetched_at integer not null,
    content_hash text not null,
    -- Last, so that reading a title does not walk through the text: zstd, zstd, and see src/pages.rs.
    sentences blob not null,
    text blob not null,
    html blob,
    unique (url, content_hash)
) strict;

-- `[n]` in an answer cites the page with number n.
create table message_source (
    message_id text not null references message (id) on delete cascade,
    number integer not null check (number >= 1),
    page_id text not null references page (id),
    primary key (message_id, number)
) strict, without rowid;

create index message_source_page_id_idx on message_source (page_id);

-- Spans are bytes: of the answer's content (marker, sentence) and of the page's text (page).
create table citation (
    message_id text not null references message (id) on delete cascade,
    position integer not null,
    number integer not null,
    marker_start integer not null,
    marker_end integer not null,
    sentence_start integer not null,
    sentence_end integer not null,
    page_id text not null references page (id),
    page_start integer not null,
    page_end integer not null,
    quote text not null,
    primary key (message_id, position)
) strict, without rowid;

create index citation_page_id_idx on citation (page_id);

create table sentence_check (
    message_id text not null references message (id) on delete cascade,
    position integer not null,
    sentence_start integer not null,
    sentence_end integer not null,
    verdict text not null check (verdict in ('supported', 'partly', 'not_found')),
    -- JSON of the nearest evidence, which only this device has and no query looks into.
    evidence text,
    primary key (message_id, position)
) strict, without rowid;

-- The seed's settings of the one person whose data folder this is; NULL reads as the default (seed R24).
create table user_settings (
    id integer primary key check (id = 1),
    theme text,
    language text,
    default_model text,
    enable_search_by_default integer not null default 1 check (enable_search_by_default in (0, 1)),
    max_search_results integer,
    updated_at integer not null
) strict;

-- Settings of the app itself, by name. Secrets are never kept here.
create table setting (
    key text primary key not null,
    value text not null,
    updated_at integer not null
) strict, without rowid;

create table search_cache (
    id integer primary key,
    -- Unique, unlike the shared table's: here a newer entry replaces the older.
    query text not null unique,
    results text not null,
    created_at integer not null,
    expires_at integer not null
) strict;

create index search_cache_expires_at_idx on search_cache (expires_at);

-- What sync has still to send. One row per entity: a later change replaces the earlier under a greater seq, so that
-- acknowledging what was sent never drops what has changed since.
create table outbox (
    seq integer primary key autoincrement,
    entity text not null check (entity in ('chat', 'message', 'user_settings')),
    entity_id text not null,
    operation text not null check (operation in ('upsert', 'delete')),
    changed_at integer not null,
    unique (entity, entity_id)
) strict;
