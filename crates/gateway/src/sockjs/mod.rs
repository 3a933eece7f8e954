//! SockJS 0.3.3: what stands for a WebSocket where there is none, made of short or long HTTP
//! requests. It knows sessions, not what is said on them: a [`Host`] is given a [`Pipe`] for each.

mod answer;
mod encode;
mod iframe;
mod info;
mod mount;
mod peers;
mod pipe;
mod receive;
mod send;
mod session;
mod sessions;
mod transport;
mod websocket;

pub use info::greeting;
pub use mount::{Host, Mount, Settings, Visitor};
pub(crate) use peers::Peers;
pub use pipe::{Gone, Pipe};
