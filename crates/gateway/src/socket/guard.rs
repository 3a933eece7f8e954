//! Whether sockets may stay open, asked twice a second of what this gateway holds in memory, so
//! that a revocation closes them within a second without any server's help.

use std::time::Duration;

use doran_contract::{frame::CloseCode, session::Revocation, user::UserStatus};
use tokio::{task::yield_now, time::interval};

use super::Link;
use crate::gateway::Gateway;

const EVERY: Duration = Duration::from_millis(500);
/// Other tasks get a turn after so many sockets.
const AT_ONCE: usize = 1000;

pub(crate) async fn watch(gateway: Gateway) {
    let stopping = gateway.platform.lifecycle.stopping().clone();
    let mut looks = interval(EVERY);
    while stopping.run_until_cancelled(looks.tick()).await.is_some() {
        let is_cut_off = gateway.contact.silence() > gateway.timing.close_after;
        for links in gateway.sockets.all().chunks(AT_ONCE) {
            for link in links {
                let end = if is_cut_off {
                    Some(CloseCode::Resync)
                } else {
                    reason_to_end(&gateway, link)
                };
                if let Some(code) = end {
                    link.close(code);
                }
            }
            yield_now().await;
        }
    }
}

fn reason_to_end(gateway: &Gateway, link: &Link) -> Option<CloseCode> {
    let login = link.login();
    let platform = &gateway.platform;
    let account = platform.users.get(link.user_id);
    if account.is_none_or(|account| account.status == UserStatus::Suspended) {
        return Some(CloseCode::AccountEnded);
    }
    if let Some(reason) = platform.sessions.revocation(login.session_id) {
        return Some(code_of(reason));
    }
    if platform.clock.now() >= login.expires_at.as_datetime() {
        return Some(CloseCode::TokenExpired);
    }
    let is_alive = link.keep_alive(gateway.timing.ping);
    (!is_alive).then_some(CloseCode::PingTimeout)
}

/// The session's end may be known here before the suspension that it follows from.
fn code_of(reason: Revocation) -> CloseCode {
    match reason {
        Revocation::Account => CloseCode::AccountEnded,
        Revocation::LoggedOut
        | Revocation::LoggedOutEverywhere
        | Revocation::TokenReused
        | Revocation::PasswordChanged => CloseCode::SessionRevoked,
    }
}
