use deepsearch_postgres::CountedSearch;
use futures::future::join_all;
use sqlx::Executor;

use crate::support::{home, sharing_home};

fn search(query: &str, cached: bool, answered: &[&str], failed: &[&str]) -> CountedSearch {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    CountedSearch {
        query: query.into(),
        cached,
        answered: names(answered),
        failed: names(failed),
    }
}

#[tokio::test]
async fn searches_are_counted_by_query_by_day_and_by_engine() {
    let Some(home) = sharing_home().await else { return };
    let database = home
        .database
        .clone()
        .with_clock(std::sync::Arc::new(deepsearch_core::SystemClock));
    for counted in [
        search("rust  traits", false, &["brave", "wikipedia"], &["duckduckgo"]),
        search(" rust traits ", true, &["brave"], &[]),
        search("rust traits", true, &["brave"], &[]),
        search("sqlite", false, &[], &["brave", "wikipedia"]),
        search(" ", false, &["brave"], &[]),
    ] {
        database.add_search(&counted).await.unwrap();
    }
    let counts = database.search_statistics(7, 10).await.unwrap();
    let queries: Vec<_> = counts
        .queries
        .iter()
        .map(|q| (q.query.as_str(), q.searches, q.cached))
        .collect();
    assert_eq!(queries, [("rust traits", 3, 2), ("sqlite", 1, 0)]);
    assert_eq!((counts.searches, counts.cached), (4, 2));
    assert_eq!(counts.days.len(), 1);
    let engines: Vec<_> = counts
        .engines
        .iter()
        .map(|e| (e.engine.as_str(), e.answers, e.cached, e.failures))
        .collect();
    assert_eq!(
        engines,
        [("brave", 2, 2, 1), ("wikipedia", 1, 0, 1), ("duckduckgo", 0, 0, 1)]
    );
    assert_eq!(database.search_statistics(7, 1).await.unwrap().queries.len(), 1);
}

#[tokio::test]
async fn days_are_told_apart_and_old_ones_forgotten() {
    let Some(home) = home().await else { return };
    let database = home
        .database
        .clone()
        .with_clock(std::sync::Arc::new(deepsearch_core::SystemClock));
    home.raw()
        .await
        .execute(
            "insert into deepsearch.search_count (day, query, searches, cached)
            select (now() at time zone 'UTC')::date - n, 'q', n + 1, 1 from generate_series(0, 9) as n;
            insert into deepsearch.search_count (day, query) values ('2020-01-01', 'old');
            insert into deepsearch.engine_count (day, engine) values ('2020-01-01', 'old')",
        )
        .await
        .unwrap();
    let week = database.search_statistics(7, 10).await.unwrap();
    assert_eq!(week.days.len(), 7, "today and the six days before");
    assert_eq!(week.searches, (1..=7).sum::<i64>());
    assert_eq!(week.since, week.days[6].day);
    assert_eq!(week.days[0].searches, 1, "newest first");
    let cleaned = database.clean().await.unwrap();
    assert_eq!(cleaned.search_counts, 2, "of 2020, one of either kind");
    assert_eq!(database.search_statistics(400, 10).await.unwrap().days.len(), 10);
    assert_eq!(database.clean().await.unwrap().search_counts, 0);
}

#[tokio::test]
async fn many_who_count_at_once_are_all_counted() {
    let Some(home) = sharing_home().await else { return };
    let another = home.another().await;
    let counting = (0..60).map(|n| {
        let database = if n % 2 == 0 {
            home.database.clone()
        } else {
            another.clone()
        };
        let engines: &[&str] = if n % 3 == 0 { &["a", "b"] } else { &["b", "a"] };
        let counted = search("the same", n % 2 == 0, engines, &[]);
        tokio::spawn(async move { database.add_search(&counted).await })
    });
    for counted in join_all(counting).await {
        counted.unwrap().unwrap();
    }
    let database = another.with_clock(std::sync::Arc::new(deepsearch_core::SystemClock));
    let counts = database.search_statistics(2, 10).await.unwrap();
    assert_eq!((counts.searches, counts.cached), (60, 30));
    assert_eq!(counts.engines.iter().map(|e| e.answers + e.cached).sum::<i64>(), 120);
}

#[tokio::test]
async fn odd_and_huge_queries_are_cut_and_counted() {
    let Some(home) = sharing_home().await else { return };
    let database = home
        .database
        .clone()
        .with_clock(std::sync::Arc::new(deepsearch_core::SystemClock));
    let engines: Vec<String> = (0..100).map(|n| format!("{n:02}{}", "é".repeat(60))).collect();
    let names: Vec<&str> = engines.iter().map(String::as_str).collect();
    database
        .add_search(&search(&"界".repeat(10_000), false, &names, &[]))
        .await
        .unwrap();
    database
        .add_search(&search("a\0b\n\t'c'", false, &[], &[]))
        .await
        .unwrap();
    let counts = database.search_statistics(2, 10).await.unwrap();
    let queries: Vec<String> = counts.queries.into_iter().map(|q| q.query).collect();
    assert_eq!(queries, ["a b 'c'".to_owned(), "界".repeat(500)]);
    assert_eq!(
        counts.engines.len(),
        20,
        "more engines than a search can ask are left out"
    );
}

/// Whoever may count learns nothing by it, and nobody may who was not let.
#[tokio::test]
async fn a_role_may_count_only_when_it_is_let_and_read_never() {
    let Some(home) = sharing_home().await else { return };
    let mut raw = home.raw().await;
    let role = format!("counter_{}", home.url.rsplit('_').next().unwrap());
    let sql = |sql: String| sqlx::AssertSqlSafe(sql);
    raw.execute(sql(format!(
        "create role {role} login; grant usage on schema deepsearch to {role};
        grant select on deepsearch.setting to {role}"
    )))
    .await
    .unwrap();
    let url = home.url.replace("postgres://postgres@", &format!("postgres://{role}@"));
    let device = deepsearch_postgres::SharedDatabase::connect(&url).await.unwrap();
    let counted = search("q", false, &["brave"], &[]);
    assert!(device.add_search(&counted).await.is_err());
    raw.execute(sql(format!(
        "grant execute on function deepsearch.count_search(text, boolean, text[], text[]) to {role}"
    )))
    .await
    .unwrap();
    device.add_search(&counted).await.unwrap();
    let refused = device.search_statistics(1, 1).await.unwrap_err();
    assert_eq!(refused.code(), deepsearch_core::ErrorCode::Refused);
    device.close().await;
    raw.execute(sql(format!("drop owned by {role}; drop role {role}")))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_owners_searches_are_not_counted_while_the_team_does_not_share() {
    let Some(home) = home().await else { return };
    let database = home
        .database
        .clone()
        .with_clock(std::sync::Arc::new(deepsearch_core::SystemClock));
    database.add_search(&search("q", false, &["brave"], &[])).await.unwrap();
    let counts = database.search_statistics(1, 10).await.unwrap();
    assert_eq!((counts.searches, counts.engines.len()), (0, 0));
}
