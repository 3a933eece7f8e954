//! Frames of SockJS, and the JSON in them. Pure.

use std::fmt::Write;

use axum::extract::ws::Utf8Bytes;

/// What a client is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Open,
    Heartbeat,
    Messages(Vec<Utf8Bytes>),
    Close(Farewell),
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Farewell {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Farewell {
    fn new(code: u16, reason: &str) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
        }
    }

    /// The host has ended without a word.
    pub(super) fn go_away() -> Self {
        Self::new(3000, "Go away!")
    }

    pub(super) fn another_connection() -> Self {
        Self::new(2010, "Another connection still open")
    }

    pub(super) fn interrupted() -> Self {
        Self::new(1002, "Connection interrupted")
    }
}

impl Frame {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Open => "o".to_owned(),
            Self::Heartbeat => "h".to_owned(),
            Self::Messages(messages) => {
                let size: usize = messages.iter().map(|message| message.len() + 16).sum();
                let mut text = String::with_capacity(size);
                let mut separator = "a[";
                for message in messages {
                    text.push_str(separator);
                    quote(message, &mut text);
                    separator = ",";
                }
                text.push(']');
                text
            }
            Self::Close(farewell) => {
                let mut text = format!("c[{},", farewell.code);
                quote(&farewell.reason, &mut text);
                text.push(']');
                text
            }
        }
    }
}

/// JSON, with everything escaped that browsers spoil on some transport.
pub(super) fn quote(text: &str, into: &mut String) {
    into.push('"');
    for letter in text.chars() {
        match letter {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            '\0'..='\x1f'
            | '\u{200c}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff0}'..='\u{ffff}' => {
                // Writing to a string cannot fail.
                write!(into, "\\u{:04x}", u32::from(letter)).ok();
            }
            other => into.push(other),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_have_the_form_of_the_protocol() {
        assert_eq!(Frame::Open.text(), "o");
        assert_eq!(Frame::Heartbeat.text(), "h");
        let messages = vec!["x".into(), "a\"\u{0}\n안".into()];
        assert_eq!(
            Frame::Messages(messages).text(),
            r#"a["x","a\"\u0000\n안"]"#
        );
        assert_eq!(
            Frame::Close(Farewell::go_away()).text(),
            r#"c[3000,"Go away!"]"#
        );
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in any::<String>()) {
            let mut quoted = String::new();
            quote(&text, &mut quoted);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }
}
