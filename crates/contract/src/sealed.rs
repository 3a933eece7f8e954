//! The form of a sealed field: who holds the key, and the bytes.

use serde::{Deserialize, Serialize};

use crate::UserId;

/// A field that only the holder of a user's data key can read.
///
/// `data` is base64url without padding of nonce (12 bytes), ciphertext and tag (16 bytes),
/// AES-256-GCM. Sealing and opening live in the platform; this is only how it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sealed {
    /// Whose data key sealed it. Deleting that person destroys the key.
    pub key: UserId,
    pub data: String,
}
