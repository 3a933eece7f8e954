use std::time::Duration;

use async_nats::{Client, jetstream::stream};
use doran_testkit::{NatsUser, Sync, TestNats};
use futures_util::StreamExt;

async fn user_stream(nats: &TestNats) -> stream::Stream {
    let config = stream::Config {
        name: "USER".to_owned(),
        subjects: vec!["user.>".to_owned()],
        allow_direct: true,
        ..Default::default()
    };
    nats.jetstream().await.create_stream(config).await.unwrap()
}

async fn append(nats: &TestNats, subject: &'static str) -> u64 {
    let jetstream = nats.jetstream().await;
    jetstream
        .publish(subject, "{}".into())
        .await
        .unwrap()
        .await
        .unwrap()
        .sequence
}

#[tokio::test]
async fn every_test_has_a_log_of_its_own() {
    let (one, other) = (TestNats::start().await, TestNats::start().await);
    user_stream(&one).await;
    assert_eq!(append(&one, "user.1.UserCreated").await, 1);
    assert_ne!(one.url(), other.url());
    assert!(other.jetstream().await.get_stream("USER").await.is_err());
}

#[tokio::test]
async fn a_killed_server_resumes_with_its_events_port_and_passwords() {
    let nats = TestNats::start().await;
    user_stream(&nats).await;
    let client = nats.client().await;
    append(&nats, "user.1.UserCreated").await;
    nats.kill().await;
    assert!(
        nats.options(NatsUser::All)
            .connect(nats.url())
            .await
            .is_err()
    );
    nats.resume().await;
    assert_eq!(append(&nats, "user.1.UserDeleted").await, 2);
    // The old connection finds the server again by itself.
    let jetstream = async_nats::jetstream::new(client);
    let found = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Ok(stream) = jetstream.get_stream("USER").await {
                return stream;
            }
        }
    });
    assert_eq!(found.await.unwrap().cached_info().state.messages, 2);
}

/// The `sync_always` of the server's JetStream settings, asked as the system user.
async fn sync_always(nats: &TestNats) -> bool {
    let client = nats.client_of(NatsUser::System).await;
    let answer = client
        .request("$SYS.REQ.SERVER.PING.JSZ", "".into())
        .await
        .unwrap();
    let text = String::from_utf8(answer.payload.to_vec()).unwrap();
    text.contains("\"sync_always\":true")
}

#[tokio::test]
async fn the_system_user_reads_whether_an_acknowledgement_is_on_disk() {
    assert!(sync_always(&TestNats::start().await).await);
    assert!(!sync_always(&TestNats::start_with(Sync::Sometimes).await).await);
}

/// Does something as `user` and tells whether the server let it.
async fn may(nats: &TestNats, user: NatsUser, act: impl AsyncFnOnce(&Client)) -> bool {
    let (events, mut refusals) = tokio::sync::mpsc::channel(16);
    let options = nats.options(user).event_callback(move |event| {
        let events = events.clone();
        async move {
            if matches!(event, async_nats::Event::ServerError(_)) {
                events.send(event).await.unwrap();
            }
        }
    });
    let client = options.connect(nats.url()).await.unwrap();
    act(&client).await;
    // The answer to this ping comes after the refusal, if there is one.
    client.flush().await.unwrap();
    let asked = client.request("$JS.API.INFO", "".into()).await;
    assert!(asked.is_ok() || user == NatsUser::System);
    refusals.try_recv().is_err()
}

async fn may_publish(nats: &TestNats, user: NatsUser, subject: &str) -> bool {
    let publish = async |client: &Client| {
        let sent = client.publish(subject.to_owned(), "{}".into()).await;
        sent.unwrap();
    };
    may(nats, user, publish).await
}

async fn may_subscribe(nats: &TestNats, user: NatsUser, subject: &str) -> bool {
    let mut kept = None;
    let subscribe =
        async |client: &Client| kept = Some(client.subscribe(subject.to_owned()).await.unwrap());
    may(nats, user, subscribe).await
}

const SERVICES: [NatsUser; 6] = [
    NatsUser::Auth,
    NatsUser::User,
    NatsUser::Chat,
    NatsUser::Gateway,
    NatsUser::Store,
    NatsUser::Batch,
];

#[tokio::test]
async fn no_service_changes_streams_or_pretends_to_be_the_log() {
    let nats = TestNats::start().await;
    for user in SERVICES {
        for subject in [
            "$JS.API.STREAM.CREATE.X",
            "$JS.API.STREAM.UPDATE.MESSAGE",
            "$JS.API.STREAM.DELETE.MESSAGE",
            "$JS.API.STREAM.PURGE.MESSAGE",
            "$JS.API.STREAM.MSG.DELETE.MESSAGE",
            "$JS.API.STREAM.SNAPSHOT.KV_CREDENTIAL",
            "$JS.API.STREAM.RESTORE.MESSAGE",
            "$JS.API.CONSUMER.PAUSE.USER.x",
            "$JS.API.CONSUMER.RESET.USER.x",
            "$JS.API.STREAM.LEADER.STEPDOWN.MESSAGE",
            "live.message.00.x.MessageSent",
            "_INBOX_all.x",
        ] {
            assert!(
                !may_publish(&nats, user, subject).await,
                "{user:?} to {subject}"
            );
        }
    }
}

#[tokio::test]
async fn nobody_listens_to_what_others_are_answered() {
    let nats = TestNats::start().await;
    for user in SERVICES {
        let own = format!("_INBOX_{}.x", user.name());
        assert!(may_subscribe(&nats, user, &own).await, "{user:?}");
        for subject in ["_INBOX.>", "_INBOX_all.>", ">", "$KV.>", "$JS.ACK.>"] {
            assert!(
                !may_subscribe(&nats, user, subject).await,
                "{user:?} to {subject}"
            );
        }
        let hears_operators = may_subscribe(&nats, user, "notice").await;
        assert_eq!(hears_operators, user == NatsUser::Gateway, "{user:?}");
    }
    for subject in ["_INBOX_auth.>", "$KV.CREDENTIAL.>", "command.>"] {
        let observer = NatsUser::Observer;
        assert!(!may_subscribe(&nats, observer, subject).await, "{subject}");
    }
}

#[tokio::test]
async fn password_hashes_are_read_by_those_who_check_and_set_them() {
    let nats = TestNats::start().await;
    for user in SERVICES {
        let may_read = matches!(user, NatsUser::Auth | NatsUser::User);
        for subject in [
            "$JS.API.STREAM.MSG.GET.KV_CREDENTIAL",
            "$JS.API.DIRECT.GET.KV_CREDENTIAL",
            "$JS.API.DIRECT.GET.KV_CREDENTIAL.$KV.CREDENTIAL.x",
            "$JS.API.CONSUMER.CREATE.KV_CREDENTIAL",
            "$JS.API.CONSUMER.CREATE.KV_CREDENTIAL.x.$KV.CREDENTIAL.x",
        ] {
            let may = may_publish(&nats, user, subject).await;
            assert_eq!(may, may_read, "{user:?} to {subject}");
        }
    }
}

#[tokio::test]
async fn only_the_owning_service_publishes_to_its_subjects() {
    let nats = TestNats::start().await;
    let owners = [
        ("user.x.UserCreated", NatsUser::User),
        ("claim.email.x", NatsUser::User),
        ("chatroom.x.ChatRoomCreated", NatsUser::Chat),
        ("message.00.x.MessageSent", NatsUser::Chat),
        ("session.x.SessionStarted", NatsUser::Auth),
        ("$KV.POLICY.auth.x", NatsUser::Auth),
        ("$KV.POLICY.chat.x", NatsUser::Chat),
        ("bookmark.x.BookmarkSaved", NatsUser::Store),
        ("job.x.JobRunStarted", NatsUser::Batch),
        ("$JS.API.STREAM.PURGE.KV_ANSWER", NatsUser::User),
        // Nobody but `all`, whom operators use.
        ("notice", NatsUser::All),
        ("command.chat.SendMessages", NatsUser::Gateway),
        ("command.chat.PurgeRoom", NatsUser::Batch),
        ("command.user.TendInactiveUser", NatsUser::Batch),
        ("command.auth.AuditReadModels", NatsUser::Batch),
        ("due.daily-report", NatsUser::Batch),
    ];
    for (subject, owner) in owners {
        for user in NatsUser::EVERY {
            if user == NatsUser::System {
                continue;
            }
            let expected = user == owner || user == NatsUser::All;
            assert_eq!(
                may_publish(&nats, user, subject).await,
                expected,
                "{user:?} to {subject}"
            );
        }
    }
}

#[tokio::test]
async fn the_observer_reads_events_and_changes_nothing() {
    let nats = TestNats::start().await;
    user_stream(&nats).await;
    append(&nats, "user.1.UserCreated").await;
    let observer = async_nats::jetstream::new(nats.client_of(NatsUser::Observer).await);
    let stream = observer.get_stream("USER").await.unwrap();
    let consumer = stream
        .create_consumer(async_nats::jetstream::consumer::pull::OrderedConfig::default())
        .await
        .unwrap();
    let event = consumer
        .messages()
        .await
        .unwrap()
        .next()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event.subject.as_str(), "user.1.UserCreated");
    assert_eq!(
        stream.direct_get(1).await.unwrap().subject.as_str(),
        "user.1.UserCreated"
    );

    for subject in [
        "user.x.UserCreated",
        "$JS.API.STREAM.DELETE.USER",
        "$JS.API.STREAM.PURGE.USER",
        "$JS.API.STREAM.UPDATE.USER",
        "$JS.API.STREAM.MSG.DELETE.USER",
        "$JS.API.CONSUMER.DELETE.USER.policy",
        "$JS.ACK.USER.policy.1.1.1.1.0",
        "$JS.API.DIRECT.GET.KV_CREDENTIAL.$KV.CREDENTIAL.x",
        "$KV.CREDENTIAL.x",
        "live.user.x.UserCreated",
    ] {
        assert!(
            !may_publish(&nats, NatsUser::Observer, subject).await,
            "{subject}"
        );
    }
    assert_eq!(append(&nats, "user.1.UserDeleted").await, 2);
}

#[tokio::test]
async fn the_streams_of_the_project_can_be_had_at_once() {
    let nats = TestNats::with_streams().await;
    let jetstream = nats.jetstream().await;
    let topology = doran_testkit::topology().unwrap();
    assert_eq!(topology.diff(&jetstream, None).await.unwrap(), []);
    assert!(topology.streams.iter().any(|file| file.name() == "USER"));
}
