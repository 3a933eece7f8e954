//! Versions as servers print them.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
}

impl Version {
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// The number that follows one of `words`.
    pub fn after(words: &[&str], text: &str) -> Option<Self> {
        let rest = words.iter().find_map(|word| text.split_once(word))?.1;
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let mut numbers = rest.get(..end)?.split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers
            .next()
            .and_then(|minor| minor.parse().ok())
            .unwrap_or(0);
        Some(Self { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_are_read_from_what_servers_print() {
        let cases = [
            (
                "nats-server: v2.15.1",
                "nats-server: v",
                Some(Version::new(2, 15)),
            ),
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0)",
                "(PostgreSQL) ",
                Some(Version::new(15, 18)),
            ),
            (
                "postgres (PostgreSQL) 19beta1",
                "(PostgreSQL) ",
                Some(Version::new(19, 0)),
            ),
            (
                "Valkey server v=8.0.1 sha=0",
                "Valkey server v=",
                Some(Version::new(8, 0)),
            ),
            ("nothing of the kind 7.0", "Redis server v=", None),
        ];
        for (text, word, expected) in cases {
            assert_eq!(Version::after(&[word], text), expected, "{text}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(Version::new(2, 9) < Version::new(2, 15));
    }
}
