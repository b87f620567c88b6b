-- The seed's eight tables, to the letter. Names of constraints are those that drizzle-kit makes (seed R2, R3).
--
-- What a web app has already made is adopted, wholly or in part: what is missing is added, what bears another name is
-- renamed. What cannot be understood ends the migration with a sentence (SQLSTATE DS001) and changes nothing. Nothing
-- here looks at the schema `drizzle`, which keeps the web app's own account of its migrations.

-- What the migrations have to know on their way back.
create table deepsearch.note (
    about text primary key,
    said text not null default ''
);

-- A name that is taken by something else cannot be adopted.
do $$
declare
    live record;
begin
    for live in
        select relname, relkind from pg_class
        where relnamespace = 'public'::regnamespace and relkind <> 'r' and relname in (
            'ai-app-template_user', 'ai-app-template_account', 'ai-app-template_session',
            'ai-app-template_verification_token', 'ai-app-template_chat', 'ai-app-template_message',
            'ai-app-template_search_cache', 'ai-app-template_user_settings')
    loop
        raise exception using errcode = 'DS001', message = format(
            '"%s" is there already and is not a plain table but %s; move it out of the way', live.relname,
            case live.relkind when 'v' then 'a view' when 'm' then 'a materialized view'
                when 'f' then 'a foreign table' when 'p' then 'a partitioned table' else 'something else' end);
    end loop;
end
$$;

insert into deepsearch.note (about)
select 'created ' || made from unnest(array[
    'ai-app-template_user', 'ai-app-template_account', 'ai-app-template_session',
    'ai-app-template_verification_token', 'ai-app-template_chat', 'ai-app-template_message',
    'ai-app-template_search_cache', 'ai-app-template_user_settings']) as made
where to_regclass(format('public.%I', made)) is null;

create table if not exists public."ai-app-template_user" (
    "id" varchar(255) primary key not null,
    "name" varchar(255),
    "email" varchar(255) not null,
    "email_verified" timestamp with time zone default CURRENT_TIMESTAMP,
    "image" varchar(255),
    "is_admin" boolean default false not null
);

create table if not exists public."ai-app-template_account" (
    "user_id" varchar(255) not null,
    "type" varchar(255) not null,
    "provider" varchar(255) not null,
    "provider_account_id" varchar(255) not null,
    "refresh_token" text,
    "access_token" text,
    "expires_at" integer,
    "token_type" varchar(255),
    "scope" varchar(255),
    "id_token" text,
    "session_state" varchar(255)
);

create table if not exists public."ai-app-template_session" (
    "session_token" varchar(255) primary key not null,
    "user_id" varchar(255) not null,
    "expires" timestamp with time zone not null
);

create table if not exists public."ai-app-template_verification_token" (
    "identifier" varchar(255) not null,
    "token" varchar(255) not null,
    "expires" timestamp with time zone not null
);

create table if not exists public."ai-app-template_chat" (
    "id" varchar(255) primary key not null,
    "user_id" varchar(255) not null,
    "title" varchar(500) not null,
    "created_at" timestamp with time zone default CURRENT_TIMESTAMP not null,
    "updated_at" timestamp with time zone default CURRENT_TIMESTAMP not null,
    "deleted_at" timestamp with time zone
);

create table if not exists public."ai-app-template_message" (
    "id" varchar(255) primary key not null,
    "chat_id" varchar(255) not null,
    "role" varchar(50) not null,
    "content" text not null,
    "sources" json,
    "metadata" json,
    "created_at" timestamp with time zone default CURRENT_TIMESTAMP not null
);

create table if not exists public."ai-app-template_search_cache" (
    "id" serial primary key not null,
    "query" varchar(500) not null,
    "results" json not null,
    "created_at" timestamp with time zone default CURRENT_TIMESTAMP not null,
    "expires_at" timestamp with time zone not null
);

create table if not exists public."ai-app-template_user_settings" (
    "user_id" varchar(255) primary key not null,
    "theme" varchar(20) default 'dark',
    "language" varchar(10) default 'en',
    "default_model" varchar(50),
    "enable_search_by_default" boolean default true not null,
    "max_search_results" integer default 10,
    "updated_at" timestamp with time zone default CURRENT_TIMESTAMP not null
);

-- Only the owner of a table may change it. One that has nothing to change is looked at all the same.
do $$
declare
    live record;
begin
    for live in
        select relname, relowner::regrole::text as owner from pg_class
        where relnamespace = 'public'::regnamespace and relname in (
            'ai-app-template_user', 'ai-app-template_account', 'ai-app-template_session',
            'ai-app-template_verification_token', 'ai-app-template_chat', 'ai-app-template_message',
            'ai-app-template_search_cache', 'ai-app-template_user_settings')
            and not pg_has_role(current_user, relowner, 'usage')
    loop
        raise exception using errcode = 'DS001', message = format(
            'the table "%s" belongs to the role %s, so %s cannot look after it: migrate as %2$s, or let its owner say `grant %2$s to %3$s`',
            live.relname, live.owner, quote_ident(current_user));
    end loop;
end
$$;

-- Columns: what is missing is added where rows allow it; another type is not understood.
do $$
declare
    wanted record;
    live record;
    has_rows boolean;
begin
    for wanted in
        select * from (values
            ('user', 'id', 'character varying(255)', true, null),
            ('user', 'name', 'character varying(255)', false, null),
            ('user', 'email', 'character varying(255)', true, null),
            ('user', 'email_verified', 'timestamp with time zone', false, 'CURRENT_TIMESTAMP'),
            ('user', 'image', 'character varying(255)', false, null),
            ('user', 'is_admin', 'boolean', true, 'false'),
            ('account', 'user_id', 'character varying(255)', true, null),
            ('account', 'type', 'character varying(255)', true, null),
            ('account', 'provider', 'character varying(255)', true, null),
            ('account', 'provider_account_id', 'character varying(255)', true, null),
            ('account', 'refresh_token', 'text', false, null),
            ('account', 'access_token', 'text', false, null),
            ('account', 'expires_at', 'integer', false, null),
            ('account', 'token_type', 'character varying(255)', false, null),
            ('account', 'scope', 'character varying(255)', false, null),
            ('account', 'id_token', 'text', false, null),
            ('account', 'session_state', 'character varying(255)', false, null),
            ('session', 'session_token', 'character varying(255)', true, null),
            ('session', 'user_id', 'character varying(255)', true, null),
            ('session', 'expires', 'timestamp with time zone', true, null),
            ('verification_token', 'identifier', 'character varying(255)', true, null),
            ('verification_token', 'token', 'character varying(255)', true, null),
            ('verification_token', 'expires', 'timestamp with time zone', true, null),
            ('chat', 'id', 'character varying(255)', true, null),
            ('chat', 'user_id', 'character varying(255)', true, null),
            ('chat', 'title', 'character varying(500)', true, null),
            ('chat', 'created_at', 'timestamp with time zone', true, 'CURRENT_TIMESTAMP'),
            ('chat', 'updated_at', 'timestamp with time zone', true, 'CURRENT_TIMESTAMP'),
            ('chat', 'deleted_at', 'timestamp with time zone', false, null),
            ('message', 'id', 'character varying(255)', true, null),
            ('message', 'chat_id', 'character varying(255)', true, null),
            ('message', 'role', 'character varying(50)', true, null),
            ('message', 'content', 'text', true, null),
            ('message', 'sources', 'json', false, null),
            ('message', 'metadata', 'json', false, null),
            ('message', 'created_at', 'timestamp with time zone', true, 'CURRENT_TIMESTAMP'),
            ('search_cache', 'id', 'integer', true, 'the sequence'),
            ('search_cache', 'query', 'character varying(500)', true, null),
            ('search_cache', 'results', 'json', true, null),
            ('search_cache', 'created_at', 'timestamp with time zone', true, 'CURRENT_TIMESTAMP'),
            ('search_cache', 'expires_at', 'timestamp with time zone', true, null),
            ('user_settings', 'user_id', 'character varying(255)', true, null),
            ('user_settings', 'theme', 'character varying(20)', false, '''dark'''),
            ('user_settings', 'language', 'character varying(10)', false, '''en'''),
            ('user_settings', 'default_model', 'character varying(50)', false, null),
            ('user_settings', 'enable_search_by_default', 'boolean', true, 'true'),
            ('user_settings', 'max_search_results', 'integer', false, '10'),
            ('user_settings', 'updated_at', 'timestamp with time zone', true, 'CURRENT_TIMESTAMP')
        ) as seed (tbl, col, type, is_required, value)
    loop
        select format_type(atttypid, atttypmod) as type, attnotnull as is_required, attidentity,
            -- A text that is written as it is has its type behind it: 'dark'::character varying.
            regexp_replace(pg_get_expr(adbin, adrelid), '^(''[^'']*'')::character varying$', '\1') as value
        into live
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid = format('public.%I', 'ai-app-template_' || wanted.tbl)::regclass
            and attname = wanted.col and not attisdropped;
        if not found then
            execute format('select exists (select from public.%I)', 'ai-app-template_' || wanted.tbl) into has_rows;
            if has_rows and wanted.is_required and wanted.value is null then
                raise exception using errcode = 'DS001', message = format(
                    'the table "ai-app-template_%s" has rows but no column "%s", and nobody can say what its rows hold there',
                    wanted.tbl, wanted.col);
            end if;
            execute format('alter table public.%I add column %I %s %s %s', 'ai-app-template_' || wanted.tbl, wanted.col,
                case wanted.value when 'the sequence' then 'serial' else wanted.type end,
                case when wanted.value <> 'the sequence' then 'default ' || wanted.value end,
                case when wanted.is_required then 'not null' end);
        elsif live.type <> wanted.type then
            raise exception using errcode = 'DS001', message = format(
                'the column "%s" of "ai-app-template_%s" is of type %s where %s was expected; change it with `alter table public."ai-app-template_%2$s" alter column "%1$s" type %4$s`, or move the table out of the way',
                wanted.col, wanted.tbl, live.type, wanted.type);
        else
            if wanted.value = 'the sequence' then
                if live.value is null and live.attidentity = '' then
                    raise exception using errcode = 'DS001', message = format(
                        'the column "id" of "ai-app-template_%s" has no sequence that makes its values', wanted.tbl);
                end if;
            elsif live.value is distinct from wanted.value then
                execute format('alter table public.%I alter column %I %s', 'ai-app-template_' || wanted.tbl, wanted.col,
                    coalesce('set default ' || wanted.value, 'drop default'));
            end if;
            if live.is_required and not wanted.is_required then
                execute format('alter table public.%I alter column %I drop not null',
                    'ai-app-template_' || wanted.tbl, wanted.col);
            elsif wanted.is_required and not live.is_required then
                execute format('select exists (select from public.%I where %I is null)',
                    'ai-app-template_' || wanted.tbl, wanted.col) into has_rows;
                if has_rows then
                    raise exception using errcode = 'DS001', message = format(
                        'the column "%s" of "ai-app-template_%s" is empty in some rows, where every row needs a value',
                        wanted.col, wanted.tbl);
                end if;
                execute format('alter table public.%I alter column %I set not null',
                    'ai-app-template_' || wanted.tbl, wanted.col);
            end if;
        end if;
    end loop;
    -- A column of somebody else's that has to be written could not be, by us.
    for live in
        select relname, attname from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped and attnotnull
            and not atthasdef and attidentity = '' and (relname, attname) in (
                select relname, attname except select 'ai-app-template_' || tbl, col from (values
                    ('user', 'id'), ('user', 'email'), ('account', 'user_id'), ('account', 'type'),
                    ('account', 'provider'), ('account', 'provider_account_id'), ('session', 'session_token'),
                    ('session', 'user_id'), ('session', 'expires'), ('verification_token', 'identifier'),
                    ('verification_token', 'token'), ('verification_token', 'expires'), ('chat', 'id'),
                    ('chat', 'user_id'), ('chat', 'title'), ('message', 'id'), ('message', 'chat_id'),
                    ('message', 'role'), ('message', 'content'), ('search_cache', 'query'),
                    ('search_cache', 'results'), ('search_cache', 'expires_at'), ('user_settings', 'user_id')
                ) as seed (tbl, col))
            and relname in (
                'ai-app-template_user', 'ai-app-template_account', 'ai-app-template_session',
                'ai-app-template_verification_token', 'ai-app-template_chat', 'ai-app-template_message',
                'ai-app-template_search_cache', 'ai-app-template_user_settings')
    loop
        raise exception using errcode = 'DS001', message = format(
            'the table "%s" has a column "%s" that is not known here and has to be written with every row; give it a default',
            live.relname, live.attname);
    end loop;
end
$$;

-- Keys: found by what they do, named as drizzle-kit names them. The one of user_settings comes and goes with each push
-- of the web app (seed R3).
do $$
declare
    wanted record;
    live record;
    keys smallint[];
begin
    for wanted in
        select * from (values
            ('user', array['id'], null),
            ('account', array['provider', 'provider_account_id'],
                'ai-app-template_account_provider_provider_account_id_pk'),
            ('session', array['session_token'], null),
            ('verification_token', array['identifier', 'token'],
                'ai-app-template_verification_token_identifier_token_pk'),
            ('chat', array['id'], null),
            ('message', array['id'], null),
            ('search_cache', array['id'], null),
            ('user_settings', array['user_id'], null)
        ) as seed (tbl, cols, name)
    loop
        select conname, array(select attname::text from unnest(conkey) with ordinality as key (num, at)
                join pg_attribute on attrelid = conrelid and attnum = num order by at) as cols
        into live from pg_constraint
        where conrelid = format('public.%I', 'ai-app-template_' || wanted.tbl)::regclass and contype = 'p';
        if not found then
            execute format('alter table public.%I add %s primary key (%s)', 'ai-app-template_' || wanted.tbl,
                'constraint ' || quote_ident(wanted.name),
                (select string_agg(quote_ident(col), ', ' order by at) from unnest(wanted.cols) with ordinality as c (col, at)));
        elsif live.cols <> wanted.cols then
            raise exception using errcode = 'DS001', message = format(
                'the primary key of "ai-app-template_%s" is (%s) where (%s) was expected',
                wanted.tbl, array_to_string(live.cols, ', '), array_to_string(wanted.cols, ', '));
        elsif live.conname <> wanted.name then
            execute format('alter table public.%I rename constraint %I to %I', 'ai-app-template_' || wanted.tbl,
                live.conname, wanted.name);
        end if;
    end loop;

    for wanted in
        select * from (values
            ('account', 'user_id', 'user', 'ai-app-template_account_user_id_ai-app-template_user_id_fk', 'a', 'no action'),
            ('session', 'user_id', 'user', 'ai-app-template_session_user_id_ai-app-template_user_id_fk', 'a', 'no action'),
            ('chat', 'user_id', 'user', 'ai-app-template_chat_user_id_ai-app-template_user_id_fk', 'c', 'cascade'),
            ('message', 'chat_id', 'chat', 'ai-app-template_message_chat_id_ai-app-template_chat_id_fk', 'c', 'cascade'),
            ('user_settings', 'user_id', 'user', 'ai-app-template_user_settings_user_id_ai-app-template_user_id_f', 'c', 'cascade')
        ) as seed (tbl, col, parent, name, action, deleting)
    loop
        select array[attnum] into keys from pg_attribute
        where attrelid = format('public.%I', 'ai-app-template_' || wanted.tbl)::regclass and attname = wanted.col;
        -- Of two that do the same the one of the right name is kept.
        select conname, confdeltype, confupdtype into live from pg_constraint
        where conrelid = format('public.%I', 'ai-app-template_' || wanted.tbl)::regclass and contype = 'f'
            and conkey = keys and confrelid = format('public.%I', 'ai-app-template_' || wanted.parent)::regclass
        order by conname <> wanted.name limit 1;
        if live.conname is not null
            and (live.confdeltype, live.confupdtype) is distinct from (wanted.action::"char", 'a'::"char")
        then
            execute format('alter table public.%I drop constraint %I', 'ai-app-template_' || wanted.tbl, live.conname);
            live.conname := null;
        end if;
        if live.conname is null then
            execute format(
                'alter table public.%I add constraint %I foreign key (%I) references public.%I ("id") on delete %s on update no action',
                'ai-app-template_' || wanted.tbl, wanted.name, wanted.col, 'ai-app-template_' || wanted.parent,
                wanted.deleting);
        elsif live.conname <> wanted.name then
            execute format('alter table public.%I rename constraint %I to %I', 'ai-app-template_' || wanted.tbl,
                live.conname, wanted.name);
        end if;
    end loop;

    -- The check by its name: drizzle-kit knows checks by theirs.
    if not exists (
        select from pg_constraint
        where conrelid = 'public."ai-app-template_message"'::regclass and conname = 'role_check' and contype = 'c'
    ) then
        select role, count(*) over () as roles into live from public."ai-app-template_message"
        where role not in ('user', 'assistant', 'system') group by role limit 1;
        if live.role is not null then
            raise exception using errcode = 'DS001', message = format(
                'some messages have the role "%s", where only user, assistant and system are allowed; change or delete them',
                live.role);
        end if;
        alter table public."ai-app-template_message"
            add constraint "role_check" check (role IN ('user', 'assistant', 'system'));
    end if;
end
$$;

-- Indexes. Their names have no prefix and are unique in the namespace: one of that name on another table is not ours
-- (seed R20), and then ours bears its table's name before its own.
do $$
declare
    wanted record;
    live record;
    name text;
begin
    for wanted in
        select * from (values
            ('account', 'account_user_id_idx', 'btree (user_id)'),
            ('session', 'session_user_id_idx', 'btree (user_id)'),
            ('chat', 'chat_user_id_idx', 'btree (user_id)'),
            ('chat', 'chat_created_at_idx', 'btree (created_at)'),
            ('chat', 'chat_updated_at_idx', 'btree (updated_at)'),
            ('message', 'message_chat_id_idx', 'btree (chat_id)'),
            ('message', 'message_created_at_idx', 'btree (created_at)'),
            ('message', 'message_chat_id_created_at_idx', 'btree (chat_id, created_at)'),
            ('message', 'message_content_fts_idx', 'gin (to_tsvector(''english''::regconfig, content))'),
            ('search_cache', 'search_cache_query_idx', 'btree (query)'),
            ('search_cache', 'search_cache_expires_at_idx', 'btree (expires_at)')
        ) as seed (tbl, name, doing)
    loop
        name := wanted.name;
        if exists (
            select from pg_class left join pg_index on indexrelid = pg_class.oid
            where relnamespace = 'public'::regnamespace and relname = wanted.name
                and indrelid is distinct from format('public.%I', 'ai-app-template_' || wanted.tbl)::regclass
        ) then
            name := 'ai-app-template_' || wanted.name;
            raise notice 'the name % is taken by another table, so the index is called %', wanted.name, name;
        end if;
        select indexrelid::regclass as index, indisvalid and not indisunique
            and pg_get_indexdef(indexrelid) like '% USING ' || replace(wanted.doing, '_', '\_') as is_right
        into live from pg_class join pg_index on indexrelid = pg_class.oid
        where relnamespace = 'public'::regnamespace and relname = name
            and indrelid = format('public.%I', 'ai-app-template_' || wanted.tbl)::regclass;
        continue when live.is_right;
        if live.index is not null then
            execute format('drop index %s', live.index);
        end if;
        execute format('create index %I on public.%I using %s', name, 'ai-app-template_' || wanted.tbl, wanted.doing);
    end loop;
end
$$;
