drop table page_picture;
