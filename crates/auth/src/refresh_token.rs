//! Refresh tokens: `<session id>.<secret>`. The log holds a keyed hash of each, never the token.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doran_contract::SessionId;
use doran_platform::secret::{HashingKey, MasterKey, random};
use zeroize::Zeroizing;

const RANDOM_BYTES: usize = 32;
const MARK_BYTES: usize = 16;

/// Makes and reads refresh tokens.
///
/// The secret is 32 random bytes and a mark that only this system can put on them. So an old token
/// is told from an invented one without keeping every token that ever was: the former means that
/// somebody copied it and ends the session, the latter must not, or whoever knows a session's id
/// could end it.
#[derive(Clone)]
pub(crate) struct RefreshTokens {
    hashes: HashingKey,
    marks: HashingKey,
}

/// A new token, and what the log may know of it.
pub(crate) struct Issued {
    pub(crate) text: String,
    pub(crate) hash: String,
}

/// A token that this system issued once, whether or not it still counts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) session: SessionId,
    pub(crate) hash: String,
}

impl RefreshTokens {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self {
            hashes: master.hashing_key("refresh-token"),
            marks: master.hashing_key("refresh-token-mark"),
        }
    }

    pub(crate) fn issue(&self, session: SessionId) -> Issued {
        let bound = bind(session, random::<RANDOM_BYTES>().as_slice());
        let mut secret = Zeroizing::new(secret_of(&bound).to_vec());
        secret.extend_from_slice(&self.mark(&bound));
        Issued {
            text: format!("{session}.{}", URL_SAFE_NO_PAD.encode(&secret)),
            hash: self.hashes.hex(&bound),
        }
    }

    /// None for what this system never issued.
    pub(crate) fn read(&self, text: &str) -> Option<Presented> {
        let (session, secret) = text.split_once('.')?;
        let session = session.parse().ok()?;
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(secret).ok()?);
        let (random, mark) = secret.split_at_checked(RANDOM_BYTES)?;
        let bound = bind(session, random);
        verify_slices_are_equal(mark, &self.mark(&bound)).ok()?;
        Some(Presented {
            session,
            hash: self.hashes.hex(&bound),
        })
    }

    fn mark(&self, bound: &[u8]) -> [u8; MARK_BYTES] {
        let mut mark = [0; MARK_BYTES];
        let hash = self.marks.hash(bound);
        mark.copy_from_slice(hash.split_at(MARK_BYTES).0);
        mark
    }
}

/// The random bytes with the session they belong to.
fn bind(session: SessionId, random: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bound = Zeroizing::new(session.as_uuid().as_bytes().to_vec());
    bound.extend_from_slice(random);
    bound
}

fn secret_of(bound: &[u8]) -> &[u8] {
    bound.split_at(bound.len() - RANDOM_BYTES).1
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SESSION: SessionId = SessionId::new(Uuid::from_u128(1));

    fn tokens() -> RefreshTokens {
        RefreshTokens::new(&MasterKey::new([1; 32]))
    }

    #[test]
    fn an_issued_token_reads_back_as_its_session_and_hash() {
        let issued = tokens().issue(SESSION);
        let presented = tokens().read(&issued.text).unwrap();
        assert_eq!((presented.session, presented.hash), (SESSION, issued.hash));
        assert_ne!(tokens().issue(SESSION).text, issued.text);
    }

    #[test]
    fn what_was_never_issued_is_not_read() {
        let text = tokens().issue(SESSION).text;
        let (session, secret) = text.split_once('.').unwrap();
        let other = Uuid::from_u128(2);
        let invented = URL_SAFE_NO_PAD.encode([7; RANDOM_BYTES + MARK_BYTES]);
        for forged in [
            format!("{other}.{secret}"),
            format!("{session}.{invented}"),
            format!("{session}.{}", secret.split_at(40).0),
            format!("{session}.{secret}AA"),
            format!("{session}."),
            session.to_owned(),
            String::new(),
        ] {
            assert_eq!(tokens().read(&forged), None, "{forged}");
        }
        assert_eq!(
            RefreshTokens::new(&MasterKey::new([2; 32])).read(&text),
            None
        );
    }
}
