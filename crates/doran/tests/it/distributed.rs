//! Every role a process, two gateways and two chat services, and what people notice when one of
//! them, or a server that they all need, is gone. The oracle is what the clients saw.

use std::{collections::HashSet, sync::Arc, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    sync::{Barrier, watch},
    task::JoinSet,
};

use crate::{
    chat::Person,
    process::Process,
    system::System,
    talker::{Journal, Talker},
};

/// Messages of each talker: enough to be talking while something is killed and after it.
const SENDS: usize = 150;
const TALKERS: usize = 4;

/// People who talk in one room, half of them over each gateway.
struct Talk {
    journals: JoinSet<Journal>,
    acknowledged: watch::Receiver<usize>,
    reader: Person,
    messages: String,
}

impl Talk {
    async fn begin(system: &System, gateways: &[String]) -> Self {
        let mut people = Vec::new();
        for n in 0..TALKERS {
            people.push(Person::register(system, &format!("talker{n}")).await);
        }
        let reader = Person::register(system, "reader").await;
        let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
        let room = json!({ "name": "회의", "memberIds": ids });
        let created = reader.post("/api/chat/rooms", &room).await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.data);
        let room = created.data["id"].as_str().unwrap().to_owned();
        let (sender, acknowledged) = watch::channel(0);
        let everybody = Arc::new(Barrier::new(TALKERS));
        let mut journals = JoinSet::new();
        for (n, person) in people.into_iter().enumerate() {
            let mut gateways = gateways.to_vec();
            let count = gateways.len();
            gateways.rotate_left(n % count);
            let talker = Talker {
                name: format!("talker{n}"),
                token: person.token,
                room: room.clone(),
                gateways,
                sends: SENDS,
                hears: SENDS * TALKERS,
                everybody: Arc::clone(&everybody),
                acknowledged: sender.clone(),
            };
            journals.spawn(talker.talk());
        }
        Self {
            journals,
            acknowledged,
            reader,
            messages: format!("/api/chat/rooms/{room}/messages"),
        }
    }

    /// Until a part of everything has been acknowledged.
    async fn has_come(&mut self, tenths: usize) {
        let wanted = SENDS * TALKERS * tenths / 10;
        tokio::select! {
            reached = self.acknowledged.wait_for(|count| *count >= wanted) => drop(reached.unwrap()),
            Some(ended) = self.journals.join_next() => panic!("too early: {ended:?}"),
        }
    }

    /// What everybody saw: everything, once, in one order.
    async fn end(mut self) -> Vec<Journal> {
        let mut journals: Vec<Journal> = Vec::new();
        while let Some(journal) = self.journals.join_next().await {
            journals.push(journal.unwrap());
        }
        let first = journals[0].heard.clone();
        let said: HashSet<_> = journals.iter().flat_map(|j| &j.acknowledged).collect();
        let heard: HashSet<_> = first.iter().map(|(_, id)| id).collect();
        assert_eq!(said.len(), SENDS * TALKERS);
        assert_eq!(heard, said, "something was lost or made up");
        assert_eq!(first.len(), heard.len(), "something was said twice");
        for journal in &journals {
            assert_eq!(journal.heard, first, "two orders");
        }
        for n in 0..TALKERS {
            let prefix = format!("talker{n}-");
            let own = first.iter().filter_map(|(_, id)| id.strip_prefix(&prefix));
            let own: Vec<usize> = own.map(|number| number.parse().unwrap()).collect();
            assert!(own.is_sorted(), "{prefix}");
        }
        assert_eq!(self.read().await, first, "history is another one");
        journals
    }

    /// The room's history, from its beginning.
    async fn read(&self) -> Vec<(u64, String)> {
        let mut history: Vec<(u64, String)> = Vec::new();
        let last = SENDS * TALKERS;
        while history.len() < last {
            let after = history.last().map_or(0, |(seq, _)| *seq);
            let path = format!("{}?after={after}&limit=100", self.messages);
            let page = self.reader.call(Method::GET, &path, None).await;
            if page.status == StatusCode::SERVICE_UNAVAILABLE {
                continue;
            }
            assert_eq!(page.status, StatusCode::OK, "{}", page.data);
            let items = page.data["items"].as_array().unwrap().iter();
            history.extend(items.map(|message| {
                let id = message["clientMessageId"].as_str().unwrap();
                (message["seq"].as_u64().unwrap(), id.to_owned())
            }));
        }
        history
    }
}

fn gateways(system: &System) -> Vec<String> {
    let all = [&system.gateway].into_iter().chain(&system.second_gateway);
    all.map(Process::base).collect()
}

fn longest(journals: &[Journal], of: impl Fn(&Journal) -> Duration) -> Duration {
    journals.iter().map(of).max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_and_a_chat_service_are_killed_and_nothing_is_lost_or_doubled() {
    let mut system = System::with_two_gateways().await;
    let addresses = gateways(&system);
    let mut talk = Talk::begin(&system, &addresses).await;
    talk.has_come(2).await;
    system.services.last_mut().unwrap().kill();
    talk.has_come(5).await;
    // The reader keeps to the first one.
    system.second_gateway.as_mut().unwrap().kill();
    let journals = talk.end().await;
    let away = longest(&journals, |journal| journal.longest_away);
    assert!(
        away > Duration::ZERO,
        "nobody was at the gateway that was killed"
    );
    assert!(away < Duration::from_secs(5), "whole again after {away:?}");
    let send = longest(&journals, |journal| journal.longest_send);
    assert!(send < Duration::from_secs(3), "a message took {send:?}");
    // Queries go on, too: by the instance that is left.
    let kim = Person::log_in(&system, "reader").await;
    for _ in 0..10 {
        let rooms = kim.call(Method::GET, "/api/chat/rooms", None).await;
        assert_eq!(rooms.status, StatusCode::OK, "{}", rooms.data);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_server_is_killed_while_people_talk_and_nothing_is_lost_or_doubled() {
    let system = System::with_two_gateways().await;
    let addresses = gateways(&system);
    let mut talk = Talk::begin(&system, &addresses).await;
    for tenths in [2, 4, 6] {
        talk.has_come(tenths).await;
        system.nats().kill().await;
        system.nats().resume().await;
    }
    talk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_stopped_while_people_talk_and_they_go_on() {
    let system = System::with_redis_of_its_own().await;
    let mut talk = Talk::begin(&system, &[system.gateway.base()]).await;
    talk.has_come(1).await;
    system.redis().stop().await;
    talk.has_come(3).await;
    let kim = Person::log_in(&system, "talker0").await;
    let me = kim.call(Method::GET, "/api/auth/me", None).await;
    assert_eq!(me.status, StatusCode::OK, "{}", me.data);
    system.redis().resume().await;
    talk.end().await;
}
