//! A real PostgreSQL of a test's own.
//!
//! It runs as our child and not as a daemon, so that it can be ended by its id and goes when we are killed. The server
//! refuses to run as root: there it runs as the user `postgres`, whom Debian's package made.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::free_port;

const READY_WITHIN: Duration = Duration::from_secs(30);
/// A test's database need not survive a power cut.
const FAST: [&str; 6] = [
    "-c",
    "fsync=off",
    "-c",
    "synchronous_commit=off",
    "-c",
    "full_page_writes=off",
];

/// Whether PostgreSQL is installed.
pub fn has_postgres() -> bool {
    programs().is_some()
}

/// A running server whose superuser is `postgres`, without a password. Dropping it ends it.
#[derive(Debug)]
pub struct Postgres {
    process: Child,
    port: u16,
    programs: PathBuf,
    settings: Vec<String>,
    folder: TempDir,
}

impl Postgres {
    /// Starts one, or `None` where PostgreSQL is not installed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> Result<Option<Self>> {
        Self::start_with(&[])
    }

    /// Starts one with further settings, each `name=value`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_with(settings: &[&str]) -> Result<Option<Self>> {
        Self::start_as(None, settings)
    }

    /// Starts one whose users need a password, the superuser this one, and which speaks TLS with this certificate and
    /// key (PEM). What it commits outlives [`kill`](Self::kill).
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_guarded(password: &str, certificate: &str, key: &str) -> Result<Option<Self>> {
        let guard = Guard {
            password,
            certificate,
            key,
        };
        Self::start_as(Some(&guard), &["ssl=on", "synchronous_commit=on"])
    }

    fn start_as(guard: Option<&Guard<'_>>, settings: &[&str]) -> Result<Option<Self>> {
        let Some(programs) = programs() else {
            return Ok(None);
        };
        let folder = tempfile::tempdir().context("making a folder for PostgreSQL")?;
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(folder.path()))?;
        }
        let data = folder.path().join("data");
        let mut initdb = as_its_user(&programs.join("initdb"));
        initdb
            .args([
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ])
            .arg("--pgdata")
            .arg(&data);
        match guard {
            None => initdb.arg("--auth=trust"),
            Some(guard) => {
                let file = folder.path().join("password");
                std::fs::write(&file, guard.password).context("writing the password of PostgreSQL")?;
                initdb.arg("--auth=scram-sha-256").arg("--pwfile").arg(file)
            }
        };
        run(&mut initdb)?;
        if let Some(guard) = guard {
            private_file(&data.join("server.crt"), guard.certificate)?;
            private_file(&data.join("server.key"), guard.key)?;
        }
        let port = free_port()?;
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let process = spawn(&programs, &data, port, &settings)?;
        let mut server = Self {
            process,
            port,
            programs,
            settings,
            folder,
        };
        server.wait_until_it_answers()?;
        Ok(Some(server))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database there, for its superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Where its files lie.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where `psql`, `pg_dump` and their like lie.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Ends it as a power cut would.
    ///
    /// # Errors
    /// When it cannot be told, or waited for.
    pub fn kill(&mut self) -> Result<()> {
        signal("QUIT", &self.process)?;
        self.process.wait().context("waiting for PostgreSQL to end")?;
        Ok(())
    }

    /// Starts it again after [`kill`](Self::kill), with the same data and settings on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        self.process = spawn(&self.programs, &self.data(), self.port, &self.settings)?;
        self.wait_until_it_answers()
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let started = Instant::now();
        // The port is open before the server takes sessions; `pg_isready` asks for one.
        let mut ready = Command::new(self.programs.join("pg_isready"));
        ready
            .args(["--quiet", "--host=127.0.0.1", &format!("--port={}", self.port)])
            .stdin(Stdio::null());
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err()
            || !ready.status().context("asking whether PostgreSQL is ready")?.success()
        {
            if let Some(status) = self.process.try_wait().context("watching PostgreSQL")? {
                bail!("PostgreSQL ended with {status}: {}", self.log());
            }
            ensure!(
                started.elapsed() < READY_WITHIN,
                "PostgreSQL did not answer on port {} within {READY_WITHIN:?}: {}",
                self.port,
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("data/log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Both fail only where it has already ended.
        let _ = self.kill();
    }
}

fn spawn(programs: &Path, data: &Path, port: u16, settings: &[String]) -> Result<Child> {
    let log = std::fs::File::create(data.join("log")).context("creating the log of PostgreSQL")?;
    as_its_user(&programs.join("postgres"))
        .arg("-D")
        .arg(data)
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", ""])
        .args(FAST)
        .args(settings.iter().flat_map(|setting| ["-c", setting]))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .context("starting PostgreSQL")
}

/// What keeps strangers out.
struct Guard<'a> {
    password: &'a str,
    certificate: &'a str,
    key: &'a str,
}

/// A file that only the server reads; it refuses to start with another.
fn private_file(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing `{}`", path.display()))?;
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .with_context(|| format!("keeping `{}` private", path.display()))?;
    if is_root() {
        run(Command::new("chown").arg("postgres:").arg(path))?;
    }
    Ok(())
}

/// Runs as `postgres` where we are root, and hears at once when we are gone.
pub(crate) fn as_its_user(program: &Path) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.args(["--pdeathsig", "QUIT", "--"]).arg(program);
    // A folder that the other user may enter.
    command.current_dir("/");
    command
}

pub(crate) fn is_root() -> bool {
    cfg!(unix)
        && Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The folder of the newest PostgreSQL of this machine; Debian keeps the server's programs out of the PATH.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    folders.sort();
    let in_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    folders
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(in_path)
        .find(|folder| folder.join("initdb").is_file() || folder.join("initdb.exe").is_file())
}

pub(crate) fn signal(name: &str, process: &Child) -> Result<()> {
    run(Command::new("kill")
        .arg(format!("-{name}"))
        .arg(process.id().to_string()))
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = match command.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("`{name}` is not installed"),
        output => output.with_context(|| format!("running `{name}`"))?,
    };
    ensure!(
        output.status.success(),
        "`{name}` failed with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
