//! A real PgBouncer of a test's own in front of a PostgreSQL, in transaction mode: each transaction may meet another
//! connection of the server.
//!
//! It asks the server for the passwords of its users, as one in front of devices has to, whose roles come and go.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::free_port;
use crate::postgres::{as_its_user, is_root, run};

const READY_WITHIN: Duration = Duration::from_secs(10);

/// Whether PgBouncer is installed.
pub fn has_pgbouncer() -> bool {
    program().is_some()
}

/// A running PgBouncer, whose superuser is `postgres` with the password `pooled`. Dropping it ends it.
#[derive(Debug)]
pub struct PgBouncer {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl PgBouncer {
    /// Starts one in front of the server on this port, or `None` where PgBouncer is not installed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(postgres: u16) -> Result<Option<Self>> {
        Self::start_as(postgres, "pooled", None)
    }

    /// Starts one that speaks TLS alone and shows this certificate (PEM), in front of a server whose superuser has a
    /// password. `None` where PgBouncer is not installed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_guarded(postgres: u16, password: &str, certificate: &str, key: &str) -> Result<Option<Self>> {
        Self::start_as(postgres, password, Some((certificate, key)))
    }

    fn start_as(postgres: u16, password: &str, proof: Option<(&str, &str)>) -> Result<Option<Self>> {
        let Some(program) = program() else {
            return Ok(None);
        };
        let folder = tempfile::tempdir().context("making a folder for PgBouncer")?;
        let port = free_port()?;
        let at = |name: &str| folder.path().join(name);
        let users = format!("\"postgres\" \"{password}\"\n");
        std::fs::write(at("users"), users).context("writing the users of PgBouncer")?;
        let mut tls = String::new();
        if let Some((certificate, key)) = proof {
            std::fs::write(at("proof.crt"), certificate).context("writing the certificate of PgBouncer")?;
            std::fs::write(at("proof.key"), key).context("writing the key of PgBouncer")?;
            tls = format!(
                "client_tls_sslmode = require\nclient_tls_cert_file = {}\nclient_tls_key_file = {}\n",
                at("proof.crt").display(),
                at("proof.key").display()
            );
        }
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={postgres} auth_user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\n\
             auth_query = select usename, passwd from pg_shadow where usename = $1\npool_mode = transaction\n\
             default_pool_size = 3\nmax_client_conn = 200\nignore_startup_parameters = extra_float_digits\n{tls}",
            at("users").display()
        );
        std::fs::write(at("pgbouncer.ini"), settings).context("writing the settings of PgBouncer")?;
        if is_root() {
            run(Command::new("chown").args(["-R", "postgres:"]).arg(folder.path()))?;
        }
        let log = std::fs::File::create(at("log")).context("creating the log of PgBouncer")?;
        let process = as_its_user(&program)
            .arg(at("pgbouncer.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let process = match process {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            process => process.context("starting PgBouncer")?,
        };
        let bouncer = Self { process, port, folder };
        bouncer.wait_until_it_answers()?;
        Ok(Some(bouncer))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn wait_until_it_answers(&self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            ensure!(
                started.elapsed() < READY_WITHIN,
                "PgBouncer did not answer on port {} within {READY_WITHIN:?}: {}",
                self.port,
                std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // Both fail only where it has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Debian keeps it where only root looks.
fn program() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").into_iter();
    in_path
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
}
