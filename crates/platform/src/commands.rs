//! Commands that the roles of one process give each other without asking the network.
//!
//! Over NATS any instance of a role answers. Where the role runs in the asking process itself, as all
//! do in `doran all`, that one answers: the same bytes, two hops less.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;

/// A command as it would travel over NATS.
#[derive(Clone, Debug)]
pub struct RawCommand {
    pub body: Bytes,
    pub traceparent: Option<String>,
}

/// Answers a command with the bytes that NATS would carry back.
pub type Handler = Arc<dyn Fn(RawCommand) -> BoxFuture<'static, Bytes> + Send + Sync>;

/// Who answers in this process, by subject.
#[derive(Default)]
pub struct LocalCommands(RwLock<HashMap<&'static str, Handler>>);

impl LocalCommands {
    pub fn offer(&self, subject: &'static str, handler: Handler) {
        let mut handlers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        handlers.insert(subject, handler);
    }

    pub fn handler(&self, subject: &str) -> Option<Handler> {
        let handlers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        handlers.get(subject).map(Arc::clone)
    }
}

impl fmt::Debug for LocalCommands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(handlers.keys()).finish()
    }
}
