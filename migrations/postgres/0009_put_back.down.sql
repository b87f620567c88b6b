-- Back to before links were counted together. None of this is anybody's data.

drop table deepsearch.link_sent;
drop function deepsearch_sync.collect_daily();

create or replace function deepsearch.sync_server()
returns table (epoch text, protocol_min integer, protocol_max integer, now timestamptz, collected text, horizon text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select
        (select system_identifier from pg_control_system()) || '.' || (select timeline_id from pg_control_checkpoint())
            || '.' || (select oid from pg_database where datname = current_database()),
        meta.protocol_min, meta.protocol_max, clock_timestamp(), meta.collected::text,
        pg_snapshot_xmin(pg_current_snapshot())::text
    from deepsearch_sync.meta
$$;

alter table deepsearch_sync.meta drop column restored, drop column collected_at;
