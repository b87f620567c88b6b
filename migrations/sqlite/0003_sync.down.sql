insert or ignore into outbox (entity, entity_id, operation, changed_at)
    select 'user_settings', '', 'upsert', max(changed_at) from outbox
    where entity = 'user_settings' having count(*) > 0;
delete from outbox where entity = 'user_settings' and entity_id <> '';
drop table sync_dead;
drop table sync_conflict;
drop table sync_page;
drop table sync_evidence;
drop table sync_dangling;
drop table sync_early;
drop table sync_setting;
drop table sync_offer;
drop table sync_chat;
drop table sync_account;
drop trigger history_message_hidden;
drop index message_hidden_idx;
drop index page_content_hash_idx;
-- An older app shows what it cannot hide.
update message set hidden_at = null where hidden_at is not null;
alter table message drop column hidden_at;
alter table message drop column appended;
alter table message drop column synced;
