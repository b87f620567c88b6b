//! Holds the plan of every checked query against what keeps the store as fast with a million rows as with ten.

use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};

use crate::support::home;

/// Tables whose rows are as many as what a person has asked and read in years.
const GROWING: &[&str] = &[
    "chat",
    "message",
    "journal",
    "page",
    "message_source",
    "citation",
    "sentence_check",
    "research_page",
];

fn checked_queries() -> Vec<String> {
    let folder = Path::new(".sqlx");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let json: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            json["query"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// The index of answers being written right now holds a handful of rows.
const SMALL_INDEX: &str = "message_streaming_idx";

#[tokio::test]
async fn no_query_walks_through_a_growing_table_or_sorts_the_list_of_chats() {
    let (home, _store) = home().await;
    let mut raw = home.raw().await;
    let queries = checked_queries();
    assert!(queries.len() > 50);
    let mut slow = Vec::new();
    for query in queries {
        let plan = sqlx::query(AssertSqlSafe(format!("explain query plan {query}")))
            .fetch_all(&mut raw)
            .await
            .unwrap();
        for row in plan {
            let step: String = row.get("detail");
            let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            let scans = scanned.is_some_and(|table| GROWING.contains(&table)) && !step.contains(SMALL_INDEX);
            let sorts = step.contains("TEMP B-TREE") && query.contains("order by updated_at desc");
            // A branch is walked from message to message, never by way of all messages of its chat.
            let strays = query.contains("recursive branch") && step.ends_with("(chat_id=?)");
            if scans || sorts || strays {
                slow.push(format!("{step} in: {query}"));
            }
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}
