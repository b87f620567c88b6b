-- Back to before the end of a session was the end of its device. None of this is anybody's data.

create or replace function deepsearch.admin_end_session(of_session text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform deepsearch.require_admin();
    delete from public."ai-app-template_session"
    where encode(sha256(convert_to(session_token, 'UTF8')), 'hex') = of_session;
    return found;
end
$$;

create or replace function deepsearch.list_devices()
returns table (id uuid, name varchar(255), created_at timestamptz, last_seen_at timestamptz, is_this boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select device.id, device.name, device.created_at, device.last_seen_at, device.role = session_user
    from deepsearch.device
    where device.user_id = (select deepsearch.signed_in_user()) and device.revoked_at is null
    order by device.created_at, device.id limit 1000
$$;

drop function deepsearch.end_session(text);
