//! What is searched for, and where an opened text holds it.

use std::collections::BTreeSet;

use doran_contract::{RoomId, message::Highlight};
use doran_platform::Blinder;

use super::text::{Run, runs};

/// A query: runs that a message must hold all of, in any order.
#[derive(Debug, Default)]
pub(crate) struct Terms(Vec<Run>);

impl Terms {
    /// None if there is nothing in it to search for.
    pub(crate) fn of(query: &str) -> Option<Self> {
        let runs = runs(query);
        (!runs.is_empty()).then_some(Self(runs))
    }

    /// The tokens that a message of `room` must have all of.
    pub(crate) fn tokens(&self, blinder: &Blinder, room: RoomId) -> Vec<i64> {
        let pieces: BTreeSet<_> = self.0.iter().flat_map(Run::query_pieces).collect();
        let token = |piece: &String| blinder.message_token(room, piece);
        pieces.iter().map(token).collect()
    }

    /// Where `text` holds the terms, in order and without overlaps; none if it lacks one.
    pub(crate) fn highlights(&self, text: &str) -> Option<Vec<Highlight>> {
        let text = runs(text);
        let mut places = BTreeSet::new();
        for term in &self.0 {
            let found: Vec<_> = text.iter().flat_map(|run| run.find(term)).collect();
            if found.is_empty() {
                return None;
            }
            places.extend(found);
        }
        Some(joined(places))
    }
}

fn joined(places: BTreeSet<(usize, usize)>) -> Vec<Highlight> {
    let mut joined: Vec<Highlight> = Vec::new();
    for (start, end) in places {
        match joined.last_mut() {
            Some(last) if start < last.end => last.end = last.end.max(end),
            _ => joined.push(Highlight { start, end }),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use doran_platform::secret::MasterKey;
    use uuid::Uuid;

    use super::*;
    use crate::search::index::tokens_of;

    fn found(text: &str, query: &str) -> Option<Vec<(usize, usize)>> {
        let blinder = Blinder::new(&MasterKey::new([1; 32]));
        let room = RoomId::new(Uuid::from_u128(1));
        let terms = Terms::of(query)?;
        let stored = tokens_of(text, room, &blinder);
        let is_candidate = terms
            .tokens(&blinder, room)
            .iter()
            .all(|token| stored.contains(token));
        let highlights = terms.highlights(text);
        // Whatever holds the terms must be a candidate, or it would not be found.
        assert!(is_candidate || highlights.is_none(), "{query} in {text}");
        let ranges = |all: Vec<Highlight>| all.iter().map(|h| (h.start, h.end)).collect();
        highlights.filter(|_| is_candidate).map(ranges)
    }

    #[test]
    fn korean_is_found_with_particles_in_compounds_and_by_one_syllable() {
        assert_eq!(found("회의록을 올렸어요", "회의록"), Some(vec![(0, 3)]));
        assert_eq!(found("주간회의록 공유", "회의록"), Some(vec![(2, 5)]));
        assert_eq!(found("주간 회의", "회의"), Some(vec![(3, 5)]));
        assert_eq!(found("주간 회의", "회"), Some(vec![(3, 4)]));
        assert_eq!(found("회의 기록", "회의록"), None);
        assert_eq!(found("의회", "회의"), None);
    }

    #[test]
    fn terms_stand_in_any_order_and_all_of_them_must_be_there() {
        assert_eq!(
            found("내일 API 서버 배포", "서버 api"),
            Some(vec![(3, 6), (7, 9)])
        );
        assert_eq!(found("API서버", "api서버"), Some(vec![(0, 3), (3, 5)]));
        assert_eq!(found("내일 API", "api 서버"), None);
    }

    #[test]
    fn pairs_that_only_stand_apart_are_candidates_and_no_hits() {
        assert_eq!(found("가나 나다", "가나다"), None);
        assert_eq!(found("ababab", "ab"), None);
        assert_eq!(found("가가가", "가가"), Some(vec![(0, 3)]));
    }

    #[test]
    fn a_query_of_signs_alone_asks_for_nothing() {
        assert!(Terms::of(" ?! ").is_none());
    }

    #[test]
    fn equal_words_in_two_rooms_have_different_tokens() {
        let blinder = Blinder::new(&MasterKey::new([1; 32]));
        let terms = Terms::of("회의").unwrap();
        let room = |number| RoomId::new(Uuid::from_u128(number));
        assert_ne!(
            terms.tokens(&blinder, room(1)),
            terms.tokens(&blinder, room(2))
        );
    }
}
