//! How names are put together, and under which forms of them a person is found.

use doran_platform::{Blinder, name_matches, profile::PersonalData};

/// What somebody is called who gave no name: family name first where that is how it is written.
pub(crate) fn full_name(first_name: &str, last_name: &str) -> String {
    let (first, last) = (first_name.trim(), last_name.trim());
    if first.chars().chain(last.chars()).all(is_east_asian) {
        format!("{last}{first}")
    } else {
        format!("{first} {last}")
    }
}

/// Tokens under which the person is found, without repetitions.
pub(crate) fn name_tokens(blinder: &Blinder, personal: &PersonalData) -> Vec<i64> {
    let names = forms(&personal.name, &personal.first_name, &personal.last_name);
    let mut tokens: Vec<i64> = names
        .iter()
        .flat_map(|name| blinder.name_tokens(name))
        .collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// Whether the person is meant by what somebody typed. Tokens only say who may be.
pub(crate) fn is_meant(name: &str, first_name: &str, last_name: &str, query: &str) -> bool {
    forms(name, first_name, last_name)
        .iter()
        .any(|form| name_matches(form, query))
}

/// Some people type the given name first, others the family name.
fn forms(name: &str, first_name: &str, last_name: &str) -> [String; 3] {
    [
        name.to_owned(),
        format!("{first_name}{last_name}"),
        format!("{last_name}{first_name}"),
    ]
}

/// Hangul syllables, Han and Kana.
fn is_east_asian(c: char) -> bool {
    matches!(c, '\u{AC00}'..='\u{D7A3}' | '\u{4E00}'..='\u{9FFF}' | '\u{3040}'..='\u{30FF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_name_comes_first_where_it_is_written_so() {
        assert_eq!(full_name("민수", "김"), "김민수");
        assert_eq!(full_name("Alice", "Kim"), "Alice Kim");
        assert_eq!(full_name("민수", "Kim"), "민수 Kim");
    }

    #[test]
    fn a_person_is_meant_by_either_order_and_by_initials() {
        for query in ["김민수", "민수", "ㄱㅁㅅ", "민수김"] {
            assert!(is_meant("별명", "민수", "김", query), "{query}");
        }
        assert!(is_meant("별명", "민수", "김", "별"));
        assert!(!is_meant("별명", "민수", "김", "수민"));
    }
}
