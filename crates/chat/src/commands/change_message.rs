//! `PATCH` and `DELETE` of a message, its reactions and its pin.

use std::time::Duration;

use axum::extract::{Path, State};
use doran_contract::{
    UserId,
    command::{ChangeMessage, MessageChange},
    message::{Emoji, Message},
};
use doran_eventstore::{CommandContext, Position};
use doran_platform::http::{Actor, Body, CommandHeaders, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SOURCE, target};
use crate::{
    messages::{change, message_now, reacted},
    state::Service,
};

/// How long the read model may take to have what was changed.
const SETTLED: Duration = Duration::from_millis(250);

/// What a message may say is checked where it is changed, for all who change.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Edit {
    content: String,
    /// Without it those who were named stay named.
    mentions: Option<Vec<UserId>>,
}

type MessagePath = Path<(String, String)>;
type ReactionPath = Path<(String, String, String)>;
type Answer = Result<Success<Message>, Refusal>;

pub(crate) async fn edit_message(
    State(service): State<Service>,
    actor: Actor,
    Path(path): MessagePath,
    headers: CommandHeaders,
    body: Body<Edit>,
) -> Answer {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let Edit { content, mentions } = body.value;
    let change = MessageChange::Edit { content, mentions };
    execute(&service, actor, &path, change, ctx).await
}

pub(crate) async fn delete_message(
    State(service): State<Service>,
    actor: Actor,
    Path(path): MessagePath,
    headers: CommandHeaders,
) -> Answer {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
    execute(&service, actor, &path, MessageChange::Delete, ctx).await
}

pub(crate) async fn add_reaction(
    State(service): State<Service>,
    actor: Actor,
    Path((room, message, emoji)): ReactionPath,
    headers: CommandHeaders,
) -> Answer {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
    let emoji = one_emoji(&emoji)?;
    let change = MessageChange::React { emoji };
    execute(&service, actor, &(room, message), change, ctx).await
}

pub(crate) async fn remove_reaction(
    State(service): State<Service>,
    actor: Actor,
    Path((room, message, emoji)): ReactionPath,
    headers: CommandHeaders,
) -> Answer {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
    let emoji = one_emoji(&emoji)?;
    let change = MessageChange::Unreact { emoji };
    execute(&service, actor, &(room, message), change, ctx).await
}

pub(crate) async fn pin_message(
    State(service): State<Service>,
    actor: Actor,
    Path(path): MessagePath,
    headers: CommandHeaders,
) -> Answer {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
    execute(&service, actor, &path, MessageChange::Pin, ctx).await
}

pub(crate) async fn unpin_message(
    State(service): State<Service>,
    actor: Actor,
    Path(path): MessagePath,
    headers: CommandHeaders,
) -> Answer {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
    execute(&service, actor, &path, MessageChange::Unpin, ctx).await
}

async fn execute(
    service: &Service,
    actor: Actor,
    path: &(String, String),
    wanted: MessageChange,
    ctx: CommandContext,
) -> Answer {
    let (room_id, message_id) = target(path)?;
    let command = ChangeMessage {
        user_id: actor.user_id,
        room_id,
        message_id,
        change: wanted.clone(),
    };
    let changing = change(service, command, ctx).await?;
    // What others did before this is in its answer.
    service.settle("messages", changing.seq, SETTLED).await;
    let message = message_now(service, actor.user_id, &changing.target).await?;
    let position = Position::new(service.message_log.stream(), changing.seq);
    Ok(Success::ok(reacted(message, &wanted))
        .at(&position)
        .version(changing.seq))
}

fn one_emoji(text: &str) -> Result<Emoji, Refusal> {
    text.parse()
        .map_err(|invalid: doran_contract::message::InvalidEmoji| {
            Refusal::invalid_field("emoji", invalid.to_string())
        })
}
