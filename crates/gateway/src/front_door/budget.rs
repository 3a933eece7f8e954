//! How many calls may be tried again: a part of all calls, so that retries never become a storm.

use std::sync::atomic::{AtomicU32, Ordering};

/// What one retry costs, in the units below.
const RETRY: u32 = 10;
/// What one call brings: a retry for every ten calls.
const CALL: u32 = 1;
/// As many retries as a quiet service may see at once.
const MOST: u32 = 20 * RETRY;

pub(super) struct Budget(AtomicU32);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST))
    }
}

impl Budget {
    pub(super) fn note_call(&self) {
        self.change(|left| Some((left + CALL).min(MOST)));
    }

    /// Whether there is enough for one retry, which is taken.
    pub(super) fn take_retry(&self) -> bool {
        self.change(|left| left.checked_sub(RETRY))
    }

    fn change(&self, change: impl FnMut(u32) -> Option<u32>) -> bool {
        let order = Ordering::Relaxed;
        self.0.fetch_update(order, order, change).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_in_ten_is_tried_again_for_long() {
        let budget = Budget::default();
        let at_once = (0..100).filter(|_| budget.take_retry()).count();
        assert_eq!(at_once, 20);
        let later = (0..1000).filter(|_| {
            budget.note_call();
            budget.take_retry()
        });
        assert_eq!(later.count(), 100);
    }
}
