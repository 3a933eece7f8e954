//! Days as people here count them: in Seoul. The SQL of the read models has the same zone.

use chrono::{DateTime, Days, NaiveDate, TimeZone, Utc};
use chrono_tz::{Asia::Seoul, Tz};
use doran_contract::Date;

/// Where a day begins for reports, and where schedules are meant unless they say otherwise.
pub(crate) const ZONE: Tz = Seoul;

/// The day that it is.
pub(crate) fn today(now: DateTime<Utc>) -> Date {
    now.with_timezone(&ZONE).date_naive().into()
}

/// The last day that is over.
pub(crate) fn yesterday(now: DateTime<Utc>) -> Date {
    let today = today(now).as_naive();
    today.pred_opt().unwrap_or(today).into()
}

/// The first moment that no longer belongs to the day.
pub(crate) fn end_of(day: Date) -> DateTime<Utc> {
    let next = day.as_naive().checked_add_days(Days::new(1));
    let midnight = next
        .unwrap_or(NaiveDate::MAX)
        .and_time(chrono::NaiveTime::MIN);
    let local = ZONE.from_local_datetime(&midnight).earliest();
    local.map_or_else(|| midnight.and_utc(), |local| local.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_at_midnight_in_seoul() {
        let late: DateTime<Utc> = "2026-03-01T15:00:00Z".parse().unwrap();
        assert_eq!(today(late).to_string(), "2026-03-02");
        assert_eq!(yesterday(late).to_string(), "2026-03-01");
        assert_eq!(end_of(yesterday(late)), late);
    }
}
