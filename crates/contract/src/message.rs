//! Messages as clients see them.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ClientMessageId, FileId, MessageId, RoomId, Timestamp, UserId,
    events::{AttachedFile, MessageSent},
    store::thumbnail_url,
};

/// Characters that a message may have at most.
pub const MAX_CONTENT_CHARS: usize = 10_000;
/// Files that a message may have at most.
pub const MAX_ATTACHMENTS: usize = 10;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SenderType {
    #[default]
    User,
    Bot,
    System,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContentType {
    #[default]
    Text,
    Code,
    System,
}

/// `Message` of contract §4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub id: MessageId,
    pub room_id: RoomId,
    /// Stream sequence: increasing in a room, with holes.
    pub seq: u64,
    pub sender_id: UserId,
    pub sender_type: SenderType,
    /// None if the author's key is gone.
    pub content: Option<String>,
    pub content_type: ContentType,
    pub client_message_id: ClientMessageId,
    pub reply_to: Option<MessageId>,
    pub attachments: Vec<Attachment>,
    pub mentions: Vec<UserId>,
    pub reactions: Vec<Reaction>,
    pub pinned: bool,
    pub edited_at: Option<Timestamp>,
    pub deleted: bool,
    pub created_at: Timestamp,
}

impl Message {
    /// The message as it was when `event` was stored at `seq`, with what was sealed in it opened.
    pub fn sent(
        event: MessageSent,
        (seq, time): (u64, Timestamp),
        content: Option<String>,
        attachments: Vec<Attachment>,
    ) -> Self {
        Self {
            id: event.message_id,
            room_id: event.room_id,
            seq,
            sender_id: event.sender_id,
            sender_type: event.sender_type,
            deleted: content.is_none(),
            content,
            content_type: event.content_type,
            client_message_id: event.client_message_id,
            reply_to: event.reply_to,
            attachments,
            mentions: event.mentions,
            reactions: Vec::new(),
            pinned: false,
            edited_at: None,
            created_at: time,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    pub file_id: FileId,
    pub name: String,
    pub media_type: String,
    pub size: u64,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub thumbnail_url: Option<String>,
}

impl Attachment {
    /// The file with its name opened.
    pub fn opened(file: AttachedFile, name: String) -> Self {
        Self {
            thumbnail_url: file.width.map(|_| thumbnail_url(file.file_id)),
            file_id: file.file_id,
            name,
            media_type: file.media_type,
            size: file.size,
            width: file.width,
            height: file.height,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    pub emoji: Emoji,
    pub count: u32,
    pub me: bool,
}

/// One emoji, which may be made of several characters. No text: it lies open in the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Emoji(String);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one emoji")]
pub struct InvalidEmoji;

impl Emoji {
    /// The longest sequences in use, families and flags of regions, have ten.
    const MAX_CHARS: usize = 12;
    const KEYCAP: char = '\u{20e3}';
}

impl TryFrom<String> for Emoji {
    type Error = InvalidEmoji;

    fn try_from(text: String) -> Result<Self, InvalidEmoji> {
        let is_keycap = text.ends_with(Self::KEYCAP);
        let is_part = |c: char| {
            is_symbol(c) || is_modifier(c) || (is_keycap && matches!(c, '0'..='9' | '#' | '*'))
        };
        let fits = (1..=Self::MAX_CHARS).contains(&text.chars().count())
            && text.chars().all(is_part)
            && !text.chars().all(is_modifier);
        fits.then_some(Self(text)).ok_or(InvalidEmoji)
    }
}

fn is_symbol(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{20e3}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
}

/// Variation, joining, and the tags of a region's flag.
fn is_modifier(c: char) -> bool {
    matches!(c, '\u{fe0f}' | '\u{200d}' | '\u{e0020}'..='\u{e007f}')
}

impl From<Emoji> for String {
    fn from(emoji: Emoji) -> Self {
        emoji.0
    }
}

impl FromStr for Emoji {
    type Err = InvalidEmoji;

    fn from_str(text: &str) -> Result<Self, InvalidEmoji> {
        text.to_owned().try_into()
    }
}

impl AsRef<str> for Emoji {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A piece of a room's history, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPage {
    pub items: Vec<Message>,
    pub has_before: bool,
    pub has_after: bool,
    /// The room's newest `seq`; 0 if it has none.
    pub head: u64,
}

/// A message that was searched for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    pub message: Message,
    pub room_name: String,
    pub highlights: Vec<Highlight>,
}

/// A piece of a message's content, in Unicode code points; `end` is the one behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Highlight {
    pub start: usize,
    pub end: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_taken_and_text_is_not() {
        for emoji in [
            "👍",
            "❤️",
            "👩‍👩‍👧‍👦",
            "🇰🇷",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
            "1️⃣",
            "👍🏽",
        ] {
            assert!(emoji.parse::<Emoji>().is_ok(), "{emoji}");
        }
        for text in [
            "",
            "a",
            "좋아요",
            "1",
            ":+1:",
            " ",
            "👍 ",
            "\u{fe0f}",
            &"👍".repeat(13),
        ] {
            assert_eq!(text.parse::<Emoji>(), Err(InvalidEmoji), "{text}");
        }
    }
}
