-- The boundary: who may touch the shared database, and what of it.
--
-- No device has rights on the tables. Each has a login role of its own, which reaches the schema `deepsearch` alone:
-- views under the tables' names that show one user's rows, and functions. Whose rows they are is said by the login role
-- and an unguessable session token together (`deepsearch.uid()`). Row security on the tables is the second layer only,
-- because drizzle-kit's push takes it off.
--
-- The roles belong to the whole cluster, and other databases of it may use them too. Works as a superuser, and as an
-- owner of the tables who may create roles.

-- Who may create roles, and whose the tables are, is looked at first, to say it in a sentence.
do $$
begin
    if not (select rolsuper or rolcreaterole from pg_roles where rolname = current_user) then
        raise exception using errcode = 'DS001', message = format(
            'the role %1$s may not create roles, which the boundary between the users needs: an administrator has to say `alter role %1$s createrole`',
            quote_ident(current_user));
    end if;
end
$$;

do $$
declare
    wanted record;
begin
    for wanted in
        select * from (values
            -- Owns the views, and is held to one user's rows by row security too.
            ('deepsearch_owner', 'nologin'),
            -- Owns the functions that look at what no device may see; each holds itself to one user's rows.
            ('deepsearch_definer', 'nologin'),
            -- Owns the functions that make and end devices' roles.
            ('deepsearch_minter', 'nologin noinherit createrole'),
            -- The group of the devices' roles.
            ('deepsearch_app', 'nologin noinherit'),
            -- The sign-in server. It has no password until an administrator gives it one.
            ('deepsearch_gateway', 'login connection limit 10')
        ) as roles (name, attributes)
    loop
        begin
            execute format('create role %I %s', wanted.name, wanted.attributes);
        exception
            -- Another database of the cluster was first, perhaps this very moment.
            when duplicate_object or unique_violation then null;
        end;
    end loop;
    -- The objects below are handed to these roles, which only their members may do. From version 16 on, who made a role
    -- is a member of it that may do nothing but give it on.
    if not (select rolsuper from pg_roles where rolname = current_user) then
        foreach wanted.name in array array['deepsearch_owner', 'deepsearch_definer', 'deepsearch_minter'] loop
            if not pg_has_role(current_user, wanted.name, 'usage') then
                execute format('grant %I to %I', wanted.name, current_user);
            end if;
        end loop;
    end if;
    -- Until version 16, who may create roles may also say who belongs to which.
    if current_setting('server_version_num')::int >= 160000 then
        execute 'grant deepsearch_app to deepsearch_minter with admin true, inherit false, set false';
    end if;
end
$$;

-- To end the connections of a device that is revoked, and to see those that hold others up. Without it they end by
-- themselves, and show no rows meanwhile.
do $$
begin
    grant pg_signal_backend, pg_read_all_stats to deepsearch_definer;
exception when insufficient_privilege then
    raise notice 'connections of revoked devices cannot be ended at once: %', sqlerrm;
end
$$;

grant usage on schema deepsearch
    to deepsearch_owner, deepsearch_definer, deepsearch_minter, deepsearch_app, deepsearch_gateway;
grant create on schema deepsearch to deepsearch_owner, deepsearch_definer, deepsearch_minter;
grant usage on schema public to deepsearch_owner, deepsearch_definer, deepsearch_minter, deepsearch_gateway;

-- A function may be executed by everybody unless that is taken back; here it never is everybody's.
alter default privileges for role deepsearch_owner revoke execute on functions from public;
alter default privileges for role deepsearch_definer revoke execute on functions from public;
alter default privileges for role deepsearch_minter revoke execute on functions from public;

---------------------------------------------------------------------------------------------------------------------
-- Devices

create table deepsearch.device (
    id uuid primary key,
    -- Its login role. The cluster has one name space for all its databases, so the name holds this one's too.
    role text not null unique,
    user_id varchar(255) references public."ai-app-template_user" (id) on delete set null,
    name varchar(255) not null,
    -- The key of its one session, so that a token is of use on the device it was made for only.
    session_token varchar(255) unique,
    created_at timestamp with time zone not null default CURRENT_TIMESTAMP,
    last_seen_at timestamp with time zone,
    revoked_at timestamp with time zone
);
create index device_user_id_idx on deepsearch.device (user_id);

create table deepsearch.setting (
    name text primary key,
    value text not null
);

-- The user whose device this is, or NULL. Write `(select deepsearch.uid())` where it is compared with rows, so that it
-- is asked once and not for every row; the same holds for `signed_in_user()`.
create function deepsearch.uid() returns varchar(255)
language plpgsql stable parallel restricted security definer set search_path = pg_catalog, pg_temp as $$
declare
    token text := current_setting('deepsearch.session_token', true);
begin
    if token is null or token = '' then
        return null;
    end if;
    return (
        select device.user_id from deepsearch.device
        join public."ai-app-template_session" as session
            on session.session_token = device.session_token and session.user_id = device.user_id
        where device.role = session_user and device.revoked_at is null
            and device.session_token = 'ds1:' || encode(sha256(convert_to(token, 'UTF8')), 'hex')
            and session.expires > statement_timestamp()
    );
end
$$;

-- The user, or an error that says what to do.
create function deepsearch.signed_in_user() returns varchar(255)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    id varchar(255) := deepsearch.uid();
begin
    if id is null then
        raise exception using errcode = 'DS002', message = 'this device is not signed in, or no longer';
    end if;
    return id;
end
$$;

create function deepsearch.list_devices()
returns table (id uuid, name varchar(255), created_at timestamptz, last_seen_at timestamptz, is_this boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select device.id, device.name, device.created_at, device.last_seen_at, device.role = session_user
    from deepsearch.device
    where device.user_id = (select deepsearch.signed_in_user()) and device.revoked_at is null
    order by device.created_at, device.id limit 1000
$$;

-- Says that the device is in use, which moves the end of its session on. Returns the new end.
create function deepsearch.prolong_session() returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    signed_in varchar(255) := deepsearch.signed_in_user();
    until timestamptz;
begin
    update deepsearch.device set last_seen_at = statement_timestamp()
    where role = session_user and user_id = signed_in
        and (last_seen_at is null or last_seen_at < statement_timestamp() - interval '1 minute');
    -- Not with every call: each is a row written.
    update public."ai-app-template_session" as session set expires = statement_timestamp() + interval '90 days'
    from deepsearch.device
    where device.role = session_user and session.session_token = device.session_token
        and session.user_id = signed_in and session.expires < statement_timestamp() + interval '89 days';
    select session.expires into until from public."ai-app-template_session" as session
    join deepsearch.device on device.session_token = session.session_token where device.role = session_user;
    return until;
end
$$;

-- Makes the login role of a device and its session, or gives those of a device that is there a new password and token.
-- Takes the SCRAM verifier of the password and the hash of the token: neither secret comes here. Returns the role.
create function deepsearch.mint_device(
    device_id uuid, owner_id text, device_name text, scram_verifier text, token_hash text, expires_at timestamptz
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    known deepsearch.device%rowtype;
    role_name text := 'deepsearch_device_'
        || left(encode(sha256(convert_to(current_database() || ' ' || device_id, 'UTF8')), 'hex'), 32);
begin
    if scram_verifier is null or scram_verifier
        !~ '^SCRAM-SHA-256\$[1-9][0-9]{3,6}:[A-Za-z0-9+/]{16,86}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$'
    then
        raise exception using errcode = 'DS003', message = 'the SCRAM verifier of the device is not valid';
    end if;
    if token_hash is null or token_hash !~ '^ds1:[0-9a-f]{64}$' then
        raise exception using errcode = 'DS003', message = 'the hash of the session token is not valid';
    end if;
    if expires_at is null or expires_at not between now() and now() + interval '400 days' then
        raise exception using errcode = 'DS003', message = 'the end of the session is not valid';
    end if;
    if owner_id is null or device_id is null then
        raise exception using errcode = 'DS003', message = 'a device needs an id and a user';
    end if;
    insert into deepsearch.device (id, role, user_id, name, revoked_at)
    values (device_id, role_name, owner_id, left(coalesce(device_name, ''), 255), now()) on conflict (id) do nothing;
    select * into strict known from deepsearch.device where id = device_id for update;
    -- Whoever knows the id of another's device must not take it over.
    if known.revoked_at is null and known.user_id is distinct from owner_id then
        raise exception using errcode = 'DS003', message = 'this device belongs to somebody else; it has to sign out first';
    end if;
    if exists (select from pg_roles where rolname = known.role) then
        execute format('alter role %I login password %L', known.role, scram_verifier);
    else
        execute format('create role %I login connection limit 8 password %L', known.role, scram_verifier);
    end if;
    if current_setting('server_version_num')::int >= 160000 then
        execute format('grant deepsearch_app to %I with inherit true, set false', known.role);
    else
        execute format('grant deepsearch_app to %I', known.role);
    end if;
    -- The tables' names lead to the views. The limits are for devices that mean well; others may lift theirs.
    execute format('alter role %I in database %I set search_path = deepsearch', known.role, current_database());
    execute format('alter role %I in database %I set statement_timeout = %L', known.role, current_database(), '60s');
    execute format('alter role %I in database %I set idle_in_transaction_session_timeout = %L',
        known.role, current_database(), '60s');
    delete from public."ai-app-template_session" where session_token = known.session_token;
    insert into public."ai-app-template_session" (session_token, user_id, expires)
    values (token_hash, owner_id, expires_at);
    update deepsearch.device
    set user_id = owner_id, name = left(coalesce(device_name, ''), 255), session_token = token_hash,
        created_at = case when known.revoked_at is null then created_at else now() end,
        last_seen_at = now(), revoked_at = null
    where id = device_id;
    return known.role;
end
$$;

-- Ends the connections of a role, where that is allowed; not the one that asks.
create function deepsearch.end_connections(of_role text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ended integer;
begin
    select count(*) into ended from (
        select pg_terminate_backend(pid) from pg_stat_activity
        where usename = of_role and of_role like 'deepsearch\_device\_%' and pid <> pg_backend_pid()
    ) as told;
    return ended;
exception when insufficient_privilege then
    return 0;
end
$$;

-- Takes a device its login, its session and its connections. The role itself goes with `deepsearch db clean`: one that
-- is connected cannot be dropped.
create function deepsearch.revoke_device(device_id uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    known deepsearch.device%rowtype;
begin
    select * into known from deepsearch.device where id = device_id and revoked_at is null for update;
    if known.id is null then
        return false;
    end if;
    update deepsearch.device set revoked_at = now(), session_token = null where id = device_id;
    delete from public."ai-app-template_session" where session_token = known.session_token;
    if exists (select from pg_roles where rolname = known.role) then
        execute format('alter role %I nologin password null', known.role);
    end if;
    perform deepsearch.end_connections(known.role);
    return true;
end
$$;

-- One of the user's own devices, this one included.
create function deepsearch.revoke_own_device(device_id uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    signed_in varchar(255) := deepsearch.signed_in_user();
begin
    return exists (select from deepsearch.device where id = device_id and user_id = signed_in)
        and deepsearch.revoke_device(device_id);
end
$$;

create function deepsearch.sign_out() returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select deepsearch.revoke_own_device(id) from deepsearch.device where role = session_user
$$;

-- Drops the roles of devices that were revoked, or whose user is gone. Returns how many.
create function deepsearch.drop_revoked_devices() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    gone record;
    dropped integer := 0;
begin
    for gone in
        select id, role from deepsearch.device where revoked_at is not null or user_id is null
        order by revoked_at limit 1000 for update skip locked
    loop
        begin
            if exists (select from pg_roles where rolname = gone.role) then
                execute format('drop role %I', gone.role);
            end if;
            delete from deepsearch.device where id = gone.id;
            dropped := dropped + 1;
        exception when dependent_objects_still_exist or object_in_use then
            raise notice 'the role % is still in use', gone.role;
            -- To the end of the line, so that roles which cannot be dropped keep nobody else's.
            update deepsearch.device set revoked_at = now() where id = gone.id;
        end;
    end loop;
    return dropped;
end
$$;

-- The watchdog: ends devices' transactions that are older than this. Returns how many.
create function deepsearch.end_long_transactions(older_than interval) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ended integer;
begin
    select count(*) into ended from (
        select pg_terminate_backend(pid) from pg_stat_activity
        where usename like 'deepsearch\_device\_%' and datname = current_database()
            and xact_start < clock_timestamp() - greatest(older_than, interval '1 second')
    ) as told;
    return ended;
end
$$;

---------------------------------------------------------------------------------------------------------------------
-- What the planner may remember of texts

-- Nothing. `explain … where title = 'x'` by anybody tells how many rows of everybody's the planner expects, and so
-- whether one of the commonest titles is `x`: a comparison that cannot fail goes below a view's barrier. No plan of ours
-- needs these statistics. What was gathered before goes when the type is said anew, which changes nothing else.
do $$
declare
    texts record;
begin
    for texts in
        select relname, attname, format_type(atttypid, atttypmod) as type
        from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and (relname, attname) in (
            ('ai-app-template_user', 'name'), ('ai-app-template_user', 'email'), ('ai-app-template_user', 'image'),
            ('ai-app-template_chat', 'title'), ('ai-app-template_message', 'content'),
            ('ai-app-template_search_cache', 'query'), ('ai-app-template_user_settings', 'theme'),
            ('ai-app-template_user_settings', 'language'), ('ai-app-template_user_settings', 'default_model'))
    loop
        execute format('alter table public.%I alter column %I set statistics 0', texts.relname, texts.attname);
        begin
            execute format('alter table public.%I alter column %I type %s', texts.relname, texts.attname, texts.type);
        exception when feature_not_supported then
            raise notice 'what the planner knows of the column % of % stays until its statistics are deleted: %',
                texts.attname, texts.relname, sqlerrm;
        end;
    end loop;
end
$$;

---------------------------------------------------------------------------------------------------------------------
-- The tables as a device sees them. Who is not signed in gets an error and no empty tables, which an app could take for
-- chats that were deleted.

create view deepsearch."ai-app-template_user" with (security_barrier) as
    select id, name, email, email_verified, image, is_admin from public."ai-app-template_user"
    where id = (select deepsearch.signed_in_user()) with cascaded check option;

-- Whom a user signs in with. The providers' tokens are the web app's and stay there.
create view deepsearch."ai-app-template_account" with (security_barrier) as
    select user_id, type, provider, provider_account_id, null::text as refresh_token, null::text as access_token,
        expires_at, token_type, scope, null::text as id_token, null::varchar(255) as session_state
    from public."ai-app-template_account"
    where user_id = (select deepsearch.signed_in_user());

create view deepsearch."ai-app-template_chat" with (security_barrier) as
    select id, user_id, title, created_at, updated_at, deleted_at from public."ai-app-template_chat"
    where user_id = (select deepsearch.signed_in_user()) with cascaded check option;

create view deepsearch."ai-app-template_message" with (security_barrier) as
    select id, chat_id, role, content, sources, metadata, created_at from public."ai-app-template_message" as message
    where exists (
        select from public."ai-app-template_chat" as chat
        where chat.id = message.chat_id and chat.user_id = (select deepsearch.signed_in_user())
    ) with cascaded check option;

create view deepsearch."ai-app-template_user_settings" with (security_barrier) as
    select user_id, theme, language, default_model, enable_search_by_default, max_search_results, updated_at
    from public."ai-app-template_user_settings"
    where user_id = (select deepsearch.signed_in_user()) with cascaded check option;

grant select, update (name, image) on public."ai-app-template_user" to deepsearch_owner;
grant select (user_id, type, provider, provider_account_id, expires_at, token_type, scope)
    on public."ai-app-template_account" to deepsearch_owner;
-- Columns are named, and there is no right to delete: who may update or delete the whole of a table may lock the whole
-- of it, through a view of it too, and hold everybody up.
grant select, insert, update (title, created_at, updated_at, deleted_at)
    on public."ai-app-template_chat" to deepsearch_owner;
grant select, insert, update (content, sources, metadata, created_at)
    on public."ai-app-template_message" to deepsearch_owner;
grant select, insert,
    update (theme, language, default_model, enable_search_by_default, max_search_results, updated_at)
    on public."ai-app-template_user_settings" to deepsearch_owner;

-- Which chat a message belongs to, and whose a chat is, does not change: with the right to change that, an upsert
-- could take another's row over.
grant select, update (name, image) on deepsearch."ai-app-template_user" to deepsearch_app;
grant select on deepsearch."ai-app-template_account" to deepsearch_app;
grant select, insert, delete, update (title, created_at, updated_at, deleted_at)
    on deepsearch."ai-app-template_chat" to deepsearch_app;
grant select, insert, delete, update (content, sources, metadata, created_at)
    on deepsearch."ai-app-template_message" to deepsearch_app;
grant select, insert,
    update (theme, language, default_model, enable_search_by_default, max_search_results, updated_at)
    on deepsearch."ai-app-template_user_settings" to deepsearch_app;

create function deepsearch.delete_own_row() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_table_name = 'ai-app-template_chat' then
        delete from public."ai-app-template_chat" where id = old.id and user_id = deepsearch.uid();
    else
        delete from public."ai-app-template_message" as message using public."ai-app-template_chat" as chat
        where message.id = old.id and chat.id = message.chat_id and chat.user_id = deepsearch.uid();
    end if;
    if not found then
        return null;
    end if;
    return old;
end
$$;

create trigger delete_own_row instead of delete on deepsearch."ai-app-template_chat" for each row
execute function deepsearch.delete_own_row();
create trigger delete_own_row instead of delete on deepsearch."ai-app-template_message" for each row
execute function deepsearch.delete_own_row();

-- `insert … on conflict do update` meets the row that is there, whoever's it is: neither the view's condition nor row
-- security stands before its `where` and `set`, and an error in those (`title::int`) tells what the row holds. So
-- devices may not. An insert says so before it begins, and then an update of the same statement is refused.
create function deepsearch.refuse_upsert() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_when = 'AFTER' then
        perform set_config('deepsearch.inserting', '', true);
    elsif tg_op = 'INSERT' then
        perform set_config('deepsearch.inserting', 'on', true);
    elsif current_setting('deepsearch.inserting', true) = 'on' then
        raise exception using errcode = 'insufficient_privilege',
            message = 'a device may not update within an insert; use two statements';
    end if;
    return null;
end
$$;

do $$
declare
    tbl text;
begin
    foreach tbl in array array['ai-app-template_chat', 'ai-app-template_message', 'ai-app-template_user_settings'] loop
        execute format(
            'create trigger deepsearch_refuse_upsert_before before insert or update on public.%I for each statement
            when (current_user ~ ''^deepsearch_(app$|device_)'') execute function deepsearch.refuse_upsert()', tbl);
        execute format(
            'create trigger deepsearch_refuse_upsert_after after insert on public.%I for each statement
            when (current_user ~ ''^deepsearch_(app$|device_)'') execute function deepsearch.refuse_upsert()', tbl);
    end loop;
end
$$;

-- None of our roles makes an administrator, the gateway's included.
create function deepsearch.refuse_admins() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' or not old.is_admin then
        raise exception using errcode = 'insufficient_privilege',
            message = 'only the owner of the database makes administrators';
    end if;
    return new;
end
$$;

create trigger deepsearch_refuse_admins before insert or update on public."ai-app-template_user" for each row
when (new.is_admin and current_user ~ '^deepsearch_') execute function deepsearch.refuse_admins();

---------------------------------------------------------------------------------------------------------------------
-- Search results: each user's own, unless the team shares them. A shared cache is a way to feed others wrong results
-- and to see what they ask, so it is off until `share_searches` says `on`.

create table deepsearch.own_search (
    id integer generated always as identity primary key,
    user_id varchar(255) not null references public."ai-app-template_user" (id) on delete cascade,
    query varchar(500) not null,
    results json not null,
    created_at timestamp with time zone not null default CURRENT_TIMESTAMP,
    expires_at timestamp with time zone not null
);
alter table deepsearch.own_search alter column query set statistics 0;
create index own_search_user_id_query_idx on deepsearch.own_search (user_id, query);
create index own_search_expires_at_idx on deepsearch.own_search (expires_at);

create function deepsearch.shares_searches() returns boolean
language sql stable parallel restricted security definer set search_path = pg_catalog, pg_temp as $$
    select exists (select from deepsearch.setting where name = 'share_searches' and value = 'on')
        and deepsearch.uid() is not null
$$;

create view deepsearch."ai-app-template_search_cache" with (security_barrier) as
    select id, query, results, created_at, expires_at from deepsearch.own_search
    where user_id = (select deepsearch.signed_in_user()) and not (select deepsearch.shares_searches())
    union all
    select id, query, results, created_at, expires_at from public."ai-app-template_search_cache"
    where (select deepsearch.shares_searches());

create function deepsearch.write_search() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    signed_in varchar(255) := deepsearch.signed_in_user();
begin
    if tg_op = 'DELETE' then
        if deepsearch.shares_searches() then
            -- What is still good is everybody's.
            delete from public."ai-app-template_search_cache" where id = old.id and expires_at <= now();
        else
            delete from deepsearch.own_search where id = old.id and user_id = signed_in;
        end if;
        if not found then
            return null;
        end if;
        return old;
    end if;
    if octet_length(new.results::text) > 4194304 then
        raise exception using errcode = 'program_limit_exceeded', message = 'these search results are too large to keep';
    end if;
    new.created_at := least(coalesce(new.created_at, now()), now());
    new.expires_at := least(new.expires_at, now() + interval '30 days');
    if deepsearch.shares_searches() then
        insert into public."ai-app-template_search_cache" (query, results, created_at, expires_at)
        values (new.query, new.results, new.created_at, new.expires_at) returning id into new.id;
        return new;
    end if;
    insert into deepsearch.own_search (user_id, query, results, created_at, expires_at)
    values (signed_in, new.query, new.results, new.created_at, new.expires_at) returning id into new.id;
    -- The newest thousand are kept. Now and then is often enough.
    if new.id % 16 = 0 then
        delete from deepsearch.own_search where user_id = signed_in and id < (
            select kept.id from deepsearch.own_search as kept where kept.user_id = signed_in
            order by kept.id desc offset 999 limit 1);
    end if;
    return new;
end
$$;

create trigger write_search instead of insert or delete on deepsearch."ai-app-template_search_cache" for each row
execute function deepsearch.write_search();

grant select on public."ai-app-template_search_cache", deepsearch.own_search to deepsearch_owner;
grant select, insert, delete on public."ai-app-template_search_cache", deepsearch.own_search to deepsearch_definer;
do $$
begin
    execute format('grant usage on sequence %s to deepsearch_definer',
        pg_get_serial_sequence('public."ai-app-template_search_cache"', 'id'));
end
$$;
grant select, insert, delete on deepsearch."ai-app-template_search_cache" to deepsearch_app;

---------------------------------------------------------------------------------------------------------------------
-- Whose the views and functions are, and who may call them

alter view deepsearch."ai-app-template_user" owner to deepsearch_owner;
alter view deepsearch."ai-app-template_account" owner to deepsearch_owner;
alter view deepsearch."ai-app-template_chat" owner to deepsearch_owner;
alter view deepsearch."ai-app-template_message" owner to deepsearch_owner;
alter view deepsearch."ai-app-template_user_settings" owner to deepsearch_owner;
alter view deepsearch."ai-app-template_search_cache" owner to deepsearch_owner;

alter function deepsearch.uid() owner to deepsearch_definer;
alter function deepsearch.signed_in_user() owner to deepsearch_definer;
alter function deepsearch.list_devices() owner to deepsearch_definer;
alter function deepsearch.prolong_session() owner to deepsearch_definer;
alter function deepsearch.end_connections(text) owner to deepsearch_definer;
alter function deepsearch.end_long_transactions(interval) owner to deepsearch_definer;
alter function deepsearch.shares_searches() owner to deepsearch_definer;
alter function deepsearch.write_search() owner to deepsearch_definer;
alter function deepsearch.delete_own_row() owner to deepsearch_definer;
alter function deepsearch.refuse_upsert() owner to deepsearch_definer;
alter function deepsearch.refuse_admins() owner to deepsearch_definer;
alter function deepsearch.mint_device(uuid, text, text, text, text, timestamptz) owner to deepsearch_minter;
alter function deepsearch.revoke_device(uuid) owner to deepsearch_minter;
alter function deepsearch.revoke_own_device(uuid) owner to deepsearch_minter;
alter function deepsearch.sign_out() owner to deepsearch_minter;
alter function deepsearch.drop_revoked_devices() owner to deepsearch_minter;
revoke create on schema deepsearch from deepsearch_owner, deepsearch_definer, deepsearch_minter;

grant select, update (last_seen_at) on deepsearch.device to deepsearch_definer;
grant select on deepsearch.setting to deepsearch_definer;
grant select, delete on public."ai-app-template_chat", public."ai-app-template_message" to deepsearch_definer;
grant select, update (expires) on public."ai-app-template_session" to deepsearch_definer;
grant select, insert, update, delete on deepsearch.device to deepsearch_minter;
grant select, insert, delete on public."ai-app-template_session" to deepsearch_minter;

-- The sign-in server knows people and lets devices in; it reads the rest only to hand a person everything of theirs.
grant select, insert, update, delete on
    public."ai-app-template_user", public."ai-app-template_account", public."ai-app-template_session",
    public."ai-app-template_verification_token" to deepsearch_gateway;
grant select on public."ai-app-template_chat", public."ai-app-template_message",
    public."ai-app-template_user_settings", deepsearch.device to deepsearch_gateway;

revoke all on all functions in schema deepsearch from public;
grant execute on function deepsearch.uid()
    to deepsearch_app, deepsearch_owner, deepsearch_minter, deepsearch_gateway;
grant execute on function deepsearch.shares_searches() to deepsearch_app, deepsearch_owner;
grant execute on function deepsearch.signed_in_user() to deepsearch_app, deepsearch_owner, deepsearch_minter;
grant execute on function deepsearch.list_devices(), deepsearch.prolong_session(), deepsearch.sign_out(),
    deepsearch.revoke_own_device(uuid) to deepsearch_app;
grant execute on function deepsearch.end_connections(text) to deepsearch_minter;
grant execute on function deepsearch.mint_device(uuid, text, text, text, text, timestamptz),
    deepsearch.revoke_device(uuid), deepsearch.drop_revoked_devices(), deepsearch.end_long_transactions(interval)
    to deepsearch_gateway;

---------------------------------------------------------------------------------------------------------------------
-- Row security, the second layer. Enabled and not forced: the web app, which owns the tables, notices nothing. Who else
-- reads them does as before. That nobody is signed in is an error here too: either condition may be the one that is asked.

do $$
declare
    tbl record;
begin
    for tbl in
        select * from (values
            ('ai-app-template_user', 'id = (select deepsearch.signed_in_user())'),
            ('ai-app-template_account', 'user_id = (select deepsearch.signed_in_user())'),
            ('ai-app-template_session', 'false'),
            ('ai-app-template_verification_token', 'false'),
            ('ai-app-template_chat', 'user_id = (select deepsearch.signed_in_user())'),
            -- No `exists`: that may be answered by first reading all chats of the user, of whom some have very many.
            ('ai-app-template_message', '(
                select chat.user_id from public."ai-app-template_chat" as chat
                where chat.id = chat_id) = (select deepsearch.signed_in_user())'),
            ('ai-app-template_search_cache', '(select deepsearch.shares_searches())'),
            ('ai-app-template_user_settings', 'user_id = (select deepsearch.signed_in_user())')
        ) as tables (name, condition)
    loop
        -- Policies only add rights. Where row security was off everybody had all, and keeps it; where the web app has
        -- policies of its own, only our roles get more.
        if (select relrowsecurity from pg_class where oid = format('public.%I', tbl.name)::regclass) then
            insert into deepsearch.note (about) values ('row security was on for ' || tbl.name);
        else
            execute format('create policy deepsearch_others on public.%I using (true) with check (true)', tbl.name);
        end if;
        execute format(
            'create policy deepsearch_roles on public.%I
            to deepsearch_owner, deepsearch_definer, deepsearch_minter, deepsearch_gateway
            using (true) with check (true)', tbl.name);
        execute format(
            'create policy deepsearch_own_rows on public.%I as restrictive to deepsearch_owner, deepsearch_app
            using (%s) with check (%2$s)', tbl.name, tbl.condition);
        execute format('alter table public.%I enable row level security', tbl.name);
    end loop;
end
$$;

---------------------------------------------------------------------------------------------------------------------
-- What everybody has by default, a device's role too. Who uses this database already keeps what they had.

do $$
declare
    users text;
    taken text;
begin
    -- Owners and grantees of what is in `public`.
    select string_agg(distinct grantee::regrole::text, ', ') into users from (
        select relowner as grantee from pg_class where relnamespace = 'public'::regnamespace
        union select (aclexplode(relacl)).grantee from pg_class where relnamespace = 'public'::regnamespace
        union select (aclexplode(nspacl)).grantee from pg_namespace where nspname = 'public'
        union select datdba from pg_database where datname = current_database()
        union select current_user::regrole
    ) as known
    where grantee <> 0 and grantee::regrole::text !~ '^deepsearch_' and grantee::regrole::text !~ '^pg_';

    insert into deepsearch.note (about, said)
    select 'rights on the database', coalesce(datacl::text, '') from pg_database where datname = current_database()
    union all
    select 'everybody may create in public', '' where has_schema_privilege('public', 'public', 'create')
    union all
    select 'everybody had rights on ' || relname, '' from pg_class, aclexplode(relacl) as had
    where relnamespace = 'public'::regnamespace and had.grantee = 0 and relname ~ '^ai-app-template_'
    group by relname;
    execute 'revoke all on public."ai-app-template_user", public."ai-app-template_account",
        public."ai-app-template_session", public."ai-app-template_verification_token", public."ai-app-template_chat",
        public."ai-app-template_message", public."ai-app-template_search_cache",
        public."ai-app-template_user_settings" from public';
    begin
        execute format('grant connect, temporary on database %I to %s', current_database(), users);
        execute format('grant connect on database %I to deepsearch_app, deepsearch_gateway', current_database());
        execute format('revoke all on database %I from public', current_database());
        execute 'revoke create on schema public from public';
    exception when insufficient_privilege then
        raise notice 'what everybody may do in this database stays as it is: %', sqlerrm;
    end;

    -- Locks that hold others up, large objects that fill the disk, messages in the log of changes. These functions
    -- belong to the system, and only a superuser may say who calls them.
    if (select rolsuper from pg_roles where rolname = current_user) then
        select string_agg(oid::regprocedure::text, ', ') into taken from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and (proname ~ '^(lo_|pg_(try_)?advisory_|pg_logical_emit_message)' or proname in ('loread', 'lowrite'))
            and has_function_privilege('public', oid, 'execute');
        if taken is not null then
            execute format('grant execute on function %s to %s', taken, users);
            execute format('revoke execute on function %s from public', taken);
            insert into deepsearch.note (about, said) values ('taken from everybody', taken);
        end if;
        grant execute on function pg_advisory_xact_lock(bigint) to deepsearch_gateway;
    end if;
    insert into deepsearch.note (about, said) values ('users of the database', users);
end
$$;
