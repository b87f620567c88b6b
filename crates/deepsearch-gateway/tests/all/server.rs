//! The server as a process and as a neighbour: limits, slow callers, health, metrics, the end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::database::Database;
use crate::support::world::World;

/// A gateway as the process that an administrator starts.
struct Program {
    child: std::process::Child,
    port: u16,
    lines: std::sync::mpsc::Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Program {
    fn start(database: &Database, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = deepsearch_servers::free_port().unwrap();
        let file = folder.path().join("gateway.toml");
        let text = format!(
            "public_url = \"http://127.0.0.1:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\
             cookie_key = \"a key that is long enough to seal cookies with\"\n[database]\nurl = \"{}\"\n{more}\n\
             [providers.discord]\nclient_id = \"1\"\nclient_secret = \"the secret of Discord\"\n\
             [providers.github]\nclient_id = \"1\"\nclient_secret = \"the secret of GitHub\"\n",
            database.gateway_url()
        );
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_deepsearch-gateway"))
            .env_clear()
            .arg("--config")
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = std::sync::mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "the gateway does not open");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            child,
            port,
            lines,
            _folder: folder,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn the_program_serves_logs_in_json_without_queries_and_ends_gracefully() {
    let Some(database) = Database::new() else { return };
    let mut program = Program::start(&database, "");
    let request = "GET /choose?flow=secret-of-the-query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(ask(&mut program.connect(), request).starts_with("HTTP/1.1 400"));
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = program.child.wait().unwrap();
    assert_eq!(ended.code(), Some(0));
    let lines: Vec<serde_json::Value> = program
        .lines
        .iter()
        .map(|line| serde_json::from_str(&line).expect("a line is JSON"))
        .collect();
    let text = lines.iter().map(ToString::to_string).collect::<String>();
    assert!(
        text.contains("the gateway is open") && text.contains("the gateway is closed"),
        "{text}"
    );
    let answered = lines
        .iter()
        .find(|line| line["message"] == "answered" && line["route"] == "/choose")
        .unwrap();
    assert_eq!(answered["status"], 400);
    assert_eq!(answered["caller"], "127.0.0.1");
    assert!(!text.contains("secret-of-the-query"));
}

#[test]
fn a_request_under_way_is_answered_before_the_end() {
    let Some(database) = Database::new() else { return };
    let mut program = Program::start(&database, "");
    let mut slow = program.connect();
    let body = "client_id=x";
    let head = format!(
        "POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(300));
    assert!(ask(&mut slow, body).contains("invalid_client"));
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
}

#[test]
fn who_asks_too_much_is_told_to_wait_and_others_are_not_held_up() {
    let Some(database) = Database::new() else { return };
    let limits = "[limits]\nattempts_per_minute = 3\nrequests_per_minute = 1000";
    let program = Program::start(&database, limits);
    let request = |_: u32| {
        let body = "client_id=x";
        format!(
            "POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    for number in 0..3 {
        assert!(ask(&mut program.connect(), &request(number)).starts_with("HTTP/1.1 401"));
    }
    let refused = ask(&mut program.connect(), &request(3));
    assert!(
        refused.starts_with("HTTP/1.1 429") && refused.to_lowercase().contains("retry-after:"),
        "{refused}"
    );
    // A header that anybody can write does not make them another.
    let forged = request(4).replace("Host: x", "Host: x\r\nX-Forwarded-For: 203.0.113.9");
    assert!(ask(&mut program.connect(), &forged).starts_with("HTTP/1.1 429"));
    let health = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(ask(&mut program.connect(), health).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_caller_who_sends_slowly_or_too_much_is_let_go() {
    let Some(database) = Database::new() else { return };
    let program = Program::start(&database, "");
    let large = "x".repeat(64 * 1024);
    let body = format!(
        "POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{large}",
        large.len()
    );
    let mut stream = program.connect();
    let answer = ask(&mut stream, &body);
    assert!(answer.starts_with("HTTP/1.1 413") || answer.is_empty(), "{answer}");
    let headers = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Large: {large}\r\n\r\n");
    let mut stream = program.connect();
    let _ = stream.write_all(headers.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    // Half of a header, and then nothing.
    let mut slow = program.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
    let began = Instant::now();
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    assert!(
        began.elapsed() < Duration::from_secs(25),
        "let go after {:?}",
        began.elapsed()
    );
}

/// Waits until the database says so.
async fn until(world: &World, statement: &str, expected: &str) {
    let started = Instant::now();
    loop {
        let found = world.database.sql(statement);
        if found == expected {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{statement}: {found}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn old_deletions_are_forgotten_once_a_day_by_one_of_the_gateways() {
    let Some(world) = World::new().await else { return };
    // Both of them have just begun, and one of them did it for today.
    until(
        &world,
        "select collected_at > now() - interval '1 minute' from deepsearch_sync.meta",
        "t",
    )
    .await;
    world.database.sql(
        "insert into deepsearch_sync.change (user_id, kind, row_id, op, xid, seq, at)
            select 'u', 'chat', 'c' || age, 'D', pg_current_xact_id(), age, now() - make_interval(days => age)
            from unnest(array[100, 181, 400]) as age",
    );
    world.one_more_gateway().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let left = "select string_agg(row_id, ' ' order by row_id) from deepsearch_sync.change where op = 'D'";
    assert_eq!(world.database.sql(left), "c100 c181 c400", "it was done today");
    world
        .database
        .sql("update deepsearch_sync.meta set collected_at = now() - interval '25 hours'");
    world.one_more_gateway().await;
    until(&world, left, "c100").await;
    assert_eq!(
        world
            .database
            .sql("select collected::text > '0' from deepsearch_sync.meta"),
        "t",
        "devices that were away are told"
    );
}

#[tokio::test]
async fn health_readiness_and_metrics_say_how_it_goes() {
    let Some(world) = World::new().await else { return };
    assert_eq!(
        world.get(&format!("{}/healthz", world.issuer())).await,
        (200, "ok\n".to_owned())
    );
    assert_eq!(
        world.get(&format!("{}/readyz", world.issuer())).await,
        (200, "ready\n".to_owned())
    );
    world.sign_in(&App::new("laptop")).await;
    let (status, metrics) = world.get(&format!("{}/metrics", world.metrics)).await;
    assert_eq!(status, 200);
    for line in [
        "deepsearch_gateway_sign_ins_total{provider=\"discord\",outcome=\"allowed\"} 1",
        "deepsearch_gateway_token_requests_total{outcome=\"issued\"} 1",
        "deepsearch_gateway_requests_total{method=\"POST\",route=\"/token\",status=\"200\"} 1",
        "deepsearch_gateway_database_up 1",
        "deepsearch_gateway_feed_held_seconds 0",
    ] {
        assert!(metrics.contains(line), "{line}\nis not in\n{metrics}");
    }
    assert!(!metrics.contains("ada"), "nothing in it names a person");
    // They are on an address of their own.
    assert_eq!(world.get(&format!("{}/metrics", world.issuer())).await.0, 404);
    // Without its database it is alive and not ready, and pages say what to do.
    world.database.close();
    assert_eq!(world.get(&format!("{}/readyz", world.issuer())).await.0, 503);
    assert_eq!(world.get(&format!("{}/healthz", world.issuer())).await.0, 200);
    let page = Browser::new().open(&format!("{}/device", world.issuer())).await;
    let page = Browser::new().submit(&page, &[("user_code", "BCDF-GHJK")]).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (503, "Something went wrong on our side")
    );
}
