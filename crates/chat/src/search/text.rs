//! A text as search sees it: folded characters in runs, each with its place in the text.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

/// Characters that belong together: a word of letters and digits, or a stretch of Hangul, Han and
/// Kana, which is not divided into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    kind: Kind,
    letters: Vec<Letter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Syllables,
}

/// A folded character, and which code points of the text it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Letter {
    folded: char,
    start: usize,
    end: usize,
}

/// The runs of a text, after NFKC (which folds width and composes) and in lower case.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut is_apart = true;
    for letter in letters(text) {
        let Some(kind) = kind_of(letter.folded) else {
            is_apart = true;
            continue;
        };
        match runs.last_mut() {
            Some(run) if run.kind == kind && !is_apart => run.letters.push(letter),
            _ => runs.push(Run {
                kind,
                letters: vec![letter],
            }),
        }
        is_apart = false;
    }
    runs
}

impl Run {
    /// What a text that holds this run is found by: the word, or each syllable and each pair. Some
    /// may come twice.
    pub(super) fn pieces(&self) -> Vec<String> {
        match self.kind {
            Kind::Word => vec![self.folded()],
            Kind::Syllables => self.grams(1).chain(self.grams(2)).collect(),
        }
    }

    /// The fewest pieces that together lead to the texts which hold this run.
    pub(super) fn query_pieces(&self) -> BTreeSet<String> {
        match (self.kind, self.letters.len()) {
            (Kind::Word, _) => BTreeSet::from([self.folded()]),
            (Kind::Syllables, 1) => self.grams(1).collect(),
            (Kind::Syllables, _) => self.grams(2).collect(),
        }
    }

    /// Where `wanted` stands in this run, in code points of the text: a word as a whole, syllables
    /// anywhere.
    pub(super) fn find<'a>(&'a self, wanted: &'a Self) -> impl Iterator<Item = (usize, usize)> {
        let is_possible = match self.kind {
            Kind::Word => self.letters.len() == wanted.letters.len(),
            Kind::Syllables => true,
        };
        let windows = self.letters.windows(wanted.letters.len());
        windows
            .filter(move |window| {
                let folded = window.iter().map(|letter| letter.folded);
                self.kind == wanted.kind
                    && is_possible
                    && folded.eq(wanted.letters.iter().map(|letter| letter.folded))
            })
            .filter_map(|window| Some((window.first()?.start, window.last()?.end)))
    }

    fn folded(&self) -> String {
        self.letters.iter().map(|letter| letter.folded).collect()
    }

    fn grams(&self, length: usize) -> impl Iterator<Item = String> {
        let windows = self.letters.windows(length);
        windows.map(|window| window.iter().map(|letter| letter.folded).collect())
    }
}

fn letters(text: &str) -> Vec<Letter> {
    let mut letters = Vec::new();
    let mut cluster = String::new();
    let (mut start, mut end) = (0, 0);
    for (at, character) in text.chars().enumerate() {
        if at > 0 && !continues(character) {
            fold(&cluster, start, end, &mut letters);
            cluster.clear();
            start = at;
        }
        cluster.push(character);
        end = at + 1;
    }
    fold(&cluster, start, end, &mut letters);
    letters
}

fn fold(cluster: &str, start: usize, end: usize, letters: &mut Vec<Letter>) {
    let mut characters = cluster.chars();
    if let (Some(alone), None) = (characters.next(), characters.next())
        && (alone.is_ascii() || is_syllable(alone))
    {
        let folded = alone.to_ascii_lowercase();
        letters.push(Letter { folded, start, end });
        return;
    }
    let composed = cluster.nfkc().flat_map(char::to_lowercase);
    letters.extend(composed.map(|folded| Letter { folded, start, end }));
}

/// Whether a character composes with the one before it: accents, the vowels and finals of
/// decomposed Hangul, and the sound marks of half-width Kana.
fn continues(character: char) -> bool {
    if character.is_ascii() || is_syllable(character) {
        return false;
    }
    canonical_combining_class(character) != 0
        || matches!(character, '\u{1160}'..='\u{11FF}' | '\u{FF9E}' | '\u{FF9F}')
}

/// A whole syllable of Hangul.
fn is_syllable(character: char) -> bool {
    ('\u{AC00}'..='\u{D7A3}').contains(&character)
}

fn kind_of(folded: char) -> Option<Kind> {
    if is_syllable(folded) {
        return Some(Kind::Syllables);
    }
    match folded {
        '\u{1100}'..='\u{11FF}'     // Hangul letters
        | '\u{3040}'..='\u{30FF}'   // Kana
        | '\u{3130}'..='\u{318F}'   // Hangul letters as they are typed alone
        | '\u{3400}'..='\u{4DBF}'   // Han, rare
        | '\u{4E00}'..='\u{9FFF}'   // Han
        | '\u{F900}'..='\u{FAFF}'   // Han, compatibility
        | '\u{20000}'..='\u{323AF}' // Han, beyond the first plane
        => folded.is_alphanumeric().then_some(Kind::Syllables),
        other => (other.is_alphanumeric() || canonical_combining_class(other) != 0)
            .then_some(Kind::Word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        let of_run = |run: &Run| BTreeSet::from_iter(run.pieces());
        runs(text).iter().flat_map(of_run).collect()
    }

    #[test]
    fn latin_is_divided_into_words_and_korean_into_syllables_and_pairs() {
        assert_eq!(pieces("Hello, World-2"), ["hello", "world", "2"]);
        assert_eq!(
            pieces("회의록을"),
            ["록", "록을", "을", "의", "의록", "회", "회의"]
        );
        assert_eq!(pieces("API서버"), ["api", "버", "서", "서버"]);
        assert_eq!(pieces("👍 !?"), Vec::<String>::new());
    }

    #[test]
    fn width_case_and_decomposition_make_no_difference() {
        assert_eq!(pieces("ＡＰＩ"), pieces("api"));
        let decomposed: String = "회의 café".nfd().collect();
        assert_eq!(pieces(&decomposed), pieces("회의 CAFÉ"));
        assert_eq!(pieces("ｶﾞﾝ"), pieces("ガン"));
    }

    #[test]
    fn a_place_counts_code_points_of_the_text_as_it_was_written() {
        let text: String = "😀 오늘 ".chars().chain("회의록".nfd()).collect();
        let wanted = runs("의록");
        let found: Vec<_> = runs(&text)
            .iter()
            .flat_map(|run| run.find(&wanted[0]).collect::<Vec<_>>())
            .collect();
        assert_eq!(found, [(7, 12)]);
        let letters: Vec<char> = text.chars().collect();
        let shown: String = letters[7..12].iter().collect();
        assert_eq!(shown.nfc().collect::<String>(), "의록");
    }

    #[test]
    fn a_word_is_found_as_a_whole_only() {
        let text = runs("concatenate a cat");
        let cat = runs("cat");
        let found: Vec<_> = text.iter().flat_map(|run| run.find(&cat[0])).collect();
        assert_eq!(found, [(14, 17)]);
    }
}
