-- The seed's eight tables, to the letter. Names of constraints are those that drizzle-kit makes (seed R2, R3); what a
-- web app has already made is adopted.

create table if not exists public."ai-app-template_user" (
    "id" varchar(255) primary key not null,
    "name" varchar(255),
    "email" varchar(255) not null,
    "email_verified" timestamp with time zone default CURRENT_TIMESTAMP,
    "image" varchar(255),
    "is_admin" boolean default false not null
);

create table if not exists public."ai-app-template_account" (
    "user_id" varchar(255) not null,
    "type" varchar(255) not null,
    "provider" varchar(255) not null,
    "provider_account_id" varchar(255) not null,
    "refresh_token" text,
    "access_token" text,
    "expires_at" integer,
    "token_type" varchar(255),
    "scope" varchar(255),
    "id_token" text,
    "session_state" varchar(255),
    constraint "ai-app-template_account_provider_provider_account_id_pk" primary key ("provider", "provider_account_id"),
    constraint "ai-app-template_account_user_id_ai-app-template_user_id_fk" foreign key ("user_id")
        references public."ai-app-template_user" ("id") on delete no action on update no action
);

create table if not exists public."ai-app-template_session" (
    "session_token" varchar(255) primary key not null,
    "user_id" varchar(255) not null,
    "expires" timestamp with time zone not null,
    constraint "ai-app-template_session_user_id_ai-app-template_user_id_fk" foreign key ("user_id")
        references public."ai-app-template_user" ("id") on delete no action on update no action
);

create table if not exists public."ai-app-template_verification_token" (
    "identifier" varchar(255) not null,
    "token" varchar(255) not null,
    "expires" timestamp with time zone not null,
    constraint "ai-app-template_verification_token_identifier_token_pk" primary key ("identifier", "token")
);

create table if not exists public."ai-app-template_chat" (
    "id" varchar(255) primary key not null,
    "user_id" varchar(255) not null,
    "title" varchar(500) not null,
    "created_at" timestamp with time zone default CURRENT_TIMESTAMP not null,
    "updated_at" timestamp with time zone default CURRENT_TIMESTAMP not null,
    "deleted_at" timestamp with time zone,
    constraint "ai-app-template_chat_user_id_ai-app-template_user_id_fk" foreign key ("user_id")
        references public."ai-app-template_user" ("id") on delete cascade on update no action
);

create table if not exists public."ai-app-template_message" (
    "id" varchar(255) primary key not null,
    "chat_id" varchar(255) not null,
    "role" varchar(50) not null,
    "content" text not null,
    "sources" json,
    "metadata" json,
    "created_at" timestamp with time zone default CURRENT_TIMESTAMP not null,
    constraint "ai-app-template_message_chat_id_ai-app-template_chat_id_fk" foreign key ("chat_id")
        references public."ai-app-template_chat" ("id") on delete cascade on update no action,
    constraint "role_check" check (role IN ('user', 'assistant', 'system'))
);

create table if not exists public."ai-app-template_search_cache" (
    "id" serial primary key not null,
    "query" varchar(500) not null,
    "results" json not null,
    "created_at" timestamp with time zone default CURRENT_TIMESTAMP not null,
    "expires_at" timestamp with time zone not null
);

create table if not exists public."ai-app-template_user_settings" (
    "user_id" varchar(255) primary key not null,
    "theme" varchar(20) default 'dark',
    "language" varchar(10) default 'en',
    "default_model" varchar(50),
    "enable_search_by_default" boolean default true not null,
    "max_search_results" integer default 10,
    "updated_at" timestamp with time zone default CURRENT_TIMESTAMP not null,
    constraint "ai-app-template_user_settings_user_id_ai-app-template_user_id_f" foreign key ("user_id")
        references public."ai-app-template_user" ("id") on delete cascade on update no action
);

create index if not exists account_user_id_idx on public."ai-app-template_account" using btree ("user_id");
create index if not exists session_user_id_idx on public."ai-app-template_session" using btree ("user_id");
create index if not exists chat_user_id_idx on public."ai-app-template_chat" using btree ("user_id");
create index if not exists chat_created_at_idx on public."ai-app-template_chat" using btree ("created_at");
create index if not exists chat_updated_at_idx on public."ai-app-template_chat" using btree ("updated_at");
create index if not exists message_chat_id_idx on public."ai-app-template_message" using btree ("chat_id");
create index if not exists message_created_at_idx on public."ai-app-template_message" using btree ("created_at");
create index if not exists message_chat_id_created_at_idx
    on public."ai-app-template_message" using btree ("chat_id", "created_at");
create index if not exists message_content_fts_idx
    on public."ai-app-template_message" using gin (to_tsvector('english', "content"));
create index if not exists search_cache_query_idx on public."ai-app-template_search_cache" using btree ("query");
create index if not exists search_cache_expires_at_idx on public."ai-app-template_search_cache" using btree ("expires_at");
