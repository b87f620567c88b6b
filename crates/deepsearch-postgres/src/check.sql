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
row_types as (
    select pg_type.oid as id, pg_type.oid::regtype::text as name, typowner, typacl, typrelid from pg_type
    join pg_class on pg_class.oid = typrelid and relkind = 'c'
    where relnamespace::regnamespace::text in ('deepsearch', 'deepsearch_sync')
),
schemas as (
    select oid as id, nspname as name, nspowner, nspacl from pg_namespace
    where nspname in ('public', 'deepsearch', 'deepsearch_sync')
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
    union all select 'type ' || name, 'type ' || name, typowner, 'T', typacl from row_types
    union all select 'schema ' || name, 'schema ' || name, nspowner, 'n', nspacl from schemas
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
-- Whatever else our roles own, or have a right on: the system keeps account of it.
known (class, object) as (
    select 'pg_class'::regclass::oid, id from tables union all select 'pg_class'::regclass, id from views
    union all select 'pg_class'::regclass, id from sequences union all select 'pg_proc'::regclass, id from functions
    union all select 'pg_type'::regclass, id from row_types union all select 'pg_namespace'::regclass, id from schemas
),
elsewhere as (
    select distinct refobjid::regrole::text as role, deptype, thing.identity,
        case thing.type when 'view' then 'table' when 'materialized view' then 'table' when 'foreign table' then 'table'
            when 'foreign-data wrapper' then 'foreign data wrapper' when 'server' then 'foreign server'
            when 'parameter ACL' then 'parameter' else thing.type end as type, thing.type as its_type
    from pg_shdepend, pg_identify_object(classid, objid, 0) as thing
    where refclassid = 'pg_authid'::regclass and refobjid::regrole::text like 'deepsearch\_%' and deptype in ('a', 'o')
        and dbid in (0, (select oid from pg_database where datname = current_database()))
        and classid not in ('pg_database'::regclass, 'pg_default_acl'::regclass)
        and (classid, objid) not in (select class, object from known)
),
-- To whom goes what must not be one of our roles'.
lord as (select datdba::regrole::text as name from pg_database where datname = current_database()),
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
    -- On the web app's tables its own triggers are its own.
    where not tgisinternal and (tgfoid in (select id from functions) or seen.name not like 'public.%')
    union all
    select 'rule', seen.name || ' ' || quote_ident(rulename), pg_get_ruledef(pg_rewrite.oid), null,
        'drop rule ' || quote_ident(rulename) || ' on ' || seen.name, null
    from pg_rewrite join (select id, name from tables union all select id, name from views) as seen on ev_class = seen.id
    where rulename <> '_RETURN'
    union all
    select 'type', row_types.name, string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum),
        'create type ' || row_types.name || ' as (' || string_agg(quote_ident(attname) || ' '
            || format_type(atttypid, atttypmod), ', ' order by attnum) || ')', 'drop type ' || row_types.name || ' cascade', null
    from row_types join pg_attribute on attrelid = typrelid and attnum > 0 and not attisdropped group by row_types.name
    union all
    select 'owner', shown || ' of ' || owner::regrole, 'owner', null,
        'alter ' || object || ' owner to ' || (select name from lord), null
    from objects where owner::regrole::text like 'deepsearch\_%' and (kind in ('s', 'n', 'd', 'T')
        or kind = 'r' and shown in (select name from tables))
    union all
    select 'owner', its_type || ' ' || identity || ' of ' || role, 'owner', null,
        'alter ' || its_type || ' ' || identity || ' owner to ' || (select name from lord), null
    from elsewhere where deptype = 'o'
    union all
    select 'right elsewhere', role || ' on ' || its_type || ' ' || identity, 'given', null,
        'revoke all on ' || type || ' ' || identity || ' from ' || role, null
    from elsewhere where deptype = 'a'
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
            case when proisstrict then 'strict' end, case when proleakproof then 'leakproof' end, proparallel,
            array_to_string(proconfig, ','), prorettype::regtype, md5(replace(prosrc, E'\r', ''))),
        rtrim(pg_get_functiondef(oid), E'\n') || '; alter function ' || functions.name || ' owner to ' || functions.proowner::regrole,
        'drop function ' || functions.name, null
    from functions join pg_proc on oid = id
    where pg_proc.prokind = 'f'
    union all
    select 'routine', functions.name, prokind::text, null, 'drop routine ' || functions.name, null
    from functions join pg_proc on oid = id where prokind <> 'f'
    union all
    select 'relation', oid::regclass::text, relkind::text, null, 'drop '
        || case relkind when 'm' then 'materialized view ' when 'f' then 'foreign table ' else 'table ' end || oid::regclass, null
    from pg_class where relkind in ('m', 'f', 'p') and relnamespace::regnamespace::text in ('deepsearch', 'deepsearch_sync')
    union all
    select 'right', grantee_name || ': ' || privilege || ' on ' || shown, case when is_grantable then 'to give on' else 'given' end,
        'grant ' || privilege || col || ' on ' || object || ' to ' || grantee_name,
        'revoke ' || privilege || col || ' on ' || object || ' from ' || grantee_name, null
    from grants, lateral (select case grantee when 0 then 'public' else grantee::regrole::text end as grantee_name) as named
    where grantee_name = 'public' or grantee_name like 'deepsearch\_%'
    union all
    -- That what our roles make later is nobody else's.
    select 'default right', rolname || ': functions', 'not of everybody', 'alter default privileges for role ' || rolname
        || ' revoke execute on functions from public', null, null
    from pg_default_acl join pg_roles on pg_roles.oid = defaclrole
    where rolname in ('deepsearch_owner', 'deepsearch_definer', 'deepsearch_minter') and defaclobjtype = 'f'
        and defaclnamespace = 0 and not exists (select from aclexplode(defaclacl) where grantee = 0)
    union all
    select distinct 'default right', maker || ': ' || privilege_type || ' on ' || things || ' to ' || taker, 'given', null,
        'alter default privileges for role ' || maker || coalesce(' in schema ' || nullif(defaclnamespace, 0)::regnamespace, '')
            || ' revoke ' || privilege_type || ' on ' || things || ' from ' || taker, null
    from pg_default_acl, aclexplode(defaclacl), lateral (select defaclrole::regrole::text as maker,
        case grantee when 0 then 'public' else grantee::regrole::text end as taker,
        case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types'
            else 'schemas' end as things) as named
    where grantee <> defaclrole and (taker like 'deepsearch\_%' or taker = 'public' and maker like 'deepsearch\_%')
    union all
    select 'setting of a role', setrole::regrole || ': ' || setting, 'set', null,
        'alter role ' || setrole::regrole || case setdatabase when 0 then '' else ' in database {database}' end
            || ' reset ' || split_part(setting, '=', 1), null
    from pg_db_role_setting, unnest(setconfig) as setting
    where setrole <> 0 and setrole::regrole::text in (
            'deepsearch_owner', 'deepsearch_definer', 'deepsearch_minter', 'deepsearch_app', 'deepsearch_gateway')
        and setdatabase in (0, (select oid from pg_database where datname = current_database()))
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
    -- From version 16 on the maker of devices has to be told so.
    select 'missing membership', 'deepsearch_minter in deepsearch_app', 'with admin', null,
        'grant deepsearch_app to deepsearch_minter with admin true, inherit false, set false', null
    where current_setting('server_version_num')::int >= 160000 and not exists (
        select from pg_auth_members where roleid = 'deepsearch_app'::regrole and member = 'deepsearch_minter'::regrole
            and admin_option)
    union all
    select 'missing membership', rolname || ' in deepsearch_app', 'member', null,
        'grant deepsearch_app to ' || rolname, null
    from pg_roles where rolname like 'deepsearch\_device\_%' and rolcanlogin and not exists (
        select from pg_auth_members where roleid = 'deepsearch_app'::regrole and member = pg_roles.oid)
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
