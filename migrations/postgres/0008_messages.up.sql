-- A page of a chat's messages for a device. Through the view it would be sorted out of all that the chat holds, and for
-- each of them the database would ask whose it is: nothing is put in order below a security barrier. Here it asks once.
-- Before a message, the newest first; or from the beginning on.

create function deepsearch.list_messages(
    of_user text, of_chat text, before_at timestamptz, before_id text, is_from_start boolean, most integer
) returns setof deepsearch."ai-app-template_message"
language plpgsql stable rows 50 security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    if me is distinct from of_user or not exists (
        select from public."ai-app-template_chat" as chat where chat.id = of_chat and chat.user_id = me
    ) then
        return;
    end if;
    most := least(greatest(most, 0), 100);
    if is_from_start then
        return query
        select message.id, message.chat_id, message.role, message.content, message.sources, message.metadata,
            message.created_at
        from public."ai-app-template_message" as message where message.chat_id = of_chat
        order by message.created_at, message.id collate "C" limit most;
    elsif before_at is null then
        return query
        select message.id, message.chat_id, message.role, message.content, message.sources, message.metadata,
            message.created_at
        from public."ai-app-template_message" as message where message.chat_id = of_chat
        order by message.created_at desc, message.id collate "C" desc limit most;
    else
        return query
        select message.id, message.chat_id, message.role, message.content, message.sources, message.metadata,
            message.created_at
        from public."ai-app-template_message" as message
        where message.chat_id = of_chat and message.created_at <= before_at
            and (message.created_at, message.id collate "C") < (before_at, before_id)
        order by message.created_at desc, message.id collate "C" desc limit most;
    end if;
end
$$;

grant create on schema deepsearch to deepsearch_definer;
alter function deepsearch.list_messages(text, text, timestamptz, text, boolean, integer) owner to deepsearch_definer;
revoke create on schema deepsearch from deepsearch_definer;
revoke all on function deepsearch.list_messages(text, text, timestamptz, text, boolean, integer) from public;
grant execute on function deepsearch.list_messages(text, text, timestamptz, text, boolean, integer) to deepsearch_app;
