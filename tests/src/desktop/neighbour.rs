//! Another program on the screen: it has a window of its own, and may hold keys that others would like.

use anyhow::{Context, Result};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, GrabMode, ModMask, PropMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT};

/// The key as X11 names it; it writes what ASCII does.
const SPACE: u32 = 0x20;

/// A program that goes, with its window and its keys, when it is dropped.
#[derive(Debug)]
pub struct Neighbour {
    x11: RustConnection,
    root: Window,
}

impl Neighbour {
    pub(super) fn come(display: &str) -> Result<Self> {
        let (x11, screen) = x11rb::connect(Some(display)).context("reaching the screen")?;
        let root = x11.setup().roots.get(screen).context("a screen")?.root;
        Ok(Self { x11, root })
    }

    /// Opens a window, which the desktop gives the focus.
    ///
    /// # Errors
    /// When the screen has gone.
    pub fn open_window(&self, title: &str) -> Result<()> {
        let window = self.x11.generate_id()?;
        let looks = CreateWindowAux::new().event_mask(EventMask::FOCUS_CHANGE);
        let (depth, kind) = (COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        self.x11.create_window(
            depth,
            window,
            self.root,
            40,
            40,
            400,
            300,
            0,
            kind,
            COPY_FROM_PARENT,
            &looks,
        )?;
        let (name, text) = (AtomEnum::WM_NAME, AtomEnum::STRING);
        self.x11
            .change_property8(PropMode::REPLACE, window, name, text, title.as_bytes())?;
        self.x11.map_window(window)?.check().context("showing a window")
    }

    /// Takes Ctrl, Shift and the space bar for itself, wherever the focus is.
    ///
    /// # Errors
    /// When somebody has them already.
    pub fn take_ctrl_shift_space(&self) -> Result<()> {
        let setup = self.x11.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let keys = self.x11.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        let meanings = keys.keysyms.chunks(usize::from(keys.keysyms_per_keycode));
        let key = (first..=last)
            .zip(meanings)
            .find(|(_, means)| means.first() == Some(&SPACE))
            .context("a keyboard with a space bar")?
            .0;
        let held = ModMask::CONTROL | ModMask::SHIFT;
        let goes_on = GrabMode::ASYNC;
        let taken = self.x11.grab_key(true, self.root, held, key, goes_on, goes_on)?;
        taken.check().context("taking the keys")
    }
}
