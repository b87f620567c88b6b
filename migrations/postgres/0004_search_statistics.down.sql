drop function deepsearch.search_messages(text, text, integer, text);
drop function deepsearch.count_search(text, boolean, text[], text[]);
drop table deepsearch.engine_count;
drop table deepsearch.search_count;
