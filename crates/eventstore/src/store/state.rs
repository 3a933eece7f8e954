//! What the store knows of one aggregate: its state, its place in the log, its last commands.

use std::collections::VecDeque;

use cqrs_es::{Aggregate, AggregateContext};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{DecodeError, Recorded, Schema, envelope};

/// How many commands an aggregate remembers.
const COMMANDS: usize = 32;

/// An aggregate with its place in the log: the `cqrs-es` context of this store.
#[derive(Clone, Debug)]
pub struct AggregateState<A> {
    pub(super) id: String,
    pub(super) aggregate: A,
    /// Stream sequence of the last event, 0 for none.
    pub(super) sequence: u64,
    /// Id of that event: a log that holds another one at this place is not the one that was read.
    pub(super) last_event: Option<Uuid>,
    pub(super) commands: Commands,
}

/// The last commands that led to events, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Commands(VecDeque<KnownCommand>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownCommand {
    pub(super) id: Uuid,
    pub(super) fingerprint: Option<String>,
    /// Stream sequence of its last event.
    pub(super) sequence: u64,
}

impl<A: Aggregate> AggregateState<A> {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            aggregate: A::default(),
            sequence: 0,
            last_event: None,
            commands: Commands::default(),
        }
    }

    /// Takes in the next event of the aggregate.
    pub(super) fn fold(&mut self, event: &Recorded, schema: &Schema) -> Result<(), DecodeError> {
        self.aggregate.apply(event.decode(schema)?);
        self.sequence = event.sequence;
        self.last_event = Some(event.event_id);
        if let Some(id) = event.command_id {
            let fingerprint = event.headers.get(envelope::COMMAND_FINGERPRINT);
            self.commands.note(KnownCommand {
                id,
                fingerprint: fingerprint.map(|text| text.as_str().to_owned()),
                sequence: event.sequence,
            });
        }
        Ok(())
    }

    /// Whether `event` is the last one this state has taken in.
    pub(super) fn ends_with(&self, event: &Recorded) -> bool {
        event.sequence == self.sequence && Some(event.event_id) == self.last_event
    }

    /// Whether both ended with the same event.
    pub(super) fn is_as_new_as(&self, other: &Self) -> bool {
        (self.sequence, self.last_event) == (other.sequence, other.last_event)
    }
}

impl<A: Aggregate> AggregateContext<A> for AggregateState<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.aggregate
    }
}

impl Commands {
    pub(super) fn find(&self, id: Uuid) -> Option<&KnownCommand> {
        self.0.iter().rev().find(|known| known.id == id)
    }

    pub(super) fn note(&mut self, command: KnownCommand) {
        match self.0.back_mut() {
            Some(last) if last.id == command.id => last.sequence = command.sequence,
            _ => self.0.push_back(command),
        }
        if self.0.len() > COMMANDS {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(number: u64) -> KnownCommand {
        KnownCommand {
            id: Uuid::from_u128(number.into()),
            fingerprint: None,
            sequence: number,
        }
    }

    #[test]
    fn the_last_32_commands_are_remembered() {
        let mut commands = Commands::default();
        for number in 1..=33 {
            commands.note(command(number));
        }
        assert_eq!(commands.find(Uuid::from_u128(1)), None);
        assert_eq!(commands.find(Uuid::from_u128(2)), Some(&command(2)));
        assert_eq!(commands.find(Uuid::from_u128(33)), Some(&command(33)));
    }

    #[test]
    fn a_command_of_several_events_is_one_and_ends_with_its_last() {
        let mut commands = Commands::default();
        commands.note(command(1));
        commands.note(KnownCommand {
            sequence: 2,
            ..command(1)
        });
        assert_eq!(commands.0.len(), 1);
        assert_eq!(commands.find(Uuid::from_u128(1)).unwrap().sequence, 2);
    }
}
