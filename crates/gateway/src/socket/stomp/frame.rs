//! One STOMP frame: a command, headers, a body. Pure.

use axum::extract::ws::Utf8Bytes;

use super::{header::Escaping, version::Version};

/// A frame from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) command: Command,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

impl Frame {
    pub(super) fn bytes(&self) -> usize {
        let headers = self.headers.0.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        headers + self.body.len()
    }

    /// The receipt that is asked for.
    pub(super) fn receipt(&self) -> Option<&str> {
        self.headers.get("receipt")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// CONNECT, or STOMP, which is the same.
    Connect,
    Send,
    Subscribe,
    Unsubscribe,
    Begin,
    Commit,
    Abort,
    Ack,
    Nack,
    Disconnect,
}

impl Command {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "CONNECT" | "STOMP" => Self::Connect,
            "SEND" => Self::Send,
            "SUBSCRIBE" => Self::Subscribe,
            "UNSUBSCRIBE" => Self::Unsubscribe,
            "BEGIN" => Self::Begin,
            "COMMIT" => Self::Commit,
            "ABORT" => Self::Abort,
            "ACK" => Self::Ack,
            "NACK" => Self::Nack,
            "DISCONNECT" => Self::Disconnect,
            _ => return None,
        })
    }
}

/// Of a header that is repeated the first one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Headers(Vec<(String, String)>);

impl Headers {
    pub(super) fn add(&mut self, name: String, value: String) {
        self.0.push((name, value));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.find(|known| known == name)
    }

    /// As in HTTP, from which `Authorization` comes.
    pub(super) fn get_in_any_case(&self, name: &str) -> Option<&str> {
        self.find(|known| known.eq_ignore_ascii_case(name))
    }

    fn find(&self, is_it: impl Fn(&str) -> bool) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| is_it(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Writes a frame for the client.
pub(super) struct Writer {
    text: String,
    escaping: Escaping,
}

impl Writer {
    pub(super) fn new(command: &str, version: Version) -> Self {
        Self::with(command, version.into())
    }

    /// CONNECTED, whose headers no version escapes.
    pub(super) fn plain(command: &str) -> Self {
        Self::with(command, Escaping::None)
    }

    fn with(command: &str, escaping: Escaping) -> Self {
        Self {
            text: format!("{command}\n"),
            escaping,
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.escaping.escape(name, &mut self.text);
        self.text.push(':');
        self.escaping.escape(value, &mut self.text);
        self.text.push('\n');
        self
    }

    pub(super) fn header_if_any(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// Everything so far, for others to write on.
    pub(super) fn head(self) -> String {
        self.text
    }

    pub(super) fn end(self) -> Utf8Bytes {
        let mut text = self.text;
        text.push_str("\n\0");
        text.into()
    }

    pub(super) fn body(self, content_type: &str, body: &str) -> Utf8Bytes {
        let length = body.len().to_string();
        let mut text = self
            .header("content-type", content_type)
            .header("content-length", &length)
            .text;
        text.push('\n');
        text.push_str(body);
        text.push('\0');
        text.into()
    }
}
