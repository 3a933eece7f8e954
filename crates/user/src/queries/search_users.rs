//! `GET /api/users/search?q=`: people by part of their name, its initial consonants, or their
//! whole e-mail address.

use axum::extract::State;
use doran_contract::{Page, user::User};
use doran_platform::http::{Actor, Limit, Query, Refusal, Success, UpToDate, valid};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    find::{Slice, Term, find},
    person::Filter,
    seen_by,
};
use crate::state::Service;

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(length(chars, max = 254), custom(valid::not_blank))]
    q: String,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<i64>,
}

pub(crate) async fn search_users(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<User>>, Refusal> {
    let mut filter = Filter::default();
    let term = Term::read(Some(&request.q), &service.platform.blinder, &mut filter);
    let slice = Slice {
        before: request.cursor,
        limit: request.limit.get(),
    };
    let page = find(
        &service.pool,
        &service.platform.keyring,
        &filter,
        &term,
        slice,
    )
    .await?;
    let items = page
        .items
        .into_iter()
        .map(|user| seen_by(&actor, user))
        .collect();
    Ok(Success::ok(Page { items, ..page }))
}
