//! `GET /api/chat/presence`: who of some people is there. Of those with whom the reader shares no
//! room nothing is said.

use axum::extract::State;
use doran_contract::{Page, UserId, room::Presence};
use doran_platform::http::{Actor, Query, Refusal, Success, UpToDate};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::state::Service;

const MAX_PEOPLE: usize = 100;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    /// Separated by commas.
    #[garde(skip)]
    #[serde(default)]
    user_ids: String,
}

pub(crate) async fn presence(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<Presence>>, Refusal> {
    let people = people(&request.user_ids)?;
    let acquainted = service.directory.acquainted(actor.user_id, &people);
    let is_visible = |user: &UserId| *user == actor.user_id || acquainted.contains(user);
    let people: Vec<_> = people.into_iter().filter(is_visible).collect();
    Ok(Success::ok(Page {
        items: service.presence(&people).await,
        next_cursor: None,
    }))
}

/// Each once, in the order given.
fn people(list: &str) -> Result<Vec<UserId>, Refusal> {
    let mut people = Vec::new();
    for id in list.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        let malformed = |_| Refusal::invalid_field("userIds", "must be ids separated by commas");
        let id: UserId = id.parse().map_err(malformed)?;
        if !people.contains(&id) {
            people.push(id);
        }
    }
    if people.is_empty() || people.len() > MAX_PEOPLE {
        let reason = format!("must be 1 to {MAX_PEOPLE}");
        return Err(Refusal::invalid_field("userIds", reason));
    }
    Ok(people)
}
