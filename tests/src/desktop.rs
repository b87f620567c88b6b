//! A desktop with the real window on it: a screen, a session bus, a home, and WebKit's driver to see and to click.
//!
//! Each journey has its own of everything, so that nothing it does reaches another one or the person's own desktop, and
//! nothing is left of it afterwards.

mod app;
mod bus;
mod dragging;
mod neighbour;
mod network;
mod notifications;
mod page;
mod portal;
mod processes;
mod screen;
mod tray;

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use tempfile::TempDir;
use url::Url;

use crate::cli::Home;
use crate::needs;

pub use app::{App, Network, Start};
pub use neighbour::Neighbour;
pub use notifications::Notifications;
pub use page::Page;
pub use portal::{CHOSEN, Portal};
pub use processes::{Process, Tree};
pub use screen::{Region, Screen};
pub use tray::Tray;

use bus::Bus;
use processes::Processes;

/// The titles of the windows.
pub const MAIN: &str = "DeepSearch";
pub const QUICK: &str = "DeepSearch – quick ask";

/// How long anything may take before it is taken to have failed: the machine may be busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// Where distributions put WebKit's MiniBrowser, below `/usr`.
const SMALL_BROWSERS: [&str; 3] = [
    "lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "libexec/webkit2gtk-4.1/MiniBrowser",
];

fn small_browser() -> Option<PathBuf> {
    let places = SMALL_BROWSERS.iter().map(|place| Path::new("/usr").join(place));
    places.into_iter().find(|place| place.is_file())
}

/// Where pictures and texts of failed journeys are put.
const FAILURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/desktop-failures");

/// One person's desktop. Dropping it ends everything that runs on it.
#[derive(Debug)]
pub struct Desktop {
    // Ends first: what runs there still writes to the folder.
    processes: Processes,
    screen: Screen,
    bus: Bus,
    program: PathBuf,
    clients: Vec<fantoccini::Client>,
    folder: TempDir,
}

/// Walks a journey on a desktop of its own. Where it fails, a picture of the screen and the text of the window are kept.
///
/// # Errors
/// When the journey does, or the desktop cannot be set up.
///
/// # Panics
/// When the journey does.
pub async fn journey(walk: impl AsyncFnOnce(&mut Desktop) -> Result<()>) -> Result<()> {
    let name = std::thread::current().name().unwrap_or("journey").replace("::", "-");
    let Some(mut desktop) = Desktop::open().await? else {
        return Ok(());
    };
    let walked = AssertUnwindSafe(walk(&mut desktop)).catch_unwind().await;
    if !matches!(walked, Ok(Ok(()))) {
        desktop.keep_failure(&name).await;
    }
    drop(desktop);
    walked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Desktop {
    /// An empty desktop, or `None` where the built window is not named (which fails under `cargo xtask test`).
    ///
    /// # Errors
    /// When a part of it does not start.
    pub async fn open() -> Result<Option<Self>> {
        let Some(program) = needs::desktop() else {
            return Ok(None);
        };
        ensure!(
            program.is_file(),
            "DEEPSEARCH_TEST_DESKTOP names no file: `{}`",
            program.display()
        );
        Self::open_for(&program).await.map(Some)
    }

    /// A desktop for any program with one window that can be driven.
    ///
    /// # Errors
    /// When a part of it does not start.
    pub async fn open_for(program: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("making a home")?;
        let mut processes = Processes::new(folder.path())?;
        install_browser(&folder.path().join("home"))?;
        let screen = Screen::open(&mut processes, folder.path()).await?;
        let bus = Bus::open(&mut processes, folder.path()).await?;
        screen.manage_windows(&mut processes).await?;
        Ok(Self {
            processes,
            screen,
            bus,
            program: program.to_owned(),
            clients: Vec::new(),
            folder,
        })
    }

    /// The app's own program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Makes this desktop one that shows tray icons, as most do.
    ///
    /// # Errors
    /// When the bus refuses.
    pub async fn show_tray(&self) -> Result<Tray> {
        Tray::show(self.bus.address()).await
    }

    /// Makes this desktop one that shows notifications.
    ///
    /// # Errors
    /// When the bus refuses.
    pub async fn show_notifications(&self) -> Result<Notifications> {
        Notifications::show(self.bus.address()).await
    }

    /// Makes this desktop one that says it is Wayland, and gives shortcuts through its portal. Windows stay on X11, as
    /// programs on Wayland may have theirs.
    ///
    /// # Errors
    /// When the bus refuses.
    pub async fn show_portal(&mut self) -> Result<Portal> {
        self.processes.set("WAYLAND_DISPLAY", "wayland-0");
        self.processes.set("GDK_BACKEND", "x11");
        Portal::show(self.bus.address()).await
    }

    /// The person's home folder, where programs leave what the desktop reads at the next login.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Makes an unpacked package part of this desktop, as its installation does.
    ///
    /// # Errors
    /// When its menu entries cannot be read.
    pub async fn install(&mut self, root: &Path) -> Result<()> {
        let share = root.join("usr/share");
        let mut index = self.processes.command("update-desktop-database");
        index.arg(share.join("applications"));
        let indexed = processes::finish(index).await?;
        ensure!(indexed.status.success(), "indexing the menu: {indexed:?}");
        let path = std::env::var("PATH").unwrap_or_default();
        self.processes
            .set("PATH", format!("{}:{path}", root.join("usr/bin").display()));
        self.processes.set(
            "XDG_DATA_DIRS",
            format!("{}:/usr/local/share:/usr/share", share.display()),
        );
        Ok(())
    }

    /// Runs a program to its end, as from this desktop's terminal.
    ///
    /// # Errors
    /// When it cannot be run, or ends badly.
    pub async fn run_program(&self, program: &Path, home: &Home, args: &[&str]) -> Result<()> {
        let mut command = self.processes.command(program);
        command.args(args).envs(home.environment());
        let output = processes::finish(command).await?;
        ensure!(output.status.success(), "{} failed: {output:?}", program.display());
        Ok(())
    }

    /// How many processes of this desktop are this program.
    pub fn running(&self, program: &Path) -> usize {
        let all = self.processes.running();
        let is_it = |process: &&Process| {
            process
                .arguments
                .first()
                .is_some_and(|first| Path::new(first) == program)
        };
        all.iter().filter(is_it).count()
    }

    /// Gives this desktop a keychain that is unlocked, as after a person's login.
    ///
    /// # Errors
    /// When there is no gnome-keyring.
    pub async fn unlock_keychain(&mut self) -> Result<()> {
        use std::io::Write;
        let mut daemon = self.processes.command("gnome-keyring-daemon");
        daemon
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(std::process::Stdio::piped());
        let password = self.processes.spawn(daemon)?.stdin.take();
        password.context("its input")?.write_all(b"\n")?;
        let address = self.bus.address().to_owned();
        until("the keychain", async || {
            bus::has(&address, "org.freedesktop.secrets").await
        })
        .await
    }

    /// The files in this desktop's keychain.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn keychain(&self) -> Result<Vec<Vec<u8>>> {
        let folder = self.folder.path().join("home/.local/share/keyrings");
        let files = std::fs::read_dir(folder)?;
        files.map(|file| Ok(std::fs::read(file?.path())?)).collect()
    }

    /// Starts the app with this data folder, as a person does from the menu, and waits for its window.
    ///
    /// # Errors
    /// When no window comes.
    pub async fn start(&mut self, home: &Home) -> Result<App> {
        self.start_as(home, &Start::default()).await
    }

    /// As [`Desktop::start`], in other circumstances.
    ///
    /// # Errors
    /// When no window comes.
    pub async fn start_as(&mut self, home: &Home, start: &Start) -> Result<App> {
        let app = App::start(&mut self.processes, &self.program, home, start).await?;
        self.clients.push(app.client().clone());
        Ok(app)
    }

    /// Opens an address in the small browser that comes with WebKit, as a person opens a file that they were given. All
    /// that it asks of the network goes to `proxy`. `None` where that browser is missing.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn browse(&mut self, home: &Home, address: &str, proxy: &Url) -> Result<Option<Page>> {
        let Some(browser) = small_browser() else {
            needs::missing("WebKit's MiniBrowser");
            return Ok(None);
        };
        let start = Start {
            args: vec!["--automation".into(), format!("--proxy={proxy}")],
            ..Start::default()
        };
        let app = App::start(&mut self.processes, &browser, home, &start).await?;
        self.clients.push(app.client().clone());
        app.goto(address).await.map(Some)
    }

    /// Starts a program that nobody drives, as a person would, and gives its number.
    ///
    /// # Errors
    /// When it does not start.
    pub fn launch(&mut self, program: &Path, home: &Home) -> Result<u32> {
        self.launch_with(program, home, &[])
    }

    /// As [`Desktop::launch`], with arguments.
    ///
    /// # Errors
    /// When it does not start.
    pub fn launch_with(&mut self, program: &Path, home: &Home, args: &[&str]) -> Result<u32> {
        let mut command = self.processes.command(program);
        command.args(args).envs(home.environment());
        Ok(self.processes.spawn(command)?.id())
    }

    /// Ends what was launched, with all that it started.
    ///
    /// # Errors
    /// When it goes on running.
    pub async fn end_launched(&mut self, process: u32) -> Result<()> {
        for process in Tree::of(process).0 {
            processes::kill(process.id);
        }
        until("the program to end", async || {
            Ok(Tree::of(process).0.is_empty().then_some(()))
        })
        .await
    }

    /// Starts the program once more beside the running app, which is to end at once and leave the rest to the first.
    ///
    /// # Errors
    /// When it goes on running, or ends badly.
    pub async fn start_again(&self, home: &Home, args: &[&str]) -> Result<()> {
        let mut again = self.processes.command(&self.program);
        again.args(args).envs(home.environment());
        let output = processes::finish(again).await.context("a second start")?;
        ensure!(output.status.success(), "a second start failed: {output:?}");
        Ok(())
    }

    /// Waits until a start without a window is there to be told of others.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn until_first(&self) -> Result<()> {
        let address = self.bus.address().to_owned();
        until("the first start", async || {
            bus::has(&address, "app.deepsearch.desktop.SingleInstance").await
        })
        .await
    }

    /// Opens an address the way a browser or a mail program does: whoever is registered for its scheme gets it.
    ///
    /// # Errors
    /// When nobody takes it.
    pub async fn open_address(&self, home: &Home, address: &str) -> Result<()> {
        // The app registers itself a moment after its first window.
        until(&format!("somebody to open {address}"), async || {
            let mut open = self.processes.command("gio");
            open.args(["open", address]).envs(home.environment());
            let output = processes::finish(open).await?;
            Ok(output.status.success().then_some(()))
        })
        .await
    }

    /// The addresses that this desktop's browser, its mail program and its file manager were asked to open.
    pub fn opened(&self) -> Vec<String> {
        let noted = std::fs::read_to_string(self.folder.path().join("home/opened")).unwrap_or_default();
        noted.lines().map(str::to_owned).collect()
    }

    /// Presses keys, whatever has the focus: `ctrl+shift+space`.
    ///
    /// # Errors
    /// When there is no xdotool.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let output = self.run("xdotool", &["key", "--clearmodifiers", keys]).await?;
        ensure!(output.status.success(), "pressing {keys}: {output:?}");
        Ok(())
    }

    /// Drags files and folders from a file manager to the middle of a window, and lets go.
    ///
    /// # Errors
    /// When the window does not take them.
    pub async fn drop_on(&self, title: &str, paths: &[&Path]) -> Result<()> {
        let (display, title) = (self.screen.display().to_owned(), title.to_owned());
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
        let dropping = tokio::task::spawn_blocking(move || {
            let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
            dragging::drop_on(&display, &title, &paths)
        });
        dropping.await.context("dragging")?
    }

    /// Another program, which was there first.
    ///
    /// # Errors
    /// When the screen has gone.
    pub fn neighbour(&self) -> Result<Neighbour> {
        Neighbour::come(self.screen.display())
    }

    /// Types text, whatever has the focus.
    ///
    /// # Errors
    /// When there is no xdotool.
    pub async fn type_text(&self, text: &str) -> Result<()> {
        let output = self
            .run("xdotool", &["type", "--clearmodifiers", "--delay", "20", text])
            .await?;
        ensure!(output.status.success(), "typing {text}: {output:?}");
        Ok(())
    }

    /// The titles of the windows that are on the screen.
    ///
    /// # Errors
    /// When there is no wmctrl.
    pub async fn windows(&self) -> Result<Vec<String>> {
        let output = self.run("wmctrl", &["-l"]).await?;
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        // Number, desktop, machine, title.
        let titles = lines.lines().map(|line| {
            let title = line.split_whitespace().skip(3);
            title.collect::<Vec<_>>().join(" ")
        });
        Ok(titles.collect())
    }

    /// Waits until a window with this title is on the screen, or is not.
    ///
    /// # Errors
    /// When that does not come.
    pub async fn until_window(&self, title: &str, shown: bool) -> Result<()> {
        let what = format!("the window `{title}` to be {}", if shown { "shown" } else { "hidden" });
        until(&what, async || {
            let windows = self.windows().await?;
            Ok((windows.iter().any(|window| window == title) == shown).then_some(()))
        })
        .await
    }

    /// The title of the window that has the focus.
    ///
    /// # Errors
    /// When there is no xdotool.
    pub async fn focused(&self) -> Result<String> {
        let output = self.run("xdotool", &["getactivewindow", "getwindowname"]).await?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Waits until a window has the focus.
    ///
    /// # Errors
    /// When it does not get it.
    pub async fn until_focused(&self, title: &str) -> Result<()> {
        until(&format!("the focus on `{title}`"), async || {
            Ok((self.focused().await? == title).then_some(()))
        })
        .await
    }

    /// Puts a window away as its minimise button does.
    ///
    /// # Errors
    /// When there is no xdotool, or it stays where it is.
    pub async fn minimise(&self, title: &str) -> Result<()> {
        let exactly = format!("^{title}$");
        self.run(
            "xdotool",
            &["search", "--onlyvisible", "--name", &exactly, "windowminimize"],
        )
        .await?;
        until(&format!("`{title}` to be minimised"), async || {
            Ok((self.focused().await? != title).then_some(()))
        })
        .await
    }

    /// Makes a window as large as a person drags it.
    ///
    /// # Errors
    /// When there is no wmctrl, or it stays as it is.
    pub async fn resize(&self, title: &str, width: u32, height: u32) -> Result<()> {
        let place = format!("0,-1,-1,{width},{height}");
        self.run("wmctrl", &["-F", "-r", title, "-e", &place]).await?;
        until(&format!("`{title}` to be resized"), async || {
            Ok((self.size(title).await? == (width, height)).then_some(()))
        })
        .await
    }

    /// Puts a window somewhere else, as a person drags it.
    ///
    /// # Errors
    /// When there is no wmctrl, or it stays where it is.
    pub async fn drag_window(&self, title: &str, x: i32, y: i32) -> Result<()> {
        let before = self.place(title).await?;
        let place = format!("0,{x},{y},-1,-1");
        self.run("wmctrl", &["-F", "-r", title, "-e", &place]).await?;
        until(&format!("`{title}` to be moved"), async || {
            Ok((self.place(title).await? != before).then_some(()))
        })
        .await
    }

    /// How far a window is from the screen's left and top, in pixels, without its frame.
    ///
    /// # Errors
    /// When it is not on the screen.
    pub async fn place(&self, title: &str) -> Result<(i32, i32)> {
        let told = self.geometry(title).await?;
        told_number(&told, "X=")
            .zip(told_number(&told, "Y="))
            .with_context(|| format!("the place of `{title}`: {told}"))
    }

    /// How wide and high a window is, in pixels, without its frame.
    ///
    /// # Errors
    /// When it is not on the screen.
    pub async fn size(&self, title: &str) -> Result<(u32, u32)> {
        let told = self.geometry(title).await?;
        told_number(&told, "WIDTH=")
            .zip(told_number(&told, "HEIGHT="))
            .with_context(|| format!("the size of `{title}`: {told}"))
    }

    async fn geometry(&self, title: &str) -> Result<String> {
        let exactly = format!("^{title}$");
        let ask = [
            "search",
            "--onlyvisible",
            "--name",
            &exactly,
            "getwindowgeometry",
            "--shell",
        ];
        let output = self.run("xdotool", &ask).await?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Closes a window as its close button does.
    ///
    /// # Errors
    /// When there is no wmctrl.
    pub async fn close_window(&self, title: &str) -> Result<()> {
        self.run("wmctrl", &["-F", "-c", title]).await.map(drop)
    }

    /// What the app and its driver have written to standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.processes.log()).unwrap_or_default()
    }

    /// Ends everything and says what still ran of this desktop afterwards: nothing.
    pub fn end(&mut self) -> Vec<Process> {
        self.processes.end()
    }

    async fn run(&self, program: &str, args: &[&str]) -> Result<Output> {
        let mut command = self.processes.command(program);
        command.args(args);
        processes::finish(command).await
    }

    async fn keep_failure(&self, name: &str) {
        let folder = Path::new(FAILURES);
        let _ = std::fs::create_dir_all(folder);
        let picture = folder.join(format!("{name}.png"));
        let _ = self
            .run("import", &["-window", "root", &picture.to_string_lossy()])
            .await;
        let mut told = format!("windows: {:?}\nopened: {:?}\n", self.windows().await, self.opened());
        for client in &self.clients {
            let shown = tokio::time::timeout(Duration::from_secs(5), page::dump(client)).await;
            told += &shown.unwrap_or_else(|_| "the driver does not answer\n".into());
        }
        told += &format!("\nlog:\n{}", self.log());
        let _ = std::fs::write(folder.join(format!("{name}.txt")), told);
        #[expect(clippy::print_stderr, reason = "who runs the tests wants to know where to look")]
        {
            eprintln!("a picture of the failure: {}", picture.display());
        }
    }
}

/// One line of what xdotool tells of a window.
fn told_number<N: std::str::FromStr>(told: &str, name: &str) -> Option<N> {
    told.lines().find_map(|line| line.strip_prefix(name)?.parse().ok())
}

/// Looks again and again until there is something to see.
///
/// # Errors
/// When the patience is at an end, with the last error if looking failed.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let seen = look().await;
        if let Ok(Some(seen)) = seen {
            return Ok(seen);
        }
        if tokio::time::Instant::now() > deadline {
            return Err(seen.err().unwrap_or_else(|| anyhow::anyhow!("it did not come")))
                .with_context(|| format!("waited {} s for {what}", PATIENCE.as_secs()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A browser that only notes what it is asked to open, for every kind of address that a hostile page might try.
fn install_browser(home: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    const KINDS: [&str; 9] = [
        "x-scheme-handler/http",
        "x-scheme-handler/https",
        "x-scheme-handler/mailto",
        "x-scheme-handler/file",
        "x-scheme-handler/ftp",
        "x-scheme-handler/smb",
        "text/html",
        "text/plain",
        "inode/directory",
    ];
    let entries = home.join(".local/share/applications");
    std::fs::create_dir_all(&entries)?;
    std::fs::create_dir_all(home.join(".config"))?;
    let browser = home.join("browser");
    std::fs::write(
        &browser,
        format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{}'\n",
            home.join("opened").display()
        ),
    )?;
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755))?;
    let (kinds, program) = (KINDS.join(";"), browser.display());
    let entry = format!("[Desktop Entry]\nType=Application\nName=Browser\nExec={program} %u\nMimeType={kinds};\n");
    std::fs::write(entries.join("browser.desktop"), entry)?;
    let defaults: String = KINDS.iter().map(|kind| format!("{kind}=browser.desktop\n")).collect();
    std::fs::write(
        home.join(".config/mimeapps.list"),
        format!("[Default Applications]\n{defaults}"),
    )?;
    Ok(())
}
