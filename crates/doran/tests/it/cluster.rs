//! The system on three NATS nodes with three replicas: two processes of it, people who write, and
//! the node that leads `MESSAGE` killed meanwhile. The judge is what the writers and a listener noted.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream;
use chrono::{DateTime, Utc};
use doran_platform::{Clock, access_token::Signer, secret::MasterKey};
use doran_testkit::{TestCluster, TestDatabase, TestPostgres, TestRedis};
use futures_util::{
    StreamExt,
    future::{join, join_all},
};
use reqwest::{Method, StatusCode};
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
    variables: Vec<(String, String)>,
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
            variables,
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

/// Seconds between two times that the job is due.
const EVERY: i64 = 2;
const JOB: &str = "daily-report";

/// Lets somebody be an administrator, and waits until that is known.
async fn promote(system: &System, person: &Person, name: &str) {
    let email = format!("{name}@example.com");
    let promoted =
        Run::of(doran(&["users", "promote", &email]).envs(system.variables.clone())).await;
    assert_eq!(promoted.code, 0, "{promoted:?}");
    let asked = async || person.call(Method::GET, "/api/batch/jobs", None).await;
    while asked().await.status != StatusCode::OK {
        sleep(GLANCE).await;
    }
}

async fn change_job(person: &Person, change: &Value) {
    let path = format!("/api/batch/jobs/{JOB}");
    let changed = person.send(Method::PATCH, &path, change).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.data);
}

/// The runs that the tables have, the oldest first.
async fn runs(person: &Person) -> Vec<Value> {
    let path = format!("/api/batch/runs?job={JOB}&limit=100");
    let page = person.call(Method::GET, &path, None).await;
    let mut runs = page.data["items"].as_array().cloned().unwrap_or_default();
    runs.sort_by_key(started);
    runs
}

/// Waits until so many runs have begun that the period counts for.
async fn until_runs(person: &Person, periods: impl Fn(&[Value]) -> Range<i64>, count: usize) {
    loop {
        let runs = runs(person).await;
        let wanted = periods(&runs);
        if runs
            .iter()
            .filter(|run| wanted.contains(&period(run)))
            .count()
            >= count
        {
            return;
        }
        sleep(GLANCE).await;
    }
}

fn started(run: &Value) -> DateTime<Utc> {
    run["startedAt"].as_str().unwrap().parse().unwrap()
}

/// Counts the times that the job was due.
fn period_of(at: DateTime<Utc>) -> i64 {
    at.timestamp() / EVERY
}

fn period(run: &Value) -> i64 {
    period_of(started(run))
}

/// The periods in which runs that were due while nobody led may begin: from the kill on, and two
/// from the first in which the log took events again.
fn outage(runs: &[Value], killed: i64) -> Range<i64> {
    let missed = runs
        .windows(2)
        .map(|pair| (period(&pair[0]), period(&pair[1])))
        .find(|(before, next)| *next >= killed && next - before > 1);
    killed..missed.map_or(killed, |(_, resumed)| resumed) + 2
}

/// Due jobs in the queue.
async fn due(js: &jetstream::Context) -> usize {
    let stream = js.get_stream("SCHEDULE").await.unwrap();
    let subjects = stream.info_with_subjects("due.*").await.unwrap();
    subjects.count().await
}

/// Each time that the job was due made one run: no two began in one period, but for those that had
/// to wait while nobody led, and in all there are no more than periods.
fn assert_once_each_time(runs: &[Value], outage: &Range<i64>) {
    let periods: Vec<_> = runs.iter().map(period).collect();
    let undisturbed = periods.iter().filter(|period| !outage.contains(period));
    assert!(
        undisturbed.is_sorted_by(|one, next| one < next),
        "{outage:?} {periods:?} {runs:?}"
    );
    let most = periods.last().unwrap() - periods.first().unwrap() + 1;
    assert!(i64::try_from(runs.len()).unwrap() <= most, "{runs:?}");
}

#[tokio::test]
async fn a_schedule_makes_one_run_each_time_and_goes_on_after_its_leader_was_killed() {
    let system = System::start().await;
    let kim = Person::at(system.gateways[0].base())
        .register_as("kim")
        .await;
    promote(&system, &kim, "kim").await;
    let js = jetstream::new(system.cluster.client().await);
    change_job(&kim, &json!({ "schedule": format!("*/{EVERY} * * * * *") })).await;
    let fired = until_runs(&kim, |_| 0..i64::MAX, 2);
    timeout(LIMIT, fired).await.unwrap();

    let killed = period_of(Clock::system().now());
    system.cluster.kill_leader(&js, "SCHEDULE").await;
    // What was due while nobody led is run as soon as the log takes events again.
    let settled = |runs: &[Value]| outage(runs, killed).end..i64::MAX;
    let fired = until_runs(&kim, settled, 2);
    timeout(LIMIT, fired).await.unwrap();

    change_job(&kim, &json!({ "paused": true })).await;
    let ended = timeout(LIMIT, async {
        loop {
            let runs = runs(&kim).await;
            if due(&js).await == 0 && runs.iter().all(|run| run["state"] == "succeeded") {
                return runs;
            }
            sleep(GLANCE).await;
        }
    });
    let runs = ended.await.unwrap();
    assert_once_each_time(&runs, &outage(&runs, killed));
}
