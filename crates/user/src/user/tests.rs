use cqrs_es::test::TestFramework;
use doran_contract::{
    Sealed, UserId,
    events::{UserCreated, UserEvent, UserRoleChanged, UserStatusChanged},
    user::{Role, UserStatus},
};
use doran_eventstore::{Claim, EventSourced};
use doran_platform::profile::SealedPersonalData;
use uuid::Uuid;

use super::{Command, Error, Registration, User};

const ID: UserId = UserId::new(Uuid::from_u128(1));

fn given(events: Vec<UserEvent>) -> cqrs_es::test::AggregateTestExecutor<User> {
    TestFramework::with(()).given(events)
}

fn sealed(data: &str) -> Sealed {
    Sealed {
        key: ID,
        data: data.to_owned(),
    }
}

fn registration() -> Registration {
    let personal = SealedPersonalData {
        subject: "user.1.UserCreated".to_owned(),
        event_id: Uuid::from_u128(2),
        email: sealed("e"),
        first_name: sealed("f"),
        last_name: sealed("l"),
        name: sealed("n"),
        picture: None,
        info: Some(sealed("i")),
    };
    Registration {
        user_id: ID,
        email_key: "ab12".to_owned(),
        personal,
    }
}

fn created() -> UserEvent {
    let created = UserCreated {
        user_id: ID,
        email_key: "ab12".to_owned(),
        email: sealed("e"),
        first_name: sealed("f"),
        last_name: sealed("l"),
        name: sealed("n"),
        picture: None,
        info: Some(sealed("i")),
        role: Role::User,
    };
    created.into()
}

fn suspended() -> UserEvent {
    let changed = UserStatusChanged {
        user_id: ID,
        from: UserStatus::Active,
        to: UserStatus::Suspended,
    };
    changed.into()
}

#[test]
fn a_registration_makes_an_ordinary_user_and_takes_the_address() {
    given(vec![])
        .when(Command::Register(Box::new(registration())))
        .then_expect_events(vec![created()]);
    assert_eq!(User::claims(&created()), [Claim::take("email", "ab12")]);
    assert_eq!(User::claims(&suspended()), []);
}

#[test]
fn nobody_registers_twice() {
    given(vec![created()])
        .when(Command::Register(Box::new(registration())))
        .then_expect_error(Error::AlreadyRegistered);
}

#[test]
fn a_status_change_says_what_it_was_before() {
    given(vec![created()])
        .when(Command::ChangeStatus(UserStatus::Suspended))
        .then_expect_events(vec![suspended()]);
}

#[test]
fn the_same_status_or_role_again_changes_nothing() {
    given(vec![created(), suspended()])
        .when(Command::ChangeStatus(UserStatus::Suspended))
        .then_expect_events(vec![]);
    given(vec![created()])
        .when(Command::ChangeRole(Role::User))
        .then_expect_events(vec![]);
}

#[test]
fn a_user_is_made_administrator_and_back() {
    let changed = |from, to| {
        UserEvent::from(UserRoleChanged {
            user_id: ID,
            from,
            to,
        })
    };
    let promoted = changed(Role::User, Role::Admin);
    given(vec![created()])
        .when(Command::ChangeRole(Role::Admin))
        .then_expect_events(vec![promoted.clone()]);
    given(vec![created(), promoted])
        .when(Command::ChangeRole(Role::User))
        .then_expect_events(vec![changed(Role::Admin, Role::User)]);
}

#[test]
fn nobody_changes_a_user_who_does_not_exist() {
    for command in [
        Command::ChangeStatus(UserStatus::Inactive),
        Command::ChangeRole(Role::Admin),
    ] {
        given(vec![])
            .when(command)
            .then_expect_error(Error::NotFound);
    }
}
