//! `POST /api/auth/ws-ticket`: a ticket for one WebSocket, for pages that cannot send a frame first.

use axum::extract::State;
use doran_platform::{
    http::{Actor, Bearer, Refusal, Success},
    ws_ticket::LIFE_SECONDS,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::state::Service;

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ticket {
    ticket: String,
    expires_in: u32,
}

pub(crate) async fn ws_ticket(
    State(service): State<Service>,
    _: Actor,
    Bearer(token): Bearer,
) -> Result<Success<Ticket>, Refusal> {
    Ok(Success::ok(Ticket {
        ticket: service.tickets.issue(&token).await?,
        expires_in: LIFE_SECONDS,
    }))
}
