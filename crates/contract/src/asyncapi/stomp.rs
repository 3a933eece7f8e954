//! STOMP, for clients written against Spring: the frames of a connection, and the destinations with
//! the bodies that `doran.v1` has as frames.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{
    document::{Document, Operation, refer},
    native,
    schema::{leave_out, read_frames, read_shape},
    stomp_headers::{FromClient, FromServer, InQueue, InRoom, Send},
};
use crate::frame::{MAX_FRAME_BYTES, StompSend};

const CONNECTION: &str = "stomp";
const ROOM: &str = "stompRoom";
const SEND: &str = "stompSend";
const TAG: &str = "command";

/// Types of MESSAGEs in a room.
const IN_ROOM: [&str; 5] = [
    "message",
    "messageEdited",
    "messageDeleted",
    "reaction",
    "pinned",
];
/// Queues, what they are for, and the types of their MESSAGEs.
const QUEUES: [(&str, &str, &[&str]); 5] = [
    ("replies", "What became of each SEND.", &["ack"]),
    (
        "errors",
        "SENDs that were refused. Who listens here is told so, and stays connected; who does not, \
         gets ERROR.",
        &["error"],
    ),
    (
        "unread",
        "What one has not read of a room, whether one is subscribed to it or not.",
        &["unread"],
    ),
    (
        "rooms",
        "Changes of one's rooms and of who is in them, whether one is subscribed to them or not.",
        &["room", "member"],
    ),
    (
        "notices",
        "What the operators say to everybody who is connected.",
        &["notice"],
    ),
];

pub(super) fn describe(document: &mut Document) {
    describe_connection(document);
    describe_sending(document);
    document.add_channel(ROOM, room());
    for kind in IN_ROOM {
        let body = match kind {
            // As HTTP answers it.
            "message" => "Message".to_owned(),
            other => native::name("Server", other),
        };
        let name = native::name("StompRoom", kind);
        let message = told(kind, &headers::<InRoom>(), &body);
        document.add_message((ROOM, &name), message, &[Operation::SEND]);
    }
    for (queue, purpose, kinds) in QUEUES {
        let channel = native::name(CONNECTION, queue);
        document.add_channel(&channel, destination("/user/queue/", queue, purpose));
        for kind in kinds {
            let name = native::name("StompQueue", kind);
            let message = told(kind, &headers::<InQueue>(), &native::name("Server", kind));
            document.add_message((&channel, &name), message, &[Operation::SEND]);
        }
    }
}

fn describe_connection(document: &mut Document) {
    document.add_channel(CONNECTION, connection());
    for (command, shape) in read_frames::<FromServer>(TAG).shapes {
        let operations: &[_] = match command.as_str() {
            // Comes unasked, too.
            "ERROR" => &[Operation::SEND],
            _ => &[],
        };
        let mut message = frame(&command, "from the server", shape);
        if command == "ERROR" {
            message["contentType"] = "application/json".into();
            message["payload"] = refer("components/schemas/ServerError");
        }
        document.add_message((CONNECTION, &name(&command)), message, operations);
    }
    for (command, mut shape) in read_frames::<FromClient>(TAG).shapes {
        let answer = native::answer(&mut shape).unwrap_or_else(|| "RECEIPT".to_owned());
        let answers = [name(&answer), name("ERROR")];
        let answers = answers.each_ref().map(String::as_str);
        let message = frame(&command, "from the client", shape);
        let operation = Operation::receive(CONNECTION, &answers);
        document.add_message((CONNECTION, &name(&command)), message, &[operation]);
    }
}

fn describe_sending(document: &mut Document) {
    let (body, parts) = read_shape::<StompSend>();
    document.add_schema("StompSend", &body, &parts);
    document.add_channel(SEND, sending());
    let message = json!({
        "name": "SEND",
        "title": "SEND from the client",
        "contentType": "application/json",
        "headers": headers::<Send>(),
        "payload": refer("components/schemas/StompSend"),
    });
    let answers = [name("RECEIPT"), name("ERROR")];
    let answers = answers.each_ref().map(String::as_str);
    let operation = Operation::receive(CONNECTION, &answers);
    document.add_message((SEND, &name("SEND")), message, &[operation]);
}

/// `StompConnect` of `CONNECT`.
fn name(command: &str) -> String {
    native::name("Stomp", &command.to_lowercase())
}

fn headers<T: JsonSchema>() -> Value {
    let mut shape = read_shape::<T>().0;
    leave_out(&mut shape);
    shape
}

/// A frame with headers only.
fn frame(command: &str, from: &str, mut headers: Value) -> Value {
    leave_out(&mut headers);
    let fields = headers.as_object_mut().unwrap();
    let description = fields.remove("description");
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.remove(TAG);
    }
    if let Some(Value::Array(required)) = fields.get_mut("required") {
        required.retain(|name| name != TAG);
    }
    json!({
        "name": command,
        "title": format!("{command} {from}"),
        "description": description,
        "headers": headers,
    })
}

/// A MESSAGE of one type.
fn told(kind: &str, headers: &Value, body: &str) -> Value {
    let mut headers = headers.clone();
    headers["properties"]["type"]["const"] = kind.into();
    json!({
        "name": "MESSAGE",
        "title": format!("MESSAGE of type `{kind}`"),
        "contentType": "application/json",
        "headers": headers,
        "payload": refer(&format!("components/schemas/{body}")),
    })
}

fn connection() -> Value {
    let mut codes = native::close_codes();
    codes["1000"] = "After DISCONNECT.".into();
    json!({
        "address": "/ws/chat",
        "title": "A connection in STOMP",
        "description": format!(
            "STOMP 1.2, 1.1 or 1.0 on a WebSocket at `/ws/chat` (`v12.stomp`, `v11.stomp`, \
             `v10.stomp` or no subprotocol) or `/ws/chat/websocket`, or over SockJS 0.3.3 at \
             `/ws/chat`. A frame has at most {MAX_FRAME_BYTES} bytes. Frames are handled in order, \
             and nothing is answered before CONNECT. The socket is closed with the codes in \
             `x-close-codes`."
        ),
        "servers": [refer("servers/gateway")],
        "x-close-codes": codes,
    })
}

fn room() -> Value {
    destination(
        "/topic/chat/",
        "{roomId}",
        "What happens in a room. SUBSCRIBE may name it `/topic/chat.{roomId}` or \
         `/sub/chat/room/{roomId}`, too. `since` resumes.",
    )
}

fn sending() -> Value {
    destination(
        "/app/chat/",
        "{roomId}",
        "Sends a message to a room. `/app/chat.sendMessage` and `/pub/chat/message` do so with the \
         `roomId` of the body.",
    )
}

fn destination(prefix: &str, name: &str, description: &str) -> Value {
    json!({
        "address": format!("{prefix}{name}"),
        "description": description,
        "servers": [refer("servers/stomp")],
    })
}
