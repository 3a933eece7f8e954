//! How far a room's timeline has been shown, and whether what comes follows on it. Pure.

use std::collections::{HashMap, VecDeque};

use doran_contract::MessageId;

/// Message ids that are remembered, to show a repeated message once.
const REMEMBERED: usize = 1024;

/// How an event that came live stands to what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was taken before.
    Known,
    Next,
    /// Something before it has not come.
    AfterHole,
    /// Something after it, of another type, was shown already: nothing said then that it lacked.
    TooLate,
}

#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// Newest sequence of each timeline event type, which is a subject of its own.
    newest: HashMap<String, u64>,
    /// Newest sequence of all of them.
    head: u64,
    /// What the next frame names as the event before it.
    shown: u64,
    remembered: Remembered,
}

impl Timeline {
    /// A timeline whose past, up to these events, is not shown.
    pub(super) fn starting_after<'a>(heads: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let mut timeline = Self::default();
        for (event_type, sequence) in heads {
            timeline.pass(event_type, sequence);
        }
        timeline
    }

    pub(super) fn head(&self) -> u64 {
        self.head
    }

    pub(super) fn shown(&self) -> u64 {
        self.shown
    }

    /// `previous` is the sequence before it on its subject, as the stream said when it republished.
    pub(super) fn standing(&self, event_type: &str, sequence: u64, previous: u64) -> Standing {
        let newest = self.newest(event_type);
        if sequence <= newest {
            Standing::Known
        } else if sequence < self.head {
            Standing::TooLate
        } else if previous > newest {
            Standing::AfterHole
        } else {
            Standing::Next
        }
    }

    pub(super) fn newest(&self, event_type: &str) -> u64 {
        self.newest.get(event_type).copied().unwrap_or_default()
    }

    /// Takes an event that is not to be shown. The next frame names it as the one before, so that
    /// clients notice that they lack it.
    pub(super) fn pass(&mut self, event_type: &str, sequence: u64) {
        self.reach(event_type, sequence);
        self.shown = self.head;
    }

    /// Takes an event, and notes the message that it sends. False: it repeats one that was shown,
    /// and nobody need see it.
    pub(super) fn take(
        &mut self,
        event_type: &str,
        sequence: u64,
        sent: Option<MessageId>,
    ) -> bool {
        self.reach(event_type, sequence);
        let is_new = sent.is_none_or(|message| self.remembered.insert(message, sequence));
        if is_new {
            self.shown = sequence;
        }
        is_new
    }

    /// Where a message was shown first, if that is remembered.
    pub(super) fn first_shown(&self, message: MessageId) -> Option<u64> {
        self.remembered.first.get(&message).copied()
    }

    fn reach(&mut self, event_type: &str, sequence: u64) {
        match self.newest.get_mut(event_type) {
            Some(newest) => *newest = sequence,
            None => {
                self.newest.insert(event_type.to_owned(), sequence);
            }
        }
        self.head = self.head.max(sequence);
    }
}

#[derive(Debug, Default)]
struct Remembered {
    first: HashMap<MessageId, u64>,
    order: VecDeque<MessageId>,
}

impl Remembered {
    fn insert(&mut self, message: MessageId, sequence: u64) -> bool {
        if self.first.contains_key(&message) {
            return false;
        }
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.first.remove(&oldest);
        }
        self.order.push_back(message);
        self.first.insert(message, sequence);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const SENT: &str = "MessageSent";

    fn id(n: u64) -> MessageId {
        MessageId::new(Uuid::from_u128(n.into()))
    }

    fn at(sequence: u64) -> Timeline {
        Timeline::starting_after([(SENT, sequence)])
    }

    #[test]
    fn what_follows_is_next_however_far_its_sequence_is() {
        assert_eq!(at(10).standing(SENT, 57, 10), Standing::Next);
        assert_eq!(Timeline::default().standing(SENT, 1, 0), Standing::Next);
    }

    #[test]
    fn what_comes_again_is_known() {
        let mut timeline = at(10);
        timeline.take(SENT, 11, Some(id(1)));
        assert_eq!(timeline.standing(SENT, 11, 10), Standing::Known);
        assert_eq!(timeline.standing(SENT, 10, 9), Standing::Known);
    }

    #[test]
    fn what_names_an_unknown_event_before_it_comes_after_a_hole() {
        assert_eq!(at(10).standing(SENT, 57, 30), Standing::AfterHole);
        assert_eq!(
            Timeline::default().standing(SENT, 3, 2),
            Standing::AfterHole
        );
    }

    #[test]
    fn what_lies_before_something_that_was_shown_comes_too_late() {
        let mut timeline = at(10);
        timeline.take("ReactionAdded", 12, None);
        assert_eq!((timeline.head(), timeline.shown()), (12, 12));
        assert_eq!(timeline.standing(SENT, 11, 10), Standing::TooLate);
        assert_eq!(timeline.standing(SENT, 13, 10), Standing::Next);
    }

    #[test]
    fn a_repeated_message_is_not_shown_and_leaves_no_hole_for_clients() {
        let mut timeline = at(10);
        assert!(timeline.take(SENT, 11, Some(id(1))));
        assert!(!timeline.take(SENT, 12, Some(id(1))));
        assert_eq!(timeline.head(), 12);
        assert_eq!(timeline.shown(), 11);
        assert_eq!(timeline.first_shown(id(1)), Some(11));
        assert_eq!(timeline.standing(SENT, 13, 12), Standing::Next);
    }

    #[test]
    fn an_event_that_cannot_be_shown_is_named_by_the_next_frame() {
        let mut timeline = at(10);
        timeline.pass(SENT, 11);
        assert_eq!(timeline.shown(), 11);
    }

    #[test]
    fn only_so_many_messages_are_remembered() {
        let mut timeline = Timeline::default();
        for n in 0..=u64::try_from(REMEMBERED).unwrap() {
            timeline.take(SENT, n + 1, Some(id(n)));
        }
        assert_eq!(timeline.first_shown(id(0)), None);
        assert_eq!(timeline.first_shown(id(1)), Some(2));
    }

    proptest! {
        /// Whatever is lost on the way: with holes refilled from the log, everything is taken once
        /// and in order.
        #[test]
        fn any_loss_is_noticed_by_the_next_event(lost in prop::collection::vec(any::<bool>(), 1..60)) {
            let log: Vec<u64> = (1..=lost.len() as u64).map(|n| n * 3).collect();
            let mut timeline = Timeline::default();
            let mut taken = Vec::new();
            for (index, sequence) in log.iter().enumerate() {
                if lost[index] {
                    continue;
                }
                let previous = if index == 0 { 0 } else { log[index - 1] };
                match timeline.standing(SENT, *sequence, previous) {
                    Standing::Known | Standing::TooLate => {}
                    Standing::Next => {
                        timeline.take(SENT, *sequence, Some(id(*sequence)));
                        taken.push(*sequence);
                    }
                    Standing::AfterHole => {
                        let head = timeline.head();
                        for missing in log.iter().filter(|s| **s > head && *s <= sequence) {
                            timeline.take(SENT, *missing, Some(id(*missing)));
                            taken.push(*missing);
                        }
                    }
                }
            }
            let reached = lost.iter().rposition(|lost| !lost).map_or(0, |last| last + 1);
            prop_assert_eq!(&taken[..], &log[..reached]);
        }
    }
}
