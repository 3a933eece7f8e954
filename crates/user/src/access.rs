//! Whose account somebody may look into or change.

use doran_contract::{ErrorCode, UserId};
use doran_platform::http::{Actor, Refusal};

/// Refuses everybody but the person and administrators, also where there is no such person.
pub(crate) fn require_self_or_admin(actor: &Actor, user: UserId) -> Result<(), Refusal> {
    if actor.user_id == user || actor.is_admin() {
        return Ok(());
    }
    Err(not_yours())
}

/// Refuses administrators, too.
pub(crate) fn require_self(actor: &Actor, user: UserId) -> Result<(), Refusal> {
    if actor.user_id == user {
        return Ok(());
    }
    Err(not_yours())
}

fn not_yours() -> Refusal {
    Refusal::new(ErrorCode::Forbidden, "this is not your account")
}
