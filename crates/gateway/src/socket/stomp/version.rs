//! Versions of STOMP, and what differs between them.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V1_0,
    V1_1,
    V1_2,
}

impl Version {
    /// Newest first.
    pub(crate) const ALL: [Self; 3] = [Self::V1_2, Self::V1_1, Self::V1_0];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        }
    }

    /// The WebSocket subprotocol that stands for it.
    pub(crate) const fn subprotocol(self) -> &'static str {
        match self {
            Self::V1_0 => "v10.stomp",
            Self::V1_1 => "v11.stomp",
            Self::V1_2 => "v12.stomp",
        }
    }

    /// The newest of those that a client accepts. A client that names none speaks 1.0.
    pub(super) fn agree(accepted: Option<&str>) -> Option<Self> {
        let Some(accepted) = accepted else {
            return Some(Self::V1_0);
        };
        let accepts = |version: &Self| accepted.split(',').any(|one| one.trim() == version.text());
        Self::ALL.into_iter().find(accepts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_both_know_is_spoken() {
        assert_eq!(Version::agree(None), Some(Version::V1_0));
        assert_eq!(Version::agree(Some("1.0,1.1,1.2")), Some(Version::V1_2));
        assert_eq!(Version::agree(Some("1.1, 1.0")), Some(Version::V1_1));
        assert_eq!(Version::agree(Some("1.3,2.0")), None);
        assert_eq!(Version::agree(Some("")), None);
    }
}
