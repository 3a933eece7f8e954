//! The event store: executes commands on aggregates whose events live in JetStream.

use std::marker::PhantomData;

use async_nats::jetstream;

use crate::{CommandContext, EventSourced, ExecuteError, LoadError, Loaded, Outcome};

/// Executes commands on aggregates of one kind. Cheap to clone; clones share cache and locks.
#[derive(Debug)]
pub struct JetStreamStore<A> {
    js: jetstream::Context,
    aggregate: PhantomData<A>,
}

impl<A> Clone for JetStreamStore<A> {
    fn clone(&self) -> Self {
        Self {
            js: self.js.clone(),
            aggregate: PhantomData,
        }
    }
}

impl<A: EventSourced> JetStreamStore<A> {
    pub fn new(js: jetstream::Context) -> Self {
        Self {
            js,
            aggregate: PhantomData,
        }
    }

    /// Executes a command once, however often it is sent, and says where its events lie.
    pub async fn execute(
        &self,
        services: &A::Services,
        id: &str,
        command: A::Command,
        ctx: &CommandContext,
    ) -> Result<Outcome<A>, ExecuteError<A::Error>>
    where
        A::Command: Clone + Send,
        A::Error: Send,
    {
        let _ = (services, id, command, ctx, &self.js);
        todo!()
    }

    /// The aggregate as the log's tail has it; none when it has no event.
    pub async fn load(&self, id: &str) -> Result<Option<Loaded<A>>, LoadError> {
        let _ = id;
        todo!()
    }
}
