//! From the headers of CONNECT to a person: an access token, a password, or the ticket on the URL.

use std::{net::SocketAddr, time::Duration};

use doran_contract::{ErrorCode, frame::CloseCode};
use doran_platform::ws_ticket::TicketError;
use serde::Deserialize;
use serde_json::json;

use super::frame::{Frame, Headers};
use crate::{
    front_door::Service,
    gateway::Gateway,
    limits::{Group, Subject},
    socket::{
        answer::Denied,
        authenticate::{NotLetIn, Person, authenticate},
        connection::Opening,
    },
};

/// Longer than a password takes to be proved behind a full queue.
const PATIENCE: Duration = Duration::from_secs(8);

/// What somebody shows.
enum Credential<'a> {
    Token(&'a str),
    Password { login: &'a str, passcode: &'a str },
    Ticket(&'a str),
}

pub(super) async fn log_in(
    gateway: &Gateway,
    frame: &Frame,
    opening: &Opening,
) -> Result<Person, NotLetIn> {
    match credential(&frame.headers, opening).ok_or_else(nothing_shown)? {
        Credential::Token(token) => authenticate(gateway, token).await,
        Credential::Password { login, passcode } => {
            let token = prove(gateway, (login, passcode), opening.peer).await?;
            let mut person = authenticate(gateway, &token).await?;
            person.login.ends_with_socket = true;
            Ok(person)
        }
        Credential::Ticket(ticket) => {
            let token = gateway.tickets.redeem(ticket).await;
            let token = token.map_err(|error| no_ticket(&error))?;
            authenticate(gateway, &token).await
        }
    }
}

/// What is in the frame counts more than what is on the URL.
fn credential<'a>(headers: &'a Headers, opening: &'a Opening) -> Option<Credential<'a>> {
    if let Some(bearer) = headers.get_in_any_case("authorization") {
        return Some(Credential::Token(without_scheme(bearer)));
    }
    if let Some(passcode) = headers
        .get("passcode")
        .filter(|passcode| !passcode.is_empty())
    {
        return Some(match headers.get("login") {
            Some(login) if !is_token(passcode) => Credential::Password { login, passcode },
            Some(_) | None => Credential::Token(passcode),
        });
    }
    opening.ticket.as_deref().map(Credential::Ticket)
}

fn without_scheme(value: &str) -> &str {
    match value.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    }
}

/// An access token has three parts of letters that a URL may hold, and is longer than any password.
fn is_token(passcode: &str) -> bool {
    const SHORTEST: usize = 101;
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    passcode.len() >= SHORTEST
        && passcode.matches('.').count() == 2
        && passcode.bytes().all(is_of_token)
}

/// The part of the answer to a log-in that counts here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    access_token: String,
}

/// Logs in as `POST /api/auth/login` does, under the same limits.
async fn prove(
    gateway: &Gateway,
    (login, passcode): (&str, &str),
    peer: SocketAddr,
) -> Result<String, NotLetIn> {
    let address = Subject::Address(peer.ip());
    if let Some(wait) = gateway.limits.wait_before(Group::Auth, address).await {
        return Err(later(Denied::rate_limited(wait)));
    }
    let body = json!({ "email": login, "password": passcode, "device": "STOMP" });
    let answer: Result<LoggedIn, _> = gateway
        .services
        .post(Service::Auth, "/api/auth/login", (&body, peer), PATIENCE)
        .await;
    let logged_in = answer.map_err(|refused| {
        let may_retry = refused.code.is_retryable();
        let denied = Denied::from(refused);
        if may_retry {
            later(denied)
        } else {
            never(denied)
        }
    })?;
    Ok(logged_in.access_token)
}

fn nothing_shown() -> NotLetIn {
    let message = "log in with Authorization, with login and passcode, or with a ticket";
    never(Denied::new(ErrorCode::Unauthenticated, message))
}

fn no_ticket(error: &TicketError) -> NotLetIn {
    match error {
        TicketError::Invalid => never(Denied::new(ErrorCode::Unauthenticated, error.to_string())),
        TicketError::Unavailable(_) => {
            tracing::warn!(%error, "a ticket cannot be redeemed");
            later(Denied::unavailable())
        }
    }
}

fn never(denied: Denied) -> NotLetIn {
    NotLetIn {
        denied,
        end: Some(CloseCode::BadCredentials),
    }
}

fn later(denied: Denied) -> NotLetIn {
    NotLetIn { denied, end: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(headers: &[(&str, &str)], ticket: Option<&str>) -> Option<String> {
        let mut given = Headers::default();
        for (name, value) in headers {
            given.add((*name).to_owned(), (*value).to_owned());
        }
        let opening = Opening {
            ticket: ticket.map(str::to_owned),
            peer: ([127, 0, 0, 1], 1).into(),
        };
        credential(&given, &opening).map(|credential| match credential {
            Credential::Token(token) => format!("token {token}"),
            Credential::Password { login, passcode } => format!("{login} {passcode}"),
            Credential::Ticket(ticket) => format!("ticket {ticket}"),
        })
    }

    #[test]
    fn a_token_comes_as_bearer_or_as_passcode() {
        let token = format!("{0}.{0}.{0}", "x".repeat(40));
        let expected = Some(format!("token {token}"));
        let bearer = format!("Bearer {token}");
        assert_eq!(shown(&[("Authorization", &bearer)], Some("t")), expected);
        assert_eq!(shown(&[("authorization", &token)], None), expected);
        assert_eq!(
            shown(&[("login", "a"), ("passcode", &token)], None),
            expected
        );
        assert_eq!(shown(&[("passcode", &token)], None), expected);
    }

    #[test]
    fn a_password_needs_a_login_and_a_ticket_comes_last() {
        let password = shown(&[("login", "a@b.c"), ("passcode", "p.a.ss")], Some("t"));
        assert_eq!(password.as_deref(), Some("a@b.c p.a.ss"));
        assert_eq!(shown(&[], Some("t")).as_deref(), Some("ticket t"));
        assert_eq!(shown(&[("login", "a"), ("passcode", "")], None), None);
    }
}
