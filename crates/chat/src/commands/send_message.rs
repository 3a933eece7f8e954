//! `POST /api/chat/rooms/{id}/messages`: a member, or the room's bot, says something.

use axum::extract::State;
use doran_contract::{
    ClientMessageId, ErrorCode, FileId, MessageId, RoomId, UserId,
    command::SendMessage,
    message::{ContentType, Message},
};
use doran_eventstore::{CommandContext, Position};
use doran_platform::http::{Body, CommandHeaders, Id, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SOURCE;
use crate::{
    bots::Speaker,
    messages::{
        Place, Sending, Target, message_now, refuse_other_request, send, send_as_bot, sent,
    },
    room,
    state::Service,
};

/// What a message may say is checked where it is sent, for all who send.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[garde(allow_unvalidated)]
pub(crate) struct Request {
    content: String,
    #[serde(default)]
    content_type: ContentType,
    client_message_id: Option<ClientMessageId>,
    reply_to: Option<MessageId>,
    #[serde(default)]
    mentions: Vec<UserId>,
    #[serde(default)]
    file_ids: Vec<FileId>,
}

pub(crate) async fn send_message(
    State(service): State<Service>,
    speaker: Speaker,
    Id(room_id): Id<RoomId>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Message>, Refusal> {
    let ctx = headers.context(&service.platform, SOURCE, Some(speaker.id()), &body.raw);
    let is_keyed = headers.idempotent_id(Some(speaker.id())).is_some();
    let Request {
        content,
        content_type,
        client_message_id,
        reply_to,
        mentions,
        file_ids,
    } = body.value;
    let message = SendMessage {
        sender_id: speaker.id(),
        room_id,
        // With an `Idempotency-Key` the command id, and so the message, is the same at a retry.
        client_message_id: client_message_id.unwrap_or_else(|| ctx.command_id.into()),
        content: content.clone(),
        content_type,
        reply_to,
        mentions,
        file_ids,
    };
    let sending = match speaker {
        Speaker::Person(_) => send(&service, message, ctx.clone()).await?,
        Speaker::Bot(_) => {
            let owner = service.directory.owner(room_id).await;
            let owner = owner.ok_or(room::Error::NotFound)?;
            send_as_bot(&service, message, owner, ctx.clone()).await?
        }
    };
    let place = sending.place();
    let success = match sending {
        Sending::Stored {
            event, attachments, ..
        } => {
            let at = (place.seq, place.created_at);
            created(Message::sent(event, at, Some(content), attachments))
        }
        Sending::Known { .. } => {
            let target = first(&service, place, &ctx).await?;
            let message = message_now(&service, speaker.id(), &target).await?;
            // The same command is answered as it was; the same `clientMessageId` says that it was.
            if is_keyed {
                created(message)
            } else {
                Success::ok(message)
            }
        }
    };
    let position = Position::new(service.message_log.stream(), place.seq);
    Ok(success.at(&position).version(place.seq))
}

fn created(message: Message) -> Success<Message> {
    let Message { room_id, id, .. } = message;
    let location = format!("/api/chat/rooms/{room_id}/messages/{id}");
    Success::created(&location, message)
}

/// The message as it was sent the first time.
async fn first(service: &Service, place: Place, ctx: &CommandContext) -> Result<Target, Refusal> {
    let recorded = service.message_log.get(place.seq).await?;
    let recorded = recorded.ok_or_else(|| {
        Refusal::new(ErrorCode::Unavailable, "the log does not answer, try again")
    })?;
    refuse_other_request(&recorded, ctx)?;
    let sent = sent(&recorded)?;
    Ok(Target { recorded, sent })
}
