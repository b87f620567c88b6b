//! Signing in at a gateway, the session that comes of it, and where secrets are kept.
//!
//! The desktop is a public client: it holds no secret of the gateway's or of a provider's, and never sees a provider.
//! What a sign-in needs later is kept before the browser opens, so that the answer may come to another start of the app.
//! Leaves out who opens a browser, and what is done with a session.

mod gateway;

mod callback;
mod pending;
mod sign_in;

mod device_code;
mod loopback;

mod account;
mod session;

mod keychain;
mod seal;
mod vault;

mod error;
mod http;
mod password;

pub use account::{Account, Device};
pub use callback::{Callback, LONGEST, REDIRECT};
pub use error::AuthError;
pub use gateway::{Gateway, GatewayUrl, PROTOCOL, Provider};
pub use loopback::{Loopback, Page, Visit, Visitor};
pub use pending::{LIFETIME, Pending, Way};
pub use session::{DatabaseAddress, RedisAddress, Session, SessionAbout, SessionUser};
pub use sign_in::{DeviceInfo, SignIns};
pub use vault::{Kept, Place, Secrets, Slot, Vault, VaultError};
