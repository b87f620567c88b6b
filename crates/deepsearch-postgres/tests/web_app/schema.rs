//! What drizzle-kit makes of a database that DeepSearch migrated: one that was empty, and one in which a web app's own
//! first migration had run.

use anyhow::Result;
use rstest::rstest;

use crate::world::SharedDatabase;

const TESTS: &str = "tests/drizzle_kit.test.ts";

#[tokio::test(flavor = "multi_thread")]
async fn drizzle_kit_wants_to_change_one_foreign_key_and_row_security() -> Result<()> {
    let Some(shared) = SharedDatabase::start().await? else {
        return Ok(());
    };
    shared.web_app_tests(TESTS).await
}

#[rstest]
#[case::whole(include_str!("full.sql"))]
#[case::without_its_future(include_str!("without_future.sql"))]
#[case::other_names(include_str!("appendix_names.sql"))]
#[case::sign_in_only(include_str!("sign_in.sql"))]
#[tokio::test(flavor = "multi_thread")]
async fn drizzle_kit_wants_no_more_where_the_web_app_was_first(#[case] its_migration: &str) -> Result<()> {
    let Some(shared) = SharedDatabase::start_after(its_migration).await? else {
        return Ok(());
    };
    shared.web_app_tests_named("push wants|pull takes", TESTS).await
}
