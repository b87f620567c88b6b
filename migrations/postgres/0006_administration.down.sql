-- Back to before administration from a device: the owner of the database looks after it as before.

drop function deepsearch.admin_search_engines(date), deepsearch.admin_search_days(date),
    deepsearch.admin_search_queries(date, integer), deepsearch.admin_end_session(text),
    deepsearch.admin_sessions(timestamptz, text, integer), deepsearch.admin_rows(text, text[], integer),
    deepsearch.admin_tables(), deepsearch.require_admin();
revoke select on public."ai-app-template_user", public."ai-app-template_account",
    public."ai-app-template_verification_token" from deepsearch_definer;
-- With the right on the table goes that on its columns, which sync has from before.
grant select (id) on public."ai-app-template_user" to deepsearch_definer;
