-- Sync: a feed of changes, and what the seed's tables have no column for.
--
-- Triggers write the feed, so that what the web app writes and deletes is in it too. An entry bears the id of the
-- transaction that made it, and is handed out only once every transaction that could still commit a smaller one has
-- ended: a reader that goes on from where it stopped misses nothing, however transactions overlap.
--
-- Devices reach none of the tables. They call the functions `deepsearch.sync_…`, each of which holds itself to the rows
-- of `deepsearch.uid()`. What these promise is written in crates/deepsearch-core/src/sync.rs.

create schema deepsearch_sync;
grant usage on schema deepsearch_sync to deepsearch_definer;

---------------------------------------------------------------------------------------------------------------------
-- Tables

create table deepsearch_sync.meta (
    id boolean primary key default true check (id),
    -- Which versions of the protocol may write.
    protocol_min integer not null default 1,
    protocol_max integer not null default 1,
    -- Deletions up to this transaction may be forgotten.
    collected xid8 not null default '0'
);
insert into deepsearch_sync.meta default values;

-- One row an entity: its last change. No foreign key to the user: a web app's deletion must not be held up by it; see
-- deepsearch_sync.forget_user().
create table deepsearch_sync.change (
    user_id varchar(255) not null,
    kind text not null check (kind in ('setting', 'chat', 'flags', 'message')),
    row_id varchar(255) not null,
    op "char" not null check (op in ('U', 'D')),
    xid xid8 not null,
    seq bigint not null,
    at timestamp with time zone not null default clock_timestamp(),
    primary key (user_id, kind, row_id)
);
create index change_feed on deepsearch_sync.change (user_id, xid, seq);
create sequence deepsearch_sync.change_seq owned by deepsearch_sync.change.seq;

-- Both outlive their rows for as long as the tombstone does: a web app may delete and insert anew in order to save.
create table deepsearch_sync.chat_flags (
    user_id varchar(255) not null,
    chat_id varchar(255) not null,
    pinned boolean not null,
    archived boolean not null,
    leaf varchar(255),
    at timestamp with time zone not null,
    primary key (user_id, chat_id)
);
create table deepsearch_sync.message_extras (
    user_id varchar(255) not null,
    message_id varchar(255) not null,
    -- `MessageExtras` of deepsearch-core.
    body json not null,
    primary key (user_id, message_id)
);

create table deepsearch_sync.setting_clock (
    user_id varchar(255) not null,
    key text not null,
    at timestamp with time zone not null,
    primary key (user_id, key)
);

-- The text of a saved page, once for each person: kept once for all, it would tell what others have read.
create table deepsearch_sync.page (
    user_id varchar(255) not null,
    content_hash varchar(64) not null check (content_hash ~ '^[0-9a-f]{64}$'),
    text text not null,
    html text,
    size integer not null,
    at timestamp with time zone not null default clock_timestamp(),
    primary key (user_id, content_hash)
);
create table deepsearch_sync.page_use (
    user_id varchar(255) not null,
    message_id varchar(255) not null,
    content_hash varchar(64) not null,
    primary key (user_id, message_id, content_hash)
);
create index page_use_content_hash_idx on deepsearch_sync.page_use (user_id, content_hash);

grant select, update (collected) on deepsearch_sync.meta to deepsearch_definer;
grant select, insert, update, delete on deepsearch_sync.change, deepsearch_sync.chat_flags,
    deepsearch_sync.message_extras, deepsearch_sync.setting_clock, deepsearch_sync.page, deepsearch_sync.page_use
    to deepsearch_definer;
grant usage on sequence deepsearch_sync.change_seq to deepsearch_definer;
-- The sign-in server reads what is kept of a person, to hand it to them.
grant usage on schema deepsearch_sync to deepsearch_gateway;
grant select on deepsearch_sync.chat_flags, deepsearch_sync.message_extras, deepsearch_sync.setting_clock,
    deepsearch_sync.page to deepsearch_gateway;
-- Reading and deleting chats and messages is the boundary's grant.
grant insert, update on public."ai-app-template_chat", public."ai-app-template_message" to deepsearch_definer;
grant select, insert, update on public."ai-app-template_user_settings" to deepsearch_definer;
grant select (id) on public."ai-app-template_user" to deepsearch_definer;

---------------------------------------------------------------------------------------------------------------------
-- The feed is written

create function deepsearch_sync.note(of_user text, of_kind text, of_id text, what "char") returns void
language sql set search_path = pg_catalog, pg_temp as $$
    insert into deepsearch_sync.change (user_id, kind, row_id, op, xid, seq)
    values (of_user, of_kind, of_id, what, pg_current_xact_id(), nextval('deepsearch_sync.change_seq'))
    on conflict (user_id, kind, row_id) do update
    set op = excluded.op, xid = excluded.xid, seq = excluded.seq, at = excluded.at
$$;

create function deepsearch_sync.chat_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'DELETE' then
        -- Not when it goes with its user, who leaves nothing behind: this comes after forget_user().
        perform deepsearch_sync.note(id, 'chat', old.id, 'D') from public."ai-app-template_user" where id = old.user_id;
        return null;
    end if;
    if tg_op = 'UPDATE' and (old.user_id, old.id) is distinct from (new.user_id, new.id) then
        perform deepsearch_sync.note(old.user_id, 'chat', old.id, 'D');
        perform deepsearch_sync.note(new.user_id, 'chat', new.id, 'U');
        perform deepsearch_sync.note(new.user_id, 'message', message.id, 'U')
        from public."ai-app-template_message" as message where message.chat_id = new.id;
        return null;
    end if;
    perform deepsearch_sync.note(new.user_id, 'chat', new.id, 'U');
    -- It was deleted before, and devices forgot its flags with it.
    if tg_op = 'INSERT' and exists (
        select from deepsearch_sync.chat_flags where user_id = new.user_id and chat_id = new.id
    ) then
        perform deepsearch_sync.note(new.user_id, 'flags', new.id, 'U');
    end if;
    return null;
end
$$;

create trigger deepsearch_sync_added after insert or delete on public."ai-app-template_chat" for each row
execute function deepsearch_sync.chat_changed();
create trigger deepsearch_sync_changed after update on public."ai-app-template_chat" for each row
when (old.* is distinct from new.*) execute function deepsearch_sync.chat_changed();

-- Once a statement, because messages come in batches. A message that goes with its chat has no entry of its own: the
-- chat's deletion says it, and by now nobody knows whose it was.
create function deepsearch_sync.messages_added() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into deepsearch_sync.change (user_id, kind, row_id, op, xid, seq)
    select user_id, 'message', id, 'U', pg_current_xact_id(), nextval('deepsearch_sync.change_seq') from (
        select chat.user_id, added.id from added
        join public."ai-app-template_chat" as chat on chat.id = added.chat_id
        order by added.created_at, added.id
    ) as ordered
    on conflict (user_id, kind, row_id) do update
    set op = excluded.op, xid = excluded.xid, seq = excluded.seq, at = excluded.at;
    return null;
end
$$;

create function deepsearch_sync.messages_removed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch_sync.note(chat.user_id, 'message', removed.id, 'D')
    from removed join public."ai-app-template_chat" as chat on chat.id = removed.chat_id;
    return null;
end
$$;

create function deepsearch_sync.messages_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch_sync.note(chat.user_id, 'message', added.id, 'U')
    from added
    left join removed on removed.id = added.id
    join public."ai-app-template_chat" as chat on chat.id = added.chat_id
    where (removed.chat_id, removed.role, removed.content, removed.sources::text, removed.metadata::text,
            removed.created_at)
        is distinct from
        (added.chat_id, added.role, added.content, added.sources::text, added.metadata::text, added.created_at);
    -- Moved to another person's chat, or under another id.
    perform deepsearch_sync.note(old_chat.user_id, 'message', removed.id, 'D')
    from removed
    join public."ai-app-template_chat" as old_chat on old_chat.id = removed.chat_id
    left join added on added.id = removed.id
    left join public."ai-app-template_chat" as new_chat on new_chat.id = added.chat_id
    where new_chat.user_id is distinct from old_chat.user_id;
    return null;
end
$$;

create trigger deepsearch_sync_added after insert on public."ai-app-template_message"
referencing new table as added for each statement execute function deepsearch_sync.messages_added();
create trigger deepsearch_sync_removed after delete on public."ai-app-template_message"
referencing old table as removed for each statement execute function deepsearch_sync.messages_removed();
create trigger deepsearch_sync_changed after update on public."ai-app-template_message"
referencing old table as removed new table as added for each statement
execute function deepsearch_sync.messages_changed();

create function deepsearch_sync.setting_changed(of_user text, of_key text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into deepsearch_sync.setting_clock as known (user_id, key, at) values (of_user, of_key, clock_timestamp())
    on conflict (user_id, key) do update
    set at = greatest(excluded.at, known.at + interval '1 microsecond');
    perform deepsearch_sync.note(of_user, 'setting', of_key, 'U');
end
$$;

-- A column that has its default in a new row was not chosen by anybody.
create function deepsearch_sync.settings_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    was public."ai-app-template_user_settings"%rowtype;
begin
    if tg_op = 'UPDATE' then
        was := old;
    else
        was.theme := 'dark';
        was.language := 'en';
        was.enable_search_by_default := true;
        was.max_search_results := 10;
    end if;
    if new.theme is distinct from was.theme then
        perform deepsearch_sync.setting_changed(new.user_id, 'theme');
    end if;
    if new.language is distinct from was.language then
        perform deepsearch_sync.setting_changed(new.user_id, 'language');
    end if;
    if new.default_model is distinct from was.default_model then
        perform deepsearch_sync.setting_changed(new.user_id, 'default_model');
    end if;
    if new.enable_search_by_default is distinct from was.enable_search_by_default then
        perform deepsearch_sync.setting_changed(new.user_id, 'enable_search_by_default');
    end if;
    if new.max_search_results is distinct from was.max_search_results then
        perform deepsearch_sync.setting_changed(new.user_id, 'max_search_results');
    end if;
    return null;
end
$$;

create trigger deepsearch_sync_changed after insert or update on public."ai-app-template_user_settings" for each row
execute function deepsearch_sync.settings_changed();

create function deepsearch_sync.forget_user() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from deepsearch_sync.change where user_id = old.id;
    delete from deepsearch_sync.chat_flags where user_id = old.id;
    delete from deepsearch_sync.message_extras where user_id = old.id;
    delete from deepsearch_sync.setting_clock where user_id = old.id;
    delete from deepsearch_sync.page where user_id = old.id;
    delete from deepsearch_sync.page_use where user_id = old.id;
    return null;
end
$$;

create trigger deepsearch_sync_forget after delete on public."ai-app-template_user" for each row
execute function deepsearch_sync.forget_user();

---------------------------------------------------------------------------------------------------------------------
-- The feed is read

-- What the server says of itself. `epoch` names its past: this cluster, how often it was taken back in time or taken
-- over by a replica, and the database in it.
create function deepsearch.sync_server()
returns table (epoch text, protocol_min integer, protocol_max integer, now timestamptz, collected text, horizon text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select
        (select system_identifier from pg_control_system()) || '.' || (select timeline_id from pg_control_checkpoint())
            || '.' || (select oid from pg_database where datname = current_database()),
        meta.protocol_min, meta.protocol_max, clock_timestamp(), meta.collected::text,
        pg_snapshot_xmin(pg_current_snapshot())::text
    from deepsearch_sync.meta
$$;

-- A row as a device gets it, most of it empty in each kind.
create type deepsearch_sync.feed_row as (
    kind text,
    row_id text,
    is_deletion boolean,
    xid text,
    seq bigint,
    chat_id text,
    title text,
    role text,
    content text,
    sources text,
    metadata text,
    extras text,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    pinned boolean,
    archived boolean,
    leaf text,
    value text,
    at timestamptz,
    -- Whether the page ends here although there is more.
    is_cut boolean
);

create function deepsearch_sync.setting_value(of public."ai-app-template_user_settings", key text) returns json
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case key
        when 'theme' then coalesce(to_json(of.theme), 'null')
        when 'language' then coalesce(to_json(of.language), 'null')
        when 'default_model' then coalesce(to_json(of.default_model), 'null')
        when 'enable_search_by_default' then to_json(of.enable_search_by_default)
        when 'max_search_results' then coalesce(to_json(of.max_search_results), 'null')
    end
$$;

-- At most `most` entries, and no more text than sixteen megabytes unless one message alone has it. The last row is the end
-- of the page: no kind, and the place of the last entry.
--
-- Each entry's row is looked up by its key. The planner cannot know that a page is short, and would walk through whole
-- tables or compile the query.
create function deepsearch.sync_pull(after_xid text, after_seq bigint, most integer)
returns setof deepsearch_sync.feed_row
language plpgsql stable rows 1000 security definer set search_path = pg_catalog, pg_temp
set jit = off set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
    horizon constant xid8 := pg_snapshot_xmin(pg_current_snapshot());
begin
    return query
    with entry as materialized (
        select change.kind, change.row_id, change.op, change.xid, change.seq,
            row_number() over (order by change.xid, change.seq) as place
        from deepsearch_sync.change
        where change.user_id = me and (change.xid, change.seq) > (after_xid::xid8, after_seq) and change.xid < horizon
        order by change.xid, change.seq
        limit least(greatest(most, 1), 5000) + 1
    ), message as materialized (
        select entry.place, entry.xid, entry.seq, message.id, message.chat_id, message.role, message.content,
            message.sources, message.metadata, message.created_at, extras.body,
            sum(octet_length(message.content)::bigint) over (order by entry.place) as bytes
        from entry
        join public."ai-app-template_message" as message on message.id = entry.row_id
        join public."ai-app-template_chat" as chat on chat.id = message.chat_id and chat.user_id = me
        left join deepsearch_sync.message_extras as extras on extras.user_id = me and extras.message_id = message.id
        where entry.kind = 'message' and entry.op = 'U' and entry.place <= least(greatest(most, 1), 5000)
    ), last as (
        select max(entry.place) as place from entry
        where entry.place <= least(greatest(most, 1), 5000) and entry.place < coalesce(
            (select min(message.place) from message where message.bytes > 16777216 and message.place > 1), 1000000)
    ), found as (
        select 'message' as kind, message.id as row_id, false as is_deletion, message.place, message.chat_id,
            null::varchar as title, message.role, message.content, message.sources, message.metadata, message.body,
            message.created_at, null::timestamptz as updated_at, null::timestamptz as deleted_at,
            null::boolean as pinned, null::boolean as archived, null::varchar as leaf, null::json as value,
            null::timestamptz as at
        from message
        union all
        select 'chat', chat.id, false, entry.place, null, chat.title, null, null, null, null, null, chat.created_at,
            chat.updated_at, chat.deleted_at, null, null, null, null, null
        from entry join public."ai-app-template_chat" as chat on chat.id = entry.row_id and chat.user_id = me
        where entry.kind = 'chat' and entry.op = 'U'
        union all
        select 'flags', flags.chat_id, false, entry.place, null, null, null, null, null, null, null, null, null, null,
            flags.pinned, flags.archived, flags.leaf, null, flags.at
        from entry
        join deepsearch_sync.chat_flags as flags on flags.user_id = me and flags.chat_id = entry.row_id
        join public."ai-app-template_chat" as chat on chat.id = flags.chat_id and chat.user_id = me
        where entry.kind = 'flags' and entry.op = 'U'
        union all
        select 'setting', entry.row_id, false, entry.place, null, null, null, null, null, null, null, null, null, null,
            null, null, null, deepsearch_sync.setting_value(settings, entry.row_id), clock.at
        from entry
        join deepsearch_sync.setting_clock as clock on clock.user_id = me and clock.key = entry.row_id
        join public."ai-app-template_user_settings" as settings on settings.user_id = me
        where entry.kind = 'setting' and entry.op = 'U'
        union all
        select entry.kind, entry.row_id, true, entry.place, null, null, null, null, null, null, null, null, null, null,
            null, null, null, null, null
        from entry where entry.op = 'D'
    )
    select page.kind, page.row_id::text, page.is_deletion, page.xid::text, page.seq, page.chat_id::text,
        page.title::text, page.role::text, page.content, page.sources::text, page.metadata::text, page.body::text,
        page.created_at, page.updated_at, page.deleted_at, page.pinned, page.archived, page.leaf::text,
        page.value::text, page.at, page.is_cut
    from (
        select found.*, null::xid8 as xid, null::bigint as seq, null::boolean as is_cut
        from found where found.place <= (select last.place from last)
        union all
        select null, null, null, entry.place + 1, null, null, null, null, null, null, null, null, null, null, null,
            null, null, null, null, entry.xid, entry.seq, (select count(*) from entry as every) > entry.place
        from entry where entry.place = (select last.place from last)
    ) as page
    order by page.place, page.kind;
end
$$;

create function deepsearch.sync_count(after_xid text, after_seq bigint) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    return (select count(*) from deepsearch_sync.change
        where user_id = me and (xid, seq) > (after_xid::xid8, after_seq));
end
$$;

-- Chats by their last activity, each with its flags, after one of them.
create function deepsearch.sync_recent_chats(after_at timestamptz, after_id text, most integer)
returns setof deepsearch_sync.feed_row
language plpgsql stable rows 1000 security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    return query
    with found as (
        select chat.*, row_number() over (order by chat.updated_at desc, chat.id collate "C" desc) as place
        from public."ai-app-template_chat" as chat
        where chat.user_id = me and (after_at is null
            or (chat.updated_at, chat.id collate "C") < (after_at, after_id collate "C"))
        order by chat.updated_at desc, chat.id collate "C" desc
        limit least(greatest(most, 1), 5000) + 1
    )
    select 'chat', found.id::text, false, null::text, null::bigint, null::text, found.title::text, null::text, null::text,
        null::text, null::text, null::text, found.created_at, found.updated_at, found.deleted_at,
        flags.pinned, flags.archived, flags.leaf::text, null::text, flags.at,
        (select count(*) from found as every) > most
    from found
    left join deepsearch_sync.chat_flags as flags on flags.user_id = me and flags.chat_id = found.id
    where found.place <= most order by found.place;
end
$$;

create function deepsearch.sync_recent_messages(since timestamptz, after_at timestamptz, after_id text, most integer)
returns setof deepsearch_sync.feed_row
language plpgsql stable rows 1000 security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    return query
    with found as (
        select message.*, row_number() over newest as place,
            sum(octet_length(message.content) + coalesce(octet_length(message.sources::text), 0)) over newest as bytes
        from (
            select message.* from public."ai-app-template_message" as message
            join public."ai-app-template_chat" as chat on chat.id = message.chat_id and chat.user_id = me
            where message.created_at >= since and (after_at is null
                or (message.created_at, message.id collate "C") < (after_at, after_id collate "C"))
            order by message.created_at desc, message.id collate "C" desc
            limit least(greatest(most, 1), 5000) + 1
        ) as message
        window newest as (order by message.created_at desc, message.id collate "C" desc)
    ), kept as (
        select * from found where place <= most and (bytes <= 16777216 or place = 1)
    )
    select 'message', kept.id::text, false, null::text, null::bigint, kept.chat_id::text, null::text, kept.role::text,
        kept.content, kept.sources::text, kept.metadata::text, extras.body::text, kept.created_at, null::timestamptz,
        null::timestamptz, null::boolean, null::boolean, null::text, null::text, null::timestamptz,
        (select count(*) from found) > (select count(*) from kept as every)
    from kept
    left join deepsearch_sync.message_extras as extras on extras.user_id = me and extras.message_id = kept.id
    order by kept.place;
end
$$;

create function deepsearch.sync_settings() returns setof deepsearch_sync.feed_row
language plpgsql stable rows 5 security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    return query
    select 'setting', clock.key, false, null::text, null::bigint, null::text, null::text, null::text, null::text,
        null::text, null::text, null::text, null::timestamptz, null::timestamptz, null::timestamptz, null::boolean,
        null::boolean, null::text, deepsearch_sync.setting_value(settings, clock.key)::text, clock.at, false
    from public."ai-app-template_user_settings" as settings
    join deepsearch_sync.setting_clock as clock on clock.user_id = me
    where settings.user_id = me order by clock.at desc, clock.key;
end
$$;

-- Ids by their bytes, after one.
create function deepsearch.sync_ids(of_kind text, after_id text, most integer) returns setof text
language plpgsql stable rows 1000 security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    if of_kind = 'chat' then
        return query select chat.id::text from public."ai-app-template_chat" as chat
        where chat.user_id = me and (after_id is null or chat.id collate "C" > after_id collate "C")
        order by chat.id collate "C" limit least(greatest(most, 1), 5000) + 1;
    else
        return query select message.id::text from public."ai-app-template_message" as message
        join public."ai-app-template_chat" as chat on chat.id = message.chat_id and chat.user_id = me
        where after_id is null or message.id collate "C" > after_id collate "C"
        order by message.id collate "C" limit least(greatest(most, 1), 5000) + 1;
    end if;
end
$$;

---------------------------------------------------------------------------------------------------------------------
-- Devices write. Rows come and answers go as the JSON of `PushRow` and `PushAnswer` in deepsearch-core.

-- The answer to a row that is there already. Whoever pushed a later time has to learn which one is kept.
create function deepsearch_sync.same(pushed_at timestamptz, kept_at timestamptz) returns json
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when pushed_at > kept_at then json_build_object('Applied', json_build_object('at', kept_at))
        else '"Duplicate"' end
$$;

create function deepsearch_sync.push_chat(me text, pushed json, is_known boolean, latest timestamptz) returns json
language plpgsql set search_path = pg_catalog, pg_temp as $$
<<its>>
declare
    id constant text := pushed ->> 'id';
    title constant text := pushed ->> 'title';
    created constant timestamptz := least((pushed ->> 'created_at')::timestamptz, latest);
    updated constant timestamptz := least((pushed ->> 'updated_at')::timestamptz, latest);
    -- None stays none, which `least` would pass over.
    deleted constant timestamptz := case when pushed ->> 'deleted_at' is not null
        then least((pushed ->> 'deleted_at')::timestamptz, latest) end;
    stored public."ai-app-template_chat"%rowtype;
begin
    -- Twice: another may insert between the look and the insert.
    for attempt in 1..2 loop
        -- Only one's own: whoever looked at another's for update would hold it up.
        select * into stored from public."ai-app-template_chat" as chat
        where chat.id = its.id and chat.user_id = me for update;
        exit when stored.id is not null;
        if is_known or exists (
            select from deepsearch_sync.change where user_id = me and kind = 'chat' and row_id = its.id
        ) then
            return '"Gone"';
        end if;
        insert into public."ai-app-template_chat" (id, user_id, title, created_at, updated_at, deleted_at)
        values (its.id, me, its.title, created, updated, deleted) on conflict do nothing;
        if found then
            return json_build_object('Applied', json_build_object('at', updated));
        end if;
    end loop;
    if stored.id is null then
        return '"IdConflict"';
    end if;
    if (stored.title, stored.updated_at, stored.deleted_at) is not distinct from (its.title, updated, deleted) then
        return deepsearch_sync.same((pushed ->> 'updated_at')::timestamptz, updated);
    end if;
    if (stored.updated_at, stored.title collate "C") >= (updated, its.title collate "C") then
        return json_build_object('Superseded', json_build_object('Chat', json_build_object(
            'id', stored.id, 'title', stored.title, 'created_at', stored.created_at, 'updated_at', stored.updated_at,
            'deleted_at', stored.deleted_at)));
    end if;
    update public."ai-app-template_chat" as chat
    set title = its.title, created_at = created, updated_at = updated, deleted_at = deleted
    where chat.id = its.id;
    return json_build_object('Applied', json_build_object('at', updated));
end
$$;

create function deepsearch_sync.push_flags(me text, pushed json, latest timestamptz) returns json
language plpgsql set search_path = pg_catalog, pg_temp as $$
<<its>>
declare
    id constant text := pushed ->> 'chat_id';
    moment constant timestamptz := least((pushed ->> 'at')::timestamptz, latest);
    stored deepsearch_sync.chat_flags%rowtype;
begin
    perform from public."ai-app-template_chat" as chat where chat.id = its.id and user_id = me for key share;
    if not found then
        return '"Orphan"';
    end if;
    insert into deepsearch_sync.chat_flags (user_id, chat_id, pinned, archived, leaf, at)
    values (me, id, (pushed ->> 'pinned')::boolean, (pushed ->> 'archived')::boolean, pushed ->> 'leaf', moment)
    on conflict do nothing;
    if not found then
        select * into stored from deepsearch_sync.chat_flags where user_id = me and chat_id = id for update;
        if stored.at >= moment then
            if (stored.pinned, stored.archived, stored.leaf, stored.at) is not distinct from
                ((pushed ->> 'pinned')::boolean, (pushed ->> 'archived')::boolean, (pushed ->> 'leaf')::varchar, moment)
            then
                return deepsearch_sync.same((pushed ->> 'at')::timestamptz, moment);
            end if;
            return json_build_object('Superseded', json_build_object('Flags', json_build_object(
                'chat_id', stored.chat_id, 'pinned', stored.pinned, 'archived', stored.archived, 'leaf', stored.leaf,
                'at', stored.at)));
        end if;
        update deepsearch_sync.chat_flags
        set pinned = (pushed ->> 'pinned')::boolean, archived = (pushed ->> 'archived')::boolean,
            leaf = pushed ->> 'leaf', at = moment
        where user_id = me and chat_id = id;
    end if;
    perform deepsearch_sync.note(me, 'flags', id, 'U');
    return json_build_object('Applied', json_build_object('at', moment));
end
$$;

-- Keeps what the table has no column for. What the message rests on is never taken away by a push that lacks it.
create function deepsearch_sync.keep_extras(me text, of_message text, pushed json) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    body json := pushed;
    stored json;
begin
    if octet_length(pushed::text) > 2097152 then
        raise exception using errcode = 'program_limit_exceeded', message = 'what belongs to the message is too large';
    end if;
    select extras.body into stored from deepsearch_sync.message_extras as extras
    where user_id = me and message_id = of_message for update;
    if coalesce(json_typeof(pushed -> 'evidence'), 'null') = 'null' and json_typeof(stored -> 'evidence') = 'object' then
        body := (pushed::jsonb || jsonb_build_object('evidence', stored -> 'evidence'))::json;
    end if;
    insert into deepsearch_sync.message_extras (user_id, message_id, body) values (me, of_message, body)
    on conflict (user_id, message_id) do update set body = excluded.body;
    if json_typeof(body -> 'evidence' -> 'pages') = 'array' then
        insert into deepsearch_sync.page_use (user_id, message_id, content_hash)
        select me, of_message, page ->> 'content_hash' from json_array_elements(body -> 'evidence' -> 'pages') as page
        on conflict do nothing;
    end if;
    perform deepsearch_sync.note(me, 'message', of_message, 'U');
end
$$;

create function deepsearch_sync.push_message(me text, pushed json, latest timestamptz, already_taken_back integer)
returns json
language plpgsql set search_path = pg_catalog, pg_temp as $$
<<its>>
declare
    id constant text := pushed ->> 'id';
    its_chat constant text := pushed ->> 'chat_id';
    content constant text := pushed ->> 'content';
    extras constant json := nullif(pushed ->> 'extras', '')::json;
    is_interrupted constant boolean := coalesce((extras ->> 'interrupted')::boolean, false);
    moment timestamptz := (pushed ->> 'created_at')::timestamptz;
    stored public."ai-app-template_message"%rowtype;
    stored_extras json;
begin
    if octet_length(content) > 4194304 then
        raise exception using errcode = 'program_limit_exceeded', message = 'the message is too long';
    end if;
    perform from public."ai-app-template_chat" as chat where chat.id = its_chat and user_id = me for key share;
    if not found then
        return '"Orphan"';
    end if;
    if moment > latest then
        moment := latest + already_taken_back * interval '1 millisecond';
    end if;
    for attempt in 1..2 loop
        select message.* into stored from public."ai-app-template_message" as message
        join public."ai-app-template_chat" as chat on chat.id = message.chat_id and chat.user_id = me
        where message.id = its.id for update of message;
        exit when stored.id is not null;
        insert into public."ai-app-template_message" (id, chat_id, role, content, sources, metadata, created_at)
        values (its.id, its_chat, pushed ->> 'role', its.content, (pushed ->> 'sources')::json,
            (pushed ->> 'metadata')::json, moment) on conflict do nothing;
        if found then
            if extras is not null then
                perform deepsearch_sync.keep_extras(me, its.id, extras);
            end if;
            return json_build_object('Applied', json_build_object('at', moment));
        end if;
    end loop;
    if stored.id is null then
        return '"IdConflict"';
    end if;
    select body into stored_extras from deepsearch_sync.message_extras
    where user_id = me and message_id = its.id;
    if stored.chat_id = its_chat and coalesce((stored_extras ->> 'interrupted')::boolean, false)
        and (not is_interrupted or octet_length(its.content) > octet_length(stored.content))
    then
        update public."ai-app-template_message" as message
        set role = pushed ->> 'role', content = its.content, sources = (pushed ->> 'sources')::json,
            metadata = (pushed ->> 'metadata')::json
        where message.id = its.id;
        perform deepsearch_sync.keep_extras(me, its.id, coalesce(extras, '{"interrupted": false}'));
        return json_build_object('Applied', json_build_object('at', stored.created_at));
    end if;
    -- In another chat of the same person's it stays there.
    if stored.chat_id <> its_chat or stored.content is distinct from its.content then
        return json_build_object('Superseded', json_build_object('Message', json_build_object(
            'id', stored.id, 'chat_id', stored.chat_id, 'role', stored.role, 'content', stored.content,
            'sources', stored.sources::text, 'metadata', stored.metadata::text, 'created_at', stored.created_at,
            'extras', stored_extras)));
    end if;
    if extras is not null and (stored_extras is null or json_typeof(extras -> 'evidence') = 'object'
        and coalesce(json_typeof(stored_extras -> 'evidence'), 'null') = 'null')
    then
        perform deepsearch_sync.keep_extras(me, its.id, extras);
        return json_build_object('Applied', json_build_object('at', stored.created_at));
    end if;
    return '"Duplicate"';
end
$$;

create function deepsearch_sync.push_setting(me text, pushed json, latest timestamptz) returns json
language plpgsql set search_path = pg_catalog, pg_temp as $$
<<its>>
declare
    of_key constant text := pushed ->> 'key';
    value constant json := pushed -> 'value';
    moment constant timestamptz := least((pushed ->> 'at')::timestamptz, latest);
    stored public."ai-app-template_user_settings"%rowtype;
    stored_value json;
    stored_at timestamptz;
begin
    if of_key not in ('theme', 'language', 'default_model', 'enable_search_by_default', 'max_search_results') then
        raise exception using errcode = 'data_exception', message = format('there is no setting %s', of_key);
    end if;
    insert into public."ai-app-template_user_settings" (user_id) values (me) on conflict do nothing;
    select * into stored from public."ai-app-template_user_settings" where user_id = me for update;
    select at into stored_at from deepsearch_sync.setting_clock where user_id = me and key = of_key;
    stored_value := deepsearch_sync.setting_value(stored, of_key);
    if stored_at is not null then
        if stored_at = moment and stored_value::jsonb = its.value::jsonb then
            return deepsearch_sync.same((pushed ->> 'at')::timestamptz, moment);
        end if;
        if (stored_at, stored_value::text collate "C") >= (moment, its.value::text collate "C") then
            return json_build_object('Superseded', json_build_object('Setting', json_build_object(
                'key', of_key, 'value', stored_value, 'at', stored_at)));
        end if;
    end if;
    update public."ai-app-template_user_settings" set
        theme = case of_key when 'theme' then pushed ->> 'value' else theme end,
        language = case of_key when 'language' then pushed ->> 'value' else language end,
        default_model = case of_key when 'default_model' then pushed ->> 'value' else default_model end,
        enable_search_by_default = case of_key when 'enable_search_by_default' then (pushed ->> 'value')::boolean
            else enable_search_by_default end,
        max_search_results = case of_key when 'max_search_results' then (pushed ->> 'value')::integer
            else max_search_results end,
        updated_at = greatest(updated_at, moment)
    where user_id = me;
    -- The trigger has set the clock to now, if the value is another.
    insert into deepsearch_sync.setting_clock (user_id, key, at) values (me, of_key, moment)
    on conflict (user_id, key) do update set at = excluded.at;
    perform deepsearch_sync.note(me, 'setting', of_key, 'U');
    return json_build_object('Applied', json_build_object('at', moment));
end
$$;

create function deepsearch.sync_push(of_epoch text, protocol integer, rows json) returns json
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
    latest constant timestamptz := clock_timestamp() + interval '2 seconds';
    server record;
    pushed json;
    body json;
    kind text;
    answer json;
    answers json[] := '{}';
    -- How many messages of each chat were taken back from the future.
    taken_back jsonb := '{}';
begin
    select * into strict server from deepsearch.sync_server();
    if of_epoch is distinct from server.epoch then
        raise exception using errcode = 'DS010', message = 'the server is not the one that the device knows';
    end if;
    if protocol is null or protocol not between server.protocol_min and server.protocol_max then
        raise exception using errcode = 'DS011', message = 'the server does not speak this version of the protocol',
            detail = format('%s %s', server.protocol_min, server.protocol_max);
    end if;
    if json_array_length(rows) > 500 then
        raise exception using errcode = 'program_limit_exceeded', message = 'at most 500 rows are taken at once';
    end if;
    for pushed in select * from json_array_elements(rows) loop
        select * into kind, body from json_each(pushed) limit 1;
        -- What the tables refuse is told of that row; the others are written all the same.
        begin
            case kind
                when 'Chat' then
                    answer := deepsearch_sync.push_chat(me, body -> 'row', (body ->> 'known')::boolean, latest);
                when 'DeleteChat' then
                    delete from public."ai-app-template_chat" where id = pushed ->> 'DeleteChat' and user_id = me;
                    answer := case when found then json_build_object('Applied', json_build_object('at', latest - interval '2 seconds'))
                        else '"Duplicate"' end;
                when 'Flags' then
                    answer := deepsearch_sync.push_flags(me, body, latest);
                when 'Message' then
                    answer := deepsearch_sync.push_message(me, body, latest,
                        coalesce((taken_back ->> (body ->> 'chat_id'))::integer, 0));
                    if (body ->> 'created_at')::timestamptz > latest then
                        taken_back := taken_back || jsonb_build_object(body ->> 'chat_id',
                            coalesce((taken_back ->> (body ->> 'chat_id'))::integer, 0) + 1);
                    end if;
                when 'Setting' then
                    answer := deepsearch_sync.push_setting(me, body, latest);
                else
                    answer := json_build_object('Refused', json_build_object('reason', 'this kind of row is not known'));
            end case;
        exception when data_exception or integrity_constraint_violation or program_limit_exceeded then
            answer := json_build_object('Refused', json_build_object('reason', sqlerrm));
        end;
        answers := answers || answer;
    end loop;
    return array_to_json(answers);
end
$$;

---------------------------------------------------------------------------------------------------------------------
-- Saved pages

create function deepsearch.sync_missing_pages(hashes text[]) returns setof text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    return query select hash from unnest(hashes[1:5000]) as hash
    where not exists (select from deepsearch_sync.page where user_id = me and content_hash = hash);
end
$$;

-- Two megabytes a page, and a gigabyte a person unless `page_allowance` (bytes) says otherwise.
create function deepsearch.sync_put_page(hash text, page_text text, page_html text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
    bytes constant bigint := octet_length(page_text) + coalesce(octet_length(page_html), 0);
    allowance constant bigint := coalesce(
        (select value::bigint from deepsearch.setting where name = 'page_allowance' and value ~ '^[0-9]{1,18}$'),
        1073741824);
begin
    if bytes > 2097152 then
        raise exception using errcode = 'DS012', message = 'a page of more than two megabytes is not kept';
    end if;
    if hash is distinct from encode(sha256(convert_to(page_text, 'UTF8')), 'hex') then
        raise exception using errcode = 'DS012', message = 'the page is not the one that its hash names';
    end if;
    if bytes + coalesce((select sum(size) from deepsearch_sync.page where user_id = me), 0) > allowance then
        raise exception using errcode = 'DS012', message = 'the room for saved pages is used up';
    end if;
    insert into deepsearch_sync.page (user_id, content_hash, text, html, size)
    values (me, hash, page_text, page_html, bytes) on conflict do nothing;
end
$$;

create function deepsearch.sync_page(hash text) returns table (page_text text, page_html text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    return query select page.text, page.html from deepsearch_sync.page
    where user_id = me and content_hash = hash;
end
$$;

---------------------------------------------------------------------------------------------------------------------
-- Forgetting: deletions after half a year, and what belonged to rows that are gone.

create function deepsearch_sync.collect(older_than interval default interval '180 days') returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    horizon constant xid8 := pg_snapshot_xmin(pg_current_snapshot());
    -- Never so soon that a device which was here a moment ago would miss one.
    before constant timestamptz := now() - greatest(older_than, interval '1 day');
    forgotten bigint;
    newest xid8;
begin
    with gone as (
        delete from deepsearch_sync.change where op = 'D' and at < before and xid < horizon returning xid
    )
    select count(*), max(xid) into forgotten, newest from gone;
    update deepsearch_sync.meta set collected = newest where newest > collected;
    -- Messages that went with their chat left an entry that leads nowhere.
    delete from deepsearch_sync.change where kind = 'message' and op = 'U' and at < before and xid < horizon
        and not exists (select from public."ai-app-template_message" as message where message.id = row_id);
    delete from deepsearch_sync.message_extras as extras
    where not exists (select from deepsearch_sync.change
            where user_id = extras.user_id and kind = 'message' and row_id = extras.message_id);
    delete from deepsearch_sync.chat_flags as flags
    where not exists (select from deepsearch_sync.change
            where user_id = flags.user_id and kind = 'chat' and row_id = flags.chat_id);
    delete from deepsearch_sync.change where kind = 'flags'
        and not exists (select from deepsearch_sync.chat_flags as flags
            where flags.user_id = change.user_id and flags.chat_id = change.row_id);
    delete from deepsearch_sync.page_use as used
    where not exists (select from deepsearch_sync.message_extras as extras
            where extras.user_id = used.user_id and extras.message_id = used.message_id);
    -- A page comes before the message that uses it.
    delete from deepsearch_sync.page where at < now() - interval '7 days'
        and not exists (select from deepsearch_sync.page_use as used
            where used.user_id = page.user_id and used.content_hash = page.content_hash);
    return forgotten;
end
$$;

---------------------------------------------------------------------------------------------------------------------
-- Rows that were there before the feed

insert into deepsearch_sync.setting_clock (user_id, key, at)
select settings.user_id, key, settings.updated_at
from public."ai-app-template_user_settings" as settings
cross join unnest(array['theme', 'language', 'default_model', 'enable_search_by_default', 'max_search_results']) as key;

insert into deepsearch_sync.change (user_id, kind, row_id, op, xid, seq)
select user_id, kind, row_id, 'U', pg_current_xact_id(), nextval('deepsearch_sync.change_seq') from (
    select user_id, 'setting' as kind, key as row_id, 0 as place, at from deepsearch_sync.setting_clock
    union all
    select user_id, 'chat', id, 1, updated_at from public."ai-app-template_chat"
    union all
    select chat.user_id, 'message', message.id, 2, message.created_at from public."ai-app-template_message" as message
    join public."ai-app-template_chat" as chat on chat.id = message.chat_id
    order by place, at, row_id
) as known;

---------------------------------------------------------------------------------------------------------------------
-- Whose the functions are, and who may call them

grant create on schema deepsearch, deepsearch_sync to deepsearch_definer;
do $$
declare
    ours record;
begin
    for ours in
        select oid::regprocedure as signature from pg_proc
        where pronamespace = 'deepsearch_sync'::regnamespace
            or pronamespace = 'deepsearch'::regnamespace and proname like 'sync\_%'
    loop
        execute format('alter function %s owner to deepsearch_definer', ours.signature);
        execute format('revoke all on function %s from public', ours.signature);
    end loop;
end
$$;
revoke create on schema deepsearch, deepsearch_sync from deepsearch_definer;
grant usage on type deepsearch_sync.feed_row to deepsearch_app;
grant execute on function deepsearch.sync_server(), deepsearch.sync_pull(text, bigint, integer),
    deepsearch.sync_count(text, bigint), deepsearch.sync_recent_chats(timestamptz, text, integer),
    deepsearch.sync_recent_messages(timestamptz, timestamptz, text, integer), deepsearch.sync_settings(),
    deepsearch.sync_ids(text, text, integer), deepsearch.sync_push(text, integer, json),
    deepsearch.sync_missing_pages(text[]), deepsearch.sync_put_page(text, text, text), deepsearch.sync_page(text)
    to deepsearch_app;
grant execute on function deepsearch.signed_in_user() to deepsearch_definer;
