//! A WebSocket client that knows nothing of this code but the contract. Every frame that it gets, and
//! every one that it sends but by `raw` and `…_unchecked`, has to be as docs/api/asyncapi.json says.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use doran_contract::RoomId;
use doran_testkit::{Side, check_close, check_frame, check_reply};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    /// Types of the frames that were sent, by their id.
    asked: HashMap<u64, String>,
}

impl Client {
    pub(crate) async fn connect(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, tungstenite::Error> {
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        let given = headers.iter().copied();
        for (name, value) in [("sec-websocket-protocol", "doran.v1")]
            .into_iter()
            .chain(given)
        {
            if value.is_empty() {
                request.headers_mut().remove(name);
            } else {
                request
                    .headers_mut()
                    .insert(name, HeaderValue::from_str(value)?);
            }
        }
        let (socket, _) = connect_async(request).await?;
        Ok(Self {
            socket,
            last_id: 0,
            asked: HashMap::new(),
        })
    }

    /// Reads hello and logs in; the `ok` frame.
    pub(crate) async fn log_in(&mut self, token: &str) -> Value {
        assert_eq!(self.next().await["type"], "hello");
        let answer = self.ask(json!({ "type": "auth", "token": token })).await;
        assert_eq!(answer["type"], "ok", "{answer}");
        answer
    }

    /// Subscribes without `since`; the `ok` frame. `caughtUp` has been read.
    pub(crate) async fn subscribe(&mut self, room: RoomId) -> Value {
        let ok = self
            .ask(json!({ "type": "subscribe", "roomId": room }))
            .await;
        assert_eq!(ok["type"], "ok", "{ok}");
        assert_eq!(self.next().await["type"], "caughtUp");
        ok
    }

    /// Sends a frame under a new id and returns the next frame, which must answer it.
    pub(crate) async fn ask(&mut self, frame: Value) -> Value {
        check_frame(Side::Client, &frame);
        self.ask_unchecked(frame).await
    }

    /// As `ask`, with a frame that is wrong on purpose.
    pub(crate) async fn ask_unchecked(&mut self, frame: Value) -> Value {
        let id = self.send_unchecked(frame).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Sends a frame under a new id.
    pub(crate) async fn send(&mut self, frame: Value) -> u64 {
        check_frame(Side::Client, &frame);
        self.send_unchecked(frame).await
    }

    async fn send_unchecked(&mut self, mut frame: Value) -> u64 {
        self.last_id += 1;
        frame["id"] = self.last_id.into();
        let kind = frame["type"].as_str().unwrap();
        self.asked.insert(self.last_id, kind.to_owned());
        self.raw(Message::text(frame.to_string())).await;
        self.last_id
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.try_raw(message).await.unwrap();
    }

    pub(crate) async fn try_raw(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        self.socket.send(message).await
    }

    /// The next frame but what is unread, which comes beside everything else.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] != "unread" {
                return frame;
            }
        }
    }

    /// The next frame of whatever type.
    pub(crate) async fn frame(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("not a frame: {other:?}"),
        }
    }

    /// The next frame of a type; others are passed over.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The sequences of the next `count` message frames, each of which must follow the one before.
    pub(crate) async fn messages(&mut self, count: usize) -> Vec<(u64, String)> {
        let mut messages: Vec<(u64, String)> = Vec::new();
        while messages.len() < count {
            let frame = self.next_of("message").await;
            let seq = frame["seq"].as_u64().unwrap();
            if let Some((last, _)) = messages.last() {
                assert_eq!(frame["prev"], *last, "a hole before {frame}");
            }
            messages.push((
                seq,
                frame["message"]["content"].as_str().unwrap().to_owned(),
            ));
        }
        messages
    }

    /// Code and `afterMs` of the close frame that must come; frames before it are passed over.
    pub(crate) async fn closed(&mut self) -> (u16, u64) {
        loop {
            match self.message().await {
                Message::Close(Some(frame)) => {
                    let reason: Value = serde_json::from_str(&frame.reason).unwrap();
                    return (frame.code.into(), reason["afterMs"].as_u64().unwrap());
                }
                Message::Close(None) => panic!("closed without a reason"),
                _ => {}
            }
        }
    }

    /// That nothing comes until the answer to a ping, which goes the same way.
    pub(crate) async fn nothing_came(&mut self) {
        let answer = self.ask(json!({ "type": "ping" })).await;
        assert_eq!(answer["type"], "pong");
    }

    /// That nothing but `count` messages comes until the answer to a ping.
    pub(crate) async fn nothing_came_but(&mut self, count: usize) {
        let ping = self.send(json!({ "type": "ping" })).await;
        let mut came = 0;
        loop {
            let frame = self.next().await;
            if frame["id"] == ping {
                assert_eq!(came, count);
                return;
            }
            came += 1;
        }
    }

    /// Reads until the socket has ended, in whatever way.
    pub(crate) async fn ended(&mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    async fn message(&mut self) -> Message {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await;
            match next
                .expect("nothing comes")
                .expect("the socket has ended")
                .unwrap()
            {
                Message::Ping(_) | Message::Pong(_) => {}
                message => {
                    self.check(&message);
                    return message;
                }
            }
        }
    }

    fn check(&self, message: &Message) {
        match message {
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(text).unwrap();
                check_frame(Side::Server, &frame);
                let asked = frame["id"].as_u64().and_then(|id| self.asked.get(&id));
                if let Some(asked) = asked {
                    check_reply(asked, &frame);
                }
            }
            Message::Close(Some(frame)) => check_close(frame.code.into()),
            _ => {}
        }
    }
}
