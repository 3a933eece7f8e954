//! What a bot answers with, whole or line by line. Pure.

use doran_contract::{
    bot::BotAnswer,
    message::{ContentType, MAX_CONTENT_CHARS},
};
use serde::Deserialize;

/// Bytes that an answer may have, as it comes.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// What the bot says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) content: String,
    pub(crate) content_type: ContentType,
}

/// Why an answer says nothing that could be posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAnswer {
    #[error("it is larger than 64 KiB")]
    TooLarge,
    #[error("it is neither JSON nor a stream of it")]
    WrongType,
    #[error("it is not UTF-8")]
    NotUtf8,
    #[error("it is not the JSON of an answer")]
    NotAnAnswer,
    #[error("it has more than 10,000 characters")]
    TooLong,
    #[error("its contentType is neither text nor code")]
    SystemMessage,
}

impl BadAnswer {
    /// As metrics name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::WrongType => "wrong_type",
            Self::NotUtf8 => "not_utf8",
            Self::NotAnAnswer => "not_an_answer",
            Self::TooLong => "too_long",
            Self::SystemMessage => "system_message",
        }
    }
}

/// How an answer comes, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    /// A JSON object a line.
    Lines,
    /// The same as server-sent events.
    Events,
}

impl Form {
    pub(super) fn of(content_type: &str) -> Result<Self, BadAnswer> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/json" => Ok(Self::Whole),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Self::Lines),
            "text/event-stream" => Ok(Self::Events),
            _ => Err(BadAnswer::WrongType),
        }
    }
}

/// Reads a whole answer; none if the bot has nothing to say.
pub(super) fn whole(body: &[u8]) -> Result<Option<Said>, BadAnswer> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let text = std::str::from_utf8(body).map_err(|_error| BadAnswer::NotUtf8)?;
    let answer: BotAnswer = serde_json::from_str(text).map_err(|_error| BadAnswer::NotAnAnswer)?;
    said(answer.content.unwrap_or_default(), answer.content_type)
}

fn said(content: String, content_type: ContentType) -> Result<Option<Said>, BadAnswer> {
    if content.chars().count() > MAX_CONTENT_CHARS {
        return Err(BadAnswer::TooLong);
    }
    if content_type == ContentType::System {
        return Err(BadAnswer::SystemMessage);
    }
    let said = Said {
        content,
        content_type,
    };
    Ok((!said.content.trim().is_empty()).then_some(said))
}

/// An answer that comes line by line.
#[derive(Debug)]
pub(super) struct Pieces {
    form: Form,
    unread: Vec<u8>,
    bytes: usize,
    content: String,
    content_type: ContentType,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(default)]
    delta: String,
    content_type: Option<ContentType>,
}

impl Pieces {
    pub(super) fn new(form: Form) -> Self {
        Self {
            form,
            unread: Vec::new(),
            bytes: 0,
            content: String::new(),
            content_type: ContentType::default(),
        }
    }

    /// Takes what came, and answers with the text that is complete by it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<String, BadAnswer> {
        self.bytes += bytes.len();
        if self.bytes > MAX_BYTES {
            return Err(BadAnswer::TooLarge);
        }
        self.unread.extend_from_slice(bytes);
        let Some(end) = self.unread.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(String::new());
        };
        let rest = self.unread.split_off(end + 1);
        let lines = std::mem::replace(&mut self.unread, rest);
        self.read(&lines)
    }

    /// The last line need not end. With it, everything that was said.
    pub(super) fn finish(mut self) -> Result<Option<Said>, BadAnswer> {
        let last = std::mem::take(&mut self.unread);
        self.read(&last)?;
        said(self.content, self.content_type)
    }

    fn read(&mut self, lines: &[u8]) -> Result<String, BadAnswer> {
        let text = std::str::from_utf8(lines).map_err(|_error| BadAnswer::NotUtf8)?;
        let mut added = String::new();
        for line in text.lines() {
            let Some(json) = self.json(line) else {
                continue;
            };
            let line: Line = serde_json::from_str(json).map_err(|_error| BadAnswer::NotAnAnswer)?;
            added.push_str(&line.delta);
            self.content_type = line.content_type.unwrap_or(self.content_type);
        }
        self.content.push_str(&added);
        if self.content.chars().count() > MAX_CONTENT_CHARS {
            return Err(BadAnswer::TooLong);
        }
        Ok(added)
    }

    /// What of a line is JSON; of events that is their data.
    fn json<'a>(&self, line: &'a str) -> Option<&'a str> {
        let json = match self.form {
            Form::Whole | Form::Lines => line,
            Form::Events => line.strip_prefix("data:")?,
        };
        let json = json.trim();
        (!json.is_empty() && json != "[DONE]").then_some(json)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(content: &str) -> Said {
        Said {
            content: content.to_owned(),
            content_type: ContentType::Text,
        }
    }

    #[test]
    fn a_whole_answer_is_read_and_an_empty_one_is_silence() {
        let read = |body: &str| whole(body.as_bytes());
        assert_eq!(read(r#"{"content":"안녕"}"#), Ok(Some(text("안녕"))));
        let code = read(r#"{"content":"x","contentType":"code","more":1}"#).unwrap();
        assert_eq!(code.unwrap().content_type, ContentType::Code);
        for silence in ["", " \n", "{}", r#"{"content":null}"#, r#"{"content":" "}"#] {
            assert_eq!(read(silence), Ok(None), "{silence}");
        }
    }

    #[test]
    fn what_cannot_be_posted_is_named() {
        assert_eq!(whole(b"\"\xff\""), Err(BadAnswer::NotUtf8));
        for garbage in ["<html>", "[]", "\"x\"", r#"{"content":7}"#] {
            assert_eq!(whole(garbage.as_bytes()), Err(BadAnswer::NotAnAnswer));
        }
        let long = |count| format!(r#"{{"content":"{}"}}"#, "가".repeat(count));
        assert_eq!(whole(long(10_001).as_bytes()), Err(BadAnswer::TooLong));
        assert!(whole(long(10_000).as_bytes()).is_ok());
        let system = r#"{"content":"x","contentType":"system"}"#;
        assert_eq!(whole(system.as_bytes()), Err(BadAnswer::SystemMessage));
        assert_eq!(Form::of("text/html"), Err(BadAnswer::WrongType));
        assert_eq!(Form::of("application/JSON; charset=utf-8"), Ok(Form::Whole));
        let mut pieces = Pieces::new(Form::Lines);
        let much = vec![b' '; MAX_BYTES + 1];
        assert_eq!(pieces.take(&much), Err(BadAnswer::TooLarge));
    }

    #[test]
    fn events_are_lines_with_a_name() {
        let mut pieces = Pieces::new(Form::Events);
        let stream = ": hello\nevent: x\ndata: {\"delta\":\"안\"}\n\ndata: {\"delta\":\"녕\"}\r\n\r\ndata: [DONE]\n";
        assert_eq!(pieces.take(stream.as_bytes()), Ok("안녕".to_owned()));
        assert_eq!(pieces.finish(), Ok(Some(text("안녕"))));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_a_stream_is_cut(
            deltas in prop::collection::vec("[가-힣a-z\"\\\\ ]{0,5}", 0..6),
            cuts in prop::collection::vec(0usize..200, 0..6),
        ) {
            let lines: Vec<_> = deltas
                .iter()
                .map(|delta| serde_json::json!({ "delta": delta }).to_string())
                .collect();
            let body = lines.join("\n").into_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let mut pieces = Pieces::new(Form::Lines);
            let mut shown = String::new();
            for cut in cuts.windows(2) {
                shown += &pieces.take(&body[cut[0]..cut[1]]).unwrap();
            }
            let whole = deltas.concat();
            prop_assert!(whole.starts_with(&shown));
            let expected = (!whole.trim().is_empty()).then(|| text(&whole));
            prop_assert_eq!(pieces.finish(), Ok(expected));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _whole = whole(&bytes);
            let mut pieces = Pieces::new(Form::Events);
            if pieces.take(&bytes).is_ok() {
                let _said = pieces.finish();
            }
        }
    }
}
