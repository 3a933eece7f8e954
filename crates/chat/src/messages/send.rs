//! Sending messages: checked in memory, sealed, appended once. The only way into the log.

use std::{collections::HashSet, mem};

use bytes::Bytes;
use doran_contract::{
    ErrorCode, MessageId, RoomId, UserId,
    command::{Durability, SendMessage, Sent},
    events::MessageSent,
    message::{Attachment, ContentType, MAX_CONTENT_CHARS, SenderType},
    room::{RoomRole, RoomStatus},
    subject,
};
use doran_eventstore::{AppendError, Appended, CommandContext, NewEvent, event_id};
use doran_platform::{
    directory::RoomEntry,
    http::Refusal,
    keyring::{self, KeyringError},
};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::{
    Place,
    append::{body, new_event},
    change::find,
    files::{Files, check_files},
};
use crate::{room, state::Service};

/// People whom one message may name.
const MAX_MENTIONS: usize = 100;

/// What became of a message that was sent.
#[derive(Debug)]
pub(crate) enum Sending {
    /// It is in the log now.
    Stored {
        event: MessageSent,
        /// Its files, opened.
        attachments: Vec<Attachment>,
        place: Place,
    },
    /// It was sent before. What was sent now is not stored, whatever it says.
    Known { id: MessageId, place: Place },
}

impl Sending {
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Stored { place, .. } | Self::Known { place, .. } => *place,
        }
    }

    pub(crate) fn sent(&self, durability: Durability) -> Sent {
        let (message_id, duplicate) = match self {
            Self::Stored { event, .. } => (event.message_id, false),
            Self::Known { id, .. } => (*id, true),
        };
        let Place { seq, created_at } = self.place();
        Sent {
            message_id,
            seq,
            created_at,
            duplicate,
            durability,
        }
    }
}

/// Stores the message, unless it was stored before. Answers after the log has it.
///
/// The command id of `ctx` is not used: a message is its own command, named by its id.
pub(crate) async fn send(
    service: &Service,
    message: SendMessage,
    ctx: CommandContext,
) -> Result<Sending, Refusal> {
    let started = Instant::now();
    let prepared = prepare(service, message, ctx).await?;
    let sending = store(service, prepared).await?;
    metrics::histogram!("chat_message_processing_seconds").record(started.elapsed());
    Ok(sending)
}

/// As [`send`], for what a person says without waiting, in that order. Behind one that may be sent
/// again none is stored, or it would overtake that.
pub(crate) async fn send_all(
    service: &Service,
    messages: Vec<(SendMessage, CommandContext)>,
) -> Vec<Result<Sending, Refusal>> {
    let started = Instant::now();
    let mut sendings = Vec::with_capacity(messages.len());
    let mut may_lack_one = false;
    for stretch in stretches(messages) {
        let prepared = stretch
            .into_iter()
            .map(|(message, ctx)| prepare(service, message, ctx));
        let mut prepared = join_all(prepared).await;
        for one in &mut prepared {
            if may_lack_one && matches!(one, Ok(Prepared::New(_))) {
                *one = Err(behind_another());
            }
            may_lack_one |= is_passing(one);
        }
        let stored = store_all(service, prepared).await;
        may_lack_one |= stored.iter().any(is_passing);
        sendings.extend(stored);
    }
    for _ in sendings.iter().filter(|sending| sending.is_ok()) {
        metrics::histogram!("chat_message_processing_seconds").record(started.elapsed());
    }
    sendings
}

/// Divides messages before each that refers to one in front of it: that has to be stored by then.
fn stretches(
    messages: Vec<(SendMessage, CommandContext)>,
) -> Vec<Vec<(SendMessage, CommandContext)>> {
    let mut stretches = Vec::new();
    let mut stretch = Vec::new();
    let mut ids = HashSet::new();
    for (message, ctx) in messages {
        let id = id_of(&message);
        if ids.contains(&id) || message.reply_to.is_some_and(|id| ids.contains(&id)) {
            stretches.push(mem::take(&mut stretch));
            ids.clear();
        }
        ids.insert(id);
        stretch.push((message, ctx));
    }
    stretches.push(stretch);
    stretches
}

fn behind_another() -> Refusal {
    Refusal::new(
        ErrorCode::Unavailable,
        "one before it may not be stored; send both again",
    )
}

/// Whether what was refused may be stored if it is sent again.
fn is_passing<T>(outcome: &Result<T, Refusal>) -> bool {
    matches!(outcome, Err(refusal) if refusal.code().is_retryable())
}

/// As [`send`], for the room's bot. Bots have no keys: what one says to somebody is sealed with
/// their key, so that it goes with them.
pub(crate) async fn send_as_bot(
    service: &Service,
    message: SendMessage,
    spoken_to: UserId,
    ctx: CommandContext,
) -> Result<Sending, Refusal> {
    check(&message)?;
    if !message.file_ids.is_empty() {
        return Err(Refusal::invalid_field("fileIds", "a bot sends no files"));
    }
    authorise_bot(service, message.room_id, message.sender_id).await?;
    let prepared = seal_unless_known(service, message, Author::Bot { spoken_to }, ctx).await?;
    store(service, prepared).await
}

/// Who says it.
#[derive(Clone, Copy, Debug)]
enum Author {
    Person,
    Bot { spoken_to: UserId },
}

/// What may be said, ready for the log.
enum Prepared {
    New(Box<NewMessage>),
    /// It was sent before.
    Known(MessageId, Place),
}

struct NewMessage {
    event: MessageSent,
    /// The event's own JSON.
    body: Bytes,
    files: Files,
    ctx: CommandContext,
}

/// Refuses what may not be said.
async fn prepare(
    service: &Service,
    message: SendMessage,
    ctx: CommandContext,
) -> Result<Prepared, Refusal> {
    check(&message)?;
    authorise(service, message.room_id, message.sender_id).await?;
    seal_unless_known(service, message, Author::Person, ctx).await
}

fn id_of(message: &SendMessage) -> MessageId {
    MessageId::derive(
        message.room_id,
        message.sender_id,
        &message.client_message_id,
    )
}

fn check(message: &SendMessage) -> Result<(), Refusal> {
    check_content(&message.content)?;
    if message.content_type == ContentType::System {
        return Err(Refusal::invalid_field(
            "contentType",
            "must be text or code",
        ));
    }
    check_mentions(&message.mentions)?;
    check_files(&message.file_ids)
}

pub(super) fn check_content(content: &str) -> Result<(), Refusal> {
    if content.chars().count() > MAX_CONTENT_CHARS {
        let reason = format!("must have {MAX_CONTENT_CHARS} characters at most");
        return Err(Refusal::invalid_field("content", reason));
    }
    if content.trim().is_empty() {
        return Err(Refusal::invalid_field("content", "must not be blank"));
    }
    Ok(())
}

pub(super) fn check_mentions(mentions: &[UserId]) -> Result<(), Refusal> {
    if mentions.len() > MAX_MENTIONS {
        let reason = format!("must be {MAX_MENTIONS} at most");
        return Err(Refusal::invalid_field("mentions", reason));
    }
    Ok(())
}

/// A reply is to a message of the same room. To one that cannot be looked for now it is taken.
async fn check_reply(
    service: &Service,
    room: RoomId,
    reply_to: Option<MessageId>,
) -> Result<(), Refusal> {
    let Some(replied) = reply_to else {
        return Ok(());
    };
    match find(service, room, replied).await {
        Err(refusal) if refusal.code() == ErrorCode::NotFound => {
            let reason = "must be a message of this room";
            Err(Refusal::invalid_field("replyTo", reason))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Whether somebody may write in a room now, and as what.
pub(super) async fn authorise(
    service: &Service,
    room: RoomId,
    user: UserId,
) -> Result<RoomRole, Refusal> {
    let role = service.require_member(room, user).await?;
    // First, for a resting person's own rooms rest a moment later.
    service.require_active(user).await?;
    require_active_room(service, room)?;
    Ok(role)
}

/// A bot speaks in the rooms that were made with it.
async fn authorise_bot(service: &Service, room: RoomId, bot: UserId) -> Result<(), Refusal> {
    service.directory.catch_up(room).await;
    match service.directory.look(room, |entry| entry.bot_id) {
        Some(Some(its)) if its == bot => require_active_room(service, room),
        Some(_) => Err(room::Error::NotAMember.into()),
        None => Err(room::Error::NotFound.into()),
    }
}

fn require_active_room(service: &Service, room: RoomId) -> Result<(), Refusal> {
    match service.directory.look(room, RoomEntry::status) {
        Some(RoomStatus::Active) => Ok(()),
        Some(RoomStatus::Restricted | RoomStatus::Deactivated | RoomStatus::Archived) | None => {
            Err(Refusal::new(
                ErrorCode::RoomInactive,
                "nothing can be said in this room any more",
            ))
        }
    }
}

async fn seal_unless_known(
    service: &Service,
    message: SendMessage,
    author: Author,
    ctx: CommandContext,
) -> Result<Prepared, Refusal> {
    let id = id_of(&message);
    if let Some(place) = service.known.find(id).await {
        return Ok(Prepared::Known(id, place));
    }
    check_reply(service, message.room_id, message.reply_to).await?;
    let ctx = CommandContext {
        command_id: id.as_uuid(),
        expected_sequence: None,
        ..ctx
    };
    let subject = subject::message(message.room_id, "MessageSent");
    let place = keyring::Place {
        subject: &subject,
        event_id: event_id(ctx.command_id, 0),
        field: "content",
    };
    let files = Files::find(service, message.sender_id, &message.file_ids, ctx.time).await?;
    let event = seal(service, id, message, author, (place, &files)).await?;
    Ok(Prepared::New(Box::new(NewMessage {
        body: body(&event)?,
        event,
        files,
        ctx,
    })))
}

async fn store(service: &Service, prepared: Prepared) -> Result<Sending, Refusal> {
    match prepared {
        Prepared::Known(id, place) => Ok(Sending::Known { id, place }),
        Prepared::New(new) => {
            let appended = service.lane.append(new.for_the_log()).await?;
            Ok(new.stored(service, &appended))
        }
    }
}

/// As [`store`], in this order, and none before those in front of it.
async fn store_all(
    service: &Service,
    prepared: Vec<Result<Prepared, Refusal>>,
) -> Vec<Result<Sending, Refusal>> {
    let new = prepared.iter().filter_map(|one| match one {
        Ok(Prepared::New(new)) => Some(new.for_the_log()),
        Ok(Prepared::Known(..)) | Err(_) => None,
    });
    let appended = service.lane.append_in_order(&new.collect::<Vec<_>>()).await;
    let mut appended = appended.into_iter();
    let sendings = prepared.into_iter().map(|one| match one? {
        Prepared::Known(id, place) => Ok(Sending::Known { id, place }),
        Prepared::New(new) => {
            let appended = appended.next().unwrap_or(Err(AppendError::FateUnknown))?;
            Ok(new.stored(service, &appended))
        }
    });
    sendings.collect()
}

impl NewMessage {
    fn for_the_log(&self) -> NewEvent<'_> {
        let event = self.event.clone().into();
        new_event(self.event.room_id, &event, self.body.clone(), &self.ctx)
    }

    fn stored(self, service: &Service, appended: &Appended) -> Sending {
        let id = self.event.message_id;
        let place = Place {
            seq: appended.sequence,
            created_at: appended.time.into(),
        };
        service.known.note(id.as_uuid(), place);
        if appended.duplicate {
            return Sending::Known { id, place };
        }
        metrics::counter!("chat_messages_sent_total").increment(1);
        Sending::Stored {
            attachments: self.files.opened(&self.event),
            event: self.event,
            place,
        }
    }
}

async fn seal(
    service: &Service,
    message_id: MessageId,
    message: SendMessage,
    author: Author,
    (place, files): (keyring::Place<'_>, &Files),
) -> Result<MessageSent, Refusal> {
    let sender_id = message.sender_id;
    let (sender_type, owner) = match author {
        Author::Person => (SenderType::User, sender_id),
        Author::Bot { spoken_to } => (SenderType::Bot, spoken_to),
    };
    let key = service.platform.keyring.key(owner).await?;
    let key = key.ok_or(KeyringError::NoKey)?;
    Ok(MessageSent {
        message_id,
        room_id: message.room_id,
        sender_id,
        sender_type,
        content: key.seal(place, &message.content),
        content_type: message.content_type,
        client_message_id: message.client_message_id,
        reply_to: message.reply_to,
        mentions: members_among(service, message.room_id, message.mentions),
        attachments: files.sealed(&key, place),
    })
}

/// Each once; people who are not members are left out.
pub(super) fn members_among(
    service: &Service,
    room: RoomId,
    mut mentions: Vec<UserId>,
) -> Vec<UserId> {
    mentions.sort_unstable();
    mentions.dedup();
    service.directory.look(room, |entry| {
        mentions.retain(|user| entry.members.contains_key(user));
    });
    mentions
}
