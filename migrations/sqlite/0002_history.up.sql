-- History search: one full-text index each for messages, saved pages and chat titles.
--
-- The text is folded and cut into words by src/history/tokens.rs before it comes here (also in pairs of characters
-- where a script writes no spaces), so that one tokeniser serves the index, the query and the highlights; `ascii`
-- only has to split at spaces. Nothing of the text is kept twice: the indexes are without content.
-- Prefix indexes answer what is typed letter by letter; single letters are looked for in messages and titles only.
create virtual table history_message using fts5 (
    text, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '_'", prefix = '1 2 3'
);
create virtual table history_page using fts5 (
    text, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '_'", prefix = '2 3'
);
create virtual table history_chat using fts5 (
    text, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '_'", prefix = '1 2 3'
);

-- Chats have no number of their own.
create table history_title (
    seq integer primary key,
    chat_id text not null unique references chat (id) on delete cascade
) strict;

-- What has changed and is still to be indexed. The transaction of the change empties it again; what is left in it
-- (by a salvage, or by a program that knows nothing of the index) is made up for at the next opening.
create table history_pending (
    kind text not null check (kind in ('message', 'page', 'chat')),
    seq integer not null,
    primary key (kind, seq)
) strict, without rowid;

create trigger history_message_added after insert on message when new.state <> 'streaming' begin
    insert or ignore into history_pending (kind, seq) values ('message', new.seq);
end;
create trigger history_message_changed after update of content, sources, state on message
when new.state <> 'streaming' begin
    insert or ignore into history_pending (kind, seq) values ('message', new.seq);
end;
create trigger history_message_deleted after delete on message begin
    delete from history_pending where kind = 'message' and seq = old.seq;
    delete from history_message where rowid = old.seq;
end;

create trigger history_page_added after insert on page begin
    insert or ignore into history_pending (kind, seq) values ('page', new.seq);
end;
create trigger history_page_deleted after delete on page begin
    delete from history_pending where kind = 'page' and seq = old.seq;
    delete from history_page where rowid = old.seq;
end;

create trigger history_chat_added after insert on chat begin
    insert into history_title (chat_id) values (new.id);
    insert or ignore into history_pending (kind, seq) select 'chat', seq from history_title where chat_id = new.id;
end;
create trigger history_chat_changed after update of title on chat begin
    insert or ignore into history_pending (kind, seq) select 'chat', seq from history_title where chat_id = new.id;
end;
create trigger history_title_deleted after delete on history_title begin
    delete from history_pending where kind = 'chat' and seq = old.seq;
    delete from history_chat where rowid = old.seq;
end;

-- What an older version of the store already holds.
insert into history_title (chat_id) select id from chat order by updated_at, id;
insert into history_pending (kind, seq) select 'chat', seq from history_title;
insert into history_pending (kind, seq) select 'message', seq from message where state <> 'streaming';
insert into history_pending (kind, seq) select 'page', seq from page;
