//! Finding messages although their text is sealed: by keyed hashes of words and syllables.
//!
//! A hash leads to candidates; whoever asks opens them and looks. So nothing is shown that does
//! not hold what was asked for, and the store never holds a word.

mod index;
mod matches;
mod text;

pub(crate) use index::SearchTokens;
pub(crate) use matches::Terms;
