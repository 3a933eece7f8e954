//! A SockJS client over HTTP that knows nothing of this code but the protocol.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use futures_util::StreamExt;
use reqwest::{Client, Response};
use tokio::time::timeout;

use crate::stomp_client::{Frame, check_sent};

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct SockJsClient {
    http: Client,
    /// Requests go to each in turn.
    addresses: Vec<SocketAddr>,
    turn: usize,
    session: String,
    waiting: VecDeque<String>,
}

impl SockJsClient {
    /// A session that has been opened.
    pub(crate) async fn open(addresses: &[SocketAddr], session: &str) -> Self {
        let mut client = Self {
            http: Client::new(),
            addresses: addresses.to_vec(),
            turn: 0,
            session: session.to_owned(),
            waiting: VecDeque::new(),
        };
        assert_eq!(client.poll().await, "o\n");
        client
    }

    /// An opened session that is connected with a token.
    pub(crate) async fn connect(addresses: &[SocketAddr], session: &str, token: &str) -> Self {
        let mut client = Self::open(addresses, session).await;
        let bearer = format!("Bearer {token}");
        let headers = [("accept-version", "1.2"), ("Authorization", &bearer)];
        client.say("CONNECT", &headers, "").await;
        assert_eq!(client.next().await.command, "CONNECTED");
        client
    }

    pub(crate) fn url(&mut self, transport: &str) -> String {
        self.turn += 1;
        let address = self.addresses[self.turn % self.addresses.len()];
        format!("http://{address}/ws/chat/000/{}/{transport}", self.session)
    }

    pub(crate) async fn post(&mut self, transport: &str, body: String) -> Response {
        let url = self.url(transport);
        self.http.post(url).body(body).send().await.unwrap()
    }

    /// What one polling request gives.
    pub(crate) async fn poll(&mut self) -> String {
        let answer = timeout(PATIENCE, self.post("xhr", String::new())).await;
        let answer = answer.expect("no answer comes");
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    pub(crate) async fn say(&mut self, command: &str, headers: &[(&str, &str)], body: &str) {
        check_sent(command, headers, body);
        let lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let text = format!("{command}\n{}\n{body}\0", lines.concat());
        let body = serde_json::to_string(&[text]).unwrap();
        let answer = self.post("xhr_send", body).await;
        assert_eq!(answer.status(), 204);
    }

    /// The next STOMP frame, by polling.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            if let Some(text) = self.waiting.pop_front() {
                if text != "\n" {
                    return Frame::read(&text);
                }
                continue;
            }
            let answer = self.poll().await;
            match answer.strip_prefix('a') {
                Some(array) => self
                    .waiting
                    .extend(serde_json::from_str::<Vec<String>>(array).unwrap()),
                None => assert_eq!(answer, "h\n"),
            }
        }
    }
}

/// An answer that lasts, read chunk by chunk.
pub(crate) struct Lasting(std::pin::Pin<Box<dyn futures_util::Stream<Item = String> + Send>>);

impl Lasting {
    pub(crate) fn new(answer: Response) -> Self {
        assert_eq!(answer.status(), 200);
        let texts = answer
            .bytes_stream()
            .map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap());
        Self(Box::pin(texts))
    }

    /// Reads on until `end` has come; everything up to there.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.contains(end) {
            let next = timeout(PATIENCE, self.0.next()).await;
            let next = next.expect("nothing comes");
            text.push_str(&next.unwrap_or_else(|| panic!("it ends with {text}")));
        }
        text
    }

    pub(crate) async fn ended(&mut self) {
        let next = timeout(PATIENCE, self.0.next()).await;
        assert_eq!(next.expect("it goes on"), None);
    }
}
