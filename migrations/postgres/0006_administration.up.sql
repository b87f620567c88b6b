-- Administration: what a person with `is_admin` may look at, and end, from a device of theirs.
--
-- A device has no rights on the tables, an administrator's neither. These functions look for it, and each asks the table
-- of users first, at every call, whether whoever is signed in is an administrator: what an app shows or hides decides
-- nothing. They only read, but for ending a session. Tokens never leave the database: a masked cell says whether there is
-- something, and a row whose key is a token goes by a hash of it.

create function deepsearch.require_admin() returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant varchar(255) := deepsearch.signed_in_user();
begin
    if not exists (select from public."ai-app-template_user" as person where person.id = me and person.is_admin) then
        raise exception using errcode = 'insufficient_privilege',
            message = 'only an administrator may look after the shared database';
    end if;
end
$$;

-- Rows are counted up to a hundred thousand; beyond, the database's own estimate does.
create function deepsearch.admin_tables() returns table (table_name text, row_count bigint, is_estimate boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch.require_admin();
    foreach table_name in array array[
        'user', 'account', 'session', 'verification_token', 'chat', 'message', 'search_cache', 'user_settings']
    loop
        execute format('select count(*) from (select from public.%I limit 100001) as counted',
            'ai-app-template_' || table_name) into row_count;
        is_estimate := row_count > 100000;
        if is_estimate then
            row_count := greatest(row_count, (select live.reltuples::bigint from pg_class as live
                where live.oid = format('public.%I', 'ai-app-template_' || table_name)::regclass));
        end if;
        return next;
    end loop;
end
$$;

-- A page of a table in the order of its key, after a row's. The columns are named here and not by whoever asks: a web
-- app may have added some that hold secrets of its own.
create function deepsearch.admin_rows(of_table text, after text[], most integer)
returns table (cells text[], row_key text[])
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    secrets constant text[] := array[
        'refresh_token', 'access_token', 'id_token', 'session_state', 'session_token', 'token'];
    shown text[];
    keys text[];
    cells_of_row text;
    key_of_row text;
    key_given text;
begin
    perform deepsearch.require_admin();
    case of_table
        when 'user' then
            shown := array['id', 'name', 'email', 'email_verified', 'image', 'is_admin'];
            keys := array['id'];
        when 'account' then
            shown := array['user_id', 'type', 'provider', 'provider_account_id', 'refresh_token', 'access_token',
                'expires_at', 'token_type', 'scope', 'id_token', 'session_state'];
            keys := array['provider', 'provider_account_id'];
        when 'session' then
            shown := array['session_token', 'user_id', 'expires'];
            keys := array['session_token'];
        when 'verification_token' then
            shown := array['identifier', 'token', 'expires'];
            keys := array['identifier', 'token'];
        when 'chat' then
            shown := array['id', 'user_id', 'title', 'created_at', 'updated_at', 'deleted_at'];
            keys := array['id'];
        when 'message' then
            shown := array['id', 'chat_id', 'role', 'content', 'sources', 'metadata', 'created_at'];
            keys := array['id'];
        when 'search_cache' then
            shown := array['id', 'query', 'results', 'created_at', 'expires_at'];
            keys := array['id'];
        when 'user_settings' then
            shown := array['user_id', 'theme', 'language', 'default_model', 'enable_search_by_default',
                'max_search_results', 'updated_at'];
            keys := array['user_id'];
        else
            raise exception using errcode = 'undefined_table', message = 'there is no such table';
    end case;
    -- One character more than is shown, which says that a cell was cut.
    select string_agg(case when col = any (secrets) then format('case when %I is not null then ''•••'' end', col)
            else format('left(%I::text, 201)', col) end, ', ' order by place)
    into cells_of_row from unnest(shown) with ordinality as named (col, place);
    select
        string_agg(case when col = any (secrets) then format('encode(sha256(convert_to(%I, ''UTF8'')), ''hex'')', col)
            else quote_ident(col) end, ', ' order by place),
        -- What is no number is before all of them.
        string_agg(case when of_table = 'search_cache'
            then format('coalesce(substring(($1)[%s] from ''^[0-9]{1,18}$'')::bigint, 0)', place)
            else format('($1)[%s]', place) end, ', ' order by place)
    into key_of_row, key_given from unnest(keys) with ordinality as named (col, place);
    return query execute format(
        'select array[%s]::text[], array[%s]::text[] from public.%I where $1 is null or (%2$s) > (%4$s)
        order by %2$s limit $2',
        cells_of_row, key_of_row, 'ai-app-template_' || of_table, key_given)
    using after, least(greatest(most, 1), 201);
end
$$;

-- Sessions, those that last longest first, after one.
create function deepsearch.admin_sessions(after_expires timestamptz, after_id text, most integer)
returns table (session_id text, user_id text, name text, email text, expires timestamptz, is_device boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch.require_admin();
    return query
    select known.id, person.id::text, person.name::text, person.email::text, known.expires, known.is_device
    from (
        select encode(sha256(convert_to(session.session_token, 'UTF8')), 'hex') as id, session.user_id, session.expires,
            session.session_token like 'ds1:%' as is_device
        from public."ai-app-template_session" as session
    ) as known
    join public."ai-app-template_user" as person on person.id = known.user_id
    where after_expires is null or (known.expires, known.id) < (after_expires, after_id)
    order by known.expires desc, known.id desc limit least(greatest(most, 1), 200);
end
$$;

create function deepsearch.admin_end_session(of_session text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch.require_admin();
    delete from public."ai-app-template_session"
    where encode(sha256(convert_to(session_token, 'UTF8')), 'hex') = of_session;
    return found;
end
$$;

-- What was searched for since a day: the questions asked most, by day, by engine.
create function deepsearch.admin_search_queries(since date, most integer)
returns table (query text, searches bigint, cached bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch.require_admin();
    return query
    select kept.query::text, sum(kept.searches)::bigint, sum(kept.cached)::bigint
    from deepsearch.search_count as kept where kept.day >= since
    group by kept.query order by 2 desc, kept.query collate "C" limit least(greatest(most, 0), 100);
end
$$;

create function deepsearch.admin_search_days(since date)
returns table (day date, searches bigint, cached bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch.require_admin();
    return query
    select kept.day, sum(kept.searches)::bigint, sum(kept.cached)::bigint
    from deepsearch.search_count as kept where kept.day >= since group by kept.day order by kept.day desc limit 1000;
end
$$;

create function deepsearch.admin_search_engines(since date)
returns table (engine text, answers bigint, cached bigint, failures bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch.require_admin();
    return query
    select kept.engine::text, sum(kept.answers)::bigint, sum(kept.cached)::bigint, sum(kept.failures)::bigint
    from deepsearch.engine_count as kept where kept.day >= since
    group by kept.engine order by 2 desc, 3 desc, kept.engine collate "C" limit 100;
end
$$;

---------------------------------------------------------------------------------------------------------------------
-- Whose they are, and who may call them

grant select on public."ai-app-template_user", public."ai-app-template_account",
    public."ai-app-template_verification_token" to deepsearch_definer;
grant create on schema deepsearch to deepsearch_definer, deepsearch_minter;
alter function deepsearch.require_admin() owner to deepsearch_definer;
alter function deepsearch.admin_tables() owner to deepsearch_definer;
alter function deepsearch.admin_rows(text, text[], integer) owner to deepsearch_definer;
alter function deepsearch.admin_sessions(timestamptz, text, integer) owner to deepsearch_definer;
alter function deepsearch.admin_search_queries(date, integer) owner to deepsearch_definer;
alter function deepsearch.admin_search_days(date) owner to deepsearch_definer;
alter function deepsearch.admin_search_engines(date) owner to deepsearch_definer;
-- It may delete sessions already.
alter function deepsearch.admin_end_session(text) owner to deepsearch_minter;
revoke create on schema deepsearch from deepsearch_definer, deepsearch_minter;

revoke all on function deepsearch.require_admin(), deepsearch.admin_tables(),
    deepsearch.admin_rows(text, text[], integer), deepsearch.admin_sessions(timestamptz, text, integer),
    deepsearch.admin_end_session(text), deepsearch.admin_search_queries(date, integer),
    deepsearch.admin_search_days(date), deepsearch.admin_search_engines(date) from public;
grant execute on function deepsearch.require_admin() to deepsearch_minter;
grant execute on function deepsearch.admin_tables(), deepsearch.admin_rows(text, text[], integer),
    deepsearch.admin_sessions(timestamptz, text, integer), deepsearch.admin_end_session(text),
    deepsearch.admin_search_queries(date, integer), deepsearch.admin_search_days(date),
    deepsearch.admin_search_engines(date) to deepsearch_app;
