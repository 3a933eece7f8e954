//! People whom a command names: that they exist, and how they look as members.

use doran_contract::{UserId, room::Member};
use doran_platform::{
    directory::{Membership, Users},
    http::Refusal,
    profile::{Name, Profiles},
};
use futures_util::{StreamExt, TryStreamExt, stream};

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

/// Members with name and picture, in the order given.
pub(super) async fn members(
    profiles: &Profiles,
    memberships: Vec<(UserId, Membership)>,
) -> Result<Vec<Member>, Refusal> {
    stream::iter(memberships)
        .map(async |(user_id, membership)| {
            let Name { name, picture } = profiles.name(user_id).await?;
            Ok(member(user_id, membership, name, picture))
        })
        .buffered(MAX_PROFILES_IN_FLIGHT)
        .try_collect()
        .await
}

fn member(
    user_id: UserId,
    Membership { role, joined_at }: Membership,
    name: String,
    picture: Option<String>,
) -> Member {
    Member {
        user_id,
        name,
        picture,
        role,
        joined_at,
        presence: None,
    }
}
