drop table if exists
    public."ai-app-template_user_settings",
    public."ai-app-template_search_cache",
    public."ai-app-template_message",
    public."ai-app-template_chat",
    public."ai-app-template_verification_token",
    public."ai-app-template_session",
    public."ai-app-template_account",
    public."ai-app-template_user";
