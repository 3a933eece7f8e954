//! Cron with six fields, as nats-server reads it: second, minute, hour, day of month, month, day of
//! week. The server fires; this says beforehand whether it would take a line, and when it is next.

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Timelike};

/// So far ahead a matching day is looked for, as the server does.
const DAYS_AHEAD: usize = 5 * 366;
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    second: Field,
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

/// Which values fit, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    bits: u64,
    /// Of day and weekday both must fit if either is a star, else one of them.
    is_star: bool,
}

/// The values that a field may have, and their names from the first on.
struct Range {
    first: u32,
    last: u32,
    names: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be six fields: second, minute, hour, day of month, month, day of week")]
pub(crate) struct InvalidCron;

impl Cron {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidCron> {
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        let [second, minute, hour, day, month, weekday] = fields[..] else {
            return Err(InvalidCron);
        };
        let cron = Self {
            second: Range::new(0, 59).parse(second)?,
            minute: Range::new(0, 59).parse(minute)?,
            hour: Range::new(0, 23).parse(hour)?,
            day: Range::new(1, 31).parse(day)?,
            month: Range::named(1, 12, &MONTHS).parse(month)?,
            weekday: Range::named(0, 6, &WEEKDAYS).parse(weekday)?,
        };
        let any_five_years = NaiveDate::default().iter_days().take(DAYS_AHEAD);
        let has_a_day = any_five_years.into_iter().any(|day| cron.is_on(day));
        if has_a_day {
            Ok(cron)
        } else {
            Err(InvalidCron)
        }
    }

    /// The first moment after `after`, in the same zone.
    pub(crate) fn next<Z: TimeZone>(&self, after: &DateTime<Z>) -> Option<DateTime<Z>> {
        let days = after.date_naive().iter_days().take(DAYS_AHEAD);
        days.filter(|day| self.is_on(*day))
            .find_map(|day| self.first_in(day, after))
    }

    fn is_on(&self, date: NaiveDate) -> bool {
        let day = self.day.has(date.day());
        let weekday = self.weekday.has(date.weekday().num_days_from_sunday());
        let fits = if self.day.is_star || self.weekday.is_star {
            day && weekday
        } else {
            day || weekday
        };
        fits && self.month.has(date.month())
    }

    fn first_in<Z: TimeZone>(&self, day: NaiveDate, after: &DateTime<Z>) -> Option<DateTime<Z>> {
        let is_first = day == after.date_naive();
        let earliest = if is_first { after.hour() } else { 0 };
        let hours = self.hour.values().filter(|hour| *hour >= earliest);
        let minutes = hours.flat_map(|h| self.minute.values().map(move |m| (h, m)));
        let seconds = minutes.flat_map(|(h, m)| self.second.values().map(move |s| (h, m, s)));
        seconds
            .filter_map(|(h, m, s)| day.and_hms_opt(h, m, s))
            // What a change to summer time leaves out does not come.
            .filter_map(|time| after.timezone().from_local_datetime(&time).earliest())
            .find(|time| time > after)
    }
}

impl Field {
    fn has(self, value: u32) -> bool {
        self.bits >> value & 1 == 1
    }

    fn values(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |value| self.has(*value))
    }
}

impl Range {
    const fn new(first: u32, last: u32) -> Self {
        Self::named(first, last, &[])
    }

    const fn named(first: u32, last: u32, names: &'static [&'static str]) -> Self {
        Self { first, last, names }
    }

    fn parse(&self, field: &str) -> Result<Field, InvalidCron> {
        let nothing = Field {
            bits: 0,
            is_star: false,
        };
        field.split(',').try_fold(nothing, |all, part| {
            let part = self.part(part)?;
            Ok(Field {
                bits: all.bits | part.bits,
                is_star: all.is_star || part.is_star,
            })
        })
    }

    /// `*`, `a`, `a-b`, each with or without `/step`.
    fn part(&self, part: &str) -> Result<Field, InvalidCron> {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(number(step)?)),
            None => (part, None),
        };
        let is_any = ["*", "?"].contains(&span);
        let (first, last) = match span.split_once('-') {
            _ if is_any => (self.first, self.last),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            None if step.is_some() => (self.value(span)?, self.last),
            None => (self.value(span)?, self.value(span)?),
        };
        let step = step.unwrap_or(1);
        if first < self.first || last > self.last || first > last || step == 0 {
            return Err(InvalidCron);
        }
        let step_width = usize::try_from(step).map_err(|_error| InvalidCron)?;
        let values = (first..=last).step_by(step_width);
        Ok(Field {
            bits: values.fold(0, |bits, value| bits | 1 << value),
            is_star: is_any && step == 1,
        })
    }

    fn value(&self, text: &str) -> Result<u32, InvalidCron> {
        let named = (self.first..).zip(self.names);
        let mut named = named.filter(|(_, name)| name.eq_ignore_ascii_case(text));
        named
            .next()
            .map_or_else(|| number(text), |(value, _)| Ok(value))
    }
}

/// Digits alone: `parse` would take a sign, too.
fn number(text: &str) -> Result<u32, InvalidCron> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let parsed = text.parse().ok().filter(|_| is_number);
    parsed.ok_or(InvalidCron)
}

#[cfg(test)]
mod tests {
    use chrono_tz::{America::New_York, Asia::Seoul};

    use super::*;

    fn next(cron: &str, after: &str) -> String {
        let after = DateTime::parse_from_rfc3339(after).unwrap();
        let after = after.with_timezone(&Seoul);
        let next = Cron::parse(cron).unwrap().next(&after).unwrap();
        next.to_rfc3339()
    }

    /// Each was tried on nats-server 2.15.1, which takes only `@daily` of them.
    #[test]
    fn what_the_server_refuses_is_refused() {
        for bad in [
            "0 0 3 * *",
            "0 0 3 * * * *",
            "0 0 3 * * 7",
            "0 0 3 31 2 *",
            "0 0 25 * * *",
            "0 0 3 L * *",
            "0 0 3 * * 1#2",
            "0 0 3 15W * *",
            "TZ=UTC 0 0 3 * * *",
            "@daily",
            "60 * * * * *",
            "0 0 3 0 * *",
            "0 0 3 * 13 *",
            "0 5-2 * * * *",
            "0 */0 * * * *",
            "-1 * * * * *",
            "a b c d e f",
        ] {
            assert_eq!(Cron::parse(bad), Err(InvalidCron), "{bad}");
        }
    }

    #[test]
    fn what_the_server_takes_is_taken() {
        for good in [
            "0 0 3 ? * MON-FRI",
            "0 */5 * * * *",
            "0 5/10 * * * *",
            "0 0 3 * JAN,feb *",
            "0 0-6/2 3,4 * * *",
            " 0  0 3 * * mon",
            "0 */70 * * * *",
            "? ? ? ? ? ?",
            "0 0 3 1,2,*/7 * *",
            "0 0 3 29 2 *",
        ] {
            assert!(Cron::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_next_time_is_the_first_after_the_moment() {
        let at = |time| format!("2026-03-{time}+09:00");
        let noon = &at("01T12:00:00");
        assert_eq!(next("* * * * * *", noon), at("01T12:00:01"));
        assert_eq!(next("0 0 12 * * *", noon), at("02T12:00:00"));
        assert_eq!(next("0 5/10 * * * *", noon), at("01T12:05:00"));
        assert_eq!(next("0 0 3 * * MON", noon), at("02T03:00:00"));
        // Neither is a star, so either is enough: the third is a Tuesday.
        assert_eq!(next("0 0 3 5 * TUE", noon), at("03T03:00:00"));
        assert_eq!(next("0 0 3 29 2 *", noon), "2028-02-29T03:00:00+09:00");
    }

    #[test]
    fn an_hour_that_summer_time_leaves_out_does_not_come() {
        let before = New_York.with_ymd_and_hms(2026, 3, 8, 1, 0, 0).unwrap();
        let next = Cron::parse("0 30 2 * * *").unwrap().next(&before).unwrap();
        assert_eq!(next.to_rfc3339(), "2026-03-09T02:30:00-04:00");
    }
}
