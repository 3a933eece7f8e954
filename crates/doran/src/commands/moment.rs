//! A time as a place in a stream.

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use doran_eventstore::{LogReader, Start};
use futures_util::StreamExt;

use crate::exit::dependency;

/// The sequence before the first event at or after `time`.
pub(super) async fn last_before(reader: &LogReader, time: DateTime<Utc>) -> Result<u64> {
    let head = reader.head().await.map_err(dependency)?;
    let newest = reader.get(head).await.map_err(dependency)?;
    if newest.is_none_or(|newest| newest.time < time) {
        return Ok(head);
    }
    let mut later = reader.follow(Vec::new(), Start::Time(time));
    match later.next().await {
        Some(first) => Ok(first?.sequence - 1),
        None => bail!("the log ended while it was read"),
    }
}
