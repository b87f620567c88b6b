-- Everything of a schema that DeepSearch relies on, as facts: what it is, how it is defined, and the statements that make
-- it, take it away, or make one of another definition into this one ({found} stands for that definition). Run with an
-- empty search_path, so that every name is whole. `{database}` stands for the name of the database.
with
tables as (
    select oid as id, oid::regclass::text as name, relowner, relnamespace::regnamespace::text as space, relkind, relacl,
        relrowsecurity, relforcerowsecurity, reloptions, relname
    from pg_class
    where relkind = 'r' and relnamespace::regnamespace::text in ('deepsearch', 'deepsearch_sync')
        or relkind = 'r' and relnamespace = 'public'::regnamespace and relname in (
            'ai-app-template_user', 'ai-app-template_account', 'ai-app-template_session',
            'ai-app-template_verification_token', 'ai-app-template_chat', 'ai-app-template_message',
            'ai-app-template_search_cache', 'ai-app-template_user_settings')
),
views as (
    select oid as id, oid::regclass::text as name, relowner, relacl, reloptions from pg_class
    where relkind = 'v' and relnamespace::regnamespace::text in ('deepsearch', 'deepsearch_sync')
),
sequences as (
    select oid as id, oid::regclass::text as name, relowner, relacl from pg_class
    where relkind = 'S' and oid in (
        select objid from pg_depend where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass
            and refobjid in (select id from tables) and deptype in ('a', 'i'))
),
columns as (
    select tables.name as tbl, tables.id, attnum, quote_ident(attname) as col, format_type(atttypid, atttypmod) as type,
        attnotnull, attidentity, attstattarget, pg_get_expr(adbin, adrelid) as value
    from tables join pg_attribute on attrelid = tables.id and attnum > 0 and not attisdropped
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
),
functions as (
    select oid as id, oid::regprocedure::text as name, proowner, proacl from pg_proc
    where pronamespace::regnamespace::text in ('deepsearch', 'deepsearch_sync')
),
keys as (
    select conname, contype, tables.name as tbl, tables.space, pg_get_constraintdef(pg_constraint.oid) as def,
        array(select attname::text from unnest(conkey) with ordinality as key (num, at)
            join pg_attribute on attrelid = conrelid and attnum = num order by at) as cols
    from pg_constraint join tables on conrelid = tables.id where contype in ('p', 'u', 'f', 'c')
),
objects as (
    select 'table ' || name as object, name as shown, relowner as owner, 'r'::"char" as kind, relacl as acl from tables
    union all select 'table ' || name, name, relowner, 'r', relacl from views
    union all select 'sequence ' || name, name, relowner, 's', relacl from sequences
    union all select 'function ' || name, name, proowner, 'f', proacl from functions
    union all select 'schema ' || nspname, 'schema ' || nspname, nspowner, 'n', nspacl from pg_namespace
        where nspname in ('public', 'deepsearch', 'deepsearch_sync')
    union all select 'database {database}', 'the database', datdba, 'd', datacl from pg_database
        where datname = current_database()
),
grants as (
    select object, shown, '' as col, privilege_type as privilege, is_grantable, grantee
    from objects, aclexplode(coalesce(acl, acldefault(kind, owner))) where grantee <> owner
    union all
    select 'table ' || tbl, tbl || '.' || col, ' (' || col || ')', privilege_type, is_grantable, grantee
    from columns join pg_attribute on attrelid = id and pg_attribute.attnum = columns.attnum, aclexplode(attacl)
    union all
    select 'table ' || views.name, views.name || '.' || quote_ident(attname), ' (' || quote_ident(attname) || ')',
        privilege_type, is_grantable, grantee
    from views join pg_attribute on attrelid = views.id and attnum > 0, aclexplode(attacl)
),
facts (kind, name, definition, make, unmake, remake) as (
    select 'table', name, 'table', 'create table ' || name || ' ('
        || (select string_agg(col || ' '
                || case when value like 'nextval(%' then 'serial' else type || coalesce(' default ' || value, '') end
                || case attidentity when 'a' then ' generated always as identity' else '' end
                || case when attnotnull then ' not null' else '' end, ', ' order by attnum)
            from columns where columns.id = tables.id) || ')', null, null
    from tables
    union all
    select 'column', tbl || '.' || col, type,
        'alter table ' || tbl || ' add column ' || col || ' ' || type || coalesce(' default ' || value, '')
            || case when attnotnull then ' not null' else '' end,
        'alter table ' || tbl || ' drop column ' || col || ' -- deletes what is in it',
        'alter table ' || tbl || ' alter column ' || col || ' type ' || type || ' using ' || col || '::' || type
    from columns
    union all
    select 'default', tbl || '.' || col, value, 'alter table ' || tbl || ' alter column ' || col || ' set default ' || value,
        'alter table ' || tbl || ' alter column ' || col || ' drop default',
        'alter table ' || tbl || ' alter column ' || col || ' set default ' || value
    from columns where value is not null
    union all
    select 'not null', tbl || '.' || col, 'not null', 'alter table ' || tbl || ' alter column ' || col || ' set not null',
        'alter table ' || tbl || ' alter column ' || col || ' drop not null', null
    from columns where attnotnull
    union all
    select 'no statistics', tbl || '.' || col, 'none', 'alter table ' || tbl || ' alter column ' || col || ' set statistics 0',
        'alter table ' || tbl || ' alter column ' || col || ' set statistics -1', null
    from columns where attstattarget = 0
    union all
    -- Keys are known by what they do: drizzle-kit takes one away and makes it anew with each push.
    select case contype when 'p' then 'primary key' when 'f' then 'foreign key' when 'u' then 'unique' else 'check' end,
        case contype when 'c' then tbl || ' ' || quote_ident(conname) else tbl || ' (' || array_to_string(cols, ', ') || ')' end,
        -- Written once more, a check is told with its types elsewhere.
        case contype when 'c' then regexp_replace(def, '::character varying|::text(\[\])?|[() ]', '', 'g') else def end,
        'alter table ' || tbl || ' add constraint ' || quote_ident(conname) || ' '
            || case conname when 'role_check' then 'check (role in (''user'', ''assistant'', ''system''))' else def end,
        'alter table ' || tbl || ' drop constraint ' || quote_ident(conname), null
    from keys
    union all
    select 'name of key', tbl || ' (' || array_to_string(cols, ', ') || ')', quote_ident(conname), null, null,
        'alter table ' || tbl || ' rename constraint {found} to ' || quote_ident(conname)
    from keys where space = 'public' and (contype = 'f' or contype = 'p' and cardinality(cols) > 1)
        and tbl <> 'public."ai-app-template_user_settings"'
    union all
    select 'index', tables.name || ' ' || quote_ident(regexp_replace(pg_class.relname, '^ai-app-template_', '')),
        regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX .* USING', '\1USING')
            || case when indisvalid then '' else ' (not valid)' end,
        pg_get_indexdef(indexrelid), 'drop index ' || indexrelid::regclass, null
    from pg_index join tables on indrelid = tables.id join pg_class on pg_class.oid = indexrelid
    where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
    union all
    select 'trigger', seen.name || ' ' || quote_ident(tgname),
        pg_get_triggerdef(pg_trigger.oid) || case tgenabled when 'O' then '' else ' (off)' end,
        pg_get_triggerdef(pg_trigger.oid), 'drop trigger ' || quote_ident(tgname) || ' on ' || seen.name, null
    from pg_trigger join (select id, name from tables union all select id, name from views) as seen on tgrelid = seen.id
    where not tgisinternal and tgfoid in (select id from functions)
    union all
    select 'row security', name, 'on', 'alter table ' || name || ' enable row level security',
        'alter table ' || name || ' disable row level security', null
    from tables where relrowsecurity
    union all
    select 'forced row security', name, 'on', null, 'alter table ' || name || ' no force row level security', null
    from tables where relforcerowsecurity
    union all
    select 'policy', tables.name || ' ' || policyname,
        concat_ws(' ', permissive, cmd, 'to', (select string_agg(role, ', ' order by role) from unnest(roles::text[]) as role),
            'using', qual, 'check', with_check),
        'create policy ' || policyname || ' on ' || tables.name || ' as ' || permissive || ' for ' || cmd || ' to '
            || array_to_string(roles, ', ') || coalesce(' using (' || qual || ')', '')
            || coalesce(' with check (' || with_check || ')', ''),
        'drop policy ' || policyname || ' on ' || tables.name, null
    from pg_policies join tables on tablename = relname and schemaname = 'public'
    where policyname in ('deepsearch_roles', 'deepsearch_own_rows')
    union all
    -- Where the web app has policies of its own, who else may read is its affair.
    select distinct 'policy', tables.name || ' deepsearch_others', 'others read as before',
        'create policy deepsearch_others on ' || tables.name || ' using (true) with check (true)', null, null
    from pg_policies join tables on tablename = relname and schemaname = 'public'
    where policyname not in ('deepsearch_roles', 'deepsearch_own_rows')
    union all
    select 'view', name, concat_ws(' ', relowner::regrole, array_to_string(reloptions, ','),
            -- Versions of PostgreSQL differ in how they write a column.
            regexp_replace(regexp_replace(pg_get_viewdef(id), '(\m(chat|message)|"ai-app-template_\w+"|own_search)\.', '', 'g'), '\s+', ' ', 'g')),
        'create or replace view ' || name || ' with (' || array_to_string(reloptions, ', ') || ') as '
            || rtrim(pg_get_viewdef(id), ';') || '; alter view ' || name || ' owner to ' || relowner::regrole,
        'drop view ' || name, null
    from views
    union all
    select 'function', functions.name,
        concat_ws(' ', functions.proowner::regrole, case when prosecdef then 'definer' else 'invoker' end, provolatile,
            array_to_string(proconfig, ','), prorettype::regtype, md5(replace(prosrc, E'\r', ''))),
        rtrim(pg_get_functiondef(oid), E'\n') || '; alter function ' || functions.name || ' owner to ' || functions.proowner::regrole,
        'drop function ' || functions.name, null
    from functions join pg_proc on oid = id
    where pg_proc.prokind = 'f'
    union all
    select 'right', grantee_name || ': ' || privilege || ' on ' || shown, case when is_grantable then 'to give on' else 'given' end,
        'grant ' || privilege || col || ' on ' || object || ' to ' || grantee_name,
        'revoke ' || privilege || col || ' on ' || object || ' from ' || grantee_name, null
    from grants, lateral (select case grantee when 0 then 'public' else grantee::regrole::text end as grantee_name) as named
    where grantee_name = 'public' or grantee_name like 'deepsearch\_%'
    union all
    select 'role', rolname, attributes, 'create role ' || rolname || ' ' || attributes, null,
        'alter role ' || rolname || ' ' || attributes
    from pg_roles, lateral (select concat_ws(' ', case when rolcanlogin then 'login' else 'nologin' end,
        case when rolinherit then 'inherit' else 'noinherit' end,
        case when rolcreaterole then 'createrole' else 'nocreaterole' end,
        'connection limit ' || rolconnlimit) as attributes) as written
    where rolname in ('deepsearch_owner', 'deepsearch_definer', 'deepsearch_minter', 'deepsearch_app', 'deepsearch_gateway')
    union all
    select 'power of a role', rolname || ': ' || power, 'given', null, 'alter role ' || rolname || ' no' || power, null
    from pg_roles, lateral (values ('superuser', rolsuper), ('createdb', rolcreatedb), ('bypassrls', rolbypassrls),
        ('replication', rolreplication), ('createrole', rolcreaterole and rolname like 'deepsearch\_device\_%')
    ) as powers (power, has)
    where rolname like 'deepsearch\_%' and has
    union all
    select 'membership', member::regrole || ' in ' || roleid::regrole, 'member', null,
        'revoke ' || roleid::regrole || ' from ' || member::regrole, null
    from pg_auth_members
    where member::regrole::text like 'deepsearch\_%'
        and not (member::regrole::text like 'deepsearch\_device\_%' and roleid::regrole::text = 'deepsearch_app')
        and not (member::regrole::text = 'deepsearch_definer'
            and roleid::regrole::text in ('pg_signal_backend', 'pg_read_all_stats'))
        and not (member::regrole::text = 'deepsearch_minter' and (
            roleid::regrole::text = 'deepsearch_app' or roleid::regrole::text like 'deepsearch\_device\_%'))
    union all
    -- Of the system, and only a superuser may change it: an advice, where that is not to be had.
    select 'advice', 'everybody may call ' || oid::regprocedure, 'given', null,
        'revoke execute on function ' || oid::regprocedure || ' from public', null
    from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace
        and (proname ~ '^(lo_|pg_(try_)?advisory_|pg_logical_emit_message)' or proname in ('loread', 'lowrite'))
        and has_function_privilege('public', oid, 'execute')
)
select json_build_object('kind', kind, 'name', name, 'definition', definition, 'make', make, 'unmake', unmake,
    'remake', remake)::text
from facts order by kind collate "C", name collate "C"
