-- Back to before the tables: those that the way up made, while they are empty. What the web app made is its own, with
-- what was added to it; what holds rows stays until `deepsearch db rollback --force` says that they may go.
do $$
declare
    made text;
    has_rows boolean;
    going text[] := '{}';
begin
    foreach made in array array[
        'ai-app-template_user_settings', 'ai-app-template_search_cache', 'ai-app-template_message',
        'ai-app-template_chat', 'ai-app-template_verification_token', 'ai-app-template_session',
        'ai-app-template_account', 'ai-app-template_user']
    loop
        continue when not exists (select from deepsearch.note where about = 'created ' || made)
            or to_regclass(format('public.%I', made)) is null;
        execute format('select exists (select from public.%I)', made) into has_rows;
        if has_rows and coalesce(current_setting('deepsearch.force_rollback', true), '') <> 'on' then
            raise exception using errcode = 'DS001', message = format(
                'the table "%s" holds rows, which going back would delete; nothing was changed', made);
        end if;
        going := going || format('public.%I', made);
    end loop;
    if going <> '{}' then
        -- Together, because they refer to each other. What else refers to them keeps them.
        execute 'drop table ' || array_to_string(going, ', ');
    end if;
end
$$;

drop table deepsearch.note;
