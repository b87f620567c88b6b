-- Where the feed was taken back (0003) and made anew, it holds no deletion of before: a device that goes on from where it
-- stopped would never hear of a chat that was deleted meanwhile. So every device compares its ids with ours, once; one
-- that has nothing yet does not.

update deepsearch_sync.meta set collected = pg_current_xact_id();
