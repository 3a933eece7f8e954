//! Where an event lies in the log, as text that clients carry around.

use std::{fmt, num::ParseIntError, str::FromStr};

/// One place in one stream, written `STREAM:sequence`.
///
/// `sequence` is the stream sequence of the event that the holder has seen; 0 is the place before
/// the first event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    pub stream: String,
    pub sequence: u64,
}

/// Why a text is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPosition {
    #[error("a position has the form STREAM:sequence")]
    NoSeparator,
    #[error("a position names a stream of letters, digits, `_` and `-`")]
    StreamName,
    #[error("a position ends with a whole number")]
    Sequence(#[source] ParseIntError),
}

impl Position {
    pub fn new(stream: impl Into<String>, sequence: u64) -> Self {
        Self {
            stream: stream.into(),
            sequence,
        }
    }

    /// Reads the list form: positions separated by commas, blanks around them allowed.
    ///
    /// An empty text is no list.
    pub fn parse_list(list: &str) -> Result<Vec<Self>, InvalidPosition> {
        list.split(',').map(|item| item.trim().parse()).collect()
    }

    /// Writes the list form that [`Position::parse_list`] reads.
    pub fn format_list(positions: &[Self]) -> String {
        let items: Vec<_> = positions.iter().map(ToString::to_string).collect();
        items.join(",")
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.stream, self.sequence)
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (stream, sequence) = text.split_once(':').ok_or(InvalidPosition::NoSeparator)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if stream.is_empty() || stream.len() > 255 || !stream.chars().all(is_name) {
            return Err(InvalidPosition::StreamName);
        }
        let sequence = sequence.parse().map_err(InvalidPosition::Sequence)?;
        Ok(Self::new(stream, sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_was_written() {
        let position = Position::new("USER", 1051);
        assert_eq!(position.to_string(), "USER:1051");
        assert_eq!("USER:1051".parse(), Ok(position));
    }

    #[test]
    fn a_list_of_positions_reads_back_with_blanks_after_the_commas() {
        let list = vec![Position::new("USER", 1), Position::new("CHATROOM", 0)];
        assert_eq!(Position::format_list(&list), "USER:1,CHATROOM:0");
        assert_eq!(Position::parse_list("USER:1, CHATROOM:0"), Ok(list));
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "", "USER", ":1", "US.ER:1", "USER:", "USER:-1", "USER:1,", "U R:1",
        ] {
            assert!(Position::parse_list(text).is_err(), "{text:?}");
        }
        assert!("USER:18446744073709551616".parse::<Position>().is_err());
    }
}
