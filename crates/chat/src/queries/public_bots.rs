//! `GET /api/chat/bots/public`: the bots that one can have a room with.

use axum::extract::State;
use doran_contract::{Page, bot::PublicBot};
use doran_platform::http::{Actor, Refusal, Success};

use crate::state::Service;

/// There are so few that one page has them all.
pub(crate) async fn public_bots(
    State(service): State<Service>,
    _: Actor,
) -> Result<Success<Page<PublicBot>>, Refusal> {
    let bots = service.bots.all().await.into_iter();
    let items = bots.map(|bot| PublicBot {
        id: bot.details.id,
        name: bot.details.profile.name,
        picture: bot.details.profile.picture,
    });
    Ok(Success::ok(Page {
        items: items.collect(),
        next_cursor: None,
    }))
}
