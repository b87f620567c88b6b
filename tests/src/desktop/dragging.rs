//! The file manager's part in dragging: files are held over a window and let go there (XDND, as X11's programs speak it).
//!
//! A drag that is called off, and what a window gives away, are left out.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use url::Url;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, CURRENT_TIME, NONE};

use super::PATIENCE;

/// The version that is spoken.
const VERSION: u32 = 5;
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A hand that holds still goes on saying where it is.
const HELD: Duration = Duration::from_millis(100);

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        XdndAware,
        XdndSelection,
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndDrop,
        XdndFinished,
        XdndActionCopy,
        _NET_WM_NAME,
        UTF8_STRING,
        UriList: b"text/uri-list",
    }
}

/// A hand with files in it.
struct Hand {
    x11: RustConnection,
    atoms: Atoms,
    own: Window,
    over: Window,
    files: String,
    /// Whether the window has looked at what is held over it: what it has not seen it cannot take.
    shown: bool,
}

/// Drags files and folders over the middle of a window, and lets go. Returns when the window has taken them.
pub(super) fn drop_on(display: &str, title: &str, paths: &[&Path]) -> Result<()> {
    let (x11, screen) = x11rb::connect(Some(display)).context("reaching the screen")?;
    let root = x11.setup().roots.get(screen).context("a screen")?.root;
    let mut hand = Hand::take(x11, root, title, paths)?;
    hand.hold(root)?;
    hand.let_go()
}

impl Hand {
    fn take(x11: RustConnection, root: Window, title: &str, paths: &[&Path]) -> Result<Self> {
        let atoms = Atoms::new(&x11)?.reply()?;
        let over = find(&x11, &atoms, root, title)?;
        let over = over.with_context(|| format!("no window `{title}` takes what is dropped"))?;
        let own = x11.generate_id()?;
        let (depth, kind, nothing) = (
            COPY_DEPTH_FROM_PARENT,
            WindowClass::INPUT_OUTPUT,
            CreateWindowAux::new(),
        );
        x11.create_window(depth, own, root, 0, 0, 1, 1, 0, kind, COPY_FROM_PARENT, &nothing)?;
        x11.set_selection_owner(own, atoms.XdndSelection, CURRENT_TIME)?;
        let files = paths.iter().map(|path| {
            let url = Url::from_file_path(path).ok().context("a whole path")?;
            Ok(format!("{url}\r\n"))
        });
        Ok(Self {
            x11,
            atoms,
            own,
            over,
            files: files.collect::<Result<_>>()?,
            shown: false,
        })
    }

    /// Holds the files over the middle of the window until it would take them.
    fn hold(&mut self, root: Window) -> Result<()> {
        let size = self.x11.get_geometry(self.over)?.reply()?;
        let (x, y) = (size.width.cast_signed() / 2, size.height.cast_signed() / 2);
        let middle = self.x11.translate_coordinates(self.over, root, x, y)?.reply()?;
        let place = (u32::from(middle.dst_x.cast_unsigned()) << 16) | u32::from(middle.dst_y.cast_unsigned());
        let atoms = self.atoms;
        self.tell(atoms.XdndEnter, [VERSION << 24, atoms.UriList, NONE, NONE])?;
        let accepts =
            |message: &ClientMessageEvent| message.type_ == atoms.XdndStatus && message.data.as_data32()[1] & 1 == 1;
        let until = Instant::now() + PATIENCE;
        loop {
            ensure!(
                Instant::now() < until,
                "the window does not take what is held over it (it {} at it)",
                if self.shown { "looked" } else { "did not look" }
            );
            self.tell(atoms.XdndPosition, [0, place, CURRENT_TIME, atoms.XdndActionCopy])?;
            if self.hear(HELD, accepts)? && self.shown {
                return Ok(());
            }
        }
    }

    fn let_go(&mut self) -> Result<()> {
        let finished = self.atoms.XdndFinished;
        self.tell(self.atoms.XdndDrop, [0, CURRENT_TIME, 0, 0])?;
        let is_over = self.hear(PATIENCE, |message| message.type_ == finished)?;
        ensure!(is_over, "what was dropped was not taken");
        Ok(())
    }

    fn tell(&self, what: Atom, about: [u32; 4]) -> Result<()> {
        let data = [self.own, about[0], about[1], about[2], about[3]];
        let message = ClientMessageEvent::new(32, self.over, what, data);
        self.x11.send_event(false, self.over, EventMask::NO_EVENT, message)?;
        Ok(self.x11.flush()?)
    }

    /// Hears for a while what the window says, giving it the files when it asks for them; until it says this.
    fn hear(&mut self, long: Duration, wanted: impl Fn(&ClientMessageEvent) -> bool) -> Result<bool> {
        let until = Instant::now() + long;
        while Instant::now() < until {
            match self.x11.poll_for_event()? {
                Some(Event::ClientMessage(message)) if wanted(&message) => return Ok(true),
                Some(Event::SelectionRequest(asked)) => self.give(&asked)?,
                Some(_) => {}
                None => std::thread::sleep(LOOK_EVERY),
            }
        }
        Ok(false)
    }

    fn give(&mut self, asked: &SelectionRequestEvent) -> Result<()> {
        let is_known = asked.target == self.atoms.UriList;
        if is_known {
            let (to, files) = (asked.requestor, self.files.as_bytes());
            self.x11
                .change_property8(PropMode::REPLACE, to, asked.property, asked.target, files)?;
        }
        let told = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: asked.time,
            requestor: asked.requestor,
            selection: asked.selection,
            target: asked.target,
            property: if is_known { asked.property } else { NONE },
        };
        self.x11.send_event(false, asked.requestor, EventMask::NO_EVENT, told)?;
        self.shown |= is_known;
        Ok(self.x11.flush()?)
    }
}

/// The window of this title that takes what is dropped, wherever the window manager has put it.
fn find(x11: &RustConnection, atoms: &Atoms, window: Window, title: &str) -> Result<Option<Window>> {
    let read = |property: Atom, kind: Atom| -> Result<Vec<u8>> {
        let asked = x11.get_property(false, window, property, kind, 0, 256)?;
        // A window that has gone meanwhile has no properties.
        Ok(asked.reply().map(|reply| reply.value).unwrap_or_default())
    };
    let is_aware = !read(atoms.XdndAware, AtomEnum::ANY.into())?.is_empty();
    if is_aware && read(atoms._NET_WM_NAME, atoms.UTF8_STRING)? == title.as_bytes() {
        return Ok(Some(window));
    }
    let below = x11.query_tree(window)?.reply();
    for child in below.map(|below| below.children).unwrap_or_default() {
        if let Some(found) = find(x11, atoms, child, title)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
