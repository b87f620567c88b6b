-- What the gateways of a team share while somebody signs in, so that each may answer what another began. Secrets are kept
-- as their SHA-256 only; every row expires within minutes and is deleted by whoever comes after.

-- Who a provider said somebody is, until the consent page is answered. A provider's tokens would not fit into a cookie.
create table deepsearch.sign_in_identity (
    ticket_hash bytea primary key check (octet_length(ticket_hash) = 32),
    identity json not null,
    expires_at timestamptz not null
);

-- A code on its way to the app. It is good once; that it was redeemed is remembered, so that a second time is noticed and
-- takes back what the first one gave.
create table deepsearch.sign_in_code (
    code_hash bytea primary key check (octet_length(code_hash) = 32),
    user_id varchar(255) not null references public."ai-app-template_user" ("id") on delete cascade,
    redirect_uri text not null,
    code_challenge text not null,
    device_id uuid not null,
    device_name text not null,
    expires_at timestamptz not null,
    redeemed_at timestamptz
);
create index sign_in_code_expires_at_idx on deepsearch.sign_in_code (expires_at);

-- A device without a browser that waits for its person (RFC 8628).
create table deepsearch.device_request (
    device_code_hash bytea primary key check (octet_length(device_code_hash) = 32),
    user_code text not null unique,
    device_id uuid not null,
    device_name text not null,
    asked_from text not null,
    asked_at timestamptz not null,
    expires_at timestamptz not null,
    polled_at timestamptz,
    poll_seconds integer not null,
    state text not null default 'waiting' check (state in ('waiting', 'allowed', 'denied', 'redeemed')),
    user_id varchar(255) references public."ai-app-template_user" ("id") on delete cascade,
    check ((state in ('allowed', 'redeemed')) = (user_id is not null))
);
create index device_request_expires_at_idx on deepsearch.device_request (expires_at);

grant select, insert, update, delete on
    deepsearch.sign_in_identity, deepsearch.sign_in_code, deepsearch.device_request to deepsearch_gateway;
-- For a person's export.
grant select on deepsearch.own_search to deepsearch_gateway;
