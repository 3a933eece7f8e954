//! The limits of this gateway alone, kept in memory while Redis is away.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use moka::sync::Cache;
use tokio::time::Instant;

use super::{Group, Subject, Verdict};

/// Accounts kept at most; the least used leave first.
const ACCOUNTS: u64 = 100_000;
/// Longer than any bucket takes to empty.
const IDLE: Duration = Duration::from_mins(1);

pub(super) struct Local {
    start: Instant,
    due_us: Cache<(Group, Subject), Arc<Mutex<u64>>>,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            due_us: Cache::builder()
                .max_capacity(ACCOUNTS)
                .time_to_idle(IDLE)
                .build(),
        }
    }
}

impl Local {
    pub(super) fn check(&self, group: Group, subject: Subject) -> Verdict {
        let account = self
            .due_us
            .get_with((group, subject.counted()), Arc::default);
        let now_us = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut due = account.lock().unwrap_or_else(PoisonError::into_inner);
        let (verdict, next) = group.rate().stricter().judge(*due, now_us);
        *due = next;
        verdict
    }
}

#[cfg(test)]
mod tests {
    use doran_contract::UserId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_user_and_each_group_has_an_account_of_its_own() {
        let local = Local::default();
        let [one, other] = [1, 2].map(|n| Subject::User(UserId::new(Uuid::from_u128(n))));
        let passed = (0..100)
            .filter(|_| local.check(Group::Batch, one).retry_after.is_none())
            .count();
        assert!(
            (5..=7).contains(&passed),
            "half of a burst of ten, not {passed}"
        );
        assert_eq!(local.check(Group::Batch, other).retry_after, None);
        assert_eq!(local.check(Group::Chat, one).retry_after, None);
    }
}
