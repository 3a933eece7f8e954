//! A message as it stands now, for the answers of commands: also while PostgreSQL is away, then
//! without the reactions of others.

use std::time::Duration;

use doran_contract::{
    MessageId, UserId,
    command::MessageChange,
    events::{MESSAGE_EVENTS, MessageEvent},
    message::{Emoji, Message, Reaction},
};
use doran_eventstore::Recorded;
use doran_platform::{event_schema, http::Refusal, keyring::Place};
use sqlx::{PgPool, types::Json};
use tokio::time::timeout;

use super::{
    Sealed, Target,
    marks::{Aspect, mark},
    open::{open_all, open_recorded},
};
use crate::{queries::message_row::message_columns, state::Service};

/// What PostgreSQL may take.
const DEADLINE: Duration = Duration::from_millis(250);

const ONE: &str = concat!(
    "select to_json(p) from (select ",
    message_columns!("$2"),
    " from messages m where m.id = $1) p"
);

/// The message as `reader` sees it. What the memory knows is newer than the read model.
pub(crate) async fn message_now(
    service: &Service,
    reader: UserId,
    target: &Target,
) -> Result<Message, Refusal> {
    let keyring = &service.platform.keyring;
    let id = target.sent.message_id;
    let row = read(&service.pool, reader, id).await;
    let row = open_all(keyring, row.into_iter().collect()).await?.pop();
    let mut message = match row {
        Some(message) => message,
        None => open_recorded(keyring, &target.recorded).await?,
    };
    let stands = async |aspect| mark(&service.known, &service.pool, aspect, target.place()).await;
    if stands(Aspect::Deleted(id)).await.is_on {
        forget(&mut message);
        return Ok(message);
    }
    let edited = stands(Aspect::Edited(id)).await;
    if edited.is_on
        && let Some(edit) = service.message_log.get(edited.seq).await?
    {
        apply_edit(service, &mut message, &edit).await?;
    }
    message.pinned = stands(Aspect::Pinned(id)).await.is_on;
    Ok(message)
}

/// Adds what the reader just did, which the read model may not have yet.
pub(crate) fn reacted(mut message: Message, change: &MessageChange) -> Message {
    match change {
        MessageChange::React { emoji } if !message.deleted => add(&mut message.reactions, emoji),
        MessageChange::Unreact { emoji } => take_back(&mut message.reactions, emoji),
        MessageChange::React { .. }
        | MessageChange::Edit { .. }
        | MessageChange::Delete
        | MessageChange::Pin
        | MessageChange::Unpin => {}
    }
    message
}

async fn read(pool: &PgPool, reader: UserId, message: MessageId) -> Option<Sealed> {
    let row = sqlx::query_scalar(ONE)
        .bind(message.as_uuid())
        .bind(reader.as_uuid())
        .fetch_optional(pool);
    let row: Option<Json<Sealed>> = match timeout(DEADLINE, row).await {
        Ok(Ok(row)) => row,
        Ok(Err(error)) => return unknown(&error),
        Err(elapsed) => return unknown(&elapsed),
    };
    row.map(|Json(sealed)| sealed)
}

fn unknown(error: &dyn std::error::Error) -> Option<Sealed> {
    tracing::debug!(%error, "a message is answered without the reactions of others");
    None
}

fn forget(message: &mut Message) {
    message.content = None;
    message.edited_at = None;
    message.mentions.clear();
    message.attachments.clear();
    message.reactions.clear();
    message.pinned = false;
    message.deleted = true;
}

async fn apply_edit(
    service: &Service,
    message: &mut Message,
    recorded: &Recorded,
) -> Result<(), Refusal> {
    let event = recorded
        .decode::<MessageEvent>(&event_schema(MESSAGE_EVENTS))
        .map_err(|error| Refusal::internal(&error))?;
    let MessageEvent::MessageEdited(edited) = event else {
        return Ok(());
    };
    let place = Place {
        subject: &recorded.subject,
        event_id: recorded.event_id,
        field: "content",
    };
    let keyring = &service.platform.keyring;
    let content = keyring.open_field(place, &edited.content).await?;
    message.content = content.into_text();
    message.deleted = message.content.is_none();
    message.edited_at = Some(recorded.time.into());
    if let Some(mentions) = edited.mentions {
        message.mentions = mentions;
    }
    Ok(())
}

fn add(reactions: &mut Vec<Reaction>, emoji: &Emoji) {
    match reactions.iter_mut().find(|known| known.emoji == *emoji) {
        Some(known) => {
            known.count += u32::from(!known.me);
            known.me = true;
        }
        None => reactions.push(Reaction {
            emoji: emoji.clone(),
            count: 1,
            me: true,
        }),
    }
}

fn take_back(reactions: &mut Vec<Reaction>, emoji: &Emoji) {
    if let Some(known) = reactions
        .iter_mut()
        .find(|known| known.emoji == *emoji && known.me)
    {
        known.count -= 1;
        known.me = false;
    }
    reactions.retain(|known| known.count > 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(reactions: &[Reaction]) -> Vec<(u32, bool)> {
        reactions
            .iter()
            .map(|known| (known.count, known.me))
            .collect()
    }

    #[test]
    fn a_reaction_of_ones_own_counts_once_whether_or_not_it_is_there() {
        let emoji: Emoji = "👍".parse().unwrap();
        let mut reactions = vec![Reaction {
            emoji: emoji.clone(),
            count: 2,
            me: false,
        }];
        for _ in 0..2 {
            add(&mut reactions, &emoji);
            assert_eq!(counts(&reactions), [(3, true)]);
        }
        for _ in 0..2 {
            take_back(&mut reactions, &emoji);
            assert_eq!(counts(&reactions), [(2, false)]);
        }
        let mut alone = Vec::new();
        add(&mut alone, &emoji);
        take_back(&mut alone, &emoji);
        assert_eq!(alone, []);
    }
}
