//! A STOMP client over a raw WebSocket that knows nothing of this code but the contract. Every frame
//! that it gets, and every one that it sends but by `raw` and `send_unchecked`, has to be as
//! docs/api/asyncapi.json says.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use doran_testkit::{Side, check_close, check_stomp};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct StompClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) subprotocol: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) command: String,
    headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Frame {
    pub(crate) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap();
        let mut lines = head.trim_start_matches('\n').lines();
        let command = lines.next().unwrap().to_owned();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.to_owned())
        });
        let frame = Self {
            command,
            headers: headers.collect(),
            body: body.strip_suffix('\0').unwrap().to_owned(),
        };
        check_stomp(Side::Server, &frame.command, &frame.headers, &frame.body);
        frame
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn seq(&self) -> u64 {
        self.header("seq").parse().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) fn check_sent(command: &str, headers: &[(&str, &str)], body: &str) {
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    check_stomp(
        Side::Client,
        command,
        &headers.collect::<HashMap<_, _>>(),
        body,
    );
}

impl StompClient {
    pub(crate) async fn open(address: SocketAddr, path: &str, subprotocols: &str) -> Self {
        let mut request = format!("ws://{address}{path}")
            .into_client_request()
            .unwrap();
        if !subprotocols.is_empty() {
            let value = HeaderValue::from_str(subprotocols).unwrap();
            request
                .headers_mut()
                .insert("sec-websocket-protocol", value);
        }
        let (socket, response) = connect_async(request).await.unwrap();
        let chosen = response.headers().get("sec-websocket-protocol");
        Self {
            socket,
            subprotocol: chosen.map(|value| value.to_str().unwrap().to_owned()),
        }
    }

    /// Connected with a token.
    pub(crate) async fn connect(address: SocketAddr, token: &str) -> Self {
        let mut client = Self::open(address, "/ws/chat/websocket", "v12.stomp").await;
        let authorization = format!("Bearer {token}");
        let headers = [
            ("accept-version", "1.2"),
            ("host", "x"),
            ("Authorization", &authorization),
        ];
        let connected = client.ask("CONNECT", &headers, "").await;
        assert_eq!(connected.command, "CONNECTED", "{connected:?}");
        client
    }

    pub(crate) async fn send(&mut self, command: &str, headers: &[(&str, &str)], body: &str) {
        check_sent(command, headers, body);
        self.send_unchecked(command, headers, body).await;
    }

    /// As `send`, with a frame that is wrong on purpose.
    pub(crate) async fn send_unchecked(
        &mut self,
        command: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        let lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let text = format!("{command}\n{}\n{body}\0", lines.concat());
        self.raw(&text).await;
    }

    pub(crate) async fn raw(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn binary(&mut self, bytes: &[u8]) {
        let message = Message::binary(bytes.to_vec());
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn ask(
        &mut self,
        command: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Frame {
        self.send(command, headers, body).await;
        self.next().await
    }

    /// Subscribes, and waits for the receipt.
    pub(crate) async fn subscribe(&mut self, id: &str, destination: &str) -> Frame {
        let headers = [("id", id), ("destination", destination), ("receipt", id)];
        let receipt = self.ask("SUBSCRIBE", &headers, "").await;
        assert_eq!(receipt.command, "RECEIPT", "{receipt:?}");
        receipt
    }

    /// The next frame; heart-beats are passed over.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            match self.message().await {
                Message::Text(text) if text.as_str() == "\n" => {}
                Message::Text(text) => return Frame::read(&text),
                other => panic!("not a frame: {other:?}"),
            }
        }
    }

    /// Contents of the next messages, each of which must follow the one before.
    pub(crate) async fn contents(&mut self, count: usize) -> Vec<String> {
        let mut contents = Vec::new();
        let mut last = None;
        while contents.len() < count {
            let frame = self.next().await;
            if frame.command != "MESSAGE" {
                assert_eq!(frame.command, "RECEIPT", "{frame:?}");
                continue;
            }
            if let Some(last) = last {
                assert_eq!(frame.header("prev"), format!("{last}"));
            }
            last = Some(frame.seq());
            contents.push(frame.json()["content"].as_str().unwrap().to_owned());
        }
        contents
    }

    /// The ERROR that must come, and the code with which the socket is closed after it.
    pub(crate) async fn refused(&mut self) -> (Frame, u16) {
        let error = loop {
            let frame = self.next().await;
            if frame.command == "ERROR" {
                break frame;
            }
        };
        (error, self.closed().await)
    }

    pub(crate) async fn closed(&mut self) -> u16 {
        match self.message().await {
            Message::Close(Some(frame)) => {
                let code = frame.code.into();
                check_close(code);
                code
            }
            other => panic!("not closed: {other:?}"),
        }
    }

    /// That nothing comes until the receipt of a frame that goes the same way.
    pub(crate) async fn nothing_came(&mut self) {
        let receipt = self
            .ask("ACK", &[("id", "1"), ("receipt", "nothing")], "")
            .await;
        assert_eq!(receipt.header("receipt-id"), "nothing", "{receipt:?}");
    }

    async fn message(&mut self) -> Message {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await;
            let next = next.expect("nothing comes").expect("the socket has ended");
            match next.unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }
}
