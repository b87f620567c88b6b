drop table recheck_schedule;
drop table recheck_page;
alter table recheck drop column failed;
alter table recheck drop column ledger;
