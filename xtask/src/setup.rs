//! System packages: which are missing, why each is needed, and how it comes.
//!
//! Debian and its children install through apt. Elsewhere, and where a person says no, the names are told instead.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell;

/// Whether something may be installed: asked once per list where a person sits at the terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Consent {
    yes: bool,
    ask: bool,
}

impl Consent {
    pub(crate) fn new(yes: bool) -> Self {
        Self {
            yes,
            ask: !yes && std::env::var_os("CI").is_none() && std::io::stdin().is_terminal(),
        }
    }

    /// As [`Consent::given`], for what is installed only to be tried. Without a person to ask, only a machine that is
    /// thrown away is changed for that.
    pub(crate) fn given_for_a_trial(self, question: &str) -> Result<bool> {
        if self.yes || is_thrown_away() {
            return Ok(true);
        }
        Ok(self.ask && self.given(question)?)
    }

    /// `true` to go on. Without a person to ask, the announcement is all.
    pub(crate) fn given(self, question: &str) -> Result<bool> {
        if !self.ask {
            return Ok(true);
        }
        print!("    {question} [Y/n] ");
        std::io::stdout().flush().context("asking")?;
        let mut answer = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut answer)
            .context("reading the answer")?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes"))
    }
}

/// A runner of CI, or a container.
fn is_thrown_away() -> bool {
    let marks = ["/.dockerenv", "/run/.containerenv"];
    std::env::var_os("CI").is_some() || marks.iter().any(|mark| Path::new(mark).exists())
}

/// Something the system has to have.
#[derive(Debug)]
pub(crate) struct Need {
    apt: &'static str,
    elsewhere: &'static str,
    why: &'static str,
    present: Present,
}

/// How it is found out whether something is there.
#[derive(Debug)]
enum Present {
    Program(&'static str),
    /// Needed on Linux only.
    OnLinux(&'static str),
    If(fn() -> bool),
}

impl Need {
    fn is_present(&self) -> bool {
        match self.present {
            Present::Program(name) => shell::which(name).is_some(),
            Present::OnLinux(name) => !cfg!(target_os = "linux") || shell::which(name).is_some(),
            Present::If(is_there) => is_there(),
        }
    }
}

fn has_japanese() -> bool {
    let fonts = shell::command("fc-list", &[":lang=ja", "family"]).output();
    fonts.is_ok_and(|fonts| !fonts.stdout.is_empty())
}

fn has_library(name: &str) -> bool {
    shell::succeeds(&mut shell::command("pkg-config", &["--exists", name]))
}

/// What a build needs beside Rust.
pub(crate) const BUILD: &[Need] = &[Need {
    apt: "build-essential",
    elsewhere: "a C compiler (macOS: `xcode-select --install`; Windows: the Visual Studio Build Tools)",
    why: "compiles SQLite, zstd and the TLS library",
    present: Present::If(|| cfg!(windows) || shell::which("cc").is_some()),
}];

/// What the window needs beside that.
pub(crate) const DESKTOP: &[Need] = &[
    Need {
        apt: "libwebkit2gtk-4.1-dev",
        elsewhere: "WebKitGTK 4.1 with its headers (macOS and Windows bring their own)",
        why: "shows the window",
        present: Present::If(|| !cfg!(target_os = "linux") || has_library("webkit2gtk-4.1")),
    },
    Need {
        apt: "pkg-config",
        elsewhere: "pkg-config",
        why: "finds the libraries of the window",
        present: Present::If(|| !cfg!(target_os = "linux") || shell::which("pkg-config").is_some()),
    },
    Need {
        apt: "libayatana-appindicator3-dev",
        elsewhere: "libayatana-appindicator3",
        why: "draws the tray icon",
        present: Present::If(|| !cfg!(target_os = "linux") || has_library("ayatana-appindicator3-0.1")),
    },
    Need {
        apt: "npm",
        elsewhere: "Node.js 20 or newer with npm (https://nodejs.org)",
        why: "builds the interface",
        present: Present::If(|| shell::which(if cfg!(windows) { "npm.cmd" } else { "npm" }).is_some()),
    },
];

const POSTGRESQL: Need = Need {
    apt: "postgresql",
    elsewhere: "PostgreSQL 15 or newer (macOS: `brew install postgresql@17`)",
    why: "the tests of the shared database start one of their own on a free port",
    present: Present::If(deepsearch_servers::has_postgres),
};

/// What describes the queries anew.
pub(crate) const PREPARE: &[Need] = &[POSTGRESQL];

/// What the tests need beside that.
pub(crate) const TESTS: &[Need] = &[
    Need {
        apt: "fonts-ipafont-gothic",
        elsewhere: "a font with Japanese letters",
        why: "a chat in Japanese is set as a PDF",
        present: Present::If(|| !cfg!(target_os = "linux") || has_japanese()),
    },
    Need {
        apt: "redis-server",
        elsewhere: "redis-server (macOS: `brew install redis`)",
        why: "the cache tests start one of their own on a free port",
        present: Present::Program("redis-server"),
    },
    POSTGRESQL,
    Need {
        apt: "pgbouncer",
        elsewhere: "PgBouncer (macOS: `brew install pgbouncer`)",
        why: "the tests of the shared database put one of their own between",
        present: Present::If(deepsearch_servers::has_pgbouncer),
    },
    Need {
        apt: "openssl",
        elsewhere: "openssl",
        why: "makes the certificates of a database's test",
        present: Present::Program("openssl"),
    },
    Need {
        apt: "python3-venv",
        elsewhere: "Python 3.10 or newer (macOS: `brew install python`)",
        why: "runs the small language model of the journeys",
        present: Present::If(|| shell::succeeds(&mut shell::command("python3", &["-c", "import venv, ensurepip"]))),
    },
];

/// What the tests of the window need.
pub(crate) const WINDOW_TESTS: &[Need] = &[
    Need {
        apt: "xvfb",
        elsewhere: "Xvfb",
        why: "the screen of a window's test",
        present: Present::OnLinux("Xvfb"),
    },
    Need {
        apt: "openbox",
        elsewhere: "openbox",
        why: "manages the windows there",
        present: Present::OnLinux("openbox"),
    },
    Need {
        apt: "dbus-daemon",
        elsewhere: "dbus-daemon",
        why: "the session bus of a window's test",
        present: Present::OnLinux("dbus-daemon"),
    },
    Need {
        apt: "webkit2gtk-driver",
        elsewhere: "WebKitWebDriver of WebKitGTK 4.1",
        why: "drives the window",
        present: Present::OnLinux("WebKitWebDriver"),
    },
    Need {
        apt: "gnome-keyring",
        elsewhere: "gnome-keyring",
        why: "the keychain there",
        present: Present::OnLinux("gnome-keyring-daemon"),
    },
    Need {
        apt: "xdotool",
        elsewhere: "xdotool",
        why: "presses keys there",
        present: Present::OnLinux("xdotool"),
    },
    Need {
        apt: "wmctrl",
        elsewhere: "wmctrl",
        why: "lists and closes windows there",
        present: Present::OnLinux("wmctrl"),
    },
    Need {
        apt: "imagemagick",
        elsewhere: "ImageMagick",
        why: "keeps a picture of a failure",
        present: Present::OnLinux("import"),
    },
    Need {
        apt: "libglib2.0-bin",
        elsewhere: "gio of GLib",
        why: "opens links as a browser would",
        present: Present::OnLinux("gio"),
    },
    Need {
        apt: "xdg-utils",
        elsewhere: "xdg-utils",
        why: "registers the sign-in link",
        present: Present::OnLinux("xdg-mime"),
    },
    Need {
        apt: "desktop-file-utils",
        elsewhere: "desktop-file-utils",
        why: "registers the sign-in link",
        present: Present::OnLinux("update-desktop-database"),
    },
    Need {
        apt: "iproute2",
        elsewhere: "iproute2",
        why: "takes the network away",
        present: Present::OnLinux("ip"),
    },
    Need {
        apt: "chromium",
        elsewhere: "Chromium or Chrome, its path in DEEPSEARCH_CHROMIUM",
        why: "the interface's own tests look at every view",
        present: Present::If(|| chromium().is_some()),
    },
];

/// What making packages needs, beside what the window needs.
pub(crate) const PACKAGE: &[Need] = &[Need {
    apt: "rpm",
    elsewhere: "rpm with rpmbuild",
    why: "packs the .rpm",
    present: Present::OnLinux("rpmbuild"),
}];

/// What the benchmark of folders is held against.
pub(crate) const FILES: &[Need] = &[Need {
    apt: "ripgrep",
    elsewhere: "ripgrep (macOS: `brew install ripgrep`; Windows: `winget install BurntSushi.ripgrep.MSVC`)",
    why: "reads the same files as the index does, as fast as can be",
    present: Present::Program("rg"),
}];

/// What looking into packages needs.
pub(crate) const PACKAGE_CHECK: &[Need] = &[
    Need {
        apt: "libarchive-tools",
        elsewhere: "bsdtar of libarchive",
        why: "unpacks the .rpm",
        present: Present::OnLinux("bsdtar"),
    },
    Need {
        apt: "desktop-file-utils",
        elsewhere: "desktop-file-utils",
        why: "looks over the menu's entry",
        present: Present::OnLinux("desktop-file-validate"),
    },
];

/// The browser of the interface's tests.
pub(crate) fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("DEEPSEARCH_CHROMIUM").map(PathBuf::from);
    let names = ["chromium", "chromium-browser", "google-chrome"];
    named.or_else(|| names.into_iter().find_map(shell::which))
}

/// Installs what is missing of `needs`.
///
/// # Errors
/// With the sentence that says what to install by hand, where we cannot or may not.
pub(crate) fn ensure(consent: Consent, needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !need.is_present()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    shell::say("Some system packages are missing:");
    for need in &missing {
        println!("    {}: {}", need.apt, need.why);
    }
    if shell::which("apt-get").is_none() {
        let names: Vec<_> = missing.iter().map(|need| need.elsewhere).collect();
        bail!(
            "this system has no apt-get; install by hand and run this again: {}",
            names.join("; ")
        );
    }
    let packages: Vec<_> = missing.iter().map(|need| need.apt).collect();
    let by_hand = format!("sudo apt-get install {}", packages.join(" "));
    if !consent.given("Install them with apt-get?")? {
        bail!("nothing was installed; install by hand and run this again: {by_hand}");
    }
    let mend = || format!("is the network there? Otherwise install by hand and run this again: {by_hand}");
    apt(&["update"]).with_context(mend)?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages.as_slice()].concat()).with_context(mend)?;
    match missing.iter().find(|need| !need.is_present()) {
        Some(need) => bail!(
            "{} is installed but still not found; look whether PATH holds it",
            need.apt
        ),
        None => Ok(()),
    }
}

pub(crate) fn is_root() -> bool {
    shell::output(&mut shell::command("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}

fn apt(args: &[&str]) -> Result<()> {
    let mut command = if is_root() {
        shell::command("apt-get", &[])
    } else if shell::which("sudo").is_some() {
        shell::command("sudo", &["--preserve-env=DEBIAN_FRONTEND", "apt-get"])
    } else {
        bail!("installing needs root or sudo, and there is neither");
    };
    shell::run(command.args(args).env("DEBIAN_FRONTEND", "noninteractive"))
}
