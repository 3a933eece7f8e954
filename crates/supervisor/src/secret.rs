//! Passwords and key files that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A fresh password of 144 random bits. It starts with a letter, because nats-server would read
/// a bare `12e3` in its configuration as a number.
pub fn password() -> String {
    use std::fmt::Write as _;
    let bytes: [u8; 18] = rand::random();
    bytes.iter().fold("p".to_owned(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// The text in `path`, written by `make` when the file is not there yet.
pub fn kept(path: &Path, make: impl FnOnce() -> String) -> Result<String> {
    if !path.exists() {
        let new = path.with_extension("new");
        create(&new)?.write_all(make().as_bytes())?;
        fs::rename(&new, path)?;
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim_end().to_owned())
}

/// 32 random bytes in base64.
pub fn symmetric_key() -> String {
    let bytes: [u8; 32] = rand::random();
    format!("{}\n", STANDARD.encode(bytes))
}

/// A fresh Ed25519 private key as PKCS #8 in PEM (RFC 8410), which openssl reads too.
pub fn signing_key() -> String {
    const PKCS8_ED25519: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    let seed: [u8; 32] = rand::random();
    let der = [PKCS8_ED25519.as_slice(), seed.as_slice()].concat();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    )
}

/// An empty file with mode 0600, in place of what was there.
pub fn create(path: &Path) -> Result<File> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))
}

/// A folder with mode 0700, and its parents.
pub fn create_folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(path)
        .with_context(|| format!("cannot create {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_secret_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let first = kept(&path, password).unwrap();
        assert_eq!(kept(&path, password).unwrap(), first);
        assert_eq!(first.len(), 37);
    }
}
