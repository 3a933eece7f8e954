//! Bytes that no honest client sends, and clients that take their time.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(40);

/// Sends bytes and reads until the other side has closed.
async fn converse(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may have been closed before all was sent.
    stream.write_all(bytes).await.ok();
    read_to_end(&mut stream).await
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A reset ends it, too.
    read.expect("the connection stays open").ok();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Of each answer; a body may end without a line's end before the next one.
fn statuses(answer: &str) -> Vec<&str> {
    let answers = answer.split("HTTP/1.").skip(1);
    answers
        .map(|answer| answer.split(' ').nth(1).unwrap())
        .collect()
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let world = World::start().await;
    let post = "POST /api/chat/echo HTTP/1.1\r\nHost: x\r\n";
    for (name, request) in [
        ("two lengths", format!("{post}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde")),
        ("a list of lengths", format!("{post}Content-Length: 4, 4\r\n\r\nabcd")),
        ("a signed length", format!("{post}Content-Length: +4\r\n\r\nabcd")),
        ("a negative length", format!("{post}Content-Length: -1\r\n\r\n")),
        ("a giant length", format!("{post}Content-Length: 99999999999999999999999\r\n\r\n")),
        ("an unknown encoding", format!("{post}Transfer-Encoding: xchunked\r\n\r\n")),
        ("chunked not last", format!("{post}Transfer-Encoding: chunked, gzip\r\n\r\n")),
        ("chunked twice", format!("{post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")),
        (
            "chunked twice, on two lines",
            format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("packed chunks", format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
        ("a space before the colon", format!("{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")),
        ("a folded header", format!("{post}X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n")),
        ("a null in a header", format!("{post}X-A: b\0c\r\nContent-Length: 0\r\n\r\n")),
        (
            "chunks of HTTP/1.0",
            "POST /api/chat/echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                .to_owned(),
        ),
        (
            "no host",
            "GET /api/chat/echo HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        (
            "two hosts",
            "GET /api/chat/echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        ("no protocol", "nonsense\r\n\r\n".to_owned()),
    ] {
        let answer = converse(world.address, request.as_bytes()).await;
        assert_eq!(statuses(&answer), ["400"], "{name}: {answer}");
    }
}

#[tokio::test]
async fn nothing_behind_a_chunked_body_is_taken_for_a_request() {
    let world = World::start().await;
    let smuggled = "GET /api/chat/health HTTP/1.1\r\nHost: x\r\n\r\n";
    for lengths in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
    ] {
        let request = format!(
            "POST /api/chat/echo HTTP/1.1\r\nHost: x\r\n{lengths}\r\n\r\n0\r\n\r\n{smuggled}"
        );
        let answer = converse(world.address, request.as_bytes()).await;
        assert_eq!(statuses(&answer), ["200"], "{answer}");
        assert!(
            answer.to_lowercase().contains("connection: close"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn chunks_that_are_none_end_the_connection_without_a_fault() {
    let world = World::start().await;
    let post = "POST /api/chat/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunk in [
        "zz\r\n",
        "ffffffffffffffffff\r\n",
        "-1\r\n",
        "4\r\nabcdXX",
        "3;\n",
    ] {
        let answer = converse(world.address, format!("{post}{chunk}\r\n\r\n").as_bytes()).await;
        assert!(
            matches!(statuses(&answer)[..], [] | ["400"]),
            "{chunk:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn requests_have_bounds() {
    let world = World::start().await;
    let long = "x".repeat(100_000);
    let close = "Connection: close\r\n".to_owned();
    let many = (0..400).fold(close, |all, n| all + &format!("X-{n}: 1\r\n"));
    for request in [
        format!("GET /api/chat/echo HTTP/1.1\r\nHost: x\r\nX-A: {long}\r\n\r\n"),
        format!("GET /api/chat/echo HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
    ] {
        let mut answer = String::new();
        // What the server leaves unread makes TCP reset the connection, sometimes before the answer.
        for _ in 0..20 {
            answer = converse(world.address, request.as_bytes()).await;
            if !answer.is_empty() {
                break;
            }
        }
        assert_eq!(statuses(&answer), ["431"]);
    }
}

#[tokio::test]
async fn one_header_too_many_is_refused_in_the_envelope() {
    let world = World::start().await;
    let headers = |count| (0..count).fold(String::new(), |all, n| all + &format!("X-{n}: 1\r\n"));
    for (count, status) in [(98, "200"), (99, "431"), (150, "431")] {
        let request = format!(
            "GET /api/chat/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n",
            headers(count)
        );
        let answer = converse(world.address, request.as_bytes()).await;
        assert_eq!(statuses(&answer), [status], "{count}");
        assert_eq!(
            answer.contains("\"errorCode\":\"TOO_LARGE\""),
            status == "431"
        );
    }
}

#[tokio::test]
async fn a_packed_body_is_refused() {
    let world = World::start().await;
    for (encoding, status) in [("gzip", 415), ("identity, br", 415), ("identity", 200)] {
        let request = reqwest::Client::new()
            .post(world.url("/api/chat/echo"))
            .header("Content-Type", "application/json")
            .header("Content-Encoding", encoding)
            .body("{}");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{encoding}");
        let code = answer.text().await.unwrap();
        assert_eq!(code.contains("UNSUPPORTED_MEDIA_TYPE"), status == 415);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_comes() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let began = Instant::now();
    let request = b"POST /api/chat/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert_eq!(statuses(&answer), ["413"], "{answer}");
    assert!(began.elapsed() < Duration::from_millis(1500));
}

#[tokio::test]
async fn who_sends_too_much_is_told_so_after_it_was_sent() {
    let world = World::start().await;
    let http = reqwest::Client::new();
    let answer = http
        .post(world.url("/api/chat/echo"))
        .body(vec![b'x'; 5 * 1024 * 1024])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413);
    assert!(answer.text().await.unwrap().contains("TOO_LARGE"));
}

#[tokio::test]
async fn requests_that_come_at_once_are_answered_in_order() {
    let world = World::start().await;
    let request =
        |n: u32, end: &str| format!("GET /api/chat/things/{n} HTTP/1.1\r\nHost: x\r\n{end}\r\n");
    let requests = request(1, "") + &request(2, "") + &request(3, "Connection: close\r\n");
    let answer = converse(world.address, requests.as_bytes()).await;
    assert_eq!(statuses(&answer), ["200"; 3]);
    let places = ["1", "2", "3"].map(|n| answer.find(&format!("\"data\":\"{n}\"")).unwrap());
    assert!(places.is_sorted(), "{answer}");
}

#[tokio::test]
async fn who_takes_their_time_is_let_go_unless_their_body_moves() {
    let world = World::start().await;
    let began = Instant::now();
    let trickle = async {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let sending = async {
            writer.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if writer.write_all(b"X-A: 1\r\n").await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let mut answer = Vec::new();
        tokio::select! {
            read = reader.read_to_end(&mut answer) => { read.ok(); }
            () = sending => {}
        }
    };
    let silent_body = async {
        let request = b"POST /api/chat/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc";
        let answer = converse(world.address, request).await;
        assert_eq!(statuses(&answer), ["400"], "{answer}");
    };
    let slow_upload = async {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let head = "POST /api/chat/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                    Content-Length: 17\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..17 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stream.write_all(b"x").await.unwrap();
            let other = reqwest::get(world.url("/api/chat/echo")).await.unwrap();
            assert_eq!(other.status(), 200);
        }
        assert_eq!(statuses(&read_to_end(&mut stream).await), ["200"]);
    };
    let never_asks = async {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        read_to_end(&mut stream).await;
    };
    let all = async { tokio::join!(trickle, silent_body, slow_upload, never_asks) };
    timeout(PATIENCE, all)
        .await
        .expect("somebody is still there");
    assert!(began.elapsed() > Duration::from_secs(10));
}
