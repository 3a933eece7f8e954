//! The event types of the contract, as the event store and the projections want them.

use doran_contract::events::{MESSAGE_EVENTS, ROOM_EVENTS, SESSION_EVENTS, USER_EVENTS};
use doran_eventstore::Schema;

/// Types and upcasters of the stream whose events `table` lists.
pub const fn event_schema(table: &'static [(&'static str, u32)]) -> Schema {
    Schema {
        types: table,
        upcasters: &[],
    }
}

/// The schema of a stream by its name.
pub fn of_stream(stream: &str) -> Option<Schema> {
    use doran_contract::subject::{MESSAGE_STREAM, ROOM_STREAM, SESSION_STREAM, USER_STREAM};
    match stream {
        USER_STREAM => Some(event_schema(USER_EVENTS)),
        ROOM_STREAM => Some(event_schema(ROOM_EVENTS)),
        MESSAGE_STREAM => Some(event_schema(MESSAGE_EVENTS)),
        SESSION_STREAM => Some(event_schema(SESSION_EVENTS)),
        _ => None,
    }
}
