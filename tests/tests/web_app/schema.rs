//! What drizzle-kit makes of the database that DeepSearch migrated.

use anyhow::Result;

use crate::world::SharedDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn drizzle_kit_wants_to_change_one_foreign_key_and_row_security() -> Result<()> {
    let Some(shared) = SharedDatabase::start().await? else {
        return Ok(());
    };
    shared.web_app_tests("tests/drizzle_kit.test.ts").await
}
