drop table recheck;
drop table research_edit;
drop table research_page;
drop table research;
