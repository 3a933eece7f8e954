//! Saying what became of a change to a person.

use anyhow::Result;
use doran_user::admin::Changed;

use crate::output;

/// The person as they are now, or one line about it.
pub(super) fn print(changed: &Changed, became: &str, json: bool) -> Result<()> {
    if json {
        return output::json(&changed.user);
    }
    let verb = if changed.is_new {
        "is now"
    } else {
        "was already"
    };
    let person = changed.user.email.as_deref().unwrap_or(&changed.user.name);
    Ok(output::line(&format!(
        "{} {verb} {became}",
        output::printable(person)
    ))?)
}
