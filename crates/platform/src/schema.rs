//! The event types of the contract, as the event store and the projections want them.

use doran_eventstore::{Schema, Upcaster};

/// How older versions of events become the current ones, one step each. No event has an older
/// version yet; the first one that gets version 2 adds the step from 1 here.
const UPCASTERS: &[Upcaster] = &[];

/// Types and upcasters of the stream whose events `table` lists.
pub const fn event_schema(table: &'static [(&'static str, u32)]) -> Schema {
    Schema {
        types: table,
        upcasters: UPCASTERS,
    }
}
