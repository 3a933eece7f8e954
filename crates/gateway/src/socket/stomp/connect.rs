//! CONNECT: the first frame, which agrees on a version and heart-beats and logs in.

use axum::extract::ws::Message;
use doran_contract::{ErrorCode, frame::CloseCode};
use futures_util::{SinkExt, StreamExt};

use super::{
    decoder::Decoder,
    error::{ending, malformed, refusal},
    frame::{Command, Frame, Writer},
    heart_beat::Rates,
    log_in::log_in,
    queues::Queues,
    reader::Reader,
    version::Version,
};
use crate::{
    gateway::Gateway,
    socket::{
        answer::Denied,
        authenticate::Person,
        closing::End,
        connection::{Opening, Socket},
        link::{Dialect, Link},
    },
};

const SERVER: &str = concat!("DoranDoran/", env!("CARGO_PKG_VERSION"));
/// What is said before a version is agreed on, every client reads.
const BEFORE: Version = Version::V1_0;

/// Somebody who has logged in, and how to go on with them.
pub(in crate::socket) struct Greeted {
    pub(in crate::socket) link: Link,
    pub(in crate::socket) reader: Reader,
    pub(in crate::socket) rates: Rates,
}

/// Waits until the client has logged in. Nothing is answered before.
pub(in crate::socket) async fn greet(
    gateway: &Gateway,
    socket: &mut impl Socket,
    opening: &Opening,
) -> Result<Greeted, End> {
    let mut decoder = Decoder::new();
    let frame = first_frame(socket, &mut decoder).await?;
    let (version, rates) = agree(&frame).map_err(|refused| *refused)?;
    let person = log_in(gateway, &frame, opening).await.map_err(|refused| {
        let code = refused.end.unwrap_or(CloseCode::Resync);
        ending(BEFORE, refused.denied, frame.receipt(), code)
    })?;
    let id = gateway.platform.clock.new_id();
    let connected = Writer::plain("CONNECTED")
        .header("version", version.text())
        .header("heart-beat", &rates.header())
        .header("session", &id.to_string())
        .header("server", SERVER)
        .header("user-name", &person.id.to_string())
        .end();
    socket.send(Message::Text(connected)).await?;
    decoder.speak(version);
    let Person {
        id: user, login, ..
    } = person;
    Ok(Greeted {
        link: Link::new(id, user, login, Dialect::Stomp(Queues::default())),
        reader: Reader::new(version, decoder),
        rates,
    })
}

async fn first_frame(socket: &mut impl Socket, decoder: &mut Decoder) -> Result<Frame, End> {
    let broken = |error| malformed(BEFORE, error);
    loop {
        if let Some(frame) = decoder.next().map_err(broken)? {
            return Ok(frame);
        }
        match socket.next().await {
            Some(Ok(Message::Text(text))) => decoder.feed(text.as_bytes()).map_err(broken)?,
            Some(Ok(Message::Binary(bytes))) => decoder.feed(&bytes).map_err(broken)?,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Err(End::Closed),
            Some(Err(end)) => return Err(end),
        }
    }
}

fn agree(frame: &Frame) -> Result<(Version, Rates), Box<End>> {
    let refuse = |code, message: String| {
        Box::new(refusal(BEFORE, Denied::new(code, message), frame.receipt()))
    };
    if frame.command != Command::Connect {
        return Err(refuse(
            ErrorCode::Unauthenticated,
            "connect first".to_owned(),
        ));
    }
    let version = Version::agree(frame.headers.get("accept-version"));
    let version = version.ok_or_else(|| {
        let known = Version::ALL.map(Version::text).join(",");
        let message = format!("this server speaks versions {known} of STOMP");
        refuse(ErrorCode::Unsupported, message)
    })?;
    let rates = Rates::agree(frame.headers.get("heart-beat"))
        .map_err(|error| refuse(ErrorCode::BadRequest, error.to_string()))?;
    Ok((version, rates))
}
