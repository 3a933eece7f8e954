//! `Range` of RFC 9110: one piece of a file. Several at once are answered with the whole.

use std::ops::Range;

/// What of a file is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    Part(Range<u64>),
    /// Nothing of it lies in the file.
    Nothing,
}

/// Reads the header; what is not understood is not obeyed, as the RFC wants it.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(bounds) = header.and_then(|header| bounds(header.trim())) else {
        return Wanted::All;
    };
    let range = match bounds {
        (Some(first), Some(last)) if first > last => return Wanted::All,
        (Some(first), Some(last)) => first..last.saturating_add(1).min(size),
        (Some(first), None) => first..size,
        (None, Some(length)) => size.saturating_sub(length)..size,
        (None, None) => return Wanted::All,
    };
    if range.is_empty() {
        return Wanted::Nothing;
    }
    Wanted::Part(range)
}

/// The numbers before and behind the dash.
fn bounds(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, set) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.split_once('-')?;
    Some((number(first.trim()).ok()?, number(last.trim()).ok()?))
}

struct NotANumber;

/// None where nothing is said.
fn number(text: &str) -> Result<Option<u64>, NotANumber> {
    if text.is_empty() {
        return Ok(None);
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotANumber);
    }
    // What does not fit lies behind every end.
    Ok(Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_range_is_cut_to_the_file() {
        for (header, range) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("bytes=2-500", 2..10),
            ("bytes=7-", 7..10),
            ("bytes=-3", 7..10),
            ("bytes=-300", 0..10),
            ("Bytes = 1 - 2", 1..3),
            ("bytes=9-99999999999999999999999", 9..10),
        ] {
            assert_eq!(wanted(Some(header), 10), Wanted::Part(range), "{header}");
        }
    }

    #[test]
    fn what_lies_behind_the_end_cannot_be_had() {
        for header in [
            "bytes=10-",
            "bytes=10-20",
            "bytes=-0",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(wanted(Some(header), 10), Wanted::Nothing, "{header}");
        }
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "lines=1-2",
            "bytes=1-2,4-5",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1--2",
        ] {
            assert_eq!(wanted(Some(header), 10), Wanted::All, "{header}");
        }
        assert_eq!(wanted(None, 10), Wanted::All);
    }

    proptest! {
        #[test]
        fn a_part_always_lies_in_the_file(header in "bytes=[0-9]{0,25}-[0-9]{0,25}", size in 1u64..1000) {
            if let Wanted::Part(range) = wanted(Some(&header), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
