-- Back to before sync. The seed's tables and what is in them stay; flags, extras and saved pages of the server go, which
-- the devices have as well.

do $$
declare
    ours record;
begin
    for ours in
        select tgname, tgrelid::regclass as of_table from pg_trigger
        where tgname like 'deepsearch\_sync\_%' and not tgisinternal
    loop
        execute format('drop trigger %I on %s', ours.tgname, ours.of_table);
    end loop;
    for ours in
        select oid::regprocedure as signature from pg_proc
        where pronamespace = 'deepsearch'::regnamespace and proname like 'sync\_%'
    loop
        execute format('drop function %s', ours.signature);
    end loop;
end
$$;

drop schema deepsearch_sync cascade;
revoke insert, update on public."ai-app-template_chat", public."ai-app-template_message" from deepsearch_definer;
revoke select, insert, update on public."ai-app-template_user_settings" from deepsearch_definer;
revoke select (id) on public."ai-app-template_user" from deepsearch_definer;
