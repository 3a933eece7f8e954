//! Bots at work: who there is, how they are called about what is said, what becomes of their
//! answers. What may happen to a bot is in [`crate::bot`].

mod address;
mod answer;
mod breaker;
mod call;
mod calls;
mod deliver;
mod deltas;
mod keys;
mod known;
mod speaker;
mod webhook;

pub(crate) use address::check_url;
pub(crate) use call::Call;
pub(crate) use calls::keep_calling;
pub(crate) use keys::Keys;
pub(crate) use known::{Bots, KnownBot};
pub(crate) use speaker::Speaker;
pub(crate) use webhook::Webhooks;
