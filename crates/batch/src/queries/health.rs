//! `GET /api/batch/health`: whether the service answers. What it depends on is under `/health/ready`.

use doran_platform::http::Success;
use serde_json::{Value, json};

pub(crate) async fn health() -> Success<Value> {
    Success::ok(json!({ "service": "batch", "status": "UP" }))
}
