-- The mark stays: a device that compares once more loses nothing.
select 1;
