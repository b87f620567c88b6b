//! Holds the plans of what people wait for against the indexes of the seed, in tables large enough to need them.

use sqlx::{Executor, PgConnection};

use crate::cluster::{Cluster, admit, connect, run};
use crate::support::home;

/// 200 users, 4,000 chats, 40,000 messages, 20,000 cached searches.
async fn fill(raw: &mut PgConnection) {
    raw.execute(
        r#"insert into "ai-app-template_user" (id, email) select 'u' || n, 'u' || n || '@example.com'
            from generate_series(1, 200) as n;
        insert into "ai-app-template_chat" (id, user_id, title, updated_at)
            select 'c' || n, 'u' || (n % 200 + 1), 't', timestamptz '2024-01-01' + n * interval '1 minute'
            from generate_series(1, 4000) as n;
        insert into "ai-app-template_message" (id, chat_id, role, content, created_at)
            select 'm' || n, 'c' || (n % 4000 + 1), 'user',
                case when n % 4000 = 17 then 'the rare zebra' else 'an ordinary horse number ' || n end,
                timestamptz '2024-01-01' + n * interval '1 second'
            from generate_series(1, 40000) as n;
        insert into "ai-app-template_search_cache" (query, results, expires_at)
            select 'q' || n, '{}', timestamptz '2024-01-01' + n * interval '1 second' from generate_series(1, 20000) as n"#,
    )
    .await
    .unwrap();
    // Outside the transaction that many statements in one are.
    raw.execute("vacuum analyze").await.unwrap();
}

/// The committed statement that holds these words.
fn checked(words: &str) -> String {
    let found: Vec<String> = std::fs::read_dir(".sqlx")
        .unwrap()
        .map(|entry| {
            let json: serde_json::Value =
                serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            json["query"].as_str().unwrap().to_owned()
        })
        .filter(|query| query.contains(words))
        .collect();
    assert_eq!(found.len(), 1, "one statement holds `{words}`: {found:#?}");
    found.into_iter().next().unwrap()
}

/// The plan for these arguments, whatever their types, as the server makes it for a prepared statement.
async fn plan(raw: &mut PgConnection, words: &str, arguments: &str) -> String {
    let statement = checked(words);
    raw.execute(sqlx::AssertSqlSafe(format!("prepare planned as {statement}")))
        .await
        .unwrap();
    let lines: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("explain execute planned({arguments})")))
        .persistent(false)
        .fetch_all(&mut *raw)
        .await
        .unwrap();
    raw.execute("deallocate planned").await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn what_people_wait_for_goes_by_an_index() {
    let Some(home) = home().await else { return };
    let mut raw = home.raw().await;
    fill(&mut raw).await;
    let cases = [
        // The list of chats.
        (
            "(deleted_at is not null) = $2",
            "'u3', false, null, '', 50",
            "chat_user_id_idx",
        ),
        // A chat's first, newest and older messages, by the index of the chat alone or that of chat and time.
        (
            "where chat_id = $1 order by created_at, id",
            "'c5', 100",
            "message_chat_id",
        ),
        (
            "and user_id = $2)\n        order by created_at desc",
            "'c5', 'u6', 50",
            "message_chat_id",
        ),
        (
            "created_at <= $3",
            "'c5', 'u6', '2024-01-01 05:00+00', 'm', 50",
            "message_chat_id",
        ),
        // The time of the next message.
        ("order by created_at desc limit 1", "'c5'", "message_chat_id"),
        // The search cache, and what ran out of it.
        (
            "octet_length(results::text)",
            "'q7', now(), 500000",
            "search_cache_query_idx",
        ),
        (
            "where expires_at < $1 order by expires_at",
            "'2024-01-01 00:10+00', 1000",
            "search_cache_expires_at_idx",
        ),
    ];
    for (words, arguments, index) in cases {
        let plan = plan(&mut raw, words, arguments).await;
        assert!(plan.contains(index), "`{words}` goes by {index}:\n{plan}");
        assert!(!plan.contains("Seq Scan on \"ai-app-template_message\""), "{plan}");
    }
}

/// The function's own statement, planned as `execute` plans it: for the words.
#[tokio::test]
async fn full_text_search_goes_by_its_index() {
    let Some(home) = home().await else { return };
    let mut raw = home.raw().await;
    fill(&mut raw).await;
    let source: String = sqlx::query_scalar(
        "select prosrc from pg_proc where oid = 'deepsearch.search_messages(text, text, integer, text)'::regprocedure",
    )
    .fetch_one(&mut raw)
    .await
    .unwrap();
    let statement = source.split("$query$").nth(1).unwrap();
    raw.execute(sqlx::AssertSqlSafe(format!(
        "prepare search (varchar[], text, integer, text) as {statement}"
    )))
    .await
    .unwrap();
    let chats: String =
        sqlx::query_scalar(r#"select array_agg(id)::text from "ai-app-template_chat" where user_id = 'u18'"#)
            .fetch_one(&mut raw)
            .await
            .unwrap();
    let explain = format!("explain (analyze, costs off) execute search('{chats}', 'zebra', 20, '')");
    let lines: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(explain))
        .persistent(false)
        .fetch_all(&mut raw)
        .await
        .unwrap();
    let plan = lines.join("\n");
    assert!(plan.contains("Bitmap Index Scan on message_content_fts_idx"), "{plan}");
    assert!(!plan.contains("Seq Scan on \"ai-app-template_message\""), "{plan}");
}

/// A page far back in a long chat costs what the newest does.
#[tokio::test]
async fn an_older_page_reads_no_more_rows_than_it_shows() {
    let Some(home) = home().await else { return };
    let mut raw = home.raw().await;
    fill(&mut raw).await;
    raw.execute(
        r#"insert into "ai-app-template_message" (id, chat_id, role, content, created_at)
            select 'long' || n, 'c1', 'user', 'm', timestamptz '2025-01-01' + n * interval '1 second'
            from generate_series(1, 20000) as n"#,
    )
    .await
    .unwrap();
    raw.execute("analyze").await.unwrap();
    let statement = checked("created_at <= $3");
    raw.execute(sqlx::AssertSqlSafe(format!("prepare planned as {statement}")))
        .await
        .unwrap();
    let plan: serde_json::Value = sqlx::query_scalar(
        "explain (analyze, format json) execute planned('c1', 'u2', '2025-01-01 03:00+00', 'm', 50)",
    )
    .persistent(false)
    .fetch_one(&mut raw)
    .await
    .unwrap();
    let most = most_rows(&plan);
    assert!(most <= 60.0, "{most} rows were read for a page of 50: {plan:#}");
}

/// The most rows that a part of the plan gave at once.
fn most_rows(plan: &serde_json::Value) -> f64 {
    let mut most = 0.0_f64;
    let mut nodes = vec![&plan[0]["Plan"]];
    while let Some(node) = nodes.pop() {
        most = most.max(node["Actual Rows"].as_f64().unwrap());
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
    }
    most
}

/// Neither the length of the chat nor the number of chats of its user is paid for.
#[tokio::test]
async fn a_device_reads_no_more_rows_of_a_long_chat_than_a_page_shows() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    run(
        &mut owner,
        r#"insert into public."ai-app-template_user" (id, email) select 'u' || n, n::text from generate_series(0, 999) as n;
        insert into public."ai-app-template_chat" (id, user_id, title)
            select 'few' || n, 'u' || (n % 1000), 't' from generate_series(1, 5000) as n;
        insert into public."ai-app-template_chat" (id, user_id, title)
            select 'many' || n, 'u0', 't' from generate_series(1, 3000) as n;
        insert into public."ai-app-template_message" (id, chat_id, role, content, created_at)
            select 'm' || n, 'many' || (n % 2 + 1), 'user', 'm', now() - n * interval '1 second'
            from generate_series(1, 20000) as n;
        analyze"#,
    )
    .await;
    let device = admit(&database, &url, "u0").await;
    for (before, from_start) in [("null", false), ("now() - interval '1 hour'", false), ("null", true)] {
        let mut device = device.connect().await;
        run(&mut device, "begin").await;
        let page =
            format!("select count(*) from deepsearch.list_messages('u0', 'many1', {before}, 'm', {from_start}, 50)");
        let mut read = Vec::new();
        for statement in [
            page.as_str(),
            r#"select sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid))::bigint
            from pg_class where relnamespace = 'public'::regnamespace"#,
        ] {
            let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
                .persistent(false)
                .fetch_one(&mut device)
                .await
                .unwrap();
            read.push(found);
        }
        assert_eq!(read[0], 50, "{before}");
        assert!(
            (50..=300).contains(&read[1]),
            "{} rows were read for a page of 50 before {before}",
            read[1]
        );
    }
}

/// What a device's own statements read of the tables behind the views, by the database's own count.
#[tokio::test]
async fn a_device_finds_chats_and_searches_by_their_indexes_through_the_views() {
    let Some(home) = home().await else { return };
    let mut raw = home.raw().await;
    fill(&mut raw).await;
    raw.execute(
        r#"insert into deepsearch.own_search (user_id, query, results, expires_at)
            select 'u' || (n % 200 + 1), 'q' || n, '{}', timestamptz '2024-01-01' + n * interval '1 second'
            from generate_series(1, 20000) as n"#,
    )
    .await
    .unwrap();
    raw.execute("analyze").await.unwrap();
    let device = admit(&home.database, &home.url, "u3").await;
    let chats = ("(deleted_at is not null) = $2", "'u3', false, null, '', 50");
    // Of the user's own searches, and of everybody's.
    let search = ("octet_length(results::text)", "'q402', now(), 500000");
    for (is_shared, (words, arguments), found) in [(false, chats, 20), (false, search, 1), (true, search, 1)] {
        home.database.share_searches(is_shared).await.unwrap();
        let mut device = device.connect().await;
        // The plan that is made for any arguments is the one that lasts.
        let statement = checked(words);
        run(
            &mut device,
            &format!("set plan_cache_mode = force_generic_plan; prepare planned as {statement}; begin"),
        )
        .await;
        let rows = device
            .fetch_all(sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
                "execute planned({arguments})"
            ))))
            .await
            .unwrap();
        assert_eq!(i64::try_from(rows.len()).unwrap(), found, "`{words}`");
        let read: i64 = sqlx::query_scalar(
            // What an index led to is counted at the index, or at the table where a bitmap was between.
            r#"select sum(pg_stat_get_xact_tuples_fetched(oid)
                + case relkind when 'r' then pg_stat_get_xact_tuples_returned(oid) else 0 end)::bigint
            from pg_class left join pg_index on indexrelid = oid
            where relkind in ('r', 'i') and coalesce(indrelid, oid) in (
                'public."ai-app-template_chat"'::regclass, 'public."ai-app-template_search_cache"'::regclass,
                'deepsearch.own_search'::regclass)"#,
        )
        .persistent(false)
        .fetch_one(&mut device)
        .await
        .unwrap();
        assert!(
            (found..=3 * found).contains(&read),
            "`{words}` read {read} rows for {found}, shared {is_shared}"
        );
    }
}
