//! A replica that answers direct gets with "not found" or not at all, as one was seen to do after
//! it had been killed. It takes part in the queue group in which replicas share the requests.

use std::time::Duration;

use doran_eventstore::ExecuteError;
use doran_testkit::{NatsUser, TestNats};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{
    account::{Command, Refusal},
    fixture::{Fixture, context, rename, run},
};

const NOT_FOUND: &str = "NATS/1.0 404 Message Not Found\r\n\r\n";

/// async-nats cannot send a status, so this speaks the protocol itself.
struct ForgetfulReplica {
    requests: BufReader<OwnedReadHalf>,
    answers: OwnedWriteHalf,
}

impl ForgetfulReplica {
    async fn join(nats: &TestNats, stream: &str) -> Self {
        let address = nats.url().strip_prefix("nats://").unwrap();
        let (requests, answers) = TcpStream::connect(address).await.unwrap().into_split();
        let mut replica = Self {
            requests: BufReader::new(requests),
            answers,
        };
        let connect = json!({
            "verbose": false,
            "pedantic": false,
            "headers": true,
            "user": NatsUser::All.name(),
            "pass": nats.password(NatsUser::All),
        });
        let subscribe = format!("SUB $JS.API.DIRECT.GET.{stream} _sys_ 1");
        replica
            .say(&format!("CONNECT {connect}\r\n{subscribe}\r\nPING\r\n"))
            .await;
        while replica.line().await.trim_end() != "PONG" {}
        replica
    }

    /// Says "not found" to whoever asks, and every tenth time nothing, without end.
    async fn answer(mut self) {
        let mut asked = 0;
        loop {
            let line = self.line().await;
            let words: Vec<_> = line.split_whitespace().collect();
            match words.as_slice() {
                ["MSG", _subject, _id, reply, length] => {
                    let mut body = vec![0; length.parse::<usize>().unwrap() + 2];
                    self.requests.read_exact(&mut body).await.unwrap();
                    asked += 1;
                    if asked % 10 == 0 {
                        continue;
                    }
                    let length = NOT_FOUND.len();
                    let answer = format!("HPUB {reply} {length} {length}\r\n{NOT_FOUND}\r\n");
                    self.say(&answer).await;
                }
                ["PING"] => self.say("PONG\r\n").await,
                _ => {}
            }
        }
    }

    async fn say(&mut self, text: &str) {
        self.answers.write_all(text.as_bytes()).await.unwrap();
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.requests.read_line(&mut line).await.unwrap();
        assert!(read > 0, "the server closed the connection: {line}");
        line
    }
}

/// Runs a test beside such a replica.
async fn beside_a_forgetful_replica<F: Future<Output = ()>>(fixture: &Fixture, test: F) {
    let replica = ForgetfulReplica::join(&fixture.nats, "ACCOUNT").await;
    tokio::select! {
        () = test => {}
        () = replica.answer() => {}
        () = tokio::time::sleep(Duration::from_secs(30)) => panic!("the test does not end"),
    }
}

#[tokio::test]
async fn a_forgetful_replica_makes_no_event_disappear() {
    let fixture = Fixture::start().await;
    let opened = fixture.open("1", "a").await;
    let reader = fixture.reader();
    beside_a_forgetful_replica(&fixture, async {
        for _ in 0..20 {
            assert!(reader.get(1).await.unwrap().is_some());
            assert!(reader.last("account.1.*").await.unwrap().is_some());
            assert_eq!(reader.read(">", 1, 10).await.unwrap().len(), 3);
            assert_eq!(reader.last_per_subject("account.>").await.unwrap().len(), 2);
            let owner = reader.claim_owner("address", "a").await.unwrap();
            assert_eq!(owner.as_deref(), Some("1"));
            assert!(reader.get(opened.sequence + 1).await.unwrap().is_none());
            assert!(reader.read("account.2.*", 1, 10).await.unwrap().is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a_forgetful_replica_leads_to_no_wrong_decision() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    beside_a_forgetful_replica(&fixture, async {
        for number in 1..=20 {
            let renamed = run(&fixture.store(), "1", rename(number), &context(number)).await;
            assert_eq!(
                renamed.unwrap().aggregate.names.len(),
                usize::try_from(number).unwrap()
            );
            let loaded = fixture.store().load("1").await.unwrap().unwrap();
            assert_eq!(
                loaded.aggregate.names.len(),
                usize::try_from(number).unwrap()
            );
            let taken = Command::Open { address: "a" };
            let taken = run(&fixture.store(), "2", taken, &context(1000 + number)).await;
            assert!(matches!(
                taken,
                Err(ExecuteError::Refused(Refusal::Taken(_)))
            ));
        }
    })
    .await;
}
