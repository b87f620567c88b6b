use std::error::Error;

use deepsearch_core::{ErrorCode, Failure, UserSettings};
use deepsearch_postgres::{DatabaseError, Rule, SharedDatabase};
use rstest::rstest;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::support::{NOON, chat, home, message, user};

#[rstest]
#[case::too_long(
    r#"drop schema deepsearch cascade; alter table "ai-app-template_chat" alter title type varchar(100)"#,
    "title",
    Rule::TooLong { limit: 100 }
)]
#[case::missing(
    r#"alter table "ai-app-template_chat" add column colour text not null default 'x';
    alter table "ai-app-template_chat" alter colour drop default"#,
    "colour",
    Rule::Missing
)]
#[case::not_allowed(
    r#"alter table "ai-app-template_chat" add constraint title_check check (title = 'x')"#,
    "title",
    Rule::NotAllowed
)]
#[case::taken(
    r#"create unique index one_title on "ai-app-template_chat" (title);
    insert into "ai-app-template_user" (id, email) values ('u', 'u@example.com');
    insert into "ai-app-template_chat" (id, user_id, title) values ('c', 'u', repeat('A title of more', 10))"#,
    "title",
    Rule::Taken
)]
#[case::unknown(
    r#"create table colour (title varchar(500) primary key);
    alter table "ai-app-template_chat" add foreign key (title) references colour"#,
    "title",
    Rule::Unknown
)]
#[tokio::test]
async fn what_the_tables_refuse_is_told_by_field_and_rule(
    #[case] spoil: &'static str,
    #[case] expected: &str,
    #[case] expected_rule: Rule,
) {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    home.raw().await.execute(spoil).await.unwrap();
    let titled = chat(&"A title of more".repeat(10), NOON);
    let refused = home.database.add_chat(&user, &titled).await.unwrap_err();
    let DatabaseError::Refused {
        field, rule, source, ..
    } = &refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((field.as_str(), *rule), (expected, expected_rule));
    assert!(source.is_some() && refused.source().is_some(), "the cause is kept");
    assert_eq!(refused.code(), ErrorCode::Invalid);
    assert!(
        !refused.to_string().contains("A title of more"),
        "the words hold no values: {refused}"
    );
}

/// Statement by statement: what a rule says must not depend on the language of the server.
#[tokio::test]
async fn a_character_that_cannot_be_kept_is_told_by_its_field() {
    let Some(home) = home().await else { return };
    let id = home.user().await;
    let told = |error: DatabaseError| match error {
        DatabaseError::Refused { field, rule, .. } => (field, rule),
        other => panic!("{other:?}"),
    };
    let chat_id = home.chat(&id).await;
    let mut named = user("x@example.com");
    named.name = Some("a\0b".into());
    let settings = UserSettings {
        theme: "\0".into(),
        ..UserSettings::default()
    };
    let refusals = [
        told(home.database.rename_chat(&id, &chat_id, "a\0b").await.unwrap_err()),
        told(
            home.database
                .add_messages(&id, &chat_id, &[message(&chat_id, "\0x", 0)])
                .await
                .unwrap_err(),
        ),
        told(home.database.add_user(&named).await.unwrap_err()),
        told(home.database.update_user_settings(&id, &settings).await.unwrap_err()),
    ];
    let fields = ["title", "content", "name", "theme"].map(|field| (field.to_owned(), Rule::NotText));
    assert_eq!(refusals, fields);
}

#[rstest]
#[case::read_only(
    "alter database {} set default_transaction_read_only = on",
    ErrorCode::ReadOnly,
    "takes no changes now"
)]
#[case::other_tables(
    r#"alter table "ai-app-template_chat" drop column deleted_at cascade"#,
    ErrorCode::Storage,
    "lacks a table or column"
)]
#[case::no_tables(
    r#"drop table "ai-app-template_message", "ai-app-template_chat" cascade"#,
    ErrorCode::Storage,
    "lacks a table or column"
)]
#[case::slow("alter database {} set statement_timeout = 1", ErrorCode::TimedOut, "was busy")]
#[tokio::test]
async fn a_state_of_the_server_has_a_sentence_and_a_way_on(
    #[case] spoil: &str,
    #[case] code: ErrorCode,
    #[case] words: &str,
) {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let database = home.url.rsplit('/').next().unwrap();
    let mut raw = home.raw().await;
    raw.execute(AssertSqlSafe(spoil.replace("{}", database))).await.unwrap();
    if code == ErrorCode::TimedOut {
        // Something to wait for.
        raw.execute(r#"begin; lock "ai-app-template_chat""#).await.unwrap();
    }
    let error = home
        .another()
        .await
        .add_chat(&user, &chat("t", NOON))
        .await
        .unwrap_err();
    assert_eq!(error.code(), code, "{error:?}");
    let failure = Failure::from(&error);
    assert!(failure.message.contains(words), "{failure}");
    assert!(failure.hint.is_some());
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_role_without_rights_is_told_so() {
    let Some(home) = home().await else { return };
    let mut raw = home.raw().await;
    let role = format!("stranger_{}", home.url.rsplit('_').next().unwrap());
    raw.execute(AssertSqlSafe(format!("create role {role} login")))
        .await
        .unwrap();
    let url = home.url.replace("postgres://postgres@", &format!("postgres://{role}@"));
    let stranger = SharedDatabase::connect(&url).await.unwrap();
    let refused = stranger.find_user_by_email("a@example.com").await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Refused, "{refused:?}");
    stranger.close().await;
    raw.execute(AssertSqlSafe(format!("drop role {role}"))).await.unwrap();
}

#[tokio::test]
async fn a_server_that_goes_away_is_out_of_reach_and_the_next_question_finds_it_again() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let mut raw = home.raw().await;
    let begun = home.database.begin().await.unwrap();
    raw.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()",
    )
    .await
    .unwrap();
    drop(begun);
    let mut answered = false;
    for _ in 0..5 {
        match home.database.lookup_user(&user).await {
            Ok(found) => {
                assert!(found.is_some());
                answered = true;
                break;
            }
            Err(error) => assert_eq!(error.code(), ErrorCode::Offline, "{error:?}"),
        }
    }
    assert!(answered, "the connections are made anew");
    raw.close().await.unwrap();
}
