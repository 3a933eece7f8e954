//! The master key and the keys derived from it, each for one purpose.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, rand,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("no master key: set DORAN_MASTER_KEY_FILE to a file with 32 random bytes in base64")]
    NoFile,
    #[error("cannot read or create the key file {path}")]
    File {
        path: String,
        source: std::io::Error,
    },
    #[error("the master key must be 32 bytes in base64")]
    Length,
}

/// The bytes cannot be opened with this key for this place.
#[derive(Debug, thiserror::Error)]
#[error("sealed bytes do not open with this key in this place")]
pub struct OpenError;

/// Thirty-two bytes from which every other key follows. Loses nothing but itself on disk.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn open(path: &Path) -> Result<Self, SecretError> {
        let text = Zeroizing::new(fs::read_to_string(path).map_err(|source| at(path, source))?);
        let bytes = Zeroizing::new(
            STANDARD
                .decode(text.trim())
                .map_err(|_error| SecretError::Length)?,
        );
        let bytes: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_error| SecretError::Length)?;
        Ok(Self::new(bytes))
    }

    /// As [`MasterKey::open`]; a missing file is made, readable by its owner alone.
    pub fn open_or_create(path: &Path) -> Result<Self, SecretError> {
        if !path.exists() {
            let text = Zeroizing::new(STANDARD.encode(random::<32>().as_slice()));
            create_private(path, text.as_bytes()).map_err(|source| at(path, source))?;
        }
        Self::open(path)
    }

    /// A key that wraps other keys and secrets, AES-256-GCM.
    pub fn sealing_key(&self, purpose: &str) -> SealingKey {
        SealingKey::new(&self.derive(purpose))
    }

    /// A key for keyed hashes, HMAC-SHA-256.
    pub fn hashing_key(&self, purpose: &str) -> HashingKey {
        HashingKey::new(self.derive(purpose).as_slice())
    }

    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"dorandoran")
            .extract(self.0.as_slice())
            .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(out.as_mut_slice()))
            .expect("32 bytes is a valid length for HKDF-SHA-256");
        out
    }
}

/// An AES-256-GCM key. Sealed bytes are nonce, ciphertext, tag.
pub struct SealingKey(LessSafeKey);

impl SealingKey {
    pub fn new(bytes: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("32 bytes is an AES-256 key");
        Self(LessSafeKey::new(key))
    }

    /// `place` must be given again to open it, and nowhere else will do.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = random::<NONCE_LEN>();
        let mut body = plain.to_vec();
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place.as_bytes()),
                &mut body,
            )
            .expect("a message is far below the limit of AES-GCM");
        let mut sealed = Vec::with_capacity(NONCE_LEN + body.len() + tag.as_ref().len());
        sealed.extend_from_slice(nonce.as_slice());
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_error| OpenError)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .0
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut body)
            .map_err(|_error| OpenError)?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

/// A key for hashes that nobody without it can compute or guess from.
///
/// Not aws-lc's, which copies a kilobyte for each hash: a message has some thirty tokens.
#[derive(Clone)]
pub struct HashingKey(Hmac<Sha256>);

impl HashingKey {
    pub fn new(bytes: &[u8]) -> Self {
        Self(Hmac::new_from_slice(bytes).expect("a key of HMAC has any length"))
    }

    pub fn hash(&self, bytes: &[u8]) -> [u8; 32] {
        self.hash_of([bytes])
    }

    /// Of the parts, one behind the other.
    pub fn hash_of<const PARTS: usize>(&self, parts: [&[u8]; PARTS]) -> [u8; 32] {
        let mut hash = self.0.clone();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into_bytes().into()
    }

    pub fn hex(&self, bytes: &[u8]) -> String {
        hex::encode(self.hash(bytes))
    }
}

/// Random bytes from the operating system's generator.
pub fn random<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    rand::fill(bytes.as_mut_slice()).expect("the operating system gives random bytes");
    bytes
}

/// Writes a new file that only its owner may read; fails if it exists.
pub fn create_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn at(path: &Path, source: std::io::Error) -> SecretError {
    SecretError::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2: search tokens and claims are stored, so they must not change.
    #[test]
    fn a_keyed_hash_is_hmac_sha_256() {
        let key = HashingKey::new(b"Jefe");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(key.hex(b"what do ya want for nothing?"), expected);
        let in_parts = key.hash_of([b"what do ya ".as_slice(), b"want for nothing?"]);
        assert_eq!(hex::encode(in_parts), expected);
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place_and_with_its_key() {
        let master = MasterKey::new([7; 32]);
        let key = master.sealing_key("a");
        let sealed = key.seal("here", "안녕".as_bytes());
        assert_eq!(
            key.open("here", &sealed).unwrap().as_slice(),
            "안녕".as_bytes()
        );
        assert!(key.open("there", &sealed).is_err());
        assert!(master.sealing_key("b").open("here", &sealed).is_err());
        assert!(key.open("here", b"short").is_err());
    }

    #[test]
    fn the_same_text_is_never_sealed_to_the_same_bytes() {
        let key = MasterKey::new([7; 32]).sealing_key("a");
        assert_ne!(key.seal("here", b"x"), key.seal("here", b"x"));
    }

    #[test]
    fn a_made_key_file_opens_again_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets/master");
        let made = MasterKey::open_or_create(&path).unwrap();
        let read = MasterKey::open_or_create(&path).unwrap();
        assert_eq!(
            made.hashing_key("x").hex(b"y"),
            read.hashing_key("x").hex(b"y")
        );
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
