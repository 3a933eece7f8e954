//! What room requests may say, where several say the same.

use doran_contract::room::{RoomRole, Settings};
use doran_platform::http::valid;
use serde::{Deserialize, Deserializer};

/// People that one request may name.
pub(super) const MAX_USERS: usize = 500;
pub(super) const MAX_NAME_CHARS: usize = 100;
pub(super) const MAX_DESCRIPTION_CHARS: usize = 1_000;
pub(super) const MAX_BOT_NAME_CHARS: usize = 50;
pub(super) const MAX_URL_CHARS: usize = 2_048;
const MAX_SETTINGS_BYTES: usize = 16 * 1024;

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

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that garde calls"
)]
pub(super) fn settings(settings: &Settings, (): &()) -> garde::Result {
    let size_bytes = serde_json::to_vec(settings).map_or(usize::MAX, |json| json.len());
    if size_bytes > MAX_SETTINGS_BYTES {
        return Err(garde::Error::new(format!(
            "must be {MAX_SETTINGS_BYTES} bytes of JSON at most"
        )));
    }
    Ok(())
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
