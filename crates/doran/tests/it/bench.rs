//! The benchmark works on a system that runs, and leaves nothing behind. Its figures are no test.

use std::time::Duration;

use tokio::time::timeout;

use crate::system::System;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn every_section_tells_its_figures_and_cleans_up() {
    let system = System::without_limits().await;
    let append = [
        "bench",
        "append",
        "--json",
        "--seconds",
        "1",
        "--rounds",
        "1",
    ];
    let append = system.run(&append).await.json();
    assert!(append[0]["ratio"].as_f64().unwrap() > 0.0, "{append:?}");
    let shards = [
        "bench",
        "shards",
        "--json",
        "--rooms",
        "8",
        "--seconds",
        "1",
        "--rounds",
        "1",
    ];
    let shards = system.run(&shards).await.json();
    assert_eq!(shards[0]["shards"], 2, "{shards:?}");
    assert!(shards[0]["ratio"].as_f64().unwrap() > 0.0, "{shards:?}");
    let load = [
        "bench", "load", "--json", "--events", "2000", "--loads", "10",
    ];
    let load = system.run(&load).await.json();
    assert!(load[0]["loadP50Ms"].as_f64().unwrap() > 0.0, "{load:?}");
    let send = [
        "bench",
        "send",
        "--json",
        "--messages",
        "200",
        "--rounds",
        "1",
    ];
    let send = system.run(&send).await.json();
    assert!(send[0]["ratio"].as_f64().unwrap() > 0.0, "{send:?}");
    assert!(send[1]["p99Ms"].as_f64().unwrap() > 0.0, "{send:?}");
    assert_eq!(system.count("chat.messages").await, 200);
    for stream in ["BENCH", "BENCH_00_OF_01", "BENCH_00_OF_02"] {
        assert!(!system.has_stream(stream).await, "{stream} was left behind");
    }
}

#[tokio::test]
async fn a_benchmark_goes_over_the_gateway_like_anybody() {
    let system = System::without_limits().await;
    let socket = [
        "bench",
        "socket",
        "--json",
        "--messages",
        "100",
        "--rounds",
        "1",
    ];
    let socket = system.run(&socket).await.json();
    assert!(socket[0]["ratio"].as_f64().unwrap() > 0.0, "{socket:?}");
    // The rows follow what was acknowledged.
    let all_there = async { while system.count("chat.messages").await < 100 {} };
    timeout(PATIENCE, all_there).await.unwrap();
    assert_eq!(system.count("chat.messages").await, 100);
    let fanout = [
        "bench",
        "fanout",
        "--json",
        "--sockets",
        "20",
        "--people",
        "3",
        "--messages",
        "20",
        "--rounds",
        "1",
        "--seconds",
        "1",
    ];
    let fanout = system.run(&fanout).await.json();
    let sides: Vec<_> = fanout.iter().map(|line| &line["bench"]).collect();
    assert_eq!(sides, ["fanout", "delivery", "delivery"], "{fanout:?}");
    let read = [
        "bench",
        "read",
        "--json",
        "--messages",
        "200",
        "--questions",
        "10",
    ];
    let read = system.run(&read).await.json();
    assert_eq!(read[0]["figures"].as_array().unwrap().len(), 4, "{read:?}");
}
