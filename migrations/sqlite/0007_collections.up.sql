-- How a person sorts chats on this device: collections, tags, and searches that are kept. None of it is synced.

-- In the person's own order. `name_key` is the name as it is compared: no two differ in case alone.
create table collection (
    id text primary key not null,
    name text not null,
    name_key text not null unique,
    position integer not null,
    created_at integer not null
) strict;

-- The one that the chat is in. No foreign key, so that the column can be taken back; the trigger does what one would.
alter table chat add column collection text;

create trigger collection_deleted after delete on collection begin
    update chat set collection = null where collection = old.id;
end;

-- Lists each view of a collection in order, and counts it without looking at a row.
create index chat_collection_idx on chat (collection, deleted_at, archived, updated_at, id)
where collection is not null;

-- The number is never given twice, so that a salvage cannot mistake one for another.
create table tag (
    id integer primary key autoincrement,
    name text not null,
    name_key text not null unique
) strict;

create table chat_tag (
    chat_id text not null references chat (id) on delete cascade on update cascade,
    tag_id integer not null references tag (id),
    primary key (chat_id, tag_id)
) strict, without rowid;

create index chat_tag_tag_id_idx on chat_tag (tag_id, chat_id);

-- A tag is there while a chat has it.
create trigger chat_tag_deleted after delete on chat_tag
when not exists (select 1 from chat_tag where tag_id = old.tag_id) begin
    delete from tag where id = old.tag_id;
end;

create table saved_search (
    id text primary key not null,
    name text not null,
    name_key text not null unique,
    -- JSON: the words and the filter.
    query text not null,
    created_at integer not null
) strict;
