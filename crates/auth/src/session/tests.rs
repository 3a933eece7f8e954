use chrono::{DateTime, TimeDelta};
use cqrs_es::{
    Aggregate,
    test::{AggregateTestExecutor, TestFramework},
};
use doran_contract::{
    SessionId, Timestamp, UserId,
    events::{SessionEvent, SessionForgotten, SessionRefreshed, SessionRevoked, SessionStarted},
    session::Revocation,
};
use uuid::Uuid;

use super::{Command, Error, Renewal, Session, Start};

const SESSION: SessionId = SessionId::new(Uuid::from_u128(1));
const USER: UserId = UserId::new(Uuid::from_u128(2));
const LIFE_S: i64 = 3600;

fn at(second: i64) -> Timestamp {
    (DateTime::UNIX_EPOCH + TimeDelta::seconds(second)).into()
}

fn given(events: Vec<SessionEvent>) -> AggregateTestExecutor<Session> {
    TestFramework::with(()).given(events)
}

fn renewal(second: i64, token: &str) -> Renewal {
    Renewal {
        token_hash: token.to_owned(),
        at: at(second),
        expires_at: at(second + LIFE_S),
    }
}

fn start(token: &str) -> Command {
    Command::Start(Start {
        session_id: SESSION,
        user_id: USER,
        device: None,
        renewal: renewal(0, token),
    })
}

fn refresh(second: i64, presented: &str, token: &str) -> Command {
    Command::Refresh {
        presented: presented.to_owned(),
        renewal: renewal(second, token),
    }
}

/// At second 0, with the token `a`.
fn started() -> SessionEvent {
    SessionStarted {
        session_id: SESSION,
        user_id: USER,
        device: None,
        refresh_token_hash: "a".to_owned(),
        started_at: at(0),
        expires_at: at(LIFE_S),
    }
    .into()
}

fn refreshed(second: i64, presented: Option<&str>, token: &str) -> SessionEvent {
    SessionRefreshed {
        session_id: SESSION,
        user_id: USER,
        refresh_token_hash: token.to_owned(),
        presented_token_hash: presented.map(str::to_owned),
        refreshed_at: at(second),
        expires_at: at(second + LIFE_S),
    }
    .into()
}

fn revoked(reason: Revocation) -> SessionEvent {
    SessionRevoked {
        session_id: SESSION,
        user_id: USER,
        reason,
    }
    .into()
}

#[test]
fn a_log_in_starts_a_session_once() {
    given(vec![])
        .when(start("a"))
        .then_expect_events(vec![started()]);
    given(vec![started()])
        .when(start("b"))
        .then_expect_error(Error::AlreadyStarted);
}

#[test]
fn a_refresh_gives_a_new_token_and_lengthens_the_session() {
    given(vec![started()])
        .when(refresh(100, "a", "b"))
        .then_expect_events(vec![refreshed(100, Some("a"), "b")]);
    given(vec![started(), refreshed(3000, Some("a"), "b")])
        .when(refresh(3000 + LIFE_S, "b", "c"))
        .then_expect_events(vec![refreshed(3000 + LIFE_S, Some("b"), "c")]);
}

#[test]
fn a_used_token_counts_for_ten_more_seconds() {
    let before = vec![started(), refreshed(100, Some("a"), "b")];
    given(before.clone())
        .when(refresh(110, "a", "c"))
        .then_expect_events(vec![refreshed(110, Some("a"), "c")]);
    given(before)
        .when(refresh(111, "a", "c"))
        .then_expect_events(vec![revoked(Revocation::TokenReused)]);
}

#[test]
fn after_a_grace_either_answer_may_be_the_one_that_arrived() {
    let before = vec![
        started(),
        refreshed(100, Some("a"), "b"),
        refreshed(101, Some("a"), "c"),
    ];
    for token in ["b", "c"] {
        given(before.clone())
            .when(refresh(500, token, "d"))
            .then_expect_events(vec![refreshed(500, Some(token), "d")]);
    }
}

#[test]
fn many_tabs_that_use_one_token_at_once_all_go_on() {
    let mut events = vec![started(), refreshed(100, Some("a"), "b")];
    for tab in 0..20 {
        let token = format!("tab-{tab}");
        given(events.clone())
            .when(refresh(100, "a", &token))
            .then_expect_events(vec![refreshed(100, Some("a"), &token)]);
        events.push(refreshed(100, Some("a"), &token));
    }
    given(events)
        .when(refresh(400, "tab-7", "z"))
        .then_expect_events(vec![refreshed(400, Some("tab-7"), "z")]);
}

#[test]
fn once_one_answer_is_used_the_other_is_an_old_token() {
    given(vec![
        started(),
        refreshed(100, Some("a"), "b"),
        refreshed(101, Some("a"), "c"),
        refreshed(500, Some("c"), "d"),
    ])
    .when(refresh(511, "b", "e"))
    .then_expect_events(vec![revoked(Revocation::TokenReused)]);
}

#[test]
fn using_a_token_in_its_grace_does_not_lengthen_the_grace() {
    given(vec![
        started(),
        refreshed(100, Some("a"), "b"),
        refreshed(109, Some("a"), "c"),
    ])
    .when(refresh(111, "a", "d"))
    .then_expect_events(vec![revoked(Revocation::TokenReused)]);
}

#[test]
fn a_session_that_ended_or_expired_or_never_was_is_not_refreshed() {
    given(vec![started(), revoked(Revocation::LoggedOut)])
        .when(refresh(1, "a", "b"))
        .then_expect_error(Error::Ended);
    given(vec![started()])
        .when(refresh(LIFE_S + 1, "a", "b"))
        .then_expect_error(Error::Expired);
    given(vec![])
        .when(refresh(1, "a", "b"))
        .then_expect_error(Error::NotFound);
}

#[test]
fn a_repeated_log_in_gets_a_token_beside_the_one_it_may_have_lost() {
    let reissued = refreshed(5, None, "b");
    given(vec![started()])
        .when(Command::Reissue(renewal(5, "b")))
        .then_expect_events(vec![reissued.clone()]);
    for token in ["a", "b"] {
        given(vec![started(), reissued.clone()])
            .when(refresh(100, token, "c"))
            .then_expect_events(vec![refreshed(100, Some(token), "c")]);
    }
}

#[test]
fn a_log_out_ends_the_session_once() {
    let log_out = || Command::Revoke(Revocation::LoggedOut);
    given(vec![started()])
        .when(log_out())
        .then_expect_events(vec![revoked(Revocation::LoggedOut)]);
    given(vec![started(), revoked(Revocation::TokenReused)])
        .when(log_out())
        .then_expect_events(vec![]);
    given(vec![])
        .when(log_out())
        .then_expect_error(Error::NotFound);
}

#[test]
fn a_session_whose_start_the_stream_forgot_goes_on() {
    given(vec![refreshed(100, Some("x"), "y")])
        .when(refresh(200, "y", "z"))
        .then_expect_events(vec![refreshed(200, Some("y"), "z")]);
}

#[test]
fn used_tokens_are_forgotten_with_their_grace() {
    let mut session = Session::default();
    session.apply(started());
    let mut presented = "a".to_owned();
    for round in 1..=1000_i64 {
        let token = format!("t{round}");
        session.apply(refreshed(round * 60, Some(&presented), &token));
        presented = token;
    }
    let bytes = serde_json::to_vec(&session).unwrap().len();
    assert!(bytes < 1000, "{bytes} bytes of state");
}

#[test]
fn a_session_that_ended_before_that_time_is_forgotten_and_one_that_stands_is_not() {
    let forget = |second| Command::Forget {
        session_id: SESSION,
        ended_before: at(second),
    };
    let forgotten = SessionForgotten {
        session_id: SESSION,
        user_id: USER,
    };
    given(vec![started()])
        .when(forget(LIFE_S + 1))
        .then_expect_events(vec![forgotten.into()]);
    given(vec![started()])
        .when(forget(LIFE_S))
        .then_expect_events(vec![]);
}
