//! An authority of a test's own and a certificate of it for `localhost`, by `openssl`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// Gone when it is dropped.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// # Errors
    /// When there is no `openssl`.
    pub fn make() -> Result<Self> {
        let folder = tempfile::tempdir().context("making a folder for certificates")?;
        let at = folder.path();
        openssl(at, "-subj /CN=authority-of-a-test -keyout ca.key -out ca.crt")?;
        openssl(
            at,
            "-subj /CN=localhost -CA ca.crt -CAkey ca.key -keyout server.key -out server.crt \
             -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE",
        )?;
        Ok(Self { folder })
    }

    /// The file of the authority's certificate, in PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// The server's certificate and its key, in PEM.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn server(&self) -> Result<(String, String)> {
        let read = |name| std::fs::read_to_string(self.folder.path().join(name));
        Ok((read("server.crt")?, read("server.key")?))
    }
}

fn openssl(folder: &Path, arguments: &str) -> Result<()> {
    let output = Command::new("openssl")
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(' '))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .context("running openssl")?;
    ensure!(
        output.status.success(),
        "openssl: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
