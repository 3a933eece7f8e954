//! How a socket ends.

use std::{ops::RangeInclusive, time::Duration};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, close_code};
use doran_contract::frame::CloseCode;
use tokio_tungstenite::tungstenite;

/// Why a socket ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// This side closes it.
    Close(CloseCode),
    /// This side closes it, after these last words.
    Refused(CloseCode, Utf8Bytes),
    /// The client has asked for it, and everything it sent before is done.
    Finished,
    /// The other side closed it.
    Closed,
    /// It broke; nobody is there to be told.
    Gone,
}

impl From<axum::Error> for End {
    fn from(error: axum::Error) -> Self {
        use tungstenite::{Error, error::ProtocolError};
        let error = error.into_inner();
        match error.downcast_ref::<Error>() {
            Some(Error::Capacity(_)) => Self::Close(CloseCode::TooLarge),
            Some(Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing,
            )) => Self::Gone,
            Some(Error::Protocol(_) | Error::Utf8(_)) => Self::Close(CloseCode::Protocol),
            _ => Self::Gone,
        }
    }
}

/// The frame that closes a socket whose client is done.
pub(super) fn goodbye() -> Message {
    Message::Close(Some(CloseFrame {
        code: close_code::NORMAL,
        reason: Utf8Bytes::from_static("goodbye"),
    }))
}

/// The frame that closes a socket. Its reason says how long to stay away.
pub(super) fn message(code: CloseCode, sockets: usize) -> Message {
    let after_ms = rand::random_range(spread_ms(code, sockets));
    Message::Close(Some(CloseFrame {
        code: code.code(),
        reason: format!(r#"{{"afterMs":{after_ms}}}"#).into(),
    }))
}

/// Where many sockets are closed at once they shall not all come back at once.
fn spread_ms(code: CloseCode, sockets: usize) -> RangeInclusive<u64> {
    const PER_SOCKET: Duration = Duration::from_millis(2);
    const MOST: Duration = Duration::from_secs(10);
    let herd = PER_SOCKET
        .saturating_mul(u32::try_from(sockets).unwrap_or(u32::MAX))
        .min(MOST);
    let herd_ms = u64::try_from(herd.as_millis()).unwrap_or_default();
    match code {
        CloseCode::Draining => 100..=100 + herd_ms.max(400),
        CloseCode::Resync => 0..=herd_ms.max(200),
        CloseCode::SlowConsumer => 1000..=1000,
        CloseCode::PingTimeout
        | CloseCode::TokenExpired
        | CloseCode::AuthenticationTimeout
        | CloseCode::Protocol
        | CloseCode::BadCredentials
        | CloseCode::SessionRevoked
        | CloseCode::AccountEnded
        | CloseCode::TooLarge
        | CloseCode::OriginRefused => 0..=0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_close_frame_is_json() {
        let Message::Close(Some(frame)) = message(CloseCode::SlowConsumer, 1) else {
            panic!("not a close frame");
        };
        assert_eq!(frame.code, 4004);
        assert_eq!(frame.reason.as_str(), r#"{"afterMs":1000}"#);
    }

    #[test]
    fn a_herd_is_spread_over_ten_seconds_at_most() {
        assert_eq!(spread_ms(CloseCode::Draining, 1), 100..=500);
        assert_eq!(spread_ms(CloseCode::Draining, 1000), 100..=2100);
        assert_eq!(spread_ms(CloseCode::Draining, 1_000_000), 100..=10_100);
    }
}
