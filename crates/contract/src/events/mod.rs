//! The events: what the log holds, and the only names under which it holds them.
//!
//! In the log an event's body is its own JSON; its type stands in the subject and in a header.
//! Names are written out, so renaming a Rust variant never changes history.

mod bot;
mod job;
mod message;
mod room;
mod session;
mod store;
mod user;

pub use bot::*;
pub use job::*;
pub use message::*;
pub use room::*;
pub use session::*;
pub use store::*;
pub use user::*;

/// Declares an event enum with its table of (name, current version).
macro_rules! events {
    (
        $(#[$doc:meta])*
        $enum:ident, $table:ident {
            $( $(#[$variant_doc:meta])* $variant:ident = $name:literal v $version:literal ),+ $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "type", content = "data")]
        pub enum $enum {
            $( $(#[$variant_doc])* #[serde(rename = $name)] $variant($variant) ),+
        }

        /// Name and current version of each event type in this stream.
        pub const $table: &[(&str, u32)] = &[$(($name, $version)),+];

        impl $enum {
            /// The name under which the log holds it.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name),+
                }
            }

            /// What a test compares with `streams/schemas/`.
            #[cfg(test)]
            pub(crate) fn schemas() -> Vec<(&'static str, u32, serde_json::Value)> {
                vec![$((
                    $name,
                    $version,
                    schemars::schema_for!($variant).to_value(),
                )),+]
            }

            /// The version of its current shape.
            pub const fn version(&self) -> u32 {
                match self {
                    $(Self::$variant(_) => $version),+
                }
            }
        }

        impl cqrs_es::DomainEvent for $enum {
            fn event_type(&self) -> String {
                self.name().to_owned()
            }

            fn event_version(&self) -> String {
                self.version().to_string()
            }
        }

        $(impl From<$variant> for $enum {
            fn from(event: $variant) -> Self {
                Self::$variant(event)
            }
        })+
    };
}
pub(crate) use events;

#[cfg(test)]
pub(crate) mod tests;
