-- How a chat is sorted (its collection and its tags) is synced with the chat's flags. Saved searches are not.

-- JSON: the labels as they last were on both sides; null where the server was told of none.
alter table sync_chat add column labels text;
-- JSON: what of the server's labels has no room here. The chat is without them, and they are sent back untouched.
alter table sync_chat add column left_out text;
