-- Sync: whose data this is, how far the two sides know each other, and what is on its way.

-- Rows that are on the server as far as we know; 0 also for all that was never sent.
alter table message add column synced integer not null default 0;
-- Written by a program that knows no parents, so it follows what comes before it in time.
alter table message add column appended integer not null default 0;
-- Deleted on the server: not shown, kept for a while, and offered to the server again.
alter table message add column hidden_at integer;

create index page_content_hash_idx on page (content_hash);
create index message_hidden_idx on message (hidden_at) where hidden_at is not null;

-- A message that is hidden is not found, and one that moved is found in its new chat.
create trigger history_message_hidden after update of chat_id, hidden_at on message when new.state <> 'streaming' begin
    delete from history_pending where kind = 'message' and seq = new.seq;
    delete from history_message where rowid = new.seq;
    insert into history_pending (kind, seq) select 'message', new.seq where new.hidden_at is null;
end;

-- One row: the account that the store belongs to since its first sign-in.
create table sync_account (
    id integer primary key check (id = 1),
    user_id text not null,
    server text not null,
    bound_at integer not null,
    -- What the server's clock is ahead of ours, in milliseconds.
    clock_offset integer not null default 0,
    -- JSON: cursor, epoch and what is half done; see src/sync/position.rs. Written with the rows it tells of.
    position text not null
) strict;

-- A chat as it last was on both sides: what differs from it has changed since.
create table sync_chat (
    chat_id text primary key not null references chat (id) on delete cascade,
    title text,
    created_at integer,
    updated_at integer,
    deleted_at integer,
    pinned integer,
    archived integer,
    leaf text,
    flags_at integer
) strict, without rowid;

-- Chats from before the sign-in: they stay on this device until the person hands them over.
create table sync_offer (
    chat_id text primary key not null references chat (id) on delete cascade,
    declined integer not null default 0 check (declined in (0, 1))
) strict, without rowid;

-- The clock of each setting, by the server's time.
create table sync_setting (
    key text primary key not null,
    at integer not null
) strict, without rowid;

-- Rows that came before their chat, as JSON.
create table sync_early (
    kind text not null check (kind in ('flags', 'message')),
    id text not null,
    chat_id text not null,
    body text not null,
    primary key (kind, id)
) strict, without rowid;
create index sync_early_chat_id_idx on sync_early (chat_id);

-- Messages whose parent is not here (yet).
create table sync_dangling (
    message_id text primary key not null references message (id) on delete cascade
) strict, without rowid;

-- What a message rests on, until the pages it names have come, as JSON.
create table sync_evidence (
    message_id text primary key not null references message (id) on delete cascade,
    body text not null,
    tries integer not null default 0,
    next_try integer not null default 0
) strict, without rowid;
create index sync_evidence_next_try_idx on sync_evidence (next_try);

-- Pages whose text the server may lack.
create table sync_page (
    content_hash text primary key not null
) strict, without rowid;

-- What lost against another write, kept with its text.
create table sync_conflict (
    id integer primary key autoincrement,
    kind text not null,
    chat_id text not null,
    entity_id text not null,
    lost text not null,
    at integer not null
) strict;

-- What the server refuses for good; it leaves the outbox, so that nothing waits behind it.
create table sync_dead (
    entity text not null,
    entity_id text not null,
    reason text not null,
    at integer not null,
    primary key (entity, entity_id)
) strict, without rowid;

-- Settings are noted one by one from now on.
insert or ignore into outbox (entity, entity_id, operation, changed_at)
    select 'user_settings', key, 'upsert', changed_at from outbox
    cross join (select 'theme' as key union all select 'language' union all select 'default_model'
        union all select 'enable_search_by_default' union all select 'max_search_results')
    where entity = 'user_settings' and entity_id = '';
delete from outbox where entity = 'user_settings' and entity_id = '';
