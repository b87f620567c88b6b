-- A server that was put back, deletions that are forgotten each day, and links that were sent.

---------------------------------------------------------------------------------------------------------------------
-- A server that is put back to a snapshot of its disk bears the name that it had. Devices see it by themselves while it
-- stands before what they have seen; whoever put it back says so for the others (`deepsearch db restored`).

-- A part of the server's name, by chance: counted, it would be put back with the rest.
alter table deepsearch_sync.meta add column restored text not null default '';

create or replace function deepsearch.sync_server()
returns table (epoch text, protocol_min integer, protocol_max integer, now timestamptz, collected text, horizon text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select
        (select system_identifier from pg_control_system()) || '.' || (select timeline_id from pg_control_checkpoint())
            || '.' || (select oid from pg_database where datname = current_database())
            || case when meta.restored <> '' then '.' || meta.restored else '' end,
        meta.protocol_min, meta.protocol_max, clock_timestamp(), meta.collected::text,
        pg_snapshot_xmin(pg_current_snapshot())::text
    from deepsearch_sync.meta
$$;

---------------------------------------------------------------------------------------------------------------------
-- What has been deleted for long enough is forgotten each day, by one of the sign-in servers.

alter table deepsearch_sync.meta add column collected_at timestamptz not null default '-infinity';
grant update (collected_at) on deepsearch_sync.meta to deepsearch_definer;

-- How many deletions were forgotten; null where that was done within a day, or is being done.
create function deepsearch_sync.collect_daily() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform from deepsearch_sync.meta where collected_at < clock_timestamp() - interval '1 day' for update skip locked;
    if not found then
        return null;
    end if;
    update deepsearch_sync.meta set collected_at = clock_timestamp();
    return deepsearch_sync.collect();
end
$$;

grant create on schema deepsearch_sync to deepsearch_definer;
alter function deepsearch_sync.collect_daily() owner to deepsearch_definer;
revoke create on schema deepsearch_sync from deepsearch_definer;
revoke all on function deepsearch_sync.collect_daily() from public;
grant execute on function deepsearch_sync.collect_daily() to deepsearch_gateway;

---------------------------------------------------------------------------------------------------------------------
-- Links that were sent by mail, so that sign-in servers count them together. Addresses are hashed with a key that the
-- database does not have; a row is deleted after a day.

create table deepsearch.link_sent (
    id bigint generated always as identity primary key,
    address_hash bytea not null check (octet_length(address_hash) = 32),
    -- Of the network that asked for it.
    network_hash bytea not null check (octet_length(network_hash) = 32),
    sent_at timestamptz not null
);
create index link_sent_address_idx on deepsearch.link_sent (address_hash, sent_at);
create index link_sent_network_idx on deepsearch.link_sent (network_hash, sent_at);
create index link_sent_sent_at_idx on deepsearch.link_sent (sent_at);
grant select, insert, delete on deepsearch.link_sent to deepsearch_gateway;
