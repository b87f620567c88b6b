drop table model_use;
drop table engine_event;
drop table sent_text;
drop table contact;
drop table ledger;
