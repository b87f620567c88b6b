-- Back to before the boundary: devices lose their roles and sessions, and everybody gets back what was taken. The
-- tables and what is in them stay. Roles that another database of the cluster uses stay too.

do $$
declare
    tbl text;
begin
    foreach tbl in array array[
        'ai-app-template_user', 'ai-app-template_account', 'ai-app-template_session',
        'ai-app-template_verification_token', 'ai-app-template_chat', 'ai-app-template_message',
        'ai-app-template_search_cache', 'ai-app-template_user_settings']
    loop
        execute format('drop policy if exists deepsearch_others on public.%I', tbl);
        execute format('drop policy if exists deepsearch_roles on public.%I', tbl);
        execute format('drop policy if exists deepsearch_own_rows on public.%I', tbl);
        if not exists (select from deepsearch.note where about = 'row security was on for ' || tbl) then
            execute format('alter table public.%I disable row level security', tbl);
        end if;
        execute format('drop trigger if exists deepsearch_refuse_upsert_before on public.%I', tbl);
        execute format('drop trigger if exists deepsearch_refuse_upsert_after on public.%I', tbl);
        execute format('drop trigger if exists deepsearch_refuse_admins on public.%I', tbl);
    end loop;
end
$$;

alter table public."ai-app-template_user" alter column name set statistics -1,
    alter column email set statistics -1, alter column image set statistics -1;
alter table public."ai-app-template_chat" alter column title set statistics -1;
alter table public."ai-app-template_message" alter column content set statistics -1;
alter table public."ai-app-template_search_cache" alter column query set statistics -1;
alter table public."ai-app-template_user_settings" alter column theme set statistics -1,
    alter column language set statistics -1, alter column default_model set statistics -1;

delete from public."ai-app-template_session"
where session_token in (select session_token from deepsearch.device);
update deepsearch.device set revoked_at = coalesce(revoked_at, now()), session_token = null;
do $$
begin
    while deepsearch.drop_revoked_devices() > 0 loop
    end loop;
end
$$;

drop view deepsearch."ai-app-template_user", deepsearch."ai-app-template_account", deepsearch."ai-app-template_chat",
    deepsearch."ai-app-template_message", deepsearch."ai-app-template_user_settings",
    deepsearch."ai-app-template_search_cache";
drop function deepsearch.write_search(), deepsearch.shares_searches(), deepsearch.refuse_admins(),
    deepsearch.refuse_upsert(), deepsearch.delete_own_row(), deepsearch.end_long_transactions(interval), deepsearch.drop_revoked_devices(),
    deepsearch.sign_out(), deepsearch.revoke_own_device(uuid), deepsearch.revoke_device(uuid),
    deepsearch.end_connections(text), deepsearch.mint_device(uuid, text, text, text, text, timestamptz),
    deepsearch.prolong_session(), deepsearch.list_devices(), deepsearch.signed_in_user(), deepsearch.uid();
drop table deepsearch.own_search, deepsearch.setting, deepsearch.device;

do $$
declare
    said text;
    tbl text;
    given text;
begin
    select note.said into said from deepsearch.note where about = 'taken from everybody';
    if said is not null and (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant execute on function %s to public', said);
        -- A user of the database may be gone by now.
        select string_agg(distinct grantee::regrole::text, ', ') into given from pg_proc, aclexplode(proacl)
        where pg_proc.oid = any (string_to_array(said, ', ')::regprocedure[]) and grantee not in (0, proowner);
        if given is not null then
            execute format('revoke execute on function %s from %s', said, given);
        end if;
    end if;

    -- Who had rights of their own before, and who owns the database, keeps them.
    select note.said into said from deepsearch.note where about = 'rights on the database';
    begin
        if said = '' or exists (
            select from aclexplode(said::aclitem[]) where grantee = 0 and privilege_type = 'CONNECT'
        ) then
            execute format('grant connect on database %I to public', current_database());
        end if;
        if said = '' or exists (
            select from aclexplode(said::aclitem[]) where grantee = 0 and privilege_type = 'TEMPORARY'
        ) then
            execute format('grant temporary on database %I to public', current_database());
        end if;
        select string_agg(distinct grantee::regrole::text, ', ') into given
        from pg_database, aclexplode(datacl) where datname = current_database() and grantee not in (0, datdba)
            and grantee not in (select grantee from aclexplode(nullif(said, '')::aclitem[]));
        if given is not null then
            execute format('revoke all on database %I from %s', current_database(), given);
        end if;
        if exists (select from deepsearch.note where about = 'everybody may create in public') then
            execute 'grant create on schema public to public';
        end if;
    exception when insufficient_privilege then
        raise notice 'what everybody may do in this database stays as it is: %', sqlerrm;
    end;
    delete from deepsearch.note where about in (
        'taken from everybody', 'rights on the database', 'everybody may create in public', 'users of the database')
        or about like 'row security was on for %' or about like 'everybody had rights on %';
end
$$;

revoke all on all tables in schema public, deepsearch
    from deepsearch_owner, deepsearch_definer, deepsearch_minter, deepsearch_app, deepsearch_gateway;
revoke all on all sequences in schema public, deepsearch
    from deepsearch_owner, deepsearch_definer, deepsearch_minter, deepsearch_app, deepsearch_gateway;
revoke all on schema public, deepsearch
    from deepsearch_owner, deepsearch_definer, deepsearch_minter, deepsearch_app, deepsearch_gateway;
alter default privileges for role deepsearch_owner grant execute on functions to public;
alter default privileges for role deepsearch_definer grant execute on functions to public;
alter default privileges for role deepsearch_minter grant execute on functions to public;

do $$
declare
    role text;
begin
    foreach role in array array[
        'deepsearch_gateway', 'deepsearch_app', 'deepsearch_minter', 'deepsearch_definer', 'deepsearch_owner']
    loop
        begin
            execute format('drop role %I', role);
        exception
            -- Another database uses it, or another administrator made it.
            when dependent_objects_still_exist or insufficient_privilege or undefined_object then
                raise notice 'the role % stays: %', role, sqlerrm;
        end;
    end loop;
end
$$;
