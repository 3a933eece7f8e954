//! A client that keeps talking whatever happens to the servers, as the page does: it comes back
//! with `since`, to another gateway if need be, and sends again what was not acknowledged.

use std::{
    collections::HashSet,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::{Barrier, watch},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// After so long without a frame the connection is taken for dead.
const SILENCE: Duration = Duration::from_secs(10);
const COME_BACK: Duration = Duration::from_millis(50);

pub(crate) struct Talker {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) room: String,
    /// Where it connects, the first one first.
    pub(crate) gateways: Vec<String>,
    /// How many messages it sends, and how many it waits to hear.
    pub(crate) sends: usize,
    pub(crate) hears: usize,
    /// Where all talkers wait for each other before the first word, for who comes later does not
    /// hear it.
    pub(crate) everybody: Arc<Barrier>,
    /// Counts what all talkers were acknowledged.
    pub(crate) acknowledged: watch::Sender<usize>,
}

/// What one talker saw: the oracle.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// `seq` and `clientMessageId` of every message frame, in the order in which they came.
    pub(crate) heard: Vec<(u64, String)>,
    pub(crate) acknowledged: HashSet<String>,
    /// The longest time from a lost connection to being caught up again.
    pub(crate) longest_away: Duration,
    /// The longest time from the first try to the acknowledgement of one message.
    pub(crate) longest_send: Duration,
    epoch: String,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The connection ended.
struct Lost;

impl Talker {
    /// Talks until everything was said and heard.
    pub(crate) async fn talk(self) -> Journal {
        let mut journal = Journal::default();
        let mut gateways = self.gateways.iter().cycle();
        let mut lost_at: Option<Instant> = None;
        let mut is_first = true;
        loop {
            let gateway = gateways.next().unwrap();
            let Ok(mut socket) = self.connect(gateway, &mut journal).await else {
                lost_at.get_or_insert_with(Instant::now);
                tokio::time::sleep(COME_BACK).await;
                continue;
            };
            if mem::take(&mut is_first) {
                self.everybody.wait().await;
            }
            if let Some(lost_at) = lost_at.take() {
                journal.longest_away = journal.longest_away.max(lost_at.elapsed());
            }
            match self.converse(&mut socket, &mut journal).await {
                Ok(()) => return journal,
                Err(Lost) => lost_at = Some(Instant::now()),
            }
        }
    }

    /// Connects, logs in, and catches up.
    async fn connect(&self, gateway: &str, journal: &mut Journal) -> Result<Socket, Lost> {
        let url = format!("{}/ws", gateway.replace("http", "ws"));
        let mut request = url.into_client_request().unwrap();
        let protocol = "doran.v1".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let connected = timeout(SILENCE, connect_async(request)).await;
        let (mut socket, _) = connected.or(Err(Lost))?.or(Err(Lost))?;
        say(
            &mut socket,
            &json!({ "id": 1, "type": "auth", "token": self.token }),
        )
        .await?;
        let mut subscribe = json!({ "id": 2, "type": "subscribe", "roomId": self.room });
        if let Some((seq, _)) = journal.heard.last() {
            subscribe["since"] = json!({ "epoch": journal.epoch, "seq": seq });
        }
        say(&mut socket, &subscribe).await?;
        loop {
            let frame = next(&mut socket).await?;
            match frame["type"].as_str().unwrap() {
                "ok" if frame["id"] == 2 => {
                    assert_eq!(frame["complete"], true, "{frame}");
                    frame["epoch"]
                        .as_str()
                        .unwrap()
                        .clone_into(&mut journal.epoch);
                }
                "message" => journal.hear(&frame),
                "caughtUp" => return Ok(socket),
                // It is asked again on another connection.
                "error" => return Err(Lost),
                _ => {}
            }
        }
    }

    /// Sends one message after the other until all was said and heard.
    async fn converse(&self, socket: &mut Socket, journal: &mut Journal) -> Result<(), Lost> {
        let mut began = Instant::now();
        let mut is_waiting = false;
        loop {
            let sent = journal.acknowledged.len();
            let id = format!("{}-{sent}", self.name);
            if sent == self.sends && journal.heard.len() >= self.hears {
                return Ok(());
            }
            if sent < self.sends && !is_waiting {
                let send = json!({
                    "id": sent + 10, "type": "send", "roomId": self.room,
                    "clientMessageId": id, "content": id,
                });
                say(socket, &send).await?;
                is_waiting = true;
            }
            let frame = next(socket).await?;
            match frame["type"].as_str().unwrap() {
                "message" => journal.hear(&frame),
                "ack" => {
                    assert_eq!(frame["id"], sent + 10);
                    journal.longest_send = journal.longest_send.max(began.elapsed());
                    journal.acknowledged.insert(id);
                    self.acknowledged.send_modify(|count| *count += 1);
                    (is_waiting, began) = (false, Instant::now());
                }
                "error" => {
                    assert_eq!(frame["retryable"], true, "{frame}");
                    let pause = frame["afterMs"].as_u64().unwrap_or(50);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    is_waiting = false;
                }
                _ => {}
            }
        }
    }
}

impl Journal {
    fn hear(&mut self, frame: &Value) {
        let seq = frame["seq"].as_u64().unwrap();
        if let Some((last, _)) = self.heard.last() {
            assert_eq!(frame["prev"], *last, "a hole before {frame}");
        }
        let id = frame["message"]["clientMessageId"].as_str().unwrap();
        self.heard.push((seq, id.to_owned()));
    }
}

async fn say(socket: &mut Socket, frame: &Value) -> Result<(), Lost> {
    let sent = socket.send(Message::text(frame.to_string())).await;
    sent.or(Err(Lost))
}

async fn next(socket: &mut Socket) -> Result<Value, Lost> {
    loop {
        let frame = timeout(SILENCE, socket.next()).await.or(Err(Lost))?;
        match frame {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return Err(Lost),
        }
    }
}
