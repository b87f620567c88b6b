-- A copy of the picture that a page shows itself with, drawn anew. It stays on this device, and goes with its page.

create table page_picture (
    seq integer primary key,
    page_id text not null unique references page (id) on delete cascade,
    url text not null,
    alt text not null,
    media_type text not null check (media_type in ('image/jpeg', 'image/png')),
    width integer not null,
    height integer not null,
    bytes blob not null
) strict;
