//! Bytes that no WebSocket client sends.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(30);
const MASK: [u8; 4] = [1, 2, 3, 4];

async fn upgraded(world: &World, path: &str, subprotocol: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\
         Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream
}

/// The code of the close frame that must come; frames before it are passed over.
async fn closed(stream: &mut TcpStream) -> u16 {
    let reading = async {
        loop {
            let (kind, length) = (
                stream.read_u8().await.unwrap() & 0x0f,
                stream.read_u8().await.unwrap() & 0x7f,
            );
            let length = match length {
                126 => usize::from(stream.read_u16().await.unwrap()),
                127 => panic!("a frame this large"),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            stream.read_exact(&mut payload).await.unwrap();
            if kind == 8 {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    };
    timeout(PATIENCE, reading).await.expect("it is not closed")
}

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    let masked = payload.iter().zip(MASK.iter().cycle());
    [first, 0x80 | length]
        .into_iter()
        .chain(MASK)
        .chain(masked.map(|(byte, mask)| byte ^ mask))
        .collect()
}

#[tokio::test]
async fn broken_frames_end_the_socket_and_nothing_else() {
    let world = World::start().await;
    let huge: Vec<u8> = [0x81, 0xff]
        .into_iter()
        .chain((u64::MAX >> 1).to_be_bytes())
        .chain(MASK)
        .collect();
    let cases: [(&str, Vec<u8>, u16); 9] = [
        ("a length beyond all memory", huge, 4505),
        ("a reserved kind", masked(0x83, b"x"), 4500),
        ("a reserved bit", masked(0xc1, b"x"), 4500),
        ("no mask", vec![0x81, 1, b'x'], 4500),
        ("a ping in pieces", masked(0x09, b"x"), 4500),
        ("the rest of nothing", masked(0x80, b"x"), 4500),
        ("not UTF-8", masked(0x81, &[0xff, 0xfe]), 4500),
        (
            "two beginnings",
            [masked(0x01, b"a"), masked(0x81, b"b")].concat(),
            4500,
        ),
        (
            "a long ping",
            {
                let mut frame = vec![0x89, 0xfe, 0, 126];
                frame.extend(MASK);
                frame.extend([0; 126]);
                frame
            },
            4500,
        ),
    ];
    for (path, subprotocol) in [("/ws", "doran.v1"), ("/ws/chat", "v12.stomp")] {
        for (what, bytes, expected) in &cases {
            let mut stream = upgraded(&world, path, subprotocol).await;
            stream.write_all(bytes).await.unwrap();
            assert_eq!(closed(&mut stream).await, *expected, "{path}: {what}");
        }
    }
    let person = world.person("a").await;
    world.log_in(&person).await.nothing_came().await;
}

#[tokio::test]
async fn a_handshake_that_is_none_is_refused_plainly() {
    let world = World::start().await;
    for (headers, status) in [
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            400,
        ),
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n\
             Sec-WebSocket-Key: x\r\n",
            400,
        ),
        ("Connection: close\r\nUpgrade: websocket\r\n", 400),
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: zz\r\n",
            400,
        ),
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw\r\n",
            400,
        ),
    ] {
        for path in [
            "/ws",
            "/ws/chat",
            "/ws/chat/websocket",
            "/ws/chat/0/a/websocket",
        ] {
            let mut stream = TcpStream::connect(world.address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut head = [0; 12];
            let reading = stream.read_exact(&mut head);
            timeout(PATIENCE, reading).await.unwrap().unwrap();
            let expected = format!("HTTP/1.1 {status}");
            assert_eq!(String::from_utf8_lossy(&head), expected, "{path} {headers}");
        }
    }
}
