//! The stream that is measured: made as the system's own are, and gone afterwards.

use std::sync::Arc;

use anyhow::{Context, Result};
use async_nats::{
    HeaderMap,
    jetstream::{self, context::PublishAckFuture, stream},
};
use doran_eventstore::{envelope, topology::INCARNATION};
use doran_platform::{Clock, Config, nats};
use uuid::Uuid;

use super::counter::{CounterEvent, STREAM};
use crate::exit::dependency;

/// A fresh stream, and what it takes to write to it.
pub(super) struct Bed {
    pub(super) js: jetstream::Context,
    pub(super) clock: Clock,
}

/// Does `work` on a fresh stream.
pub(super) async fn with<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Arc<Bed>) -> Result<T>,
) -> Result<T> {
    let clock = Clock::system();
    let js = connect(config).await?;
    make(&js, &clock, (STREAM, "bench.*.*"), 1).await?;
    let bed = Arc::new(Bed { js, clock });
    let done = work(&bed).await;
    delete(&bed.js, STREAM).await?;
    done
}

pub(super) async fn connect(config: &Config) -> Result<jetstream::Context> {
    let client = nats::connect(config, "doran bench").await;
    Ok(jetstream::new(client.map_err(dependency)?))
}

/// Makes an empty stream, in place of one that a run left which was ended.
pub(super) async fn make(
    js: &jetstream::Context,
    clock: &Clock,
    (name, subject): (&str, &str),
    replicas: usize,
) -> Result<()> {
    if js.get_stream(name).await.is_ok() {
        js.delete_stream(name).await.map_err(dependency)?;
    }
    let settings = stream::Config {
        name: name.to_owned(),
        subjects: vec![subject.to_owned()],
        num_replicas: replicas,
        allow_direct: true,
        allow_atomic_publish: true,
        compression: Some(stream::Compression::S2),
        metadata: [(INCARNATION.to_owned(), clock.new_id().to_string())].into(),
        ..stream::Config::default()
    };
    let made = js.create_stream(settings).await.map_err(dependency);
    made.with_context(|| {
        format!("the stream {name} cannot be made; does NATS_USER have every right?")
    })?;
    Ok(())
}

pub(super) async fn delete(js: &jetstream::Context, name: &str) -> Result<()> {
    let deleted = js.delete_stream(name).await;
    deleted.with_context(|| format!("the stream {name} is left behind; delete it"))?;
    Ok(())
}

impl Bed {
    /// A guarded event as the store writes it, sent without the store.
    pub(super) async fn send_guarded(&self, id: &str, sequence: u64) -> Result<PublishAckFuture> {
        let mut headers = self.headers();
        headers.insert("Nats-Expected-Last-Subject-Sequence", sequence.to_string());
        let guard = format!("bench.{id}.*");
        headers.insert("Nats-Expected-Last-Subject-Sequence-Subject", guard);
        self.send(&format!("bench.{id}"), headers).await
    }

    /// An event without a guard.
    pub(super) async fn send_unguarded(&self, id: &str) -> Result<PublishAckFuture> {
        self.send_below(&format!("bench.{id}")).await
    }

    /// An event without a guard, under the subject of its aggregate.
    pub(super) async fn send_below(&self, aggregate: &str) -> Result<PublishAckFuture> {
        self.send(aggregate, self.headers()).await
    }

    async fn send(&self, aggregate: &str, headers: HeaderMap) -> Result<PublishAckFuture> {
        let CounterEvent::Counted { padding } = CounterEvent::sample();
        let body = serde_json::json!({ "padding": padding }).to_string();
        let subject = format!("{aggregate}.{}", CounterEvent::TYPE);
        let sent = self.js.publish_with_headers(subject, headers, body.into());
        Ok(sent.await?)
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let command = self.clock.new_id();
        let event_id = doran_eventstore::event_id(command, 0).to_string();
        headers.insert(envelope::EVENT_ID, event_id);
        headers.insert(envelope::EVENT_TYPE, CounterEvent::TYPE);
        headers.insert(envelope::SOURCE, "doran bench");
        headers.insert(envelope::TIME, self.clock.now().to_rfc3339());
        headers.insert(envelope::VERSION, "1");
        headers.insert(envelope::COMMAND_ID, command.to_string());
        headers.insert(envelope::ACTOR, Uuid::nil().to_string());
        headers
    }
}
