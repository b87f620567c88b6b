-- Searching what the team shares: counts of searches on the web, and full-text search over a user's messages.
--
-- The counts are ours, in our schema: the seed's tables get no columns. Days and no hours, questions and nobody who
-- asked; and of devices only while the team shares its search cache, by which everybody sees what was asked anyway. Old
-- days are removed by `deepsearch db clean`.

create table deepsearch.search_count (
    day date not null,
    query varchar(500) not null,
    searches bigint not null default 0,
    cached bigint not null default 0,
    primary key (day, query)
);

create table deepsearch.engine_count (
    day date not null,
    engine varchar(50) not null,
    -- Given when it was asked, and given by the cache.
    answers bigint not null default 0,
    cached bigint not null default 0,
    failures bigint not null default 0,
    primary key (day, engine)
);

revoke all on deepsearch.search_count, deepsearch.engine_count from public;

-- Adds to the counts of today, and reads nothing: who may call it learns nothing of what others asked. More engines than
-- a search can have asked are left out.
create function deepsearch.count_search(asked text, was_cached boolean, answered text[], failed text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    today date := (now() at time zone 'UTC')::date;
    cut varchar(500) := left(btrim(regexp_replace(left(asked, 2000), '\s+', ' ', 'g')), 500);
begin
    if session_user ~ '^deepsearch_device_' and not deepsearch.shares_searches() then
        return;
    end if;
    if cut <> '' then
        insert into deepsearch.search_count as kept (day, query, searches, cached) values (today, cut, 1, was_cached::int)
        on conflict (day, query) do update
            set searches = kept.searches + 1, cached = kept.cached + excluded.cached;
    end if;
    insert into deepsearch.engine_count as kept (day, engine, answers, cached, failures)
    select today, engine, max((had and not was_cached)::int), max((had and was_cached)::int), max((not had)::int)
    from (
        select left(name, 50) as engine, true as had from unnest(answered[1:20]) as named (name)
        union all
        select left(name, 50), false from unnest(failed[1:20]) as named (name)
    ) as engines
    where engine <> ''
    group by engine
    -- In one order, so that two who count at once do not wait for each other in a circle.
    order by engine
    on conflict (day, engine) do update
        set answers = kept.answers + excluded.answers, cached = kept.cached + excluded.cached,
            failures = kept.failures + excluded.failures;
end
$$;

-- Messages of a user outside Trash that match, best first. A device finds its own user's whatever it says.
--
-- A function, because no condition of a device goes below a view that is a barrier: the index would never be used.
-- `execute` plans each search for its own words. The user's chats are an array, so that both indexes are read once,
-- however many chats there are. Of more than 300 messages that match the newest are ranked, for that reads their whole
-- text; and only what is shown is marked, which costs the most. The expression is, to the letter, that of the index.
create function deepsearch.search_messages(of_user text, typed text, most integer, marks text)
returns table (
    message_id varchar(255), chat_id varchar(255), chat_title varchar(500), role varchar(50), created_at timestamptz,
    rank real, headline text
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if session_user ~ '^deepsearch_device_' then
        of_user := deepsearch.signed_in_user();
    end if;
    return query execute $query$
        with found as (
            select id, chat_id, role, content, created_at from public."ai-app-template_message"
            where chat_id = any ($1) and to_tsvector('english', content) @@ websearch_to_tsquery('english', $2)
            order by created_at desc, id limit 300
        ), hit as (
            select found.*, ts_rank(to_tsvector('english', content), websearch_to_tsquery('english', $2)) as rank
            from found order by rank desc, created_at desc, id limit $3
        )
        select hit.id, hit.chat_id, chat.title, hit.role, hit.created_at, rank,
            ts_headline('english', content, websearch_to_tsquery('english', $2), $4)
        from hit join public."ai-app-template_chat" as chat on chat.id = hit.chat_id
        order by rank desc, hit.created_at desc, hit.id
    $query$ using array(
        select id from public."ai-app-template_chat" where user_id = of_user and deleted_at is null
    ), left(typed, 400), least(most, 100), marks;
end
$$;

do $$
begin
    grant create on schema deepsearch to deepsearch_definer;
    alter function deepsearch.count_search(text, boolean, text[], text[]) owner to deepsearch_definer;
    alter function deepsearch.search_messages(text, text, integer, text) owner to deepsearch_definer;
    revoke create on schema deepsearch from deepsearch_definer;
end
$$;
grant select, insert, update on deepsearch.search_count, deepsearch.engine_count to deepsearch_definer;
-- With every right taken first: who makes a function may have been given more by default.
revoke all on function deepsearch.count_search(text, boolean, text[], text[]),
    deepsearch.search_messages(text, text, integer, text) from public;
grant execute on function deepsearch.count_search(text, boolean, text[], text[]),
    deepsearch.search_messages(text, text, integer, text) to deepsearch_app;
