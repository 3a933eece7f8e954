//! What is counted, and for whom.

use std::net::{IpAddr, Ipv6Addr};

use doran_contract::UserId;

use super::bucket::Rate;
use crate::front_door::Service;

/// Routes that share one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Group {
    Auth,
    Users,
    /// Tells whether somebody has an account, so it is slow to try addresses with.
    CheckEmail,
    Chat,
    Store,
    Batch,
}

impl Group {
    pub(crate) fn of(service: Service, path: &str) -> Self {
        match service {
            Service::Auth => Self::Auth,
            // Resets and roles, which the user service answers.
            Service::Users if path.starts_with("/api/auth/") => Self::Auth,
            Service::Users if path.starts_with("/api/users/check-email/") => Self::CheckEmail,
            Service::Users => Self::Users,
            Service::Chat => Self::Chat,
            Service::Store => Self::Store,
            Service::Batch => Self::Batch,
        }
    }

    pub(super) const fn rate(self) -> Rate {
        match self {
            Self::Auth => Rate::new(10, 20),
            Self::Users => Rate::new(20, 40),
            Self::Chat => Rate::new(30, 60),
            Self::Store => Rate::new(15, 30),
            Self::Batch | Self::CheckEmail => Rate::new(5, 10),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Users => "users",
            Self::CheckEmail => "check-email",
            Self::Chat => "chat",
            Self::Store => "store",
            Self::Batch => "batch",
        }
    }
}

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Whoever holds a valid token of this user.
    User(UserId),
    /// An address without one.
    Address(IpAddr),
}

impl Subject {
    pub(super) fn counted(self) -> Self {
        match self {
            Self::Address(address) => Self::Address(household(address)),
            Self::User(_) => self,
        }
    }
}

/// Addresses that are counted together: one household has one IPv4 address, and a whole /64 of
/// IPv6.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [a, b, c, d, ..] = v6.segments();
    v6.to_ipv4_mapped()
        .map_or_else(|| Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into(), IpAddr::V4)
}

/// Name of the account in Redis.
pub(super) fn account(group: Group, subject: Subject) -> String {
    match subject {
        Subject::User(user) => format!("doran:limit:{}:user:{user}", group.name()),
        Subject::Address(address) => format!("doran:limit:{}:address:{address}", group.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(address: &str) -> Subject {
        Subject::Address(address.parse().unwrap()).counted()
    }

    #[test]
    fn addresses_of_one_network_are_counted_together() {
        assert_eq!(counted("2001:db8:1:2::1"), counted("2001:db8:1:2:ffff::9"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_eq!(counted("::ffff:192.0.2.7"), counted("192.0.2.7"));
        assert_ne!(counted("192.0.2.7"), counted("192.0.2.8"));
    }

    #[test]
    fn asking_whether_an_address_is_taken_has_a_limit_of_its_own() {
        let group = |path| Group::of(Service::Users, path);
        assert_eq!(group("/api/users/check-email/a@b.c"), Group::CheckEmail);
        assert_eq!(group("/api/users/7"), Group::Users);
    }

    #[test]
    fn what_is_authentication_by_its_path_has_the_limit_of_that() {
        for path in ["/api/auth/password/reset/request", "/api/auth/users/7/role"] {
            assert_eq!(Group::of(Service::Users, path), Group::Auth);
        }
    }
}
