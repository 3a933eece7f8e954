//! Questions about people, one file each.

pub(crate) mod audit;
pub(crate) mod check_email;
mod email;
pub(crate) mod export_user;
pub(crate) mod find;
pub(crate) mod get_settings;
pub(crate) mod get_user;
pub(crate) mod get_user_by_email;
pub(crate) mod health;
pub(crate) mod list_users;
pub(crate) mod person;
pub(crate) mod search_users;

use doran_contract::user::User;
use doran_platform::http::Actor;

/// The user as far as `actor` may see them.
fn seen_by(actor: &Actor, user: User) -> User {
    if actor.is_admin() || actor.user_id == user.id {
        user
    } else {
        user.for_others()
    }
}
