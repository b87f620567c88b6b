//! Who is on the other end, and who we are: certificates and passwords against a real server that asks for both.

use std::path::{Path, PathBuf};
use std::process::Command;

use deepsearch_core::{ErrorCode, Failure, UserId};
use deepsearch_postgres::{Admission, ConnectError, DeviceId, SharedDatabase, scram_verifier, session_token_hash};
use deepsearch_servers::Postgres;
use futures::future::join_all;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::cluster::{admit, connect, pass_by, run, text};
use crate::support::home;

/// An authority, and a certificate of its for `localhost`.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let common = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ];
        openssl(
            at,
            &common,
            &["-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt"],
        );
        let leaf = [
            "-subj",
            "/CN=localhost",
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-keyout",
            "server.key",
            "-out",
            "server.crt",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ];
        openssl(at, &common, &leaf);
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

fn openssl(folder: &Path, common: &[&str], more: &[&str]) {
    let output = Command::new("openssl")
        .args(common)
        .args(more)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn guarded(certificates: &Certificates) -> Option<Postgres> {
    let server = Postgres::start_guarded(
        "pass word",
        &certificates.read("server.crt"),
        &certificates.read("server.key"),
    );
    let server = server.expect("PostgreSQL starts");
    if server.is_none() {
        pass_by("PostgreSQL");
    }
    server
}

async fn told(url: &str) -> Result<SharedDatabase, Failure> {
    SharedDatabase::connect(url).await.map_err(|error: ConnectError| {
        let failure = Failure::from(&error);
        let words = format!("{error} {error:?} {failure:?}");
        assert!(
            !words.contains("pass word") && !words.contains("pass%20word"),
            "{words}"
        );
        failure
    })
}

#[tokio::test]
async fn a_certificate_is_verified_and_a_password_is_never_told() {
    let certificates = Certificates::make();
    let Some(server) = guarded(&certificates) else { return };
    let port = server.port();
    let ca = certificates.path("ca.crt");
    let at = |host: &str, query: &str| format!("postgres://postgres:pass%20word@{host}:{port}/postgres{query}");
    let trusting = format!("sslmode=verify-full&sslrootcert={}", ca.display());

    let refused = told(&at("localhost", "?sslmode=verify-full")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Refused, "{refused:?}");
    assert!(refused.hint.unwrap().contains("sslrootcert"));
    // The right authority, but another name than the one we asked for.
    let refused = told(&at("127.0.0.1", &format!("?{trusting}"))).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Refused, "{refused:?}");
    let database = told(&at("localhost", &format!("?{trusting}"))).await.unwrap();
    assert!(database.check().await.is_err(), "it is empty");
    let mut encrypted = connect(&at("localhost", &format!("?{trusting}"))).await;
    assert_eq!(
        text(
            &mut encrypted,
            "select version from pg_stat_ssl where pid = pg_backend_pid()"
        )
        .await,
        "TLSv1.3"
    );

    let wrong = format!("postgres://postgres:wrong@localhost:{port}/postgres");
    assert_eq!(told(&wrong).await.unwrap_err().code, ErrorCode::KeyRefused);
    assert_eq!(
        told(&at("localhost", "").replace(&format!("{port}/postgres"), &format!("{port}/nowhere")))
            .await
            .unwrap_err()
            .code,
        ErrorCode::NotFound
    );
    assert_eq!(
        told("postgres://nobody:pass%20word@localhost:1/x")
            .await
            .unwrap_err()
            .code,
        ErrorCode::Offline
    );
    assert_eq!(told("nonsense pass word").await.unwrap_err().code, ErrorCode::Invalid);
}

#[tokio::test]
async fn towards_a_host_that_is_not_this_machine_tls_is_the_default() {
    let certificates = Certificates::make();
    let Some(server) = guarded(&certificates) else { return };
    // Leads here, and does not look like it.
    let at = |query: &str| {
        format!(
            "postgres://postgres:pass%20word@[::ffff:127.0.0.1]:{}/postgres{query}",
            server.port()
        )
    };
    let refused = told(&at("")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Refused, "{refused:?}");
    told(&at("?sslmode=disable")).await.unwrap();
}

#[tokio::test]
async fn a_device_logs_in_with_the_password_that_only_it_knows() {
    let certificates = Certificates::make();
    let Some(server) = guarded(&certificates) else { return };
    let owner_url = format!("postgres://postgres:pass%20word@localhost:{}/postgres", server.port());
    let database = told(&owner_url).await.unwrap();
    database.migrate(|_| {}).await.unwrap();
    let mut owner = connect(&owner_url).await;
    run(
        &mut owner,
        r#"insert into "ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
    )
    .await;
    let admission = Admission {
        device: DeviceId::from_u128(1),
        user: UserId::from_stored("A"),
        name: "laptop".into(),
        scram_verifier: scram_verifier(&SecretString::from("of-the-device"), [3; 16]),
        token_hash: session_token_hash("token"),
        lasts: chrono::TimeDelta::days(1),
    };
    let role = database.mint_device(&admission).await.unwrap();
    assert_eq!(
        database.find_device_by_role(&role).await.unwrap(),
        Some(admission.device)
    );
    let url = |password: &str| format!("postgres://{role}:{password}@localhost:{}/postgres", server.port());
    assert_eq!(told(&url("other")).await.unwrap_err().code, ErrorCode::KeyRefused);
    let device = SharedDatabase::connect_device(&url("of-the-device"), "token".into())
        .await
        .unwrap();
    assert_eq!(device.signed_in_user().await.unwrap(), Some(UserId::from_stored("A")));
    let stranger = SharedDatabase::connect_device(&url("of-the-device"), "stolen".into())
        .await
        .unwrap();
    assert_eq!(stranger.signed_in_user().await.unwrap(), None);
}

/// A window, its commands and sync share the connections of a device's role.
#[tokio::test]
async fn what_can_be_done_without_takes_two_connections_at_most() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let admitted = admit(&home.database, &home.url, user.as_str()).await;
    let token = SecretString::from(admitted.token);
    let device = SharedDatabase::connect_device_later(&admitted.url, token)
        .unwrap()
        .sparing();
    let asked = join_all((0..8).map(|_| device.lookup_user(&user))).await;
    assert!(asked.into_iter().all(|found| found.unwrap().is_some()));
    let held: i64 = sqlx::query_scalar("select count(*) from pg_stat_activity where usename = $1")
        .bind(&admitted.role)
        .fetch_one(&mut home.raw().await)
        .await
        .unwrap();
    assert_eq!(held, 2);
}
