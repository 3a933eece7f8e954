//! A `doran.v1` socket.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use doran_contract::{RoomId, frame::SUBPROTOCOL};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Message, Utf8Bytes, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig,
    },
};

use crate::exit::dependency;

/// How long an answer or a frame that must come may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Zeroed for every reading: the default of 128 KiB would be what is measured.
const READ_BUFFER_BYTES: usize = 8 * 1024;

/// The id of what is asked before anything else is.
const ASKED: u64 = 0;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An authenticated socket.
pub(in super::super) struct Socket(Stream);

/// The half of a socket that is read.
pub(in super::super) struct Frames(SplitStream<Stream>);

/// The part of a server's frame that says what it answers.
#[derive(Deserialize)]
pub(in super::super) struct Answer<'a> {
    #[serde(rename = "type")]
    pub(in super::super) kind: &'a str,
    pub(in super::super) id: Option<u64>,
}

impl Socket {
    /// Connects to any WebSocket; what is said on it is the caller's.
    pub(in super::super) async fn connect(url: &str) -> Result<Self> {
        let mut request = url.into_client_request()?;
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        // As browsers do, nothing waits for more to be sent with it.
        let opened = connect_async_with_config(request, Some(config), true).await;
        let (stream, _) = opened.map_err(dependency)?;
        Ok(Self(stream))
    }

    pub(super) async fn open(url: &str, token: &str) -> Result<Self> {
        let mut socket = Self::connect(url).await?;
        socket.next().await?; // hello
        socket
            .ask(json!({ "id": ASKED, "type": "auth", "token": token }))
            .await?;
        Ok(socket)
    }

    pub(in super::super) async fn subscribe(&mut self, room: RoomId) -> Result<()> {
        self.ask(json!({ "id": ASKED, "type": "subscribe", "roomId": room }))
            .await
    }

    pub(in super::super) fn split(self) -> (SplitSink<Stream, Message>, Frames) {
        let (sink, stream) = self.0.split();
        (sink, Frames(stream))
    }

    /// Sends a frame and passes over others until its answer comes.
    async fn ask(&mut self, frame: Value) -> Result<()> {
        self.0.send(Message::text(frame.to_string())).await?;
        loop {
            let frame = self.next().await?;
            let answer: Answer<'_> = serde_json::from_str(&frame)?;
            match (answer.id, answer.kind) {
                (Some(ASKED), "ok") => return Ok(()),
                (Some(ASKED), _) => bail!("the gateway answered {frame}"),
                (_, _) => {}
            }
        }
    }

    async fn next(&mut self) -> Result<Utf8Bytes> {
        next(&mut self.0)
            .await?
            .context("the gateway closed the socket")
    }
}

impl Frames {
    /// The next text frame; none when the socket was closed.
    pub(in super::super) async fn next(&mut self) -> Result<Option<Utf8Bytes>> {
        next(&mut self.0).await
    }
}

async fn next<S>(stream: &mut S) -> Result<Option<Utf8Bytes>>
where
    S: futures_util::Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
{
    loop {
        let message = timeout(PATIENCE, stream.next()).await;
        match message.context("nothing came over a socket for 30 s")? {
            Some(Ok(Message::Text(text))) => return Ok(Some(text)),
            Some(Ok(Message::Close(_))) | None => return Ok(None),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}
