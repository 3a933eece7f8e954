//! ERROR frames: STOMP's only way to say no, after which the connection is closed.

use axum::extract::ws::Utf8Bytes;
use doran_contract::{
    ErrorCode,
    frame::{CloseCode, ServerFrame},
};

use super::{decoder::Malformed, frame::Writer, message::JSON, version::Version};
use crate::{
    live::text,
    socket::{answer::Denied, closing::End},
};

/// How a connection ends whose frame is refused.
pub(super) fn refusal(version: Version, denied: Denied, receipt: Option<&str>) -> End {
    let code = match denied.code() {
        ErrorCode::Unauthenticated => CloseCode::BadCredentials,
        ErrorCode::TokenExpired => CloseCode::TokenExpired,
        ErrorCode::TooLarge => CloseCode::TooLarge,
        code if code.is_retryable() => CloseCode::Resync,
        _ => CloseCode::Protocol,
    };
    ending(version, denied, receipt, code)
}

/// As [`refusal`], with a close code of its own.
pub(super) fn ending(
    version: Version,
    denied: Denied,
    receipt: Option<&str>,
    code: CloseCode,
) -> End {
    End::Refused(code, frame(version, denied, receipt))
}

/// How a connection ends on bytes that are not a frame.
pub(super) fn malformed(version: Version, malformed: Malformed) -> End {
    let code = match malformed {
        Malformed::TooLarge => ErrorCode::TooLarge,
        Malformed::Command
        | Malformed::Header
        | Malformed::TooManyHeaders
        | Malformed::Utf8
        | Malformed::ContentLength => ErrorCode::BadRequest,
    };
    refusal(version, Denied::new(code, malformed.to_string()), None)
}

/// What is said where the connection ends for a reason outside of its frames.
pub(in crate::socket) fn farewell(code: CloseCode) -> Utf8Bytes {
    let (error, message) = match code {
        CloseCode::Draining => (ErrorCode::Unavailable, "the server stops, come back"),
        CloseCode::PingTimeout => (ErrorCode::Unavailable, "nothing was heard for too long"),
        CloseCode::TokenExpired => (ErrorCode::TokenExpired, "the access token has expired"),
        CloseCode::SlowConsumer => (ErrorCode::RateLimited, "frames were not read fast enough"),
        CloseCode::Resync => (ErrorCode::Unavailable, "subscribe afresh"),
        CloseCode::AuthenticationTimeout => (ErrorCode::Unauthenticated, "no CONNECT in time"),
        CloseCode::Protocol => (ErrorCode::BadRequest, "not a frame of STOMP"),
        CloseCode::BadCredentials => (ErrorCode::Unauthenticated, "not logged in"),
        CloseCode::SessionRevoked => (ErrorCode::Unauthenticated, "the session has ended"),
        CloseCode::AccountEnded => (ErrorCode::Unauthenticated, "the account has ended"),
        CloseCode::TooLarge => (ErrorCode::TooLarge, "the frame is too large"),
        CloseCode::OriginRefused => (ErrorCode::Forbidden, "this origin is not allowed"),
    };
    // The plainest version, which every client reads.
    frame(Version::V1_0, Denied::new(error, message), None)
}

fn frame(version: Version, denied: Denied, receipt: Option<&str>) -> Utf8Bytes {
    let error = denied.frame(None);
    let body = text(&error);
    let ServerFrame::Error { code, message, .. } = error else {
        return body;
    };
    let code = serde_json::to_string(&code).expect("codes are plain data");
    Writer::new("ERROR", version)
        .header("message", &message)
        .header("code", code.trim_matches('"'))
        .header_if_any("receipt-id", receipt)
        .body(JSON, &body)
}
