//! Live events: from the log's republished subjects to the sockets that are subscribed, each room
//! opened and serialised once. Nothing is delivered twice, out of order, or with a silent hole.

mod announcement;
mod bots;
mod broadcast;
mod contact;
mod follow;
mod hub;
mod hubs;
mod log;
mod missed;
mod notice;
mod presence;
mod pulse;
mod removal;
mod render;
mod seat;
mod timeline;
mod typing;
mod unread;

pub(crate) use announcement::follow_notices;
pub(crate) use bots::follow_bots;
pub(crate) use broadcast::Broadcast;
pub(crate) use contact::Contact;
pub(crate) use hub::{Hub, Seated};
pub(crate) use hubs::{HubError, Hubs};
pub(crate) use log::Log;
pub(crate) use missed::{Missed, Replay};
pub(crate) use notice::follow_rooms;
pub(crate) use presence::{follow_presence, keep_presence};
pub use pulse::EpochError;
pub(crate) use pulse::Pulse;
pub(crate) use removal::follow_removals;
pub(crate) use render::{Renderer, text};
pub(crate) use seat::{Guest, SeatId};
pub(crate) use typing::tell_of_typing;
pub(crate) use unread::{tell_of_unread, unread_changes};
