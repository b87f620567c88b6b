//! A migrated database of a test's own, on one real server for all tests that run at the same time. Everybody but the
//! superuser needs a password there, so that what a device was given is really tried.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use deepsearch_servers::Postgres;

use super::missing;

pub(crate) const GATEWAY_PASSWORD: &str = "gateway-password-4711";
/// The superuser comes in as it is; all others prove themselves.
const WHO_MAY_COME: &str = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static NEXT: AtomicU32 = AtomicU32::new(1);

pub(crate) struct Database {
    pub(crate) name: String,
    server: Arc<Server>,
}

impl Database {
    /// `None` where PostgreSQL is not installed; the test passes by then.
    pub(crate) fn new() -> Option<Self> {
        let server = Server::shared()?;
        let name = format!("team_{}", NEXT.fetch_add(1, Ordering::SeqCst));
        server.psql(
            "postgres",
            &["--command", &format!("create database {name} template migrated")],
        );
        // What a database lets in is not copied with it.
        let door = format!("grant connect on database {name} to deepsearch_app, deepsearch_gateway");
        server.psql("postgres", &["--command", &door]);
        Some(Self { name, server })
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }

    /// As the gateway, with its real rights.
    pub(crate) fn gateway_url(&self) -> String {
        format!(
            "postgres://deepsearch_gateway:{GATEWAY_PASSWORD}@127.0.0.1:{}/{}",
            self.port(),
            self.name
        )
    }

    /// What a statement gives, as the owner of everything: rows by lines, columns by `|`.
    pub(crate) fn sql(&self, statement: &str) -> String {
        self.server.psql(&self.name, &["--command", statement])
    }

    /// What a statement gives somebody who comes with a password; the error otherwise.
    pub(crate) fn sql_as(&self, role: &str, password: &str, statement: &str) -> Result<String, String> {
        let url = format!("postgres://{role}@127.0.0.1:{}/{}", self.port(), self.name);
        let mut psql = Command::new(self.server.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password"]);
        psql.args(["--set", "ON_ERROR_STOP=1", "--dbname", &url, "--command", statement]);
        let output = psql.env("PGPASSWORD", password).output().expect("psql runs");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// The verifier of a password, made by PostgreSQL itself.
    pub(crate) fn scram_verifier(&self, password: &str) -> String {
        let role = format!("scram_{}", NEXT.fetch_add(1, Ordering::SeqCst));
        self.sql(&format!("create role {role} password '{password}'"));
        let verifier = self.sql(&format!("select rolpassword from pg_authid where rolname = '{role}'"));
        self.sql(&format!("drop role {role}"));
        verifier
    }

    /// Lets nobody in any more, and ends who is.
    pub(crate) fn close(&self) {
        let name = &self.name;
        let shut = format!("alter database {name} allow_connections false");
        let end = format!("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '{name}'");
        self.server.psql("postgres", &["--command", &shut, "--command", &end]);
    }

    /// Everything in the database as one text, to look for what must not be there.
    pub(crate) fn dump(&self) -> String {
        let url = format!("postgres://postgres@127.0.0.1:{}/{}", self.port(), self.name);
        let dump = Command::new(self.server.programs.join("pg_dump")).arg(url).output();
        String::from_utf8_lossy(&dump.expect("pg_dump runs").stdout).into_owned()
    }
}

fn migrations() -> PathBuf {
    PathBuf::from("../../migrations/postgres")
}

/// Ends with the last test that uses it. A thread of its own keeps it: the server hears when the thread that started it
/// is gone, and a test's thread is gone when the test is.
struct Server {
    port: u16,
    programs: PathBuf,
    stop: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl Server {
    fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    fn start() -> Option<Self> {
        let (started, running) = channel();
        let (stop, stopped) = channel::<()>();
        let keeper = std::thread::spawn(move || {
            let folder = tempfile::tempdir().expect("a folder for the rules");
            let rules = folder.path().join("pg_hba.conf");
            std::fs::write(&rules, WHO_MAY_COME).expect("the rules are written");
            open_to_all(folder.path());
            let file = format!("hba_file={}", rules.display());
            let server = Postgres::start_with(&["max_connections=300", &file]).expect("PostgreSQL starts");
            let known = server
                .as_ref()
                .map(|server| (server.port(), server.programs().to_owned()));
            let _ = started.send(known);
            // Ends when the sender is dropped.
            let _ = stopped.recv();
        });
        let Some((port, programs)) = running.recv().expect("PostgreSQL starts") else {
            missing("PostgreSQL");
            return None;
        };
        let server = Self {
            port,
            programs,
            stop: Some(stop),
            keeper: Some(keeper),
        };
        server.migrate();
        Some(server)
    }

    fn migrate(&self) {
        let mut migrations: Vec<String> = std::fs::read_dir(migrations())
            .expect("the migrations are there")
            .filter_map(|entry| Some(entry.ok()?.path().display().to_string()))
            .filter(|path| path.ends_with(".up.sql"))
            .collect();
        migrations.sort();
        self.psql("postgres", &["--command", "create database migrated"]);
        let mut args = vec!["--command", "create schema deepsearch"];
        args.extend(migrations.iter().flat_map(|file| ["--file", file.as_str()]));
        let password = format!("alter role deepsearch_gateway password '{GATEWAY_PASSWORD}' connection limit 300");
        args.extend(["--command", &password]);
        self.psql("migrated", &args);
    }

    fn psql(&self, database: &str, args: &[&str]) -> String {
        let url = format!("postgres://postgres@127.0.0.1:{}/{database}", self.port);
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
        ]);
        psql.args(["--dbname", &url]).args(args);
        let output = psql
            .env("PGOPTIONS", "-c client_min_messages=warning")
            .output()
            .expect("psql runs");
        assert!(
            output.status.success(),
            "psql {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}

/// The server may run as another user.
fn open_to_all(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder, open).expect("the folder is opened");
    }
    #[cfg(not(unix))]
    let _ = folder;
}
