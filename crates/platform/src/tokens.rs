//! Keyed search tokens: what a store may hold of a text so that it can be found and not read.

use doran_contract::{RoomId, UserId};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::secret::{HashingKey, MasterKey};

/// The first code point of the Hangul syllables; 588 of them share an initial consonant.
const FIRST_SYLLABLE: u32 = 0xAC00;
const LAST_SYLLABLE: u32 = 0xD7A3;
const SYLLABLES_PER_INITIAL: u32 = 588;
const INITIALS: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ',
    'ㅌ', 'ㅍ', 'ㅎ',
];

/// Hashes pieces of names and of messages, and e-mail addresses.
#[derive(Clone)]
pub struct Blinder {
    names: HashingKey,
    messages: HashingKey,
    emails: HashingKey,
    requests: HashingKey,
    invites: HashingKey,
}

impl Blinder {
    pub fn new(master: &MasterKey) -> Self {
        Self {
            names: master.hashing_key("name-token"),
            messages: master.hashing_key("message-token"),
            emails: master.hashing_key("email"),
            requests: master.hashing_key("request-fingerprint"),
            invites: master.hashing_key("invite"),
        }
    }

    /// The claim key of an address: equal however it was typed.
    pub fn email_key(&self, email: &str) -> String {
        self.emails.hex(normal_email(email).as_bytes())
    }

    /// A hash by which a repeated request is told from another under the same key.
    pub fn fingerprint(&self, actor: Option<UserId>, body: &[u8]) -> String {
        let mut bytes = actor
            .map(|id| id.to_string())
            .unwrap_or_default()
            .into_bytes();
        bytes.push(0);
        bytes.extend_from_slice(body);
        let mut hash = self.requests.hex(&bytes);
        hash.truncate(32);
        hash
    }

    /// The secret part of an invite's code: nobody guesses it, and a retried command has the same.
    pub fn invite_secret(&self, command_id: Uuid) -> [u8; 32] {
        self.invites.hash(command_id.as_bytes())
    }

    /// By what the log knows an invite, without knowing its code.
    pub fn invite_key(&self, code: &[u8]) -> String {
        self.invites.hex(code)
    }

    /// Tokens of a name, to be stored: its pieces of one and two characters, and of its initials.
    pub fn name_tokens(&self, name: &str) -> Vec<i64> {
        let name = normal_name(name);
        let mut pieces = grams(&name, 1);
        pieces.extend(grams(&name, 2));
        let initials: String = name.chars().map(initial).collect();
        if initials != name {
            pieces.extend(grams(&initials, 1));
            pieces.extend(grams(&initials, 2));
        }
        self.blind(pieces)
    }

    /// Tokens that a name must have all of to contain `query`.
    pub fn name_query(&self, query: &str) -> Vec<i64> {
        let query = normal_name(query);
        let length = if query.chars().count() > 1 { 2 } else { 1 };
        self.blind(grams(&query, length))
    }

    /// Token of a piece of a message. Equal pieces in two rooms have different ones.
    pub fn message_token(&self, room: RoomId, piece: &str) -> i64 {
        let room = room.as_uuid();
        short(self.messages.hash_of([room.as_bytes(), piece.as_bytes()]))
    }

    fn blind(&self, mut pieces: Vec<String>) -> Vec<i64> {
        pieces.sort_unstable();
        pieces.dedup();
        pieces
            .iter()
            .map(|piece| short(self.names.hash(piece.as_bytes())))
            .collect()
    }
}

/// Whether `name` contains `query`, as people type: without case, spaces, or by initials.
pub fn name_matches(name: &str, query: &str) -> bool {
    let (name, query) = (normal_name(name), normal_name(query));
    let initials: String = name.chars().map(initial).collect();
    name.contains(&query) || initials.contains(&query)
}

/// Trimmed, NFC, lower case.
pub fn normal_email(email: &str) -> String {
    email.trim().nfc().collect::<String>().to_lowercase()
}

fn normal_name(name: &str) -> String {
    let folded = name.nfkc().collect::<String>().to_lowercase();
    let compatible: String = folded.chars().filter(|c| !c.is_whitespace()).collect();
    compatible.chars().map(compatibility_jamo).collect()
}

/// NFKC turns a typed `ㄱ` (U+3131) into the conjoining U+1100; initials here are the former.
fn compatibility_jamo(c: char) -> char {
    u32::from(c)
        .checked_sub(0x1100)
        .and_then(|index| usize::try_from(index).ok())
        .and_then(|index| INITIALS.get(index).copied())
        .unwrap_or(c)
}

fn initial(c: char) -> char {
    let code = u32::from(c);
    if !(FIRST_SYLLABLE..=LAST_SYLLABLE).contains(&code) {
        return c;
    }
    usize::try_from((code - FIRST_SYLLABLE) / SYLLABLES_PER_INITIAL)
        .ok()
        .and_then(|index| INITIALS.get(index).copied())
        .unwrap_or(c)
}

fn grams(text: &str, length: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .windows(length)
        .map(|window| window.iter().collect())
        .collect()
}

fn short(hash: [u8; 32]) -> i64 {
    let (first, _) = hash.split_first_chunk::<8>().expect("a hash has 32 bytes");
    i64::from_be_bytes(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, query: &str) -> bool {
        let blinder = Blinder::new(&MasterKey::new([1; 32]));
        let stored = blinder.name_tokens(name);
        let candidate = blinder
            .name_query(query)
            .iter()
            .all(|token| stored.contains(token));
        candidate && name_matches(name, query)
    }

    #[test]
    fn a_name_is_found_by_part_case_and_initials() {
        assert!(found("김민수", "민수"));
        assert!(found("김민수", "ㄱㅁㅅ"));
        assert!(found("김민수", "ㅁ"));
        assert!(found("Alice Kim", "ALICEK"));
        assert!(!found("김민수", "수민"));
        assert!(!found("Alice", "bob"));
    }

    #[test]
    fn a_decomposed_name_is_found_by_a_composed_query() {
        let decomposed: String = "김민수".nfd().collect();
        assert!(found(&decomposed, "민수"));
    }

    #[test]
    fn addresses_that_differ_in_case_or_space_have_one_key() {
        let blinder = Blinder::new(&MasterKey::new([1; 32]));
        assert_eq!(
            blinder.email_key(" Kim@Example.com "),
            blinder.email_key("kim@example.com")
        );
    }
}
