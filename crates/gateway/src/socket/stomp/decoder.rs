//! From bytes to frames, however they are cut. Pure; goes over each byte once.

use doran_contract::frame::MAX_FRAME_BYTES;

use super::{
    frame::{Command, Frame, Headers},
    header::Escaping,
    version::Version,
};

const MAX_HEADERS: usize = 64;

/// What a client may not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the frame is too large")]
    TooLarge,
    #[error("unknown command")]
    Command,
    #[error("a header line is not name:value, or holds an unknown escape")]
    Header,
    #[error("too many headers")]
    TooManyHeaders,
    #[error("headers are UTF-8")]
    Utf8,
    #[error("content-length is not the length of the body")]
    ContentLength,
}

pub(super) struct Decoder {
    version: Option<Version>,
    buffer: Vec<u8>,
    /// Everything before it has been looked at.
    looked: usize,
    /// The part before the body, once that is complete.
    head: Option<Head>,
}

struct Head {
    command: Command,
    headers: Headers,
    body_at: usize,
    content_length: Option<usize>,
}

impl Decoder {
    /// For frames before the version is agreed on.
    pub(super) fn new() -> Self {
        Self {
            version: None,
            buffer: Vec::new(),
            looked: 0,
            head: None,
        }
    }

    pub(super) fn speak(&mut self, version: Version) {
        self.version = Some(version);
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        if self.buffer.len() + bytes.len() > 2 * MAX_FRAME_BYTES {
            return Err(Malformed::TooLarge);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next frame; none until more has come. Heart-beats are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Malformed> {
        if self.head.is_none() {
            self.skip_line_ends();
            match self.read_head()? {
                Some(head) => self.head = Some(head),
                None => return self.wait(),
            }
        }
        let Some(body_end) = self.find_body_end()? else {
            return self.wait();
        };
        if body_end >= MAX_FRAME_BYTES {
            return Err(Malformed::TooLarge);
        }
        let Some(head) = self.head.take() else {
            return Ok(None);
        };
        let body = self.buffer.get(head.body_at..body_end).unwrap_or_default();
        let frame = Frame {
            command: head.command,
            headers: head.headers,
            body: body.to_vec(),
        };
        self.forget(body_end + 1);
        Ok(Some(frame))
    }

    fn wait(&self) -> Result<Option<Frame>, Malformed> {
        if self.buffer.len() > MAX_FRAME_BYTES {
            return Err(Malformed::TooLarge);
        }
        Ok(None)
    }

    fn skip_line_ends(&mut self) {
        let ends = self.buffer.iter().take_while(|byte| is_line_end(**byte));
        let count = ends.count();
        if count > 0 {
            self.forget(count);
        }
    }

    fn forget(&mut self, count: usize) {
        self.buffer.drain(..count.min(self.buffer.len()));
        self.looked = 0;
        if self.buffer.is_empty() {
            // An idle socket holds no memory for what it once said.
            self.buffer.shrink_to_fit();
        }
    }

    /// An empty line ends the headers.
    fn read_head(&mut self) -> Result<Option<Head>, Malformed> {
        let Some(end) = self.find_empty_line() else {
            return Ok(None);
        };
        let head = self.buffer.get(..end).unwrap_or_default();
        let text = std::str::from_utf8(head).map_err(|_invalid| Malformed::Utf8)?;
        let mut lines = text.split('\n').map(without_carriage_return);
        let command = lines.next().and_then(Command::parse);
        let command = command.ok_or(Malformed::Command)?;
        let escaping = match command {
            Command::Connect => Escaping::None,
            _ => self.version.map_or(Escaping::None, Escaping::from),
        };
        let headers = read_headers(lines.filter(|line| !line.is_empty()), escaping)?;
        let content_length = content_length(&headers)?;
        Ok(Some(Head {
            command,
            headers,
            body_at: self.looked,
            content_length,
        }))
    }

    /// Where the headers end; everything up to the body has been looked at then.
    fn find_empty_line(&mut self) -> Option<usize> {
        let from = self.looked;
        for (at, byte) in self.buffer.iter().enumerate().skip(from) {
            if *byte != b'\n' {
                continue;
            }
            let before = self.buffer.get(..at).unwrap_or_default();
            if before.ends_with(b"\n") || before.ends_with(b"\n\r") {
                self.looked = at + 1;
                return Some(at);
            }
        }
        self.looked = self.buffer.len();
        None
    }

    /// Where the zero byte behind the body is.
    fn find_body_end(&mut self) -> Result<Option<usize>, Malformed> {
        let Some(head) = &self.head else {
            return Ok(None);
        };
        if let Some(length) = head.content_length {
            let end = head.body_at + length;
            return match self.buffer.get(end) {
                Some(0) => Ok(Some(end)),
                Some(_) => Err(Malformed::ContentLength),
                None => Ok(None),
            };
        }
        let rest = self.buffer.iter().enumerate().skip(self.looked);
        let end = rest.into_iter().find(|(_, byte)| **byte == 0);
        let end = end.map(|(at, _)| at);
        self.looked = self.buffer.len();
        Ok(end)
    }
}

fn read_headers<'a>(
    lines: impl Iterator<Item = &'a str>,
    escaping: Escaping,
) -> Result<Headers, Malformed> {
    let mut headers = Headers::default();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Malformed::Header)?;
        let unescape = |text| {
            escaping
                .unescape(text)
                .map_err(|_unknown| Malformed::Header)
        };
        let value = unescape(value)?;
        let value = match escaping {
            // 1.0 says nothing of spaces, and its clients write them.
            Escaping::None => value.trim_matches(' '),
            Escaping::V1_1 | Escaping::V1_2 => &value,
        };
        headers.add(unescape(name)?.into_owned(), value.to_owned());
        if headers.len() > MAX_HEADERS {
            return Err(Malformed::TooManyHeaders);
        }
    }
    Ok(headers)
}

fn content_length(headers: &Headers) -> Result<Option<usize>, Malformed> {
    let Some(text) = headers.get("content-length") else {
        return Ok(None);
    };
    let length = text.trim().parse();
    let length: usize = length.map_err(|_invalid| Malformed::ContentLength)?;
    if length > MAX_FRAME_BYTES {
        return Err(Malformed::TooLarge);
    }
    Ok(Some(length))
}

fn without_carriage_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(version: Option<Version>, bytes: &[u8]) -> Result<Vec<Frame>, Malformed> {
        let mut decoder = Decoder::new();
        decoder.version = version;
        decoder.feed(bytes)?;
        all(&mut decoder)
    }

    fn all(decoder: &mut Decoder) -> Result<Vec<Frame>, Malformed> {
        let mut frames = Vec::new();
        while let Some(frame) = decoder.next()? {
            frames.push(frame);
        }
        Ok(frames)
    }

    #[test]
    fn a_frame_has_a_command_headers_and_a_body() {
        let frames = decode(
            Some(Version::V1_2),
            b"\n\r\nSEND\r\ndestination:/app/chat/1\r\nx\\cy:a\\nb\nx\\cy:later\n\nhello\0\n\n",
        )
        .unwrap();
        let [frame] = frames.as_slice() else {
            panic!("{frames:?}");
        };
        assert_eq!(frame.command, Command::Send);
        assert_eq!(frame.headers.get("destination"), Some("/app/chat/1"));
        assert_eq!(frame.headers.get("x:y"), Some("a\nb"));
        assert_eq!(frame.body, b"hello");
    }

    #[test]
    fn a_body_with_a_length_may_hold_zero_bytes() {
        let frames = decode(None, b"SEND\ncontent-length:3\n\na\0b\0BEGIN\n\n\0").unwrap();
        assert_eq!(frames[0].body, b"a\0b");
        assert_eq!(frames[1].command, Command::Begin);
        let wrong = decode(None, b"SEND\ncontent-length:2\n\na\0b\0");
        assert_eq!(wrong, Err(Malformed::ContentLength));
    }

    #[test]
    fn connect_is_not_unescaped_and_old_clients_write_spaces() {
        let frames = decode(Some(Version::V1_2), b"CONNECT\nlogin: a\\x\n\n\0").unwrap();
        assert_eq!(frames[0].headers.get("login"), Some("a\\x"));
    }

    #[test]
    fn what_is_not_a_frame_is_refused() {
        let refused = |bytes: &[u8]| decode(Some(Version::V1_2), bytes).unwrap_err();
        assert_eq!(refused(b"DANCE\n\n\0"), Malformed::Command);
        assert_eq!(refused(b"SEND\nnonsense\n\n\0"), Malformed::Header);
        assert_eq!(refused(b"SEND\na:\\t\n\n\0"), Malformed::Header);
        assert_eq!(refused(b"SEND\na:\xff\n\n\0"), Malformed::Utf8);
        assert_eq!(
            refused(b"SEND\ncontent-length:-1\n\n\0"),
            Malformed::ContentLength
        );
        assert_eq!(
            refused(b"SEND\ncontent-length:99999999999999999999\n\n\0"),
            Malformed::ContentLength
        );
        assert_eq!(
            refused(b"SEND\ncontent-length:70000\n\n\0"),
            Malformed::TooLarge
        );
        let many = format!("SEND\n{}\n\0", "a:b\n".repeat(65));
        assert_eq!(refused(many.as_bytes()), Malformed::TooManyHeaders);
    }

    #[test]
    fn a_frame_that_never_ends_is_too_large() {
        let mut decoder = Decoder::new();
        let mut outcome = Ok(None);
        for _ in 0..100 {
            outcome = decoder.feed(&[b'x'; 1024]).and_then(|()| decoder.next());
            if outcome.is_err() {
                break;
            }
        }
        assert_eq!(outcome, Err(Malformed::TooLarge));
        assert!(decoder.buffer.len() <= 2 * MAX_FRAME_BYTES);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_cutting_them_changes_nothing(
            bytes in prop::collection::vec(
                prop_oneof![
                    any::<u8>(),
                    prop::sample::select(b"\n\r\0:\\SEND\nBEGIN\n\n\0content-length:3\n".to_vec()),
                ],
                0..300,
            ),
            cuts in prop::collection::vec(0usize..300, 0..8),
        ) {
            let whole = decode(Some(Version::V1_2), &bytes);
            let mut decoder = Decoder::new();
            decoder.version = Some(Version::V1_2);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut frames = Vec::new();
            let mut outcome = Ok(());
            for pair in cuts.windows(2) {
                decoder.feed(&bytes[pair[0]..pair[1]]).unwrap();
                match all(&mut decoder) {
                    Ok(more) => frames.extend(more),
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                }
            }
            prop_assert_eq!(whole.is_err(), outcome.is_err());
            if let Ok(whole) = whole {
                prop_assert_eq!(whole, frames);
            }
        }

        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..6),
            value in "[ -~]{0,20}",
            step in 1usize..40,
        ) {
            let mut bytes = Vec::new();
            for body in &bodies {
                let mut head = String::from("SEND\nkey:");
                Escaping::V1_2.escape(&value, &mut head);
                let length = format!("\ncontent-length:{}\n\n", body.len());
                head.push_str(&length);
                bytes.extend(head.into_bytes());
                bytes.extend(body);
                bytes.extend(b"\0\n");
            }
            let mut decoder = Decoder::new();
            decoder.version = Some(Version::V1_2);
            let mut frames = Vec::new();
            for piece in bytes.chunks(step) {
                decoder.feed(piece).unwrap();
                frames.extend(all(&mut decoder).unwrap());
            }
            prop_assert_eq!(frames.len(), bodies.len());
            for (frame, body) in frames.iter().zip(&bodies) {
                prop_assert_eq!(&frame.body, body);
                prop_assert_eq!(frame.headers.get("key"), Some(value.as_str()));
            }
        }
    }
}
