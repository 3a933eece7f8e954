//! `POST /api/batch/jobs/{name}/runs`: a run at once, by whichever process is free.

use axum::{
    extract::{FromRequest, Path, State},
    http::header::CONTENT_TYPE,
};
use doran_contract::{
    Date, ErrorCode, RunId, Timestamp, id,
    job::{Figures, Run, RunState},
};
use doran_eventstore::BoxError;
use doran_platform::http::{
    Admin, Body, CommandHeaders, Refusal, Success,
    openapi::{Sketch, Takes},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SOURCE, named};
use crate::{
    day,
    due::{self, Wanted},
    job::Started,
    jobs::Definition,
    queries::find_run,
    runner::begin_run,
    state::Service,
};

#[derive(Default, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(skip)]
    #[serde(default)]
    dry_run: bool,
    /// Yesterday, unless told.
    #[garde(skip)]
    date: Option<Date>,
}

/// Everything has a default, so nothing has to be said.
pub(crate) struct Said(Body<Request>);

impl<S: Send + Sync> FromRequest<S> for Said {
    type Rejection = Refusal;

    async fn from_request(request: axum::extract::Request, _: &S) -> Result<Self, Refusal> {
        if request.headers().contains_key(CONTENT_TYPE) {
            return Body::from_request(request, &()).await.map(Self);
        }
        let raw = axum::body::Bytes::from_request(request, &()).await;
        let raw = raw.unwrap_or_default();
        if raw.is_empty() {
            let value = Request::default();
            return Ok(Self(Body { value, raw }));
        }
        Err(Refusal::new(
            ErrorCode::UnsupportedMediaType,
            "the body must be application/json",
        ))
    }
}

impl Takes for Said {
    fn describe(sketch: &mut Sketch<'_>) {
        Body::<Request>::describe(sketch);
        sketch.may_lack_body();
    }
}

pub(crate) async fn start_run(
    State(service): State<Service>,
    Admin(actor): Admin,
    Path(name): Path<String>,
    headers: CommandHeaders,
    Said(body): Said,
) -> Result<Success<Run>, Refusal> {
    let job = named(&name)?;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let now = service.platform.clock.now();
    let date = body.value.date.unwrap_or_else(|| day::yesterday(now));
    if date > day::today(now) {
        return Err(Refusal::invalid_field("date", "is not here yet"));
    }
    let wanted = Wanted {
        run_id: RunId::new(id::created_by(ctx.command_id)),
        dry_run: body.value.dry_run,
        date,
        actor: Some(actor.user_id),
    };
    let unavailable =
        |error: BoxError| Refusal::unavailable("the queue of due jobs", error.as_ref());
    // First what cannot get lost; the note that it started is the runner's as well.
    due::put(&service, job.name, &wanted)
        .await
        .map_err(unavailable)?;
    let started = Started {
        dry_run: wanted.dry_run,
        date,
    };
    let actor = actor.user_id.to_string();
    let begun = begin_run(&service, job, wanted.run_id, started, Some(&actor)).await?;
    if begun.started.is_some_and(|before| before != started) {
        return Err(Refusal::new(
            ErrorCode::IdempotencyMismatch,
            "this idempotency key was used with another body",
        ));
    }
    // A late repetition finds what became of it.
    let ended = if begun.started.is_none() {
        find_run(&service.pool, wanted.run_id).await?
    } else {
        None
    };
    let run = ended.unwrap_or_else(|| fresh(job, &wanted, now.into()));
    let location = format!("/api/batch/runs/{}", wanted.run_id);
    Ok(Success::created(&location, run).at(&begun.position))
}

fn fresh(job: &Definition, wanted: &Wanted, started_at: Timestamp) -> Run {
    Run {
        id: wanted.run_id,
        job: job.name.to_owned(),
        state: RunState::Running,
        dry_run: wanted.dry_run,
        date: wanted.date,
        started_at,
        finished_at: None,
        figures: Figures::new(),
        error: None,
    }
}
