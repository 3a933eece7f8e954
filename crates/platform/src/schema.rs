//! The event types of the contract, as the event store and the projections want them.

use doran_eventstore::Schema;

/// Types and upcasters of the stream whose events `table` lists.
pub const fn event_schema(table: &'static [(&'static str, u32)]) -> Schema {
    Schema {
        types: table,
        upcasters: &[],
    }
}
