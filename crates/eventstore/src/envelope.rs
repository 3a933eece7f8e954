//! The envelope: which headers an event carries, and how its id is made.

use uuid::Uuid;

pub const EVENT_ID: &str = "ce-id";
pub const EVENT_TYPE: &str = "ce-type";
pub const SOURCE: &str = "ce-source";
pub const TIME: &str = "ce-time";
pub const VERSION: &str = "ce-dataversion";
pub const COMMAND_ID: &str = "doran-command-id";
pub const COMMAND_FINGERPRINT: &str = "doran-command-fingerprint";
pub const ACTOR: &str = "doran-actor";
pub const CORRELATION_ID: &str = "doran-correlation-id";
pub const CAUSATION_ID: &str = "doran-causation-id";
pub const TRACEPARENT: &str = "traceparent";

/// The id of a command's `index`-th event, counted from 0: the same at every retry.
pub fn event_id(command_id: Uuid, index: usize) -> Uuid {
    Uuid::new_v5(&command_id, index.to_string().as_bytes())
}
