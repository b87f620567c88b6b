//! Ids: made by the application, never by a database (seed R5).
//!
//! New ids are a prefix and a lower-case UUID version 7, which keeps indexes local. When reading, any string of
//! 1 to 255 characters is an id, because other programs write into the shared tables too.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, specta::Type)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new id, its UUID version 7 taken from the system's clock and randomness.
            #[expect(clippy::new_without_default, reason = "every call gives another id, so there is no default one")]
            pub fn new() -> Self {
                Self(format!("{}{}", $prefix, uuid::Uuid::now_v7()))
            }

            /// Takes an id that already exists; any string of 1 to 255 characters (seed R5, R6).
            ///
            /// # Errors
            /// [`Invalid`](crate::Invalid) when it is empty or longer.
            pub fn parse(id: impl Into<String>) -> Result<Self, $crate::validate::Invalid> {
                let id = id.into();
                $crate::validate::chars_between(stringify!($name), &id, 1, 255)?;
                Ok(Self(id))
            }

            /// Takes an id read from a database row, which was checked when it was written.
            pub fn from_stored(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use id;
