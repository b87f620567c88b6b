//! The team's Redis: each device has a user of its own, which reaches its person's entries alone.

use deepsearch_servers::Redis;
use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::doubles::discord_ada;
use crate::support::missing;
use crate::support::world::{Needs, World};

const ADMIN: &str = "password-of-the-admin-of-redis";

/// A Redis in which nobody but the gateway may do anything.
async fn redis() -> Option<Redis> {
    let redis = tokio::task::spawn_blocking(Redis::start).await.unwrap().unwrap();
    let Some(redis) = redis else {
        missing("redis-server");
        return None;
    };
    close(&redis);
    Some(redis)
}

fn close(redis: &Redis) {
    let rule = format!(">{ADMIN}");
    let gateway = ["acl", "setuser", "gateway", "on", &rule, "+acl"];
    assert_eq!(redis.ask(None, &gateway).unwrap(), "OK");
    assert_eq!(
        redis.ask(None, &["acl", "setuser", "default", "off", "-@all"]).unwrap(),
        "OK"
    );
}

async fn world(redis: &Redis, shared: bool) -> Option<World> {
    let section = format!(
        "[redis]\nurl = \"{}\"\nuser = \"gateway\"\npassword = \"{ADMIN}\"\nshared = {shared}\n",
        redis.url()
    );
    World::with(Needs {
        more_sections: section,
        ..Needs::default()
    })
    .await
}

/// Signs in as somebody else than Ada.
async fn sign_in_as(world: &World, id: &str, app: &App) -> Value {
    let mut somebody = discord_ada();
    somebody["id"] = json!(id);
    somebody["email"] = json!(format!("{id}@example.org"));
    world.double.profile(somebody);
    world.sign_in(app).await
}

struct Device<'a> {
    redis: &'a Redis,
    given: &'a Value,
}

impl Device<'_> {
    fn told(&self, name: &str) -> &str {
        self.given["redis"][name]
            .as_str()
            .unwrap_or_else(|| panic!("{name} in {}", self.given))
    }

    fn ask(&self, command: &[&str]) -> String {
        self.redis
            .ask(Some((self.told("user"), self.told("password"))), command)
            .unwrap()
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.told("prefix"))
    }

    fn is_let_in(&self) -> bool {
        self.ask(&["ping"]) == "PONG"
    }
}

fn is_refused(answer: &str) -> bool {
    answer.contains("NOPERM")
}

#[tokio::test]
async fn a_device_reaches_its_person_s_entries_and_nobody_else_s() {
    let Some(redis) = redis().await else { return };
    let Some(world) = world(&redis, false).await else {
        return;
    };
    let given = [
        world.sign_in(&App::new("laptop")).await,
        world.sign_in(&App::new("phone")).await,
        sign_in_as(&world, "999", &App::new("mallory’s")).await,
    ];
    let [laptop, phone, mallory] = given.each_ref().map(|given| Device { redis: &redis, given });
    assert_eq!(laptop.given["redis"]["shared"], false);
    assert_ne!(laptop.told("password"), phone.told("password"));
    assert_eq!(laptop.ask(&["setex", &laptop.key("a"), "60", "found"]), "OK");
    assert_eq!(phone.ask(&["getrange", &phone.key("a"), "0", "-1"]), "found");

    let key = laptop.key("a");
    assert_ne!(laptop.told("prefix"), mallory.told("prefix"));
    for command in [
        &["getrange", &key, "0", "-1"][..],
        &["setex", &key, "60", "poison"],
        &["setex", "elsewhere", "60", "x"],
        &["getrange", &format!("{}*", &key[..10]), "0", "-1"],
    ] {
        let answer = mallory.ask(command);
        assert!(is_refused(&answer), "{command:?}: {answer}");
    }
    assert_eq!(laptop.ask(&["getrange", &key, "0", "-1"]), "found");
}

#[tokio::test]
async fn a_device_s_user_can_do_nothing_but_read_and_write_entries() {
    let Some(redis) = redis().await else { return };
    let Some(world) = world(&redis, false).await else {
        return;
    };
    let given = world.sign_in(&App::new("laptop")).await;
    let device = Device {
        redis: &redis,
        given: &given,
    };
    let key = device.key("a");
    let own = format!("{}user", device.told("prefix"));
    for command in [
        &["keys", "*"][..],
        &["scan", "0"],
        &["randomkey"],
        &["dbsize"],
        &["flushall"],
        &["flushdb"],
        &["config", "get", "*"],
        &["config", "set", "dir", "/tmp"],
        &["shutdown", "nosave"],
        &["monitor"],
        &["eval", "return 1", "0"],
        &["function", "list"],
        &["script", "flush"],
        &["module", "list"],
        &["acl", "list"],
        &["acl", "whoami"],
        &["acl", "setuser", &own, "on", "nopass", "~*", "+@all"],
        &["client", "list"],
        &["client", "kill", "type", "normal"],
        &["client", "pause", "1"],
        &["replicaof", "127.0.0.1", "1"],
        &["slaveof", "no", "one"],
        &["migrate", "127.0.0.1", "1", &key, "0", "1"],
        &["dump", &key],
        &["get", &key],
        &["del", &key],
        &["rename", &key, "elsewhere"],
        &["swapdb", "0", "1"],
        &["subscribe", "all"],
        &["publish", "all", "x"],
        &["blpop", &key, "0"],
        &["multi"],
        &["save"],
        &["bgrewriteaof"],
        &["info"],
        &["slowlog", "get"],
        &["memory", "usage", &key],
        &["select", "1"],
    ] {
        let answer = device.ask(command);
        assert!(is_refused(&answer), "{command:?}: {answer}");
    }
    assert!(device.is_let_in());
}

#[tokio::test]
async fn redis_never_learns_a_password_and_forgets_a_device_that_signs_out() {
    let Some(redis) = redis().await else { return };
    let Some(world) = world(&redis, false).await else {
        return;
    };
    let (laptop, phone) = (App::new("laptop"), App::new("phone"));
    let given = [world.sign_in(&laptop).await, world.sign_in(&phone).await];
    let [here, there] = given.each_ref().map(|given| Device { redis: &redis, given });
    let token = given[0]["access_token"].as_str().unwrap();
    let list = redis.ask(Some(("gateway", ADMIN)), &["acl", "list"]).unwrap();
    assert!(list.contains(here.told("user")), "{list}");
    assert!(!list.contains(here.told("password")) && !list.contains(token));
    assert!(here.is_let_in() && there.is_let_in());

    let path = format!("/account/devices/{}", phone.device_id);
    assert_eq!(world.call("DELETE", &path, token, None).await.0, 204);
    assert!(here.is_let_in() && !there.is_let_in());
    assert_eq!(world.call("POST", "/account/sign-out", token, None).await.0, 204);
    assert!(!here.is_let_in());

    // Signed in once more it gets another password, and everywhere means here too.
    let again = world.sign_in(&laptop).await;
    let device = Device {
        redis: &redis,
        given: &again,
    };
    assert!(device.is_let_in() && !here.is_let_in());
    let token = again["access_token"].as_str().unwrap();
    assert_eq!(
        world.call("POST", "/account/sign-out-everywhere", token, None).await.0,
        200
    );
    assert!(!device.is_let_in());
}

#[tokio::test]
async fn a_team_that_shares_has_its_entries_in_common_and_no_more() {
    let Some(redis) = redis().await else { return };
    let Some(world) = world(&redis, true).await else { return };
    let given = [
        world.sign_in(&App::new("ada’s")).await,
        sign_in_as(&world, "999", &App::new("bob’s")).await,
    ];
    let [ada, bob] = given.each_ref().map(|given| Device { redis: &redis, given });
    assert_eq!(ada.given["redis"]["shared"], true);
    assert_eq!(ada.ask(&["setex", &ada.key("a"), "60", "found"]), "OK");
    assert_eq!(bob.ask(&["getrange", &bob.key("a"), "0", "-1"]), "found");
    assert!(is_refused(&bob.ask(&["flushall"])));
    assert!(is_refused(&bob.ask(&["setex", "elsewhere", "60", "x"])));
}

#[tokio::test]
async fn a_redis_that_is_away_or_forgets_is_in_nobody_s_way_and_is_told_again() {
    let Some(redis) = redis().await else { return };
    let Some(world) = world(&redis, false).await else {
        return;
    };
    let (laptop, phone) = (App::new("laptop"), App::new("phone"));
    let left = world.sign_in(&laptop).await;
    let port = redis.port();
    drop(redis);
    // Both go through without it.
    let given = world.sign_in(&phone).await;
    let token = left["access_token"].as_str().unwrap();
    assert_eq!(world.call("POST", "/account/sign-out", token, None).await.0, 204);

    let redis = tokio::task::spawn_blocking(move || Redis::start_on(port))
        .await
        .unwrap();
    let redis = redis.unwrap().unwrap();
    // One that nobody signed in, as if its end had been missed.
    let stray = "deepsearch-00000000000000000000000000000001";
    assert_eq!(
        redis
            .ask(None, &["acl", "setuser", stray, "on", ">stray", "+ping"])
            .unwrap(),
        "OK"
    );
    close(&redis);
    // A gateway that starts looks at once; those that run look once a minute.
    let _started = world.one_more_gateway().await;
    let device = Device {
        redis: &redis,
        given: &given,
    };
    let gone = Device {
        redis: &redis,
        given: &left,
    };
    for _ in 0..100 {
        if device.is_let_in() && redis.ask(Some((stray, "stray")), &["ping"]).unwrap() != "PONG" {
            assert!(!gone.is_let_in());
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("Redis was not told again within ten seconds");
}
