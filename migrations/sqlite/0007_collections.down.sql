drop table saved_search;
drop trigger chat_tag_deleted;
drop table chat_tag;
drop table tag;
drop trigger collection_deleted;
drop index chat_collection_idx;
alter table chat drop column collection;
drop table collection;
