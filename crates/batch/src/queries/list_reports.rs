//! `GET /api/batch/reports`: the days that were reported, oldest first.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use doran_contract::{Date, Page, job::Report};
use doran_platform::http::{Admin, Limit, Query, Refusal, Success, UpToDate, unless_empty};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::types::Json;

use super::form::{self, Form, varying};
use crate::state::Service;

const REPORTS: &str = "
    select report
    from reports
    where ($1::date is null or date >= $1)
        and ($2::date is null or date <= $2)
        and ($3::date is null or date > $3)
    order by date
    limit $4";

#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Request {
    #[serde(default, deserialize_with = "unless_empty")]
    from: Option<Date>,
    #[serde(default, deserialize_with = "unless_empty")]
    to: Option<Date>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    /// The last day of the page before.
    cursor: Option<Date>,
}

pub(crate) async fn list_reports(
    State(service): State<Service>,
    _: Admin,
    _: UpToDate,
    form: Form,
    Query(request): Query<Request>,
) -> Result<Response, Refusal> {
    if request
        .from
        .zip(request.to)
        .is_some_and(|(from, to)| from > to)
    {
        return Err(Refusal::invalid_field("to", "must not be before from"));
    }
    let limit = request.limit.get();
    let rows: Vec<Json<Report>> = sqlx::query_scalar(REPORTS)
        .bind(request.from.map(Date::as_naive))
        .bind(request.to.map(Date::as_naive))
        .bind(request.cursor.map(Date::as_naive))
        .bind(limit + 1)
        .fetch_all(&service.pool)
        .await?;
    let mut reports: Vec<Report> = rows.into_iter().map(|Json(report)| report).collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = reports.len() > limit;
    reports.truncate(limit);
    let last = reports.last().filter(|_| has_more);
    Ok(varying(match form {
        Form::Csv => form::csv(&reports, false),
        Form::Page => form::page("Daily reports", &reports, false),
        Form::Json => Success::ok(Page {
            next_cursor: last.map(|report| report.date.to_string()),
            items: reports,
        })
        .into_response(),
    }))
}
