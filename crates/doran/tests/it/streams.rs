//! `doran streams` against a server.

use doran_testkit::{Sync, TestNats};

use crate::command::Run;

#[tokio::test]
async fn applying_creates_every_stream_and_applying_again_changes_nothing() {
    let nats = TestNats::start().await;
    let before = Run::against(&nats, &["streams", "diff"]).await;
    assert!(
        before.stdout.contains("stream USER is missing"),
        "{before:?}"
    );

    let first = Run::against(&nats, &["streams", "apply"]).await;
    assert_eq!(first.code, 0, "{first:?}");
    for stream in [
        "USER",
        "CHATROOM",
        "MESSAGE",
        "SESSION",
        "MessageSent",
        "KV_DATA_KEY",
    ] {
        assert!(
            first
                .stdout
                .lines()
                .any(|line| line == format!("created    {stream}")),
            "{stream}"
        );
    }

    let again = Run::against(&nats, &["streams", "apply", "--json"])
        .await
        .json();
    let outcomes = again[0].as_array().unwrap();
    assert_eq!(outcomes.len(), first.stdout.lines().count());
    assert!(
        outcomes
            .iter()
            .all(|applied| applied["outcome"] == "unchanged"),
        "{outcomes:?}"
    );

    assert_eq!(Run::against(&nats, &["streams", "check"]).await.code, 0);
    assert_eq!(
        Run::against(&nats, &["streams", "diff", "--json"])
            .await
            .stdout,
        "[]\n"
    );
}

#[tokio::test]
async fn a_stream_that_somebody_changed_is_named_and_mended() {
    let nats = TestNats::start().await;
    Run::against(&nats, &["streams", "apply"]).await;
    let js = nats.jetstream().await;
    let mut config = js
        .get_stream("CHATROOM")
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();
    config.max_message_size = 1000;
    js.update_stream(config).await.unwrap();

    let check = Run::against(&nats, &["streams", "check"]).await;
    assert_eq!(check.code, 3, "{check:?}");
    assert_eq!(check.stderr.lines().count(), 1);
    assert!(
        check.stderr.contains("CHATROOM: `max_msg_size` is 1000"),
        "{}",
        check.stderr
    );
    assert!(
        check.stderr.contains("doran streams apply"),
        "{}",
        check.stderr
    );

    let apply = Run::against(&nats, &["streams", "apply"]).await;
    let line = apply
        .stdout
        .lines()
        .find(|line| line.starts_with("updated"));
    assert!(
        line.unwrap()
            .starts_with("updated    CHATROOM  max_msg_size: 1000 -> "),
        "{apply:?}"
    );
    assert_eq!(Run::against(&nats, &["streams", "check"]).await.code, 0);
}

#[tokio::test]
async fn a_server_that_acknowledges_before_fsync_is_refused_unless_allowed() {
    let nats = TestNats::start_with(Sync::Sometimes).await;
    Run::against(&nats, &["streams", "apply"]).await;
    let refused = Run::against(&nats, &["streams", "check"]).await;
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.stderr.contains("sync_interval: always"),
        "{}",
        refused.stderr
    );
    let allowed = Run::against(&nats, &["streams", "check", "--json", "--allow-unsynced"]).await;
    assert_eq!(allowed.json()[0]["durability"], "memory");
}
