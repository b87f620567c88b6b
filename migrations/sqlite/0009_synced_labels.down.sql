alter table sync_chat drop column left_out;
alter table sync_chat drop column labels;
