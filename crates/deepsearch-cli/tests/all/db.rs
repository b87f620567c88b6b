//! `deepsearch db` and `deepsearch share init` as an administrator runs them, against a real server.

use deepsearch_servers::Postgres;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

use crate::{deepsearch, json, stdout};

#[expect(clippy::print_stderr, reason = "a test that passes by says so")]
fn server() -> Option<Postgres> {
    let server = Postgres::start().expect("PostgreSQL starts");
    if server.is_none() {
        let complete = std::env::var_os("DEEPSEARCH_TEST_COMPLETE").is_some();
        assert!(
            !complete,
            "PostgreSQL is missing, and `cargo xtask test` should have brought it"
        );
        eprintln!("passed by: PostgreSQL is missing; `cargo xtask test` brings it");
    }
    server
}

fn psql(server: &Postgres, url: &str, sql: &str) -> String {
    let output = Command::new(server.programs().join("psql"))
        .args([
            "--no-psqlrc",
            "--quiet",
            "--no-align",
            "--tuples-only",
            "--dbname",
            url,
            "--command",
            sql,
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What a command says on standard error.
fn stderr(home: &TempDir, args: &[&str], code: i32) -> String {
    let ran = deepsearch(home).args(args).assert().code(code);
    String::from_utf8(ran.get_output().stderr.clone()).unwrap()
}

#[test]
fn an_administrator_migrates_checks_mends_and_goes_back() {
    let Some(server) = server() else { return };
    let home = tempdir().unwrap();
    let url = server.url("postgres");
    let db = |args: &[&str]| {
        let mut command = deepsearch(&home);
        // Given in the environment, an address needs no `--url`.
        command.env("DEEPSEARCH_SHARED__URL", &url).arg("db").args(args);
        command
    };
    let before = json(&stdout(&mut db(&["status", "--json"]), 0));
    assert!(before.as_array().unwrap().iter().all(|one| one["applied_at"].is_null()));
    stdout(&mut db(&["check"]), 2);

    let ran = db(&["migrate"]).assert().code(0);
    let steps = String::from_utf8(ran.get_output().stderr.clone()).unwrap();
    assert!(
        steps.contains("0001 tables …") && steps.contains("0002 done in"),
        "{steps}"
    );
    assert_eq!(stdout(&mut db(&["migrate"]), 0), "The shared database is up to date.\n");
    assert!(stdout(&mut db(&["status"]), 0).starts_with("0001  tables"));
    assert_eq!(
        stdout(&mut db(&["check"]), 0),
        "The shared database is as it should be.\n"
    );

    psql(&server, &url, "drop index chat_user_id_idx");
    let found = stdout(&mut db(&["check"]), 4);
    assert!(
        found.starts_with("-- index public.\"ai-app-template_chat\" chat_user_id_idx is missing\n"),
        "{found}"
    );
    let as_json = json(&stdout(&mut db(&["check", "--json"]), 4));
    assert_eq!(as_json[0]["problem"], "missing");
    // What it prints is what psql takes.
    psql(&server, &url, &found);
    assert_eq!(
        json(&stdout(&mut db(&["check", "--json"]), 0)),
        Value::Array(Vec::new())
    );

    let shared = |args: &[&str]| json(&stdout(&mut db(&[&["share-searches", "--json"], args].concat()), 0));
    let on = serde_json::json!({ "share_searches": true });
    let off = serde_json::json!({ "share_searches": false });
    assert_eq!(shared(&[]), off);
    assert_eq!((shared(&["on"]), shared(&[])), (on.clone(), on));
    let setting = "select value from deepsearch.setting where name = 'share_searches'";
    assert_eq!(psql(&server, &url, setting), "on");
    assert_eq!((shared(&["off"]), shared(&[])), (off.clone(), off));

    let cleaned = json(&stdout(&mut db(&["clean", "--json"]), 0));
    assert_eq!(cleaned["sessions"], 0);
    psql(
        &server,
        &url,
        "insert into \"ai-app-template_user\" (id, email) values ('A', 'a@example.com')",
    );
    let refused = stderr(&home, &["db", "rollback", "--to", "0", "--url", &url], 2);
    assert!(
        refused.contains("would throw away users (1)") && refused.contains("--force"),
        "{refused}"
    );
    let steps = json(&stdout(&mut db(&["status", "--json"]), 0));
    assert!(
        steps
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["applied_at"].is_string())
    );
    let back = json(&stdout(&mut db(&["rollback", "--to", "0", "--force", "--json"]), 0));
    let versions: Vec<_> = steps
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|one| &one["version"])
        .collect();
    assert_eq!(back["rolled_back"], serde_json::json!(versions));
    assert_eq!(
        psql(
            &server,
            &url,
            "select count(*) from pg_tables where schemaname = 'public'"
        ),
        "0"
    );
}

#[test]
fn a_device_joins_a_database_of_its_own_and_the_owners_password_is_not_kept() {
    let Some(server) = server() else { return };
    let home = tempdir().unwrap();
    let url = server.url("postgres").replace("postgres@", "postgres:of-the-owner@");
    let join = || {
        let mut command = deepsearch(&home);
        command
            .env("DEEPSEARCH_SECRETS__KEYCHAIN", "false")
            .args(["--json", "share", "init", "--email", "me@example.com", "--url", "-"])
            .write_stdin(format!("{url}\n"));
        command
    };
    let admitted = json(&stdout(&mut join(), 0));
    let user = admitted["user_id"].as_str().unwrap();
    assert_eq!(psql(&server, &url, "select id from \"ai-app-template_user\""), user);
    let secrets = std::fs::read_to_string(home.path().join("secrets.toml")).unwrap();
    assert!(!secrets.contains("of-the-owner"), "{secrets}");
    for file in files(home.path()) {
        let bytes = std::fs::read(&file).unwrap();
        let is_kept = bytes.windows(12).any(|part| part == b"of-the-owner");
        assert!(!is_kept, "{} holds the owner's password", file.display());
    }
    // What is kept is sealed, and the device that it opens is the person's. (`share init` has opened it before it says so.)
    assert!(!secrets.contains("deepsearch_device_"), "{secrets}");
    assert_eq!(
        psql(
            &server,
            &url,
            "select user_id from deepsearch.device where revoked_at is null"
        ),
        user
    );

    // Joining again makes another device of it, and the first one is revoked.
    let again = json(&stdout(&mut join(), 0));
    assert_ne!(again["device_id"], admitted["device_id"]);
    assert_eq!(
        psql(
            &server,
            &url,
            "select count(*) from deepsearch.device where revoked_at is null"
        ),
        "1"
    );
}

/// Between the device's login and the one write of its secrets, where a kill leaves a login that nobody has the password of.
#[test]
fn a_join_that_is_killed_is_done_again_and_what_it_left_is_cleaned_up() {
    let Some(server) = server() else { return };
    let home = tempdir().unwrap();
    let url = server.url("postgres");
    let sql = |sql: &str| psql(&server, &url, sql);
    let args = ["share", "init", "--email", "me@example.com", "--url", url.as_str()];
    let join = || {
        let mut command = deepsearch(&home);
        command.env("DEEPSEARCH_SECRETS__KEYCHAIN", "false").args(args);
        command
    };
    stdout(deepsearch(&home).args(["db", "migrate", "--url", &url]), 0);
    // The device is tried out before its secrets are kept, and the database is slow to say whose it is.
    let definition = sql("select pg_get_functiondef('deepsearch.uid()'::regprocedure)");
    sql(&definition.replacen("begin", "begin perform pg_sleep(60);", 1));
    let mut joining = Command::new(env!("CARGO_BIN_EXE_deepsearch"))
        .env("DEEPSEARCH_HOME", home.path())
        .env("DEEPSEARCH_SECRETS__KEYCHAIN", "false")
        .args(args)
        .spawn()
        .unwrap();
    let live = "select count(*) from deepsearch.device where revoked_at is null";
    let began = Instant::now();
    while sql(live) == "0" {
        assert!(began.elapsed() < Duration::from_secs(60), "the device is never let in");
    }
    joining.kill().unwrap();
    joining.wait().unwrap();
    sql(&definition);
    assert!(!home.path().join("secrets.toml").exists());

    let lost = sql("select id from deepsearch.device");
    stdout(&mut join(), 0);
    assert_eq!(sql(live), "2", "the one that was left, and the one that works");
    // Nobody uses it, so it goes with time; its person may end it earlier.
    sql(&format!(
        r#"update deepsearch.device set created_at = now() - interval '200 days', last_seen_at = null where id = '{lost}';
        update "ai-app-template_session" set expires = now() from deepsearch.device as device
            where device.session_token = "ai-app-template_session".session_token and device.id = '{lost}'"#
    ));
    stdout(deepsearch(&home).args(["db", "clean", "--url", &url]), 0);
    let left = "select string_agg(rolname, ' ') = (select string_agg(role, ' ') from deepsearch.device)
        from pg_roles where rolname like 'deepsearch_device_%'";
    assert_eq!((sql(live), sql(left)), ("1".to_owned(), "t".to_owned()));
    assert_ne!(sql("select id from deepsearch.device"), lost);
}

#[test]
fn what_goes_wrong_is_a_sentence_without_the_password() {
    let Some(server) = server() else { return };
    let home = tempdir().unwrap();
    let nowhere = "postgres://me:hush-hush@127.0.0.1:1/x";
    let no_database = server.url("nowhere").replace("postgres@", "postgres:hush-hush@");
    for (args, code, said) in [
        (vec!["db", "status"], 2, "--url"),
        (vec!["db", "status", "--url", "hush-hush"], 2, "postgres://"),
        (vec!["db", "status", "--url", nowhere], 4, "cannot be reached"),
        (vec!["db", "migrate", "--url", &no_database], 3, "createdb"),
        (vec!["db", "new", "Bad Name"], 2, "small letters"),
    ] {
        for log in ["off", "debug"] {
            let ran = deepsearch(&home)
                .env("DEEPSEARCH_LOG", log)
                .args(&args)
                .assert()
                .code(code);
            let words = String::from_utf8(ran.get_output().stderr.clone()).unwrap();
            assert!(words.contains(said), "{args:?}: {words}");
            assert!(!words.contains("hush-hush"), "{args:?}: {words}");
        }
    }
}

/// What is done to the server, the command, its exit code, what it says, and how it is undone.
type Fault = (
    &'static str,
    &'static [&'static str],
    i32,
    &'static [&'static str],
    &'static str,
);
const FAULTS: &[Fault] = &[
    (
        "alter database postgres set default_transaction_read_only = on",
        &["clean"],
        6,
        &["takes no changes now", "Try again when"],
        "set transaction read write; alter database postgres reset default_transaction_read_only",
    ),
    (
        r#"create function full_disk() returns trigger language plpgsql as $$
            begin raise exception using errcode = 'disk_full', message = 'could not extend file "base/1"'; end $$;
        create trigger full_disk before delete on "ai-app-template_session" for each statement execute function full_disk()"#,
        &["clean"],
        6,
        &["The disk of the shared database is full", "make room"],
        "drop function full_disk() cascade",
    ),
    (
        r#"create function slow() returns trigger language plpgsql as $$
            begin raise exception using errcode = 'query_canceled', message = 'canceling statement'; end $$;
        create trigger slow before delete on "ai-app-template_session" for each statement execute function slow()"#,
        &["clean"],
        4,
        &["was busy", "Try again in a moment"],
        "drop function slow() cascade",
    ),
    (
        "alter role keeper connection limit 0",
        &["tables"],
        4,
        &["has too many connections", "Try again in a moment"],
        "alter role keeper connection limit -1",
    ),
    (
        "alter role keeper nologin",
        &["tables"],
        5,
        &["does not let this role in", "Check the user and the password"],
        "alter role keeper login",
    ),
    (
        "insert into deepsearch.migration values (9000, 'from the future', now(), true, '', 0)",
        &["migrate"],
        6,
        &[
            "has migration 9000, which this version of DeepSearch does not know",
            "Update DeepSearch",
        ],
        "delete from deepsearch.migration where version = 9000",
    ),
    (
        "create table kept as select * from deepsearch.migration where version = 8; delete from deepsearch.migration where version = 8",
        &["check"],
        2,
        &[
            "1 migrations of the shared database are still to run",
            "`deepsearch db migrate`",
        ],
        "insert into deepsearch.migration select * from kept; drop table kept",
    ),
];

#[test]
fn what_ails_the_server_is_a_sentence_that_says_what_to_do() {
    let Some(mut server) = server() else { return };
    let home = tempdir().unwrap();
    let url = server.url("postgres");
    stdout(deepsearch(&home).args(["db", "migrate", "--url", &url]), 0);
    psql(
        &server,
        &url,
        r#"create role keeper login; grant connect on database postgres to keeper; grant deepsearch_minter, deepsearch_definer to keeper; grant usage on schema deepsearch, deepsearch_sync to keeper;
        grant all on all tables in schema public, deepsearch, deepsearch_sync to keeper; grant all on all functions in schema deepsearch, deepsearch_sync to keeper"#,
    );
    let of_keeper = url.replace("postgres@", "keeper@");
    let db = |command: &[&str]| {
        let mut all = deepsearch(&home);
        all.arg("db").args(command).args(["--url", &of_keeper]);
        all
    };
    for (fault, command, code, words, undone) in FAULTS {
        psql(&server, &url, fault);
        let ran = db(command).assert().code(*code);
        let said = String::from_utf8(ran.get_output().stderr.clone()).unwrap();
        for word in *words {
            assert!(said.contains(word), "{fault}: {said}");
        }
        psql(&server, &url, undone);
        db(&["status"]).assert().code(0);
    }
    server.kill().unwrap();
    let ran = db(&["tables"]).assert().code(4);
    let said = String::from_utf8(ran.get_output().stderr.clone()).unwrap();
    assert!(
        said.contains("cannot be reached") && said.contains("that the server runs"),
        "{said}"
    );
    server.start_again().unwrap();
    db(&["tables"]).assert().code(0);
}

#[test]
fn a_new_pair_of_migrations_is_written_where_it_is_wanted() {
    let home = tempdir().unwrap();
    let folder = tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let files = json(&stdout(
        deepsearch(&home).args(["--json", "db", "new", "page_language", "--folder", path]),
        0,
    ));
    assert!(
        files["files"][0]
            .as_str()
            .unwrap()
            .ends_with("0001_page_language.up.sql")
    );
    assert_eq!(self::files(folder.path()).len(), 2);
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).collect()
}
