-- A device's session that is ended is the end of the device: with its session alone gone, its role could still log in,
-- and its person would still find it among the devices that are signed in.

-- By the hash of its token. Called by the owner of the database, and for administrators.
create function deepsearch.end_session(of_session text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    device_id uuid := (
        select id from deepsearch.device
        where encode(sha256(convert_to(session_token, 'UTF8')), 'hex') = of_session and revoked_at is null
    );
begin
    if device_id is not null then
        return deepsearch.revoke_device(device_id);
    end if;
    delete from public."ai-app-template_session"
    where encode(sha256(convert_to(session_token, 'UTF8')), 'hex') = of_session;
    return found;
end
$$;

create or replace function deepsearch.admin_end_session(of_session text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch.require_admin();
    return deepsearch.end_session(of_session);
end
$$;

-- Those that are signed in. One whose session has run out, or was ended before it took the device along, signs in again.
create or replace function deepsearch.list_devices()
returns table (id uuid, name varchar(255), created_at timestamptz, last_seen_at timestamptz, is_this boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select device.id, device.name, device.created_at, device.last_seen_at, device.role = session_user
    from deepsearch.device
    join public."ai-app-template_session" as session
        on session.session_token = device.session_token and session.user_id = device.user_id
    where device.user_id = (select deepsearch.signed_in_user()) and device.revoked_at is null
        and session.expires > statement_timestamp()
    order by device.created_at, device.id limit 1000
$$;

grant create on schema deepsearch to deepsearch_minter;
alter function deepsearch.end_session(text) owner to deepsearch_minter;
revoke create on schema deepsearch from deepsearch_minter;
revoke all on function deepsearch.end_session(text) from public;
