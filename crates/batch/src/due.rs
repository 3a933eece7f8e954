//! A due job as it lies in `SCHEDULE`: put there by the server's clock, or by somebody at once.

use async_nats::jetstream::Message;
use doran_contract::{Date, RunId, UserId, subject};
use doran_eventstore::BoxError;
use serde::{Deserialize, Serialize};

use crate::state::Service;

/// What somebody wants run at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    pub(crate) run_id: RunId,
    pub(crate) dry_run: bool,
    pub(crate) date: Date,
    pub(crate) actor: Option<UserId>,
}

/// Puts the job among those that are due. The same run once more is one within two minutes, and
/// later it is found to have ended.
pub(crate) async fn put(service: &Service, job: &str, wanted: &Wanted) -> Result<(), BoxError> {
    let mut headers = async_nats::HeaderMap::new();
    let id = wanted.run_id.to_string();
    headers.insert(async_nats::header::NATS_MESSAGE_ID, id);
    let body = serde_json::to_vec(wanted)?;
    let js = &service.platform.js;
    let sent = js.publish_with_headers(subject::due(job), headers, body.into());
    sent.await?.await?;
    Ok(())
}

/// What the message asks for; none if the clock put it there.
pub(crate) fn wanted(message: &Message) -> Result<Option<Wanted>, serde_json::Error> {
    if message.payload.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&message.payload).map(Some)
}

/// The job that is due.
pub(crate) fn job_of(message: &Message) -> &str {
    let (_, job) = message.subject.split_once('.').unwrap_or_default();
    job
}
