//! Commands on sessions, one file each.

pub(crate) mod end_session;
pub(crate) mod log_in;
pub(crate) mod log_out;
pub(crate) mod refresh;
pub(crate) mod ws_ticket;

use doran_contract::SessionId;
use doran_eventstore::CommandContext;
use uuid::Uuid;

/// `ce-source` of this service's events.
pub(crate) const SOURCE: &str = "auth";

/// The part of a request that concerns one session. One request can touch several, or carry a key
/// that was used for another: each needs command and event ids of its own.
fn on_session(ctx: &CommandContext, session: SessionId) -> CommandContext {
    CommandContext {
        command_id: Uuid::new_v5(&ctx.command_id, session.as_uuid().as_bytes()),
        ..ctx.clone()
    }
}
