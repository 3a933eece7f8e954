//! The system on three NATS nodes with three replicas: two processes of it, people who write, and
//! the node that leads `MESSAGE` killed meanwhile. The judge is what the writers and a listener noted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream;
use doran_platform::{access_token::Signer, secret::MasterKey};
use doran_testkit::{TestCluster, TestDatabase, TestPostgres, TestRedis};
use futures_util::future::{join, join_all};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    chat::{Person, Socket},
    command::{Run, doran},
    process::Process,
};

const ROOMS: usize = 3;
const WRITERS: usize = 6;
/// Acknowledged before the kill, and after it.
const ACKS: usize = 150;
/// Promise 8.
const WRITES_ARE_BACK: Duration = Duration::from_secs(12);
const LIMIT: Duration = Duration::from_mins(1);
const GLANCE: Duration = Duration::from_millis(50);

struct System {
    gateways: Vec<Process>,
    cluster: TestCluster,
    _database: TestDatabase,
    _redis: TestRedis,
    _keys: TempDir,
}

impl System {
    async fn start() -> Self {
        let keys = tempfile::tempdir().unwrap();
        let (master, signing) = (
            keys.path().join("master.key"),
            keys.path().join("signing.pem"),
        );
        MasterKey::open_or_create(&master).unwrap();
        Signer::open_or_create(&signing).unwrap();
        let cluster = TestCluster::start().await;
        let (database, redis) = (TestPostgres::database().await, TestRedis::database().await);
        let mut variables = cluster.variables();
        let ours = [
            ("DATABASE_URL", database.url().to_owned()),
            ("REDIS_URL", redis.url().to_owned()),
            ("DORAN_MASTER_KEY_FILE", master.display().to_string()),
            ("DORAN_SIGNING_KEY_FILE", signing.display().to_string()),
            ("DORAN_REPLICAS", "3".to_owned()),
        ];
        variables.extend(ours.map(|(name, value)| (name.to_owned(), value)));
        let applied = Run::of(doran(&["streams", "apply"]).envs(variables.clone())).await;
        assert_eq!(applied.code, 0, "{applied:?}");
        let gateway = || Process::start(&["all", "--no-limits"], variables.clone());
        Self {
            gateways: vec![gateway(), gateway()],
            cluster,
            _database: database,
            _redis: redis,
            _keys: keys,
        }
    }
}

/// What one writer was told of one message.
#[derive(Clone, Debug)]
struct Ack {
    at: Instant,
    room: String,
    client_message_id: String,
    id: String,
    seq: u64,
}

#[derive(Default)]
struct Journal {
    acks: Mutex<Vec<Ack>>,
    is_over: AtomicBool,
}

impl Journal {
    fn acks(&self) -> Vec<Ack> {
        self.acks.lock().unwrap().clone()
    }

    async fn until(&self, count: usize) {
        while self.acks().len() < count {
            sleep(GLANCE).await;
        }
    }

    /// Writes one message after the other, each until it is acknowledged.
    async fn write(&self, writer: usize, person: &Person, room: &str) {
        let path = format!("/api/chat/rooms/{room}/messages");
        for number in 0.. {
            let client_message_id = format!("w{writer}-{number}");
            let body =
                json!({ "content": client_message_id, "clientMessageId": client_message_id });
            let data = loop {
                let reply = person.post(&path, &body).await;
                match reply.status {
                    StatusCode::CREATED | StatusCode::OK => break reply.data,
                    StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                        sleep(GLANCE).await;
                    }
                    other => panic!("{other}: {}", reply.data),
                }
            };
            self.acks.lock().unwrap().push(Ack {
                at: Instant::now(),
                room: room.to_owned(),
                client_message_id,
                id: data["id"].as_str().unwrap().to_owned(),
                seq: data["seq"].as_u64().unwrap(),
            });
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

/// A message as somebody else saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    seq: u64,
    id: String,
    client_message_id: String,
}

impl Seen {
    fn of(message: &Value) -> Self {
        Self {
            seq: message["seq"].as_u64().unwrap(),
            id: message["id"].as_str().unwrap().to_owned(),
            client_message_id: message["clientMessageId"].as_str().unwrap().to_owned(),
        }
    }
}

/// Notes what comes until `count` messages have come.
async fn listen(socket: &mut Socket, count: usize) -> BTreeMap<String, Vec<Seen>> {
    let mut heard = BTreeMap::<_, Vec<_>>::new();
    for _ in 0..count {
        let frame = socket.until("message").await;
        let room = frame["roomId"].as_str().unwrap().to_owned();
        heard
            .entry(room)
            .or_default()
            .push(Seen::of(&frame["message"]));
    }
    heard
}

async fn history(person: &Person, room: &str, position: &str) -> Vec<Seen> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/chat/rooms/{room}/messages?limit=100&after={after}");
        let page = person.get(&path, position).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.data);
        all.extend(page.data["items"].as_array().unwrap().iter().map(Seen::of));
        after = all.last().map_or(0, |last: &Seen| last.seq);
        if page.data["hasAfter"] != true {
            return all;
        }
    }
}

/// Nothing lost, doubled or out of order, as the writers know it.
fn compare(acks: &[Ack], seen: &[Seen]) {
    assert!(
        seen.is_sorted_by(|one, next| one.seq < next.seq),
        "{seen:?}"
    );
    let ids: BTreeSet<_> = seen
        .iter()
        .map(|message| &message.client_message_id)
        .collect();
    assert_eq!(ids.len(), seen.len(), "a message is there twice");
    for ack in acks {
        let message = seen
            .iter()
            .find(|message| message.client_message_id == ack.client_message_id);
        let message = message.unwrap_or_else(|| panic!("{ack:?} is lost"));
        assert_eq!((message.seq, &message.id), (ack.seq, &ack.id), "{ack:?}");
    }
    assert_eq!(seen.len(), acks.len());
    // One writer waits for each acknowledgement, so its messages lie in the order in which it wrote.
    let mut last = BTreeMap::new();
    for message in seen {
        let (writer, number) = message.client_message_id.split_once('-').unwrap();
        let number: u64 = number.parse().unwrap();
        assert_eq!(
            number,
            last.insert(writer, number).map_or(0, |last| last + 1),
            "{message:?}"
        );
    }
}

/// Rooms that the person makes and the socket follows.
async fn rooms(person: &Person, socket: &mut Socket) -> Vec<String> {
    let mut rooms = Vec::new();
    for number in 0..ROOMS {
        let name = json!({ "name": format!("room {number}") });
        let room = person.post("/api/chat/rooms", &name).await;
        let room = room.data["id"].as_str().unwrap().to_owned();
        let subscribe = json!({ "id": 2, "type": "subscribe", "roomId": room });
        socket.send(subscribe).await;
        socket.until("caughtUp").await;
        rooms.push(room);
    }
    rooms
}

/// Without an acknowledgement, from the kill on.
fn longest_pause(acks: &[Ack], killed: Instant) -> Duration {
    let mut times = vec![killed];
    times.extend(acks.iter().map(|ack| ack.at).filter(|at| *at > killed));
    let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
    pauses.max().unwrap()
}

#[tokio::test]
async fn a_lost_leader_costs_seconds_and_no_message() {
    let system = System::start().await;
    let kim = Person::at(system.gateways[0].base())
        .register_as("kim")
        .await;
    let elsewhere = Person::at(system.gateways[1].base()).log_in_as("kim").await;
    let mut socket = elsewhere.socket().await;
    let rooms = rooms(&kim, &mut socket).await;
    let journal = Journal::default();
    let writers = (0..WRITERS).map(|writer| {
        let person = if writer % 2 == 0 { &kim } else { &elsewhere };
        journal.write(writer, person, &rooms[writer % ROOMS])
    });
    let js = jetstream::new(system.cluster.client().await);
    let killing = async {
        journal.until(ACKS).await;
        let node = system.cluster.kill_leader(&js, "MESSAGE").await;
        let killed = Instant::now();
        journal.until(journal.acks().len() + ACKS).await;
        journal.is_over.store(true, Ordering::Relaxed);
        (node, killed)
    };
    let listening = async {
        // Frames are taken as they come; how many there will be is known at the end.
        let mut heard = listen(&mut socket, ACKS).await;
        while !journal.is_over.load(Ordering::Relaxed) {
            add(&mut heard, listen(&mut socket, 1).await);
        }
        heard
    };
    let all = join(join(join_all(writers), killing), listening);
    let ((_, (node, killed)), mut heard) = timeout(LIMIT, all).await.expect("no end");
    let acks = journal.acks();
    let count: usize = heard.values().map(Vec::len).sum();
    add(&mut heard, listen(&mut socket, acks.len() - count).await);

    let pause = longest_pause(&acks, killed);
    assert!(pause < WRITES_ARE_BACK, "{pause:?}");

    system.cluster.resume(node, &js, "MESSAGE").await;
    let head = acks.iter().map(|ack| ack.seq).max().unwrap();
    for room in &rooms {
        let acks: Vec<_> = acks
            .iter()
            .filter(|ack| ack.room == *room)
            .cloned()
            .collect();
        compare(
            &acks,
            &history(&kim, room, &format!("MESSAGE:{head}")).await,
        );
        compare(&acks, &heard[room]);
    }
}

fn add(all: &mut BTreeMap<String, Vec<Seen>>, more: BTreeMap<String, Vec<Seen>>) {
    for (room, messages) in more {
        all.entry(room).or_default().extend(messages);
    }
}
