//! The bucket itself, as the generic cell rate algorithm writes it: one number says how full it is.
//! Pure. The script in [`super::shared`] does the same inside Redis.

use std::time::Duration;

/// How often something may be done: for long, and at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(super) per_second: u32,
    pub(super) burst: u32,
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Requests that may come at once.
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Until all of them may come again.
    pub(crate) reset: Duration,
    /// None: it may pass.
    pub(crate) retry_after: Option<Duration>,
}

impl Rate {
    pub(super) const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst }
    }

    /// For a gateway that does not know what the others let pass.
    pub(super) fn stricter(self) -> Self {
        Self::new((self.per_second / 2).max(1), (self.burst / 2).max(1))
    }

    pub(super) fn interval_us(self) -> u64 {
        1_000_000 / u64::from(self.per_second)
    }

    /// Judges a request at `now_us`. `due_us` is the time at which the bucket is empty again; the
    /// new one is returned with the verdict.
    pub(super) fn judge(self, due_us: u64, now_us: u64) -> (Verdict, u64) {
        let room_us = self.interval_us() * u64::from(self.burst);
        let due = due_us.max(now_us);
        let next = due + self.interval_us();
        let passes_at = next.saturating_sub(room_us);
        if passes_at > now_us {
            let wait = Duration::from_micros(passes_at - now_us);
            return (self.verdict(due - now_us, Some(wait)), due);
        }
        (self.verdict(next - now_us, None), next)
    }

    pub(super) fn verdict(self, filled_us: u64, retry_after: Option<Duration>) -> Verdict {
        let used = filled_us.div_ceil(self.interval_us());
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        Verdict {
            limit: self.burst,
            remaining: self.burst.saturating_sub(used),
            reset: Duration::from_micros(filled_us),
            retry_after,
        }
    }
}

impl Verdict {
    pub(super) const fn unlimited() -> Self {
        Self {
            limit: u32::MAX,
            remaining: u32::MAX,
            reset: Duration::ZERO,
            retry_after: None,
        }
    }

    pub(crate) fn reset_s(&self) -> u64 {
        self.reset
            .as_millis()
            .div_ceil(1000)
            .try_into()
            .unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::new(10, 20);

    /// How many of `times` requests pass.
    fn passed(times: impl IntoIterator<Item = u64>) -> usize {
        let mut due = 0;
        let judged = times.into_iter().filter(|now| {
            let (verdict, next) = RATE.judge(due, *now);
            due = next;
            verdict.retry_after.is_none()
        });
        judged.count()
    }

    #[test]
    fn a_burst_passes_and_not_one_more() {
        assert_eq!(passed((0..100).map(|_| 1_000_000)), 20);
    }

    #[test]
    fn after_a_burst_the_sustained_rate_passes() {
        let burst_then_ten_seconds = (0..20).map(|_| 0).chain((0..1000).map(|n| n * 10_000));
        assert_eq!(passed(burst_then_ten_seconds), 20 + 99);
    }

    #[test]
    fn a_refusal_says_when_the_next_one_passes() {
        let mut due = 0;
        for _ in 0..20 {
            due = RATE.judge(due, 0).1;
        }
        let (refused, due) = RATE.judge(due, 0);
        assert_eq!(refused.remaining, 0);
        let wait = refused.retry_after.unwrap();
        assert_eq!(wait, Duration::from_millis(100));
        let then = u64::try_from(wait.as_micros()).unwrap();
        assert_eq!(RATE.judge(due, then).0.retry_after, None);
        assert!(RATE.judge(due, then - 1).0.retry_after.is_some());
    }

    #[test]
    fn the_remaining_requests_count_down_and_come_back() {
        let (first, due) = RATE.judge(0, 5_000_000);
        assert_eq!(first.remaining, 19);
        assert_eq!(first.reset_s(), 1);
        let (later, _) = RATE.judge(due, 9_000_000);
        assert_eq!(later.remaining, 19);
    }

    #[test]
    fn the_stricter_rate_is_half_and_never_nothing() {
        assert_eq!(RATE.stricter(), Rate::new(5, 10));
        assert_eq!(Rate::new(1, 1).stricter(), Rate::new(1, 1));
    }
}
