//! `GET /api/chat/bots` and `/{id}`: the bots as administrators see them.

use axum::extract::State;
use doran_contract::{Page, UserId, bot::Bot};
use doran_platform::http::{Admin, Id, Refusal, Success};

use crate::{bot::Error, state::Service};

/// There are so few that one page has them all.
pub(crate) async fn list_bots(
    State(service): State<Service>,
    _: Admin,
) -> Result<Success<Page<Bot>>, Refusal> {
    let bots = service.bots.all().await;
    let items = bots.iter().map(|bot| bot.answer(&service.bot_keys));
    Ok(Success::ok(Page {
        items: items.collect::<Result<_, _>>()?,
        next_cursor: None,
    }))
}

pub(crate) async fn get_bot(
    State(service): State<Service>,
    _: Admin,
    Id(id): Id<UserId>,
) -> Result<Success<Bot>, Refusal> {
    let bot = service.bots.find(id).await.ok_or(Error::NotFound)?;
    Ok(Success::ok(bot.answer(&service.bot_keys)?))
}
