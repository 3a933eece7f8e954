//! The time, and ids made from it. The only place that asks the machine for either.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use doran_contract::Timestamp;
use uuid::{NoContext, Uuid};

/// A clock to be passed in. Correctness never rests on it: order is stream order.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock the others are given"
    )]
    pub fn system() -> Self {
        Self(Arc::new(Utc::now))
    }

    pub fn from_fn(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }

    /// The time as it is written on the wire.
    pub fn timestamp(&self) -> Timestamp {
        self.now().into()
    }

    /// A new UUIDv7 of this moment.
    pub fn new_id(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Uuid::new_v7(uuid::Timestamp::from_unix(
            NoContext,
            seconds,
            now.timestamp_subsec_nanos(),
        ))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
