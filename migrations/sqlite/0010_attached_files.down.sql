alter table message drop column files;
