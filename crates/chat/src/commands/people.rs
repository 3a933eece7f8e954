//! People whom a command names: that they exist, and how they look as members.

use doran_contract::{UserId, room::Member};
use doran_platform::{
    directory::{Membership, Users},
    http::Refusal,
    profile::Name,
};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::state::Service;

/// Profiles that are read from the log at once.
const MAX_PROFILES_IN_FLIGHT: usize = 16;

/// Refuses the first person who does not exist, by their place in `field`.
pub(super) async fn require_all(users: &Users, field: &str, ids: &[UserId]) -> Result<(), Refusal> {
    for (index, id) in ids.iter().enumerate() {
        if users.find(*id).await.is_none() {
            let field = format!("{field}[{index}]");
            return Err(Refusal::invalid_field(&field, "there is no such person"));
        }
    }
    Ok(())
}

/// Members with name, picture and presence, in the order given.
pub(super) async fn members(
    service: &Service,
    memberships: Vec<(UserId, Membership)>,
) -> Result<Vec<Member>, Refusal> {
    let people: Vec<_> = memberships.iter().map(|(user, _)| *user).collect();
    let presences = service.presence(&people).await;
    stream::iter(memberships.into_iter().zip(presences))
        .map(
            async |((user_id, Membership { role, joined_at }), presence)| {
                let Name { name, picture } = service.platform.profiles.name(user_id).await?;
                Ok(Member {
                    user_id,
                    name,
                    picture,
                    role,
                    joined_at,
                    presence: presence.state,
                })
            },
        )
        .buffered(MAX_PROFILES_IN_FLIGHT)
        .try_collect()
        .await
}
