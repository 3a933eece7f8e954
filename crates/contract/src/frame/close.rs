//! How the server ends a socket.

/// Close codes of contract §7: 4000–4499 come back, 4500–4999 stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(serde::Deserialize, schemars::JsonSchema))]
#[cfg_attr(test, serde(rename_all = "camelCase"))]
pub enum CloseCode {
    /// The server stops.
    Draining,
    /// Nothing was heard of the client for too long.
    PingTimeout,
    /// The access token has expired: come back with a newer one.
    TokenExpired,
    /// More waits to be read than the server keeps.
    SlowConsumer,
    /// The server cannot say what was missed: come back and subscribe afresh.
    Resync,
    /// Nobody logged in within 10 s.
    AuthenticationTimeout,
    /// A binary frame, the fifth malformed one, or what is no WebSocket or STOMP frame.
    Protocol,
    /// The token, password or ticket is not accepted.
    BadCredentials,
    /// The session was ended, by its user or by another password.
    SessionRevoked,
    /// The account was suspended or deleted.
    AccountEnded,
    /// A frame is larger than 64 KiB.
    TooLarge,
    /// The page's origin is not among those that are allowed.
    OriginRefused,
}

impl CloseCode {
    pub const fn code(self) -> u16 {
        match self {
            Self::Draining => 4001,
            Self::PingTimeout => 4002,
            Self::TokenExpired => 4003,
            Self::SlowConsumer => 4004,
            Self::Resync => 4005,
            Self::AuthenticationTimeout => 4007,
            Self::Protocol => 4500,
            Self::BadCredentials => 4501,
            Self::SessionRevoked => 4502,
            Self::AccountEnded => 4503,
            Self::TooLarge => 4505,
            Self::OriginRefused => 4507,
        }
    }
}
