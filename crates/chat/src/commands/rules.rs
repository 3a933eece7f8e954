//! What room requests may say, where several say the same.

use doran_contract::room::{RoomKind, RoomRole};
use doran_platform::http::valid;
use serde::{Deserialize, Deserializer};

/// People that one request may name.
pub(super) const MAX_USERS: usize = 500;
pub(super) const MAX_NAME_CHARS: usize = 100;
pub(super) const MAX_DESCRIPTION_CHARS: usize = 1_000;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that garde calls"
)]
pub(super) fn description(text: &str, ctx: &()) -> garde::Result {
    if text.is_empty() {
        return Ok(());
    }
    valid::written_text(text, ctx)
}

/// A bot room would need a bot, which a room cannot be given yet.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that garde calls"
)]
pub(super) fn kind(kind: &RoomKind, (): &()) -> garde::Result {
    match kind {
        RoomKind::Group | RoomKind::Direct => Ok(()),
        RoomKind::Bot => Err(garde::Error::new("must be group or direct")),
    }
}

/// A room has one owner, from the start.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that garde calls"
)]
pub(super) fn role(role: &RoomRole, (): &()) -> garde::Result {
    match role {
        RoomRole::Member | RoomRole::Admin => Ok(()),
        RoomRole::Owner => Err(garde::Error::new("must be member or admin")),
    }
}

/// As it is kept: without space around it, none if nothing is left.
pub(super) fn trimmed(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Tells a field that is `null` (some, of none) from one that is not there.
#[expect(
    clippy::option_option,
    reason = "not there, null, or a text: three cases"
)]
pub(super) fn present<'de, D>(deserializer: D) -> Result<Option<Option<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
