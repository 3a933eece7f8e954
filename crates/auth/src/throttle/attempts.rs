//! How many failures lead to which wait. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// Failures before the first wait: of one account, and of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience(u32);

impl Patience {
    pub(super) const ACCOUNT: Self = Self(5);
    pub(super) const ADDRESS: Self = Self(50);

    /// One second at first, twice as long with each further failure.
    fn wait(self, failures: u32) -> TimeDelta {
        let Some(doublings) = failures.checked_sub(self.0) else {
            return TimeDelta::zero();
        };
        let seconds = 1_i64.checked_shl(doublings).filter(|seconds| *seconds > 0);
        seconds.map_or(LONGEST, |seconds| {
            LONGEST.min(TimeDelta::try_seconds(seconds).unwrap_or(LONGEST))
        })
    }
}

/// Tries that were not followed by a right password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempts {
    pub(super) failures: u32,
    waits_until: Option<DateTime<Utc>>,
}

impl Attempts {
    /// Counts a try as failed before its password is looked at: of a hundred tries at once, too,
    /// only as many get so far as would one after the other. Err: how long to wait instead.
    pub(super) fn charge(self, patience: Patience, now: DateTime<Utc>) -> Result<Self, TimeDelta> {
        if let Some(until) = self.waits_until.filter(|until| *until > now) {
            return Err(until - now);
        }
        let failures = self.failures.saturating_add(1);
        let wait = patience.wait(failures);
        Ok(Self {
            failures,
            waits_until: (wait > TimeDelta::zero()).then(|| now + wait),
        })
    }

    /// Takes back what turned out not to have failed, after the charge that led to `charged`. Only
    /// the wait of that charge goes, and one that too few failures are left for: else a right
    /// password in between would end the wait for guesses at other accounts.
    pub(super) fn give_back(self, patience: Patience, charged: Self, failures: u32) -> Self {
        let failures = self.failures.saturating_sub(failures);
        let stays =
            patience.wait(failures) > TimeDelta::zero() && self.waits_until != charged.waits_until;
        Self {
            failures,
            waits_until: self.waits_until.filter(|_| stays),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// Waits after each of `count` failures, each as soon as it may be tried.
    fn waits(patience: Patience, count: usize) -> Vec<i64> {
        let mut now = at(0);
        let mut attempts = Attempts::default();
        let mut waits = Vec::new();
        for _ in 0..count {
            attempts = attempts.charge(patience, now).unwrap();
            let wait = match attempts.charge(patience, now) {
                Ok(_) => TimeDelta::zero(),
                Err(wait) => wait,
            };
            waits.push(wait.num_seconds());
            now += wait;
        }
        waits
    }

    #[test]
    fn an_account_waits_from_the_fifth_failure_on_and_never_longer_than_fifteen_minutes() {
        let expected = [
            0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900,
        ];
        assert_eq!(waits(Patience::ACCOUNT, 17), expected);
        assert_eq!(waits(Patience::ACCOUNT, 200).last(), Some(&900));
    }

    #[test]
    fn an_address_waits_from_the_fiftieth_failure_on() {
        assert_eq!(waits(Patience::ADDRESS, 52).split_off(48), [0, 1, 2, 4]);
    }

    #[test]
    fn a_try_during_the_wait_does_not_make_it_longer() {
        let mut attempts = Attempts::default();
        for _ in 0..5 {
            attempts = attempts.charge(Patience::ACCOUNT, at(0)).unwrap();
        }
        let refused = attempts.charge(Patience::ACCOUNT, at(0));
        assert_eq!(refused, Err(TimeDelta::seconds(1)));
        assert!(attempts.charge(Patience::ACCOUNT, at(1)).is_ok());
    }

    fn failed(count: u32, waits_until: Option<DateTime<Utc>>) -> Attempts {
        Attempts {
            failures: count,
            waits_until,
        }
    }

    #[test]
    fn an_address_is_forgiven_what_one_account_failed_and_no_more() {
        let charged = failed(7, None);
        let left = |failures| charged.give_back(Patience::ADDRESS, charged, failures);
        assert_eq!(left(3), failed(4, None));
        assert_eq!(left(9), failed(0, None));
    }

    #[test]
    fn a_right_password_ends_the_wait_of_its_own_try_and_no_other() {
        let charged = failed(60, None).charge(Patience::ADDRESS, at(0)).unwrap();
        let after = charged.give_back(Patience::ADDRESS, charged, 1);
        assert!(after.charge(Patience::ADDRESS, at(0)).is_ok());

        let others = failed(62, Some(at(30)));
        let after = others.give_back(Patience::ADDRESS, charged, 1);
        assert_eq!(after, failed(61, Some(at(30))));
        let after = others.give_back(Patience::ADDRESS, charged, 13);
        assert_eq!(after, failed(49, None));
    }
}
