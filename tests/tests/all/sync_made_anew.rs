//! A shared database whose administrator took the feed of changes back and made it anew: what was deleted in between is
//! told by nobody any more, and goes from the devices all the same.

use anyhow::Result;
use chrono::TimeDelta;
use deepsearch_app::{Config, OwnedDatabase};
use deepsearch_servers::Postgres;
use deepsearch_tests::needs;
use sqlx::{Connection, Executor, PgConnection};

use crate::sync_clock::{ask, chats, device, sync};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_while_there_was_no_feed_goes_everywhere() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let (laptop, _laptop_home) = device(&server, TimeDelta::zero()).await?;
    let (desk, _desk_home) = device(&server, TimeDelta::zero()).await?;
    ask(&laptop).await?;
    ask(&laptop).await?;
    for app in [&laptop, &desk] {
        sync(app).await?;
    }
    let [gone, kept] = chats(&desk).await?.try_into().expect("two chats");

    let url = server.url("postgres");
    let owned = OwnedDatabase::open(&Config::load([])?, Some(url.clone().into()), false).await?;
    owned.rollback(Some(2), true, |_| {}).await?;
    let mut web = PgConnection::connect(&url).await?;
    let delete = sqlx::query(r#"delete from "ai-app-template_chat" where id = $1"#);
    web.execute(delete.bind(gone.id.as_str())).await?;
    owned.migrate(|_| {}).await?;
    owned.close().await;

    for app in [&desk, &laptop, &desk] {
        sync(app).await?;
        let left: Vec<_> = chats(app).await?.into_iter().map(|chat| chat.id).collect();
        assert_eq!(left, std::slice::from_ref(&kept.id));
    }
    let there: i64 = sqlx::query_scalar(r#"select count(*) from "ai-app-template_chat""#)
        .fetch_one(&mut web)
        .await?;
    assert_eq!(there, 1, "nobody brings it back");
    for app in [laptop, desk] {
        app.close().await;
    }
    Ok(())
}
