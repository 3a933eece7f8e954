//! `/{server}/{session}/websocket`: a session that lives as long as its WebSocket.

use std::sync::Arc;

use axum::{
    extract::{
        WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};

use super::{
    encode::Frame,
    mount::{Host, Mount, Visitor},
    pipe::Pipe,
    send::{MAX_BODY_BYTES, read_array},
    session::{Session, Turn},
};

const BUFFER_BYTES: usize = 4 * 1024;

pub(super) fn open<H: Host>(
    mount: Mount<H>,
    visitor: Visitor,
    upgrade: WebSocketUpgrade,
) -> Response {
    let tasks = mount.lifecycle().tasks().clone();
    upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_frame_size(MAX_BODY_BYTES)
        .max_message_size(MAX_BODY_BYTES)
        .on_upgrade(move |socket| tasks.track_future(run(mount, visitor, socket)))
}

async fn run<H: Host>(mount: Mount<H>, visitor: Visitor, socket: WebSocket) {
    let (pipe, far) = Pipe::new();
    let session = Arc::new(Session::new(far, mount.settings().heartbeat));
    let Ok(turn) = session.turn().await else {
        return;
    };
    let (sink, stream) = socket.split();
    let carry = async {
        tokio::select! {
            () = listen(&session, stream) => {}
            () = speak(turn, sink) => {}
        }
        session.abandon();
    };
    tokio::join!(mount.host().serve(pipe, visitor), carry);
}

/// Ends when the client has gone, or sends what is not an array of texts.
async fn listen(session: &Session, mut stream: SplitStream<WebSocket>) {
    while let Some(Ok(message)) = stream.next().await {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => {
                session.hear();
                continue;
            }
            Message::Binary(_) | Message::Close(_) => return,
        };
        if text.is_empty() {
            continue;
        }
        let Some(texts) = read(&text) else { return };
        for text in texts {
            if session.send(Message::Text(text.into())).await.is_err() {
                return;
            }
        }
    }
}

/// An array of texts, or one text.
fn read(text: &str) -> Option<Vec<String>> {
    if text.starts_with('[') {
        return read_array(text).ok();
    }
    let one = serde_json::from_str(text).ok()?;
    Some(vec![one])
}

async fn speak(mut turn: Turn, mut sink: SplitSink<WebSocket, Message>) {
    loop {
        let frame = turn.next().await;
        let text = Message::Text(frame.text().into());
        let said = match frame {
            // A browser answers the ping by itself, which shows that it is there.
            Frame::Heartbeat => match sink.feed(text).await {
                Ok(()) => sink.send(Message::Ping(bytes::Bytes::new())).await,
                Err(error) => Err(error),
            },
            Frame::Open | Frame::Messages(_) => sink.send(text).await,
            Frame::Close(farewell) => {
                let close = Message::Close(Some(CloseFrame {
                    code: farewell.code,
                    reason: farewell.reason.into(),
                }));
                if sink.feed(text).await.is_ok() && sink.send(close).await.is_ok() {
                    turn.done();
                }
                return;
            }
        };
        if said.is_err() {
            return;
        }
    }
}
