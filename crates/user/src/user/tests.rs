use cqrs_es::test::TestFramework;
use doran_contract::{
    Sealed, UserId,
    events::{
        UserCreated, UserDeleted, UserEmailChanged, UserErased, UserEvent, UserRoleChanged,
        UserStatusChanged,
    },
    user::{PasswordChange, Role, UserStatus},
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

fn deleted() -> UserEvent {
    let deleted = UserDeleted {
        user_id: ID,
        email_key: "ab12".to_owned(),
    };
    deleted.into()
}

fn erased() -> UserEvent {
    UserErased { user_id: ID }.into()
}

fn moved(email_key: &str, previous_email_key: &str) -> UserEvent {
    let registration = registration();
    let changed = UserEmailChanged {
        user_id: ID,
        email_key: email_key.to_owned(),
        previous_email_key: previous_email_key.to_owned(),
        email: registration.personal.email,
        first_name: registration.personal.first_name,
        last_name: registration.personal.last_name,
        name: registration.personal.name,
        picture: registration.personal.picture,
        info: registration.personal.info,
    };
    changed.into()
}

fn move_to(email_key: &str) -> Command {
    Command::ChangeEmail {
        email_key: email_key.to_owned(),
        personal: Box::new(registration().personal),
    }
}

#[test]
fn another_address_is_taken_and_the_one_before_it_is_free() {
    given(vec![created()])
        .when(move_to("cd34"))
        .then_expect_events(vec![moved("cd34", "ab12")]);
    assert_eq!(
        User::claims(&moved("cd34", "ab12")),
        [
            Claim::release("email", "ab12"),
            Claim::take("email", "cd34")
        ]
    );
    given(vec![created(), moved("cd34", "ab12")])
        .when(move_to("ef56"))
        .then_expect_events(vec![moved("ef56", "cd34")]);
}

#[test]
fn a_deletion_frees_the_address_that_the_person_has_by_then() {
    given(vec![created()])
        .when(Command::Delete)
        .then_expect_events(vec![deleted()]);
    assert_eq!(User::claims(&deleted()), [Claim::release("email", "ab12")]);
    let of_the_new_address = UserDeleted {
        user_id: ID,
        email_key: "cd34".to_owned(),
    };
    given(vec![created(), moved("cd34", "ab12")])
        .when(Command::Delete)
        .then_expect_events(vec![of_the_new_address.into()]);
}

#[test]
fn an_erasure_is_noted_once_and_only_after_the_deletion() {
    given(vec![created()])
        .when(Command::NoteErasure)
        .then_expect_error(Error::NotDeleted);
    given(vec![created(), deleted()])
        .when(Command::NoteErasure)
        .then_expect_events(vec![erased()]);
    given(vec![created(), deleted(), erased()])
        .when(Command::NoteErasure)
        .then_expect_events(vec![]);
}

#[test]
fn nothing_happens_to_somebody_who_is_deleted() {
    for gone in [vec![deleted()], vec![deleted(), erased()]] {
        let history: Vec<_> = [created()].into_iter().chain(gone).collect();
        for command in [
            Command::Keep,
            Command::Delete,
            Command::ChangeRole(Role::Admin),
            Command::ChangeStatus(UserStatus::Suspended),
            Command::ChangeProfile(Box::new(registration().personal)),
            move_to("cd34"),
            Command::NotePassword {
                reason: PasswordChange::Changed,
                kept_session_id: None,
            },
            Command::ChangeSettings {
                settings: sealed("s"),
                coach_check: true,
            },
        ] {
            given(history.clone())
                .when(command)
                .then_expect_error(Error::NotFound);
        }
        given(history)
            .when(Command::Register(Box::new(registration())))
            .then_expect_error(Error::AlreadyRegistered);
    }
}

fn inactive() -> UserEvent {
    let changed = UserStatusChanged {
        user_id: ID,
        from: UserStatus::Active,
        to: UserStatus::Inactive,
    };
    changed.into()
}

#[test]
fn who_stays_away_rests_unless_they_are_suspended_or_an_administrator() {
    let promoted = UserRoleChanged {
        user_id: ID,
        from: Role::User,
        to: Role::Admin,
    };
    given(vec![created()])
        .when(Command::Rest)
        .then_expect_events(vec![inactive()]);
    for stays in [suspended(), inactive(), promoted.into()] {
        given(vec![created(), stays])
            .when(Command::Rest)
            .then_expect_events(vec![]);
    }
}

#[test]
fn nobody_is_deleted_for_their_absence_who_does_not_rest() {
    let deleted = UserDeleted {
        user_id: ID,
        email_key: "ab12".to_owned(),
    };
    given(vec![created(), inactive()])
        .when(Command::DeleteInactive)
        .then_expect_events(vec![deleted.into()]);
    for events in [vec![created()], vec![created(), suspended()]] {
        given(events)
            .when(Command::DeleteInactive)
            .then_expect_events(vec![]);
    }
}
