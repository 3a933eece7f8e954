//! `GET /api/users`: everybody, for administrators.

use axum::extract::State;
use doran_contract::{
    Page,
    user::{Role, User, UserStatus},
};
use doran_platform::http::{Admin, Limit, Query, Refusal, Success, UpToDate, unless_empty};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    find::{Slice, Term, find},
    person::Filter,
};
use crate::state::Service;

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(length(chars, max = 254))]
    #[serde(default, deserialize_with = "unless_empty")]
    q: Option<String>,
    #[garde(skip)]
    #[serde(default, deserialize_with = "unless_empty")]
    status: Option<UserStatus>,
    #[garde(skip)]
    #[serde(default, deserialize_with = "unless_empty")]
    role: Option<Role>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<i64>,
}

pub(crate) async fn list_users(
    State(service): State<Service>,
    _: Admin,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<User>>, Refusal> {
    let mut filter = Filter {
        status: request.status,
        role: request.role,
        ..Filter::default()
    };
    let term = Term::read(request.q.as_deref(), &service.platform.blinder, &mut filter);
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
    Ok(Success::ok(page))
}
