-- Back to before labels. Those that the server keeps go; the devices have them as well.

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
        flags.pinned, flags.archived, flags.leaf::text, null::text, flags.at,
        (select count(*) from found as every) > most
    from found
    left join deepsearch_sync.chat_flags as flags on flags.user_id = me and flags.chat_id = found.id
    where found.place <= most order by found.place;
end
$$;

create or replace function deepsearch_sync.push_flags(me text, pushed json, latest timestamptz) returns json
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

alter table deepsearch_sync.chat_flags drop column collection, drop column tags;
alter table deepsearch_sync.meta alter column protocol_max set default 1;
update deepsearch_sync.meta set protocol_max = 1 where protocol_max = 2;
