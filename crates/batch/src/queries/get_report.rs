//! `GET /api/batch/reports/{date}`: what happened on a day.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use doran_contract::{Date, ErrorCode, job::Report};
use doran_platform::http::{Admin, Refusal, Success, UpToDate};
use sqlx::types::Json;

use super::form::{self, Form, varying};
use crate::state::Service;

pub(crate) async fn get_report(
    State(service): State<Service>,
    _: Admin,
    _: UpToDate,
    form: Form,
    Path(date): Path<String>,
) -> Result<Response, Refusal> {
    let date: Date = date.parse().map_err(|_error| {
        Refusal::new(
            ErrorCode::BadRequest,
            "the date in the path is not YYYY-MM-DD",
        )
    })?;
    let row: Option<Json<Report>> =
        sqlx::query_scalar("select report from reports where date = $1")
            .bind(date.as_naive())
            .fetch_optional(&service.pool)
            .await?;
    let Json(report) = row.ok_or_else(|| Refusal::not_found("report of that day"))?;
    Ok(varying(match form {
        Form::Csv => form::csv(&[report], true),
        Form::Page => form::page(&format!("Report of {date}"), &[report], true),
        Form::Json => Success::ok(report).into_response(),
    }))
}
