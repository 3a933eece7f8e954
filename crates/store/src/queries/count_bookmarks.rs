//! `GET /api/store/bookmarks/count`: how many bookmarks one has.

use axum::extract::State;
use doran_platform::http::{Actor, Refusal, Success, UpToDate};
use serde_json::{Value, json};

use crate::state::Service;

pub(crate) async fn count_bookmarks(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
) -> Result<Success<Value>, Refusal> {
    let count: i64 = sqlx::query_scalar("select count(*) from bookmarks where user_id = $1")
        .bind(actor.user_id.as_uuid())
        .fetch_one(&service.pool)
        .await?;
    Ok(Success::ok(json!({ "count": count })))
}
