//! `edit`, `delete`, `react`, `unreact`, `pin` and `unpin`: answered after the log has the change.

use doran_contract::{
    ErrorCode, MessageId, RoomId,
    command::{CHANGE_MESSAGE, ChangeMessage, Changed, MessageChange},
    frame::{Edit, OkAnswer, Reaction, ServerFrame, Target},
    message::MAX_CONTENT_CHARS,
};

use super::{answer::Denied, command::ask, connection::Connection};

/// What is wanted of which message.
pub(super) struct Wanted {
    room_id: RoomId,
    message_id: MessageId,
    change: MessageChange,
}

impl Wanted {
    pub(super) fn of(target: Target, change: MessageChange) -> Self {
        Self {
            room_id: target.room_id,
            message_id: target.message_id,
            change,
        }
    }

    pub(super) fn react(reaction: Reaction) -> Self {
        Self {
            room_id: reaction.room_id,
            message_id: reaction.message_id,
            change: MessageChange::React {
                emoji: reaction.emoji,
            },
        }
    }

    pub(super) fn unreact(reaction: Reaction) -> Self {
        Self {
            room_id: reaction.room_id,
            message_id: reaction.message_id,
            change: MessageChange::Unreact {
                emoji: reaction.emoji,
            },
        }
    }
}

impl From<Edit> for Wanted {
    fn from(edit: Edit) -> Self {
        Self {
            room_id: edit.room_id,
            message_id: edit.message_id,
            change: MessageChange::Edit {
                content: edit.content,
                mentions: edit.mentions,
            },
        }
    }
}

pub(super) async fn change(
    connection: &Connection,
    wanted: Wanted,
) -> Result<impl FnOnce(Option<u64>) -> ServerFrame + use<>, Denied> {
    let Wanted {
        room_id,
        message_id,
        change,
    } = wanted;
    if let MessageChange::Edit { content, .. } = &change
        && content.chars().count() > MAX_CONTENT_CHARS
    {
        let text = format!("a message has {MAX_CONTENT_CHARS} characters at most");
        return Err(Denied::new(ErrorCode::TooLarge, text));
    }
    connection.limit().await?;
    let command = ChangeMessage {
        user_id: connection.link.user_id,
        room_id,
        message_id,
        change,
    };
    let changed: Changed = ask(connection, CHANGE_MESSAGE, &command).await?;
    Ok(move |id| ServerFrame::Ok {
        id,
        answer: OkAnswer::Changed {
            room_id,
            message_id,
            seq: changed.seq,
        },
    })
}
