//! What every role needs: configuration, telemetry, lifecycle, connections, identity, sealing,
//! and HTTP as this system speaks it. No role's own business.

pub mod access_token;
pub mod attachments;
pub mod audit;
mod clock;
mod config;
pub mod credentials;
pub mod database;
pub mod directory;
mod forgetting;
pub mod http;
pub mod key_rotation;
pub mod keyring;
mod lifecycle;
pub mod mail;
pub mod nats;
mod nats_store;
mod network;
mod overwrite;
pub mod password;
mod platform;
pub mod presence;
pub mod profile;
mod read_models;
mod read_side;
pub mod redis;
pub mod remote;
mod role;
mod schema;
pub mod sealed_fields;
pub mod secret;
pub mod streams;
pub mod telemetry;
mod tokens;
pub mod trace;
pub mod ws_ticket;

pub use clock::Clock;
pub use config::{Config, FileConfig};
pub use lifecycle::Lifecycle;
pub use network::Network;
pub use platform::{Platform, StartError};
pub use read_models::read_models;
pub use read_side::ReadSide;
pub use role::Role;
pub use schema::event_schema;
pub use tokens::{Blinder, name_matches, normal_email};
