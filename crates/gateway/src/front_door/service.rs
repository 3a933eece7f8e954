//! The services behind the front door, and which paths are whose.

/// A service as the first part of a path under `/api` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Auth,
    Users,
    Chat,
    Store,
    Batch,
}

impl Service {
    pub(crate) const ALL: [Self; 5] = [
        Self::Auth,
        Self::Users,
        Self::Chat,
        Self::Store,
        Self::Batch,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Users => "users",
            Self::Chat => "chat",
            Self::Store => "store",
            Self::Batch => "batch",
        }
    }

    /// Whose a path is.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/api/")?;
        let name = rest.split('/').next()?;
        let named = Self::ALL
            .into_iter()
            .find(|service| service.name() == name)?;
        Some(if is_of_account(rest) {
            Self::Users
        } else {
            named
        })
    }
}

/// `auth/users/{id}/role` and `auth/password/…`: both are part of the account, and the user service
/// writes accounts.
fn is_of_account(rest: &str) -> bool {
    if rest.starts_with("auth/password/") {
        return true;
    }
    let mut parts = rest.split('/');
    parts.next() == Some("auth")
        && parts.next() == Some("users")
        && parts.next().is_some_and(|id| !id.is_empty())
        && parts.next() == Some("role")
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_of_a_path_names_its_service() {
        assert_eq!(Service::of("/api/chat/rooms"), Some(Service::Chat));
        assert_eq!(Service::of("/api/users"), Some(Service::Users));
        assert_eq!(Service::of("/api/chatter"), None);
        assert_eq!(Service::of("/api/"), None);
        assert_eq!(Service::of("/chat"), None);
    }

    #[test]
    fn roles_are_changed_by_the_user_service() {
        assert_eq!(Service::of("/api/auth/users/7/role"), Some(Service::Users));
        assert_eq!(Service::of("/api/auth/users//role"), Some(Service::Auth));
        assert_eq!(Service::of("/api/auth/users/7/role/x"), Some(Service::Auth));
        let reset = Service::of("/api/auth/password/reset/request");
        assert_eq!(reset, Some(Service::Users));
    }
}
