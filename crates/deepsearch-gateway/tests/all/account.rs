//! What a signed-in app does with its own account.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::doubles::discord_ada;
use crate::support::world::World;

fn token(given: &Value) -> &str {
    given["access_token"].as_str().unwrap()
}

fn role(given: &Value) -> &str {
    given["database"]["role"].as_str().unwrap()
}

#[tokio::test]
async fn devices_are_listed_and_each_can_be_signed_out_at_once() {
    let Some(world) = World::new().await else { return };
    let (laptop, phone) = (App::new("laptop"), App::new("phone"));
    let (here, there) = (world.sign_in(&laptop).await, world.sign_in(&phone).await);
    let (status, account) = world.call("GET", "/account", token(&here), None).await;
    assert_eq!(status, 200);
    assert_eq!(account["user"]["email"], "ada@example.org");
    let devices: Vec<(&str, bool)> = account["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|device| (device["name"].as_str().unwrap(), device["current"].as_bool().unwrap()))
        .collect();
    assert_eq!(devices, [("laptop", true), ("phone", false)]);

    let path = format!("/account/devices/{}", phone.device_id);
    assert_eq!(world.call("DELETE", &path, token(&here), None).await.0, 204);
    assert_eq!(world.call("DELETE", &path, token(&here), None).await.0, 404);
    assert_eq!(world.call("GET", "/account", token(&there), None).await.0, 401);
    assert!(
        world
            .database
            .sql_as(role(&there), &phone.password, "select 1")
            .is_err()
    );
    assert!(world.database.sql_as(role(&here), &laptop.password, "select 1").is_ok());

    assert_eq!(world.call("POST", "/account/sign-out", token(&here), None).await.0, 204);
    assert_eq!(world.call("GET", "/account", token(&here), None).await.0, 401);
    // Signed in once more, the same device is the same row.
    world.sign_in(&laptop).await;
    assert_eq!(
        world
            .database
            .sql("select count(*) from deepsearch.device where name = 'laptop'"),
        "1"
    );
}

#[tokio::test]
async fn nobody_signs_out_another_person_s_device_or_sees_it() {
    let Some(world) = World::new().await else { return };
    let victim = App::new("laptop");
    let given = world.sign_in(&victim).await;
    let mut other = discord_ada();
    other["id"] = json!("999");
    other["email"] = json!("mallory@example.org");
    world.double.profile(other);
    let mallory = world.sign_in(&App::new("mallory’s")).await;
    let path = format!("/account/devices/{}", victim.device_id);
    assert_eq!(world.call("DELETE", &path, token(&mallory), None).await.0, 404);
    let (_, account) = world.call("GET", "/account", token(&mallory), None).await;
    assert_eq!(account["devices"].as_array().unwrap().len(), 1);
    assert_eq!(world.call("GET", "/account", token(&given), None).await.0, 200);
}

#[tokio::test]
async fn a_token_is_needed_and_a_wrong_one_opens_nothing() {
    let Some(world) = World::new().await else { return };
    let given = world.sign_in(&App::new("laptop")).await;
    let good = token(&given);
    let hash = world.database.sql("select session_token from deepsearch.device");
    let long = "x".repeat(5000);
    for wrong in [
        "",
        "x",
        &good[..good.len() - 1],
        &good.to_uppercase(),
        hash.as_str(),
        long.as_str(),
        "' or true --",
    ] {
        for (method, path) in [
            ("GET", "/account"),
            ("GET", "/account/export"),
            ("POST", "/account/sign-out-everywhere"),
        ] {
            assert_eq!(world.call(method, path, wrong, None).await.0, 401, "{wrong}");
        }
    }
    assert_eq!(world.get(&format!("{}/account", world.issuer())).await.0, 401);
    // In an address it is none.
    assert_eq!(
        world
            .get(&format!("{}/account?access_token={good}", world.issuer()))
            .await
            .0,
        401
    );
    assert_eq!(world.call("GET", "/account", good, None).await.0, 200);
}

#[tokio::test]
async fn a_session_lasts_ninety_days_from_its_last_use() {
    let Some(world) = World::new().await else { return };
    let given = world.sign_in(&App::new("laptop")).await;
    // It is the database's clock that tells.
    for (days, status) in [(60, 200), (60, 200), (91, 401)] {
        world.database.sql(&format!(
            r#"update "ai-app-template_session" set expires = expires - interval '{days} days'"#
        ));
        assert_eq!(
            world.call("GET", "/account", token(&given), None).await.0,
            status,
            "{days}"
        );
    }
}

#[tokio::test]
async fn signing_out_everywhere_is_everywhere() {
    let Some(world) = World::new().await else { return };
    let (laptop, phone) = (App::new("laptop"), App::new("phone"));
    let (here, there) = (world.sign_in(&laptop).await, world.sign_in(&phone).await);
    world.database.sql(
        r#"insert into "ai-app-template_session" (session_token, user_id, expires)
        select 'of-the-web-app', id, now() + interval '1 day' from "ai-app-template_user""#,
    );
    let (status, told) = world
        .call("POST", "/account/sign-out-everywhere", token(&here), None)
        .await;
    assert_eq!((status, &told["devices"]), (200, &json!(2)));
    for (given, app) in [(&here, &laptop), (&there, &phone)] {
        assert_eq!(world.call("GET", "/account", token(given), None).await.0, 401);
        assert!(world.database.sql_as(role(given), &app.password, "select 1").is_err());
    }
    assert_eq!(
        world.database.sql(r#"select count(*) from "ai-app-template_session""#),
        "0"
    );
}

/// What sync and the search cache keep of a person, beside the tables that a web app has.
fn kept_by_sync(user: &str, text: &str) -> String {
    format!(
        r#"insert into deepsearch_sync.chat_flags (user_id, chat_id, pinned, archived, at, collection, tags)
            values ('{user}', 'chat_1', true, false, now(), '{text}', '["{text}", "Rust"]');
        insert into deepsearch_sync.message_extras (user_id, message_id, body)
            values ('{user}', 'msg_1', '{{"interrupted": false, "evidence": {{"citations": [{{"quote": "{text}"}}]}}}}');
        insert into deepsearch_sync.page (user_id, content_hash, text, size)
            values ('{user}', encode(sha256('{text}'), 'hex'), '{text}', 11);
        insert into deepsearch_sync.page_use (user_id, message_id, content_hash)
            values ('{user}', 'msg_1', encode(sha256('{text}'), 'hex'));
        insert into deepsearch.own_search (user_id, query, results, expires_at)
            values ('{user}', '{text}', '{{}}', now() + interval '1 day');"#
    )
}

#[tokio::test]
async fn an_export_holds_everything_of_the_person_and_nothing_of_others() {
    let Some(world) = World::new().await else { return };
    let given = world.sign_in(&App::new("laptop")).await;
    let user = given["user"]["id"].as_str().unwrap();
    world.database.sql(&format!(
        r#"insert into "ai-app-template_chat" (id, user_id, title)
            select 'chat_' || n, '{user}', 'Chat ' || n from generate_series(1, 3) as n;
        insert into "ai-app-template_message" (id, chat_id, role, content, sources, created_at)
            select 'msg_' || n, 'chat_' || 1 + n % 3, 'user', repeat('said ', 100) || n,
                '[{{"title": "T", "url": "https://example.org", "snippet": ""}}]', now() + n * interval '1 second'
            from generate_series(1, 5000) as n;
        insert into "ai-app-template_user_settings" (user_id, theme) values ('{user}', 'light');
        {}
        insert into "ai-app-template_user" (id, email, email_verified) values ('other', 'other@example.org', null);
        insert into "ai-app-template_chat" (id, user_id, title) values ('chat_x', 'other', 'Secret of another');
        insert into "ai-app-template_message" (id, chat_id, role, content)
            values ('msg_x', 'chat_x', 'user', 'Secret of another');
        {}"#,
        kept_by_sync(user, "Read by Ada"),
        kept_by_sync("other", "Secret of another"),
    ));
    let (status, export) = world.call("GET", "/account/export", token(&given), None).await;
    assert_eq!(status, 200);
    assert_eq!(export["format"], "deepsearch-account-1");
    assert_eq!(export["user"][0]["email"], "ada@example.org");
    assert_eq!(export["account"][0]["provider"], "discord");
    assert_eq!(export["settings"][0]["theme"], "light");
    assert_eq!(export["device"][0]["name"], "laptop");
    assert_eq!(export["chat"].as_array().unwrap().len(), 3);
    let messages = export["message"].as_array().unwrap();
    assert_eq!(messages.len(), 5000);
    assert_eq!(messages[4999]["sources"][0]["url"], "https://example.org");
    for (kind, field, expected) in [
        ("chat_flags", "pinned", json!(true)),
        ("chat_flags", "collection", json!("Read by Ada")),
        ("chat_flags", "tags", json!(["Read by Ada", "Rust"])),
        ("page", "text", json!("Read by Ada")),
        ("message_extras", "message_id", json!("msg_1")),
        ("search", "query", json!("Read by Ada")),
    ] {
        assert_eq!(export[kind].as_array().map(Vec::len), Some(1), "{kind}");
        assert_eq!(export[kind][0][field], expected, "{kind}");
    }
    let quote = &export["message_extras"][0]["extras"]["evidence"]["citations"][0]["quote"];
    assert_eq!(quote, "Read by Ada");
    assert_eq!(export["setting_clock"][0]["key"], "theme");
    let text = export.to_string();
    assert!(!text.contains("Secret of another"));
    assert!(
        !text.contains("gho_") && !text.contains("ds1:"),
        "tokens of providers and sessions are nobody’s to take along"
    );
}

#[tokio::test]
async fn an_account_is_deleted_with_everything_when_its_address_is_typed() {
    let Some(world) = World::new().await else { return };
    let app = App::new("laptop");
    let given = world.sign_in(&app).await;
    let user = given["user"]["id"].as_str().unwrap();
    world.database.sql(&format!(
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('chat_1', '{user}', 'Chat');
        insert into "ai-app-template_message" (id, chat_id, role, content) values ('msg_1', 'chat_1', 'user', 'Hello');
        insert into "ai-app-template_user_settings" (user_id, theme) values ('{user}', 'light');
        insert into "ai-app-template_verification_token" (identifier, token, expires)
            values ('ada@example.org', 'x', now() + interval '1 day');
        {}"#,
        kept_by_sync(user, "Read by Ada")
    ));
    let wrong = json!({ "confirm": "somebody@example.org" });
    let (status, told) = world.call("DELETE", "/account", token(&given), Some(wrong)).await;
    assert_eq!((status, told["error"].as_str()), (400, Some("not_confirmed")));
    assert_eq!(world.call("GET", "/account", token(&given), None).await.0, 200);

    let right = json!({ "confirm": "ADA@example.org" });
    assert_eq!(
        world.call("DELETE", "/account", token(&given), Some(right)).await.0,
        204
    );
    for table in [
        "user",
        "account",
        "session",
        "verification_token",
        "chat",
        "message",
        "user_settings",
    ] {
        let left = world
            .database
            .sql(&format!(r#"select count(*) from "ai-app-template_{table}""#));
        assert_eq!(left, "0", "{table}");
    }
    for table in [
        "deepsearch_sync.change",
        "deepsearch_sync.chat_flags",
        "deepsearch_sync.message_extras",
        "deepsearch_sync.setting_clock",
        "deepsearch_sync.page",
        "deepsearch_sync.page_use",
        "deepsearch.own_search",
        "deepsearch.device",
        "deepsearch.sign_in_code",
    ] {
        let left = world.database.sql(&format!("select count(*) from {table}"));
        assert_eq!(left, "0", "{table}");
    }
    // Whatever else there is: the person's address and text are in no table of the database.
    let dump = world.database.dump();
    assert!(!dump.contains("ada@example.org") && !dump.contains("Read by Ada"));
    assert!(world.database.sql_as(role(&given), &app.password, "select 1").is_err());
    assert_eq!(world.call("GET", "/account", token(&given), None).await.0, 401);
    // And may come back as somebody new.
    let again = world.sign_in(&App::new("laptop")).await;
    assert_ne!(again["user"]["id"], user);
}

#[tokio::test]
async fn a_token_can_be_revoked_as_the_standard_has_it() {
    let Some(world) = World::new().await else { return };
    let given = world.sign_in(&App::new("laptop")).await;
    let revoke = |token: &str| {
        [
            ("token", token.to_owned()),
            ("token_type_hint", "access_token".to_owned()),
        ]
    };
    assert_eq!(world.post("/revoke", &revoke("unknown")).await.0, 200);
    assert_eq!(world.post("/revoke", &revoke(token(&given))).await.0, 200);
    assert_eq!(world.call("GET", "/account", token(&given), None).await.0, 401);
}
