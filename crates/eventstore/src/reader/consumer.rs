//! An ephemeral consumer that acknowledges nothing, and is trusted only as far as it can be checked:
//! consumer sequences without a hole, and at the end of each pull as many messages as the server
//! says it sent.

use std::{sync::atomic::Ordering, time::Duration};

use async_nats::{
    Message, StatusCode, Subscriber,
    jetstream::{self, consumer::pull},
};
use futures_util::StreamExt;

use super::LogReader;
use crate::{
    BoxError, Recorded,
    deadline::{Deadline, READ},
};

/// The most messages under way to one reader.
const PULL: usize = 500;
/// How long the server keeps a pull open. It ends each with a count of what it did not send, so a
/// lost last message is noticed after this time.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// How often a quiet reader looks whether the connection is still the same one.
const GLANCE: Duration = Duration::from_millis(250);

/// One consumer on one connection, and the pull that is open on it.
pub(super) struct Consumer {
    js: jetstream::Context,
    answers: Subscriber,
    inbox: String,
    /// The replica from which it reads, in a cluster.
    server: Option<String>,
    pull_subject: String,
    /// How often the client had connected when the consumer was made.
    connects: u64,
    /// Consumer sequence of the last message.
    delivered: u64,
    /// How many messages the open pull may still bring; 0: no pull is open.
    open: usize,
    deadline: Deadline,
}

impl Consumer {
    pub(super) async fn open(reader: &LogReader, config: pull::Config) -> Result<Self, BoxError> {
        let js = reader.js.clone();
        let connects = connects(&js);
        let deadline = Deadline::after(READ);
        let consumer = js.create_consumer_on_stream(config, reader.stream());
        let consumer = deadline.wait_for(consumer).await??;
        let inbox = js.client().new_inbox();
        let answers = deadline
            .wait_for(js.client().subscribe(inbox.clone()))
            .await??;
        let info = consumer.cached_info();
        let name = &info.name;
        let cluster = info.cluster.as_ref();
        Ok(Self {
            server: cluster.and_then(|cluster| cluster.leader.clone()),
            pull_subject: format!("$JS.API.CONSUMER.MSG.NEXT.{}.{name}", reader.stream()),
            js,
            answers,
            inbox,
            connects,
            delivered: 0,
            open: 0,
            deadline,
        })
    }

    /// The next event, or none when a pull has ended, at the latest after five seconds.
    pub(super) async fn next(&mut self) -> Result<Option<Recorded>, BoxError> {
        loop {
            if self.open == 0 {
                self.pull().await?;
            }
            let glance = self.deadline.within(GLANCE);
            match glance.wait_for(self.answers.next()).await {
                Ok(Some(message)) if message.status.is_none() => {
                    return self.receive(message).map(Some);
                }
                Ok(Some(message)) => {
                    self.end_of_pull(&message)?;
                    return Ok(None);
                }
                Ok(None) => return Err("the connection was closed".into()),
                Err(elapsed) if self.deadline.has_passed() => return Err(elapsed.into()),
                Err(_quiet) if connects(&self.js) != self.connects => {
                    return Err("the connection was lost in between".into());
                }
                Err(_quiet) => {}
            }
        }
    }

    pub(super) fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    async fn pull(&mut self) -> Result<(), BoxError> {
        let request = serde_json::json!({
            "batch": PULL,
            "expires": u64::try_from(PULL_EXPIRES.as_nanos())?,
        });
        let (subject, inbox) = (self.pull_subject.clone(), self.inbox.clone());
        let client = self.js.client();
        let sent = client.publish_with_reply(subject, inbox, request.to_string().into());
        Deadline::after(READ).wait_for(sent).await??;
        self.open = PULL;
        self.deadline = Deadline::after(PULL_EXPIRES + READ);
        Ok(())
    }

    fn receive(&mut self, message: Message) -> Result<Recorded, BoxError> {
        let message = jetstream::Message {
            message,
            context: self.js.clone(),
        };
        let delivered = message.info()?.consumer_sequence;
        if delivered != self.delivered + 1 {
            return Err("an event was lost on its way".into());
        }
        let event = Recorded::from_consumer(message)?;
        self.delivered = delivered;
        self.open -= 1;
        Ok(event)
    }

    /// The server ends a pull with the count of what it did not send of it.
    fn end_of_pull(&mut self, message: &Message) -> Result<(), BoxError> {
        let header = |name| {
            message
                .headers
                .as_ref()
                .and_then(|headers| headers.get(name))
        };
        let unsent = header("Nats-Pending-Messages");
        let unsent: Option<usize> = unsent.and_then(|count| count.as_str().parse().ok());
        match (message.status, unsent) {
            (Some(StatusCode::TIMEOUT), Some(unsent)) if self.open == unsent => {
                self.open = 0;
                Ok(())
            }
            (Some(StatusCode::TIMEOUT), _) => Err("the last events were lost on their way".into()),
            (Some(status), _) => {
                let description = message.description.as_deref().unwrap_or_default();
                Err(format!("the consumer answered {} {description}", status.as_u16()).into())
            }
            (None, _) => Err("an answer has no status".into()),
        }
    }
}

fn connects(js: &jetstream::Context) -> u64 {
    js.client().statistics().connects.load(Ordering::Relaxed)
}
