//! A page of people who fit a filter and are meant by what somebody typed.

use doran_contract::{Page, user::User};
use doran_platform::{Blinder, http::Refusal, keyring::Keyring, normal_email};
use sqlx::PgPool;

use super::person::{Filter, Person};
use crate::names::is_meant;

/// Reads of candidates for one page: tokens let few pass who are not meant.
const MAX_ROUNDS: usize = 10;

/// What somebody typed to find people.
pub(crate) enum Term {
    /// Everybody.
    Any,
    /// A whole address, which is looked up by its key and never searched.
    Email,
    /// Part of a name, or its initial consonants.
    Name(String),
}

/// The part of a list that is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) before: Option<i64>,
    pub(crate) limit: i64,
}

impl Term {
    /// Reads what was typed, and narrows `filter` to those who may fit it.
    pub(crate) fn read(typed: Option<&str>, blinder: &Blinder, filter: &mut Filter) -> Self {
        match typed {
            None => Self::Any,
            Some(typed) if garde::rules::email::parse_email(&normal_email(typed)).is_ok() => {
                filter.email_key = Some(blinder.email_key(typed));
                Self::Email
            }
            Some(typed) => {
                filter.name_tokens = Some(blinder.name_query(typed));
                Self::Name(typed.to_owned())
            }
        }
    }

    fn means(&self, user: &User) -> bool {
        match self {
            Self::Any | Self::Email => true,
            Self::Name(query) => is_meant(&user.name, &user.first_name, &user.last_name, query),
        }
    }
}

/// People in full, newest first.
pub(crate) async fn find(
    pool: &PgPool,
    keyring: &Keyring,
    filter: &Filter,
    term: &Term,
    slice: Slice,
) -> Result<Page<User>, Refusal> {
    let (mut items, mut before) = (Vec::new(), slice.before);
    let wanted = usize::try_from(slice.limit).unwrap_or(1);
    for _ in 0..MAX_ROUNDS {
        let people = Person::page(pool, filter, before, slice.limit + 1).await?;
        let is_end = people.len() <= wanted;
        for person in people {
            if items.len() == wanted {
                return Ok(page(items, before));
            }
            before = Some(person.created_sequence);
            let user = person.open(keyring).await?;
            if term.means(&user) {
                items.push(user);
            }
        }
        if is_end {
            return Ok(page(items, None));
        }
    }
    Ok(page(items, before))
}

fn page(items: Vec<User>, next: Option<i64>) -> Page<User> {
    let next_cursor = next.map(|sequence| sequence.to_string());
    Page { items, next_cursor }
}
