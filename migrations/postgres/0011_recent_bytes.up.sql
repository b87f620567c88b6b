-- What is recent comes in pages as large as all that they hold of messages, as the feed's are since 0007: what an answer
-- rests on can be many times its text.

create or replace function deepsearch.sync_recent_messages(since timestamptz, after_at timestamptz, after_id text, most integer)
returns setof deepsearch_sync.feed_row
language plpgsql stable rows 1000 security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    return query
    with found as (
        select message.*, extras.body, row_number() over newest as place,
            sum(octet_length(message.content)::bigint + coalesce(octet_length(message.sources::text), 0)
                + coalesce(octet_length(message.metadata::text), 0) + coalesce(octet_length(extras.body::text), 0))
                over newest as bytes
        from (
            select message.* from public."ai-app-template_message" as message
            join public."ai-app-template_chat" as chat on chat.id = message.chat_id and chat.user_id = me
            where message.created_at >= since and (after_at is null
                or (message.created_at, message.id collate "C") < (after_at, after_id collate "C"))
            order by message.created_at desc, message.id collate "C" desc
            limit least(greatest(most, 1), 5000) + 1
        ) as message
        left join deepsearch_sync.message_extras as extras on extras.user_id = me and extras.message_id = message.id
        window newest as (order by message.created_at desc, message.id collate "C" desc)
    ), kept as (
        select * from found where place <= most and (bytes <= 16777216 or place = 1)
    )
    select 'message', kept.id::text, false, null::text, null::bigint, kept.chat_id::text, null::text, kept.role::text,
        kept.content, kept.sources::text, kept.metadata::text, kept.body::text, kept.created_at, null::timestamptz,
        null::timestamptz, null::boolean, null::boolean, null::text, null::text, null::timestamptz,
        (select count(*) from found) > (select count(*) from kept as every)
    from kept
    order by kept.place;
end
$$;
