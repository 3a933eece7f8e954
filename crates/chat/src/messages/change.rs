//! Changing a message that was sent: checked in memory and the log, appended, never guarded.

use doran_contract::{
    MessageId, RoomId, UserId,
    command::{ChangeMessage, MessageChange},
    events::{
        MessageDeleted, MessageEdited, MessagePinned, MessageSent, MessageUnpinned, ReactionAdded,
        ReactionRemoved,
    },
    id, subject,
};
use doran_eventstore::{Appended, CommandContext, Recorded, event_id};
use doran_platform::{
    http::Refusal,
    keyring::{self, KeyringError},
};

use super::{
    Error, Place,
    append::{append, refuse_other_request},
    decide::{Standing, decide},
    marks::{Aspect, Mark, mark},
    open::sent,
    send::{authorise, check_content, check_mentions, members_among},
};
use crate::state::Service;

/// What became of a change.
#[derive(Debug)]
pub(crate) struct Changing {
    /// Of the event that made it so, which may be an earlier one.
    pub(crate) seq: u64,
    pub(crate) target: Target,
}

/// A message as it was sent.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) recorded: Recorded,
    pub(crate) sent: MessageSent,
}

impl Target {
    pub(crate) fn place(&self) -> Place {
        Place {
            seq: self.recorded.sequence,
            created_at: self.recorded.time.into(),
        }
    }
}

/// Changes the message, unless it is so already. Answers after the log has it.
///
/// The command id of `ctx` counts only if it was made from an `Idempotency-Key`.
pub(crate) async fn change(
    service: &Service,
    command: ChangeMessage,
    ctx: CommandContext,
) -> Result<Changing, Refusal> {
    let ChangeMessage {
        user_id,
        room_id,
        message_id,
        change,
    } = command;
    if let MessageChange::Edit { content, mentions } = &change {
        check_content(content)?;
        check_mentions(mentions.as_deref().unwrap_or_default())?;
    }
    let role = authorise(service, room_id, user_id).await?;
    let target = find(service, room_id, message_id).await?;
    if let Some(seq) = earlier(service, &ctx).await? {
        return Ok(Changing { seq, target });
    }
    let place = target.place();
    let deleted = Aspect::Deleted(message_id);
    let deleted = mark(&service.known, &service.pool, deleted, place).await;
    let aspect = aspect(&change, message_id, user_id);
    let now = mark(&service.known, &service.pool, aspect.clone(), place).await;
    let standing = Standing {
        actor: user_id,
        role,
        author: target.sent.sender_id,
        is_deleted: deleted.is_on,
        is_so: now.is_on == wants(&change),
    };
    if !decide(&change, &standing)? {
        let seq = if now.seq > 0 { now.seq } else { place.seq };
        return Ok(Changing { seq, target });
    }
    let is_on = wants(&change);
    let ctx = CommandContext {
        command_id: command_id(service, &change, (message_id, user_id), now, &ctx),
        expected_sequence: None,
        ..ctx
    };
    let appended = store(service, (room_id, message_id, user_id), change, &ctx).await?;
    let seq = appended.sequence;
    let created_at = appended.time.into();
    service
        .known
        .note(ctx.command_id, Place { seq, created_at });
    service.known.note_mark(aspect, Mark { is_on, seq });
    Ok(Changing { seq, target })
}

/// The message, as the log has it where the index says.
pub(crate) async fn find(
    service: &Service,
    room: RoomId,
    message: MessageId,
) -> Result<Target, Refusal> {
    let newest = subject::message(room, "MessageSent");
    let Some(newest) = service.message_log.last(&newest).await? else {
        return Err(Error::NotFound.into());
    };
    let located = service.known.locate(message, newest.sequence).await;
    let place = located.map_err(|_no_answer| Error::Unknown)?;
    let place = place.ok_or(Error::NotFound)?;
    let recorded = service.message_log.get(place.seq).await?;
    let recorded = recorded.filter(|recorded| recorded.event_type == "MessageSent");
    let recorded = recorded.ok_or(Error::NotFound)?;
    let sent = sent(&recorded)?;
    if (sent.room_id, sent.message_id) != (room, message) {
        return Err(Error::NotFound.into());
    }
    Ok(Target { recorded, sent })
}

/// What the same command, by its `Idempotency-Key`, stored before.
async fn earlier(service: &Service, ctx: &CommandContext) -> Result<Option<u64>, Refusal> {
    if ctx.fingerprint.is_none() {
        return Ok(None);
    }
    let Some(place) = service.known.earlier(ctx.command_id) else {
        return Ok(None);
    };
    if let Some(stored) = service.message_log.get(place.seq).await? {
        refuse_other_request(&stored, ctx)?;
    }
    Ok(Some(place.seq))
}

/// The aspect that a change is about.
fn aspect(change: &MessageChange, message: MessageId, user: UserId) -> Aspect {
    match change {
        MessageChange::Edit { .. } => Aspect::Edited(message),
        MessageChange::Delete => Aspect::Deleted(message),
        MessageChange::Pin | MessageChange::Unpin => Aspect::Pinned(message),
        MessageChange::React { emoji } | MessageChange::Unreact { emoji } => {
            Aspect::Reacted(message, user, emoji.clone())
        }
    }
}

/// How the aspect stands after the change.
fn wants(change: &MessageChange) -> bool {
    match change {
        MessageChange::Edit { .. }
        | MessageChange::Delete
        | MessageChange::React { .. }
        | MessageChange::Pin => true,
        MessageChange::Unreact { .. } | MessageChange::Unpin => false,
    }
}

/// Without an `Idempotency-Key` a change is named by what it follows on: made twice at once, by
/// whatever instance, it is one event. An edit is another one each time.
fn command_id(
    service: &Service,
    change: &MessageChange,
    (message, user): (MessageId, UserId),
    now: Mark,
    ctx: &CommandContext,
) -> sqlx::types::Uuid {
    let wanted = match change {
        _ if ctx.fingerprint.is_some() => return ctx.command_id,
        MessageChange::Edit { .. } => return service.platform.clock.new_id(),
        MessageChange::Delete => "Delete".to_owned(),
        MessageChange::Pin => "Pin".to_owned(),
        MessageChange::Unpin => "Unpin".to_owned(),
        MessageChange::React { emoji } => format!("React/{}", emoji.as_ref()),
        MessageChange::Unreact { emoji } => format!("Unreact/{}", emoji.as_ref()),
    };
    let route = format!("ChangeMessage/{message}/{wanted}");
    id::command_id(&user.to_string(), &route, &now.seq.to_string())
}

async fn store(
    service: &Service,
    (room_id, message_id, user_id): (RoomId, MessageId, UserId),
    change: MessageChange,
    ctx: &CommandContext,
) -> Result<Appended, Refusal> {
    match change {
        MessageChange::Edit { content, mentions } => {
            let place = keyring::Place {
                subject: &subject::message(room_id, "MessageEdited"),
                event_id: event_id(ctx.command_id, 0),
                field: "content",
            };
            let key = service.platform.keyring.key(user_id).await?;
            let key = key.ok_or(KeyringError::NoKey)?;
            let edited = MessageEdited {
                message_id,
                room_id,
                content: key.seal(place, &content),
                mentions: mentions.map(|mentions| members_among(service, room_id, mentions)),
            };
            append(service, room_id, edited, ctx).await
        }
        MessageChange::Delete => {
            let deleted = MessageDeleted {
                message_id,
                room_id,
                deleted_by: user_id,
            };
            append(service, room_id, deleted, ctx).await
        }
        MessageChange::React { emoji } => {
            let added = ReactionAdded {
                message_id,
                room_id,
                user_id,
                emoji,
            };
            append(service, room_id, added, ctx).await
        }
        MessageChange::Unreact { emoji } => {
            let removed = ReactionRemoved {
                message_id,
                room_id,
                user_id,
                emoji,
            };
            append(service, room_id, removed, ctx).await
        }
        MessageChange::Pin => {
            let pinned = MessagePinned {
                message_id,
                room_id,
                pinned_by: user_id,
            };
            append(service, room_id, pinned, ctx).await
        }
        MessageChange::Unpin => {
            let unpinned = MessageUnpinned {
                message_id,
                room_id,
                unpinned_by: user_id,
            };
            append(service, room_id, unpinned, ctx).await
        }
    }
}
