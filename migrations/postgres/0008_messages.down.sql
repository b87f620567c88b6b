-- Back to pages through the view.

drop function deepsearch.list_messages(text, text, timestamptz, text, boolean, integer);
