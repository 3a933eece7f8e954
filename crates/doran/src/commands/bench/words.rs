//! Made-up Korean words, the same in every run, of which some are much more frequent than others,
//! as in a language.

use std::ops::Range;

/// How many different words there are.
const VOCABULARY: f64 = 20_000.0;
const WORDS_OF_A_SENTENCE: usize = 8;
/// Syllables without a final consonant: 가, 개, 갸, …
const SYLLABLES: u64 = 399;
const BETWEEN_SYLLABLES: u64 = 28;
const FIRST_SYLLABLE: u64 = 0xAC00;
const PARTICLES: [&str; 6] = ["", "을", "는", "에서", "이", "으로"];

/// A source of words.
#[derive(Default)]
pub(super) struct Words {
    drawn: u64,
}

impl Words {
    /// Words with the particles that a sentence gives them.
    pub(super) fn sentence(&mut self) -> String {
        let words: Vec<_> = (0..WORDS_OF_A_SENTENCE)
            .map(|_| {
                let particle = self.number(0..PARTICLES.len() as u64);
                let particle = usize::try_from(particle).ok();
                let particle = particle.and_then(|at| PARTICLES.get(at)).unwrap_or(&"");
                format!("{}{particle}", self.word())
            })
            .collect();
        words.join(" ")
    }

    /// The word of a rank that is the likelier, the more frequent it is: by Zipf's law.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank between 1 and the size of the vocabulary"
    )]
    pub(super) fn word(&mut self) -> String {
        let share = self.number(0..1 << 32) as f64 / (1_u64 << 32) as f64;
        spell(VOCABULARY.powf(share) as u64)
    }

    /// Any number of the range, which must not be empty.
    pub(super) fn number(&mut self, range: Range<u64>) -> u64 {
        self.drawn += 1;
        range.start + mixed(self.drawn) % (range.end - range.start)
    }
}

/// Two to four syllables.
fn spell(rank: u64) -> String {
    let bits = mixed(rank << 32);
    let syllables = (0..2 + bits % 3).map(|at| {
        let syllable = (bits >> (8 + 16 * at)) % SYLLABLES;
        let code = FIRST_SYLLABLE + BETWEEN_SYLLABLES * syllable;
        u32::try_from(code).ok().and_then(char::from_u32)
    });
    syllables.map(Option::unwrap_or_default).collect()
}

/// Numbers in a row become numbers all over the place: the finalizer of `SplitMix64`.
fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_hangul_the_same_in_every_run_and_some_come_often() {
        let (mut words, mut again) = (Words::default(), Words::default());
        let drawn: Vec<_> = (0..1_000).map(|_| words.word()).collect();
        assert!(drawn.iter().all(|word| *word == again.word()));
        let is_word = |word: &String| (2..=4).contains(&word.chars().count());
        assert!(drawn.iter().all(is_word));
        let commonest = drawn.iter().filter(|word| **word == spell(1)).count();
        assert!((10..200).contains(&commonest), "{commonest}");
    }
}
