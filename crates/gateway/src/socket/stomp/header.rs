//! Escaping of header lines, which each version of STOMP does its own way. Pure.

use std::borrow::Cow;

use super::version::Version;

/// A header that holds an escape its version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnknownEscape;

/// How the headers of a frame are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escaping {
    /// STOMP 1.0, and CONNECT and CONNECTED of every version.
    None,
    V1_1,
    V1_2,
}

impl From<Version> for Escaping {
    fn from(version: Version) -> Self {
        match version {
            Version::V1_0 => Self::None,
            Version::V1_1 => Self::V1_1,
            Version::V1_2 => Self::V1_2,
        }
    }
}

impl Escaping {
    pub(super) fn unescape(self, text: &str) -> Result<Cow<'_, str>, UnknownEscape> {
        if self == Self::None || !text.contains('\\') {
            return Ok(Cow::Borrowed(text));
        }
        let mut plain = String::with_capacity(text.len());
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '\\' {
                plain.push(letter);
                continue;
            }
            plain.push(match letters.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('c') => ':',
                Some('r') if self == Self::V1_2 => '\r',
                _ => return Err(UnknownEscape),
            });
        }
        Ok(Cow::Owned(plain))
    }

    /// What cannot be escaped is left out, so that nobody writes a header into somebody's frame.
    pub(super) fn escape(self, text: &str, into: &mut String) {
        for letter in text.chars() {
            match (self, letter) {
                (_, '\0') | (Self::None, '\n' | '\r') | (Self::V1_1, '\r') => {}
                (Self::None, other) => into.push(other),
                (_, '\\') => into.push_str("\\\\"),
                (_, '\n') => into.push_str("\\n"),
                (_, ':') => into.push_str("\\c"),
                (Self::V1_2, '\r') => into.push_str("\\r"),
                (_, other) => into.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(escaping: Escaping, text: &str) -> String {
        let mut into = String::new();
        escaping.escape(text, &mut into);
        into
    }

    #[test]
    fn each_version_knows_its_own_escapes() {
        assert_eq!(escaped(Escaping::V1_2, "a:b\\c\r\n"), "a\\cb\\\\c\\r\\n");
        assert_eq!(escaped(Escaping::V1_1, "a:b\r\n"), "a\\cb\\n");
        assert_eq!(escaped(Escaping::None, "a:b\\\r\n\0"), "a:b\\");
        assert_eq!(Escaping::V1_1.unescape("\\r"), Err(UnknownEscape));
        assert_eq!(Escaping::V1_2.unescape("\\t"), Err(UnknownEscape));
        assert_eq!(Escaping::V1_2.unescape("x\\"), Err(UnknownEscape));
        assert_eq!(Escaping::None.unescape("\\t").unwrap(), "\\t");
    }

    proptest! {
        #[test]
        fn what_is_escaped_reads_back_and_stays_on_its_line(text in "[^\0]*") {
            let line = escaped(Escaping::V1_2, &text);
            prop_assert!(!line.contains(['\n', '\r', ':']));
            prop_assert_eq!(Escaping::V1_2.unescape(&line).unwrap(), text);
        }
    }
}
