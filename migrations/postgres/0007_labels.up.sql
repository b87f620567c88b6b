-- Labels: the collection and the tags of a chat travel with its flags, by name.
--
-- Devices of an earlier version go on as before: they read no labels, and what they write takes none away. That there
-- are labels is said by protocol 2; a device sends them only where it is spoken.

-- `tags` is null where nobody has told of any labels, and an array of names otherwise.
alter table deepsearch_sync.chat_flags add column collection varchar(80), add column tags json;

alter table deepsearch_sync.meta alter column protocol_max set default 2;
update deepsearch_sync.meta set protocol_max = 2 where protocol_max = 1;

---------------------------------------------------------------------------------------------------------------------
-- Devices read. The labels of a chat are the `value` of its flags. A page is as large as all that it holds of messages.

create or replace function deepsearch.sync_pull(after_xid text, after_seq bigint, most integer)
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
            sum(octet_length(message.content)::bigint + coalesce(octet_length(message.sources::text), 0)
                + coalesce(octet_length(message.metadata::text), 0) + coalesce(octet_length(extras.body::text), 0))
                over (order by entry.place) as bytes
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
            flags.pinned, flags.archived, flags.leaf, case when flags.tags is not null then
                json_build_object('collection', flags.collection, 'tags', flags.tags) end, flags.at
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

create or replace function deepsearch.sync_recent_chats(after_at timestamptz, after_id text, most integer)
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
        flags.pinned, flags.archived, flags.leaf::text, case when flags.tags is not null then
            json_build_object('collection', flags.collection, 'tags', flags.tags)::text end, flags.at,
        (select count(*) from found as every) > most
    from found
    left join deepsearch_sync.chat_flags as flags on flags.user_id = me and flags.chat_id = found.id
    where found.place <= most order by found.place;
end
$$;

---------------------------------------------------------------------------------------------------------------------
-- Devices write

-- The device merges; here is only seen to it that it has seen what it takes the place of. A push without labels comes
-- from a program that does not know them: it is written as ever, and takes none away.
create or replace function deepsearch_sync.push_flags(me text, pushed json, latest timestamptz) returns json
language plpgsql set search_path = pg_catalog, pg_temp as $$
<<its>>
declare
    id constant text := pushed ->> 'chat_id';
    moment timestamptz := least((pushed ->> 'at')::timestamptz, latest);
    seen_at constant timestamptz := (pushed ->> 'seen_at')::timestamptz;
    labels constant json := case when json_typeof(pushed -> 'labels') = 'object' then pushed -> 'labels' end;
    in_collection constant text := labels ->> 'collection';
    -- Written anew, so that there is no more of it than it says.
    with_tags constant json := (labels -> 'tags')::jsonb::json;
    stored deepsearch_sync.chat_flags%rowtype;
    is_same boolean;
    is_unseen boolean;
begin
    if labels is not null then
        if coalesce(json_typeof(labels -> 'collection'), 'null') not in ('string', 'null')
            or coalesce(json_typeof(with_tags), 'null') <> 'array'
        then
            raise exception using errcode = 'data_exception', message = 'a chat has a collection and a list of tags';
        end if;
        if char_length(in_collection) not between 1 and 80 or json_array_length(with_tags) > 60 or exists (
            select from json_array_elements(with_tags) as tag
            where json_typeof(tag) <> 'string' or char_length(tag #>> '{}') not between 1 and 80
        ) then
            raise exception using errcode = 'program_limit_exceeded',
                message = 'the name of a collection or a tag is too long, or there are too many tags';
        end if;
    end if;
    perform from public."ai-app-template_chat" as chat where chat.id = its.id and user_id = me for key share;
    if not found then
        return '"Orphan"';
    end if;
    insert into deepsearch_sync.chat_flags (user_id, chat_id, pinned, archived, leaf, at, collection, tags)
    values (me, id, (pushed ->> 'pinned')::boolean, (pushed ->> 'archived')::boolean, pushed ->> 'leaf', moment,
        in_collection, with_tags)
    on conflict do nothing;
    if not found then
        select * into stored from deepsearch_sync.chat_flags where user_id = me and chat_id = id for update;
        is_same := (stored.pinned, stored.archived, stored.leaf, stored.at) is not distinct from
            ((pushed ->> 'pinned')::boolean, (pushed ->> 'archived')::boolean, (pushed ->> 'leaf')::varchar, moment)
            and (labels is null or (stored.collection::text, stored.tags::text) is not distinct from
                (in_collection, with_tags::text));
        if is_same then
            return deepsearch_sync.same((pushed ->> 'at')::timestamptz, moment);
        end if;
        -- Devices keep the time to the millisecond.
        is_unseen := case when labels is null then stored.at >= moment
            else seen_at is null or date_trunc('milliseconds', stored.at) > seen_at end;
        if is_unseen then
            return json_build_object('Superseded', json_build_object('Flags', json_build_object(
                'chat_id', stored.chat_id, 'pinned', stored.pinned, 'archived', stored.archived, 'leaf', stored.leaf,
                'at', stored.at, 'labels', case when stored.tags is not null then
                    json_build_object('collection', stored.collection, 'tags', stored.tags) end)));
        end if;
        if stored.at >= moment then
            moment := stored.at + interval '1 millisecond';
        end if;
        update deepsearch_sync.chat_flags as flags
        set pinned = (pushed ->> 'pinned')::boolean, archived = (pushed ->> 'archived')::boolean,
            leaf = pushed ->> 'leaf', at = moment,
            collection = case when labels is null then flags.collection else in_collection end,
            tags = case when labels is null then flags.tags else with_tags end
        where user_id = me and chat_id = id;
    end if;
    perform deepsearch_sync.note(me, 'flags', id, 'U');
    return json_build_object('Applied', json_build_object('at', moment));
end
$$;
