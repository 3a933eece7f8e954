//! Access tokens: EdDSA JWTs of type `at+jwt`. One verifier for every role; only auth signs.

use std::{collections::HashMap, path::Path, sync::Arc};

use arc_swap::ArcSwap;
use async_nats::jetstream::{self, kv};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use doran_contract::{SessionId, UserId, user::Role};
use futures_util::StreamExt;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{Clock, Lifecycle, secret};

/// Bucket with the public keys, one per key id.
pub const BUCKET: &str = "JWKS";
const ISSUER: &str = "dorandoran";
const AUDIENCE: &str = "dorandoran";
const TYPE: &str = "at+jwt";
const MAX_TOKEN_BYTES: usize = 4096;
const LEEWAY_SECONDS: i64 = 30;

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: UserId,
    pub sid: SessionId,
    pub role: Role,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub jti: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the access token is not valid")]
    Invalid,
    #[error("the access token has expired")]
    Expired,
}

#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    #[error("cannot read or create the signing key {path}")]
    File {
        path: String,
        source: std::io::Error,
    },
    #[error("the signing key must be an Ed25519 key, PKCS#8 in PEM")]
    Malformed,
}

/// Signs tokens; held by auth alone.
pub struct Signer {
    key: EncodingKey,
    public: Jwk,
    key_id: String,
}

impl Signer {
    /// Reads a PKCS#8 file in PEM, as `openssl genpkey -algorithm ed25519` writes it.
    pub fn open(path: &Path) -> Result<Self, SigningKeyError> {
        let at = |source| SigningKeyError::File {
            path: path.display().to_string(),
            source,
        };
        Self::from_pem(&Zeroizing::new(std::fs::read(path).map_err(at)?))
    }

    /// As [`Signer::open`]; a missing file is made, readable by its owner alone.
    pub fn open_or_create(path: &Path) -> Result<Self, SigningKeyError> {
        if !path.exists() {
            let at = |source| SigningKeyError::File {
                path: path.display().to_string(),
                source,
            };
            secret::create_private(path, new_pem()?.as_bytes()).map_err(at)?;
        }
        Self::open(path)
    }

    fn from_pem(pem: &[u8]) -> Result<Self, SigningKeyError> {
        let key = EncodingKey::from_ed_pem(pem).map_err(|_error| SigningKeyError::Malformed)?;
        let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA)
            .map_err(|_error| SigningKeyError::Malformed)?;
        let key_id = public
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(|_error| SigningKeyError::Malformed)?;
        public.common.key_id = Some(key_id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            key,
            public,
            key_id,
        })
    }

    pub fn sign(&self, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.key_id.clone());
        jsonwebtoken::encode(&header, claims, &self.key)
    }

    /// Claims of a token that is valid from `now` for `seconds`.
    pub fn claims(
        now: DateTime<Utc>,
        seconds: u32,
        (sub, sid, role): (UserId, SessionId, Role),
        jti: Uuid,
    ) -> Claims {
        let iat = now.timestamp();
        Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub,
            sid,
            role,
            iat,
            nbf: iat,
            exp: iat + i64::from(seconds),
            jti,
        }
    }

    /// Makes the public key known to every role, and at once to this process's `verifier`.
    pub async fn publish(
        &self,
        js: &jetstream::Context,
        verifier: &Verifier,
    ) -> Result<(), async_nats::Error> {
        verifier.trust(&self.key_id, &serde_json::to_vec(&self.public)?);
        self.announce(js).await
    }

    /// The key's name in tokens and among the public keys.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Makes the public key known to every role.
    pub async fn announce(&self, js: &jetstream::Context) -> Result<(), async_nats::Error> {
        let jwk = serde_json::to_vec(&self.public)?;
        let bucket = js.get_key_value(BUCKET).await?;
        bucket.put(&self.key_id, jwk.into()).await?;
        Ok(())
    }
}

fn new_pem() -> Result<Zeroizing<String>, SigningKeyError> {
    let pair = Ed25519KeyPair::generate().map_err(|_error| SigningKeyError::Malformed)?;
    let der = pair
        .to_pkcs8v1()
        .map_err(|_error| SigningKeyError::Malformed)?;
    let body = STANDARD.encode(der.as_ref());
    Ok(Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    )))
}

/// Verifies tokens with the keys that auth published. Cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<ArcSwap<HashMap<String, VerifyingKey>>>,
    clock: Clock,
}

#[derive(Clone)]
struct VerifyingKey {
    jwk: Jwk,
    decoding: DecodingKey,
}

impl Verifier {
    pub fn new(clock: Clock) -> Self {
        Self {
            keys: Arc::default(),
            clock,
        }
    }

    /// Reads the published keys and follows their changes until the process stops.
    pub async fn follow(
        &self,
        js: &jetstream::Context,
        lifecycle: &Lifecycle,
    ) -> Result<(), async_nats::Error> {
        let bucket = js.get_key_value(BUCKET).await?;
        let mut keys = bucket.keys().await?;
        while let Some(key_id) = keys.next().await {
            let key_id = key_id?;
            if let Some(bytes) = bucket.get(&key_id).await? {
                self.trust(&key_id, &bytes);
            }
        }
        let (this, stopping) = (self.clone(), lifecycle.stopping().clone());
        lifecycle.spawn(async move {
            stopping.run_until_cancelled(this.watch(&bucket)).await;
        });
        Ok(())
    }

    async fn watch(&self, bucket: &kv::Store) {
        use backon::{ExponentialBuilder, Retryable};
        let attempt = || async {
            let mut changes = bucket
                .watch_with_history(">")
                .await
                .map_err(async_nats::Error::from)?;
            while let Some(change) = changes.next().await {
                let entry = change.map_err(async_nats::Error::from)?;
                match entry.operation {
                    kv::Operation::Put => self.trust(&entry.key, &entry.value),
                    kv::Operation::Delete | kv::Operation::Purge => self.distrust(&entry.key),
                }
            }
            Err::<(), async_nats::Error>("the watch of the public keys ended".into())
        };
        let forever = ExponentialBuilder::default().without_max_times();
        let outcome = attempt
            .retry(forever)
            .notify(|error, _| tracing::warn!(%error, "public keys are not being followed"))
            .await;
        if let Err(error) = outcome {
            tracing::error!(%error, "gave up following the public keys");
        }
    }

    pub fn trust(&self, key_id: &str, jwk: &[u8]) {
        let key = serde_json::from_slice::<Jwk>(jwk)
            .map_err(|error| error.to_string())
            .and_then(|jwk| {
                let decoding = DecodingKey::from_jwk(&jwk).map_err(|error| error.to_string())?;
                Ok(VerifyingKey { jwk, decoding })
            });
        match key {
            Ok(key) => {
                self.keys.rcu(|keys| {
                    let mut keys = HashMap::clone(keys);
                    keys.insert(key_id.to_owned(), key.clone());
                    keys
                });
            }
            Err(error) => tracing::error!(key_id, error, "a published public key is not usable"),
        }
    }

    fn distrust(&self, key_id: &str) {
        self.keys.rcu(|keys| {
            let mut keys = HashMap::clone(keys);
            keys.remove(key_id);
            keys
        });
    }

    /// The public keys, as `/.well-known/jwks.json` shows them.
    pub fn jwks(&self) -> JwkSet {
        let keys = self.keys.load();
        JwkSet {
            keys: keys.values().map(|key| key.jwk.clone()).collect(),
        }
    }

    /// Signature, type, issuer, audience and times. Not whether the session still stands.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_error| TokenError::Invalid)?;
        let brings_its_own_key = header.jku.is_some()
            || header.jwk.is_some()
            || header.x5u.is_some()
            || header.x5c.is_some();
        // RFC 7515 §4.1.11: what is critical and not understood is refused; here nothing is.
        let wants_more = header.crit.is_some();
        if header.typ.as_deref() != Some(TYPE) || brings_its_own_key || wants_more {
            return Err(TokenError::Invalid);
        }
        let key_id = header.kid.ok_or(TokenError::Invalid)?;
        let keys = self.keys.load();
        let key = keys.get(&key_id).ok_or(TokenError::Invalid)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &rules())
            .map_err(|_error| TokenError::Invalid)?
            .claims;
        let now = self.clock.now().timestamp();
        if now > claims.exp + LEEWAY_SECONDS {
            return Err(TokenError::Expired);
        }
        if now < claims.nbf - LEEWAY_SECONDS {
            return Err(TokenError::Invalid);
        }
        Ok(claims)
    }
}

/// Times are checked against the given clock, not by the library against the machine's.
fn rules() -> Validation {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(seconds: i64) -> Clock {
        Clock::from_fn(move || DateTime::from_timestamp(seconds, 0).unwrap_or_default())
    }

    fn signer() -> Signer {
        Signer::from_pem(new_pem().unwrap().as_bytes()).unwrap()
    }

    fn verifier(signer: &Signer, now: i64) -> Verifier {
        let verifier = Verifier::new(clock(now));
        verifier.trust(&signer.key_id, &serde_json::to_vec(&signer.public).unwrap());
        verifier
    }

    fn claims(now: i64) -> Claims {
        let subject = (
            UserId::new(Uuid::from_u128(1)),
            SessionId::new(Uuid::from_u128(2)),
        );
        let now = DateTime::from_timestamp(now, 0).unwrap();
        Signer::claims(
            now,
            300,
            (subject.0, subject.1, Role::User),
            Uuid::from_u128(3),
        )
    }

    #[test]
    fn a_signed_token_is_valid_until_it_expires() {
        let signer = signer();
        let token = signer.sign(&claims(1000)).unwrap();
        assert_eq!(
            verifier(&signer, 1000).verify(&token).unwrap().sub,
            claims(0).sub
        );
        assert!(verifier(&signer, 1329).verify(&token).is_ok());
        assert_eq!(
            verifier(&signer, 1331).verify(&token).unwrap_err(),
            TokenError::Expired
        );
        assert_eq!(
            verifier(&signer, 900).verify(&token).unwrap_err(),
            TokenError::Invalid
        );
    }

    #[test]
    fn a_token_of_another_key_type_issuer_or_with_its_own_key_is_refused() {
        let (stranger, signer) = (signer(), signer());
        let verifier = verifier(&signer, 1000);
        let sign = |header: &Header, claims: &Claims, signer: &Signer| {
            jsonwebtoken::encode(header, claims, &signer.key).unwrap()
        };
        let good = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(signer.key_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        let refused = [
            sign(&good, &claims(1000), &stranger),
            sign(
                &Header {
                    typ: Some("JWT".to_owned()),
                    ..good.clone()
                },
                &claims(1000),
                &signer,
            ),
            sign(
                &Header {
                    kid: None,
                    ..good.clone()
                },
                &claims(1000),
                &signer,
            ),
            sign(
                &Header {
                    jku: Some("http://127.0.0.1/".to_owned()),
                    ..good.clone()
                },
                &claims(1000),
                &signer,
            ),
            sign(
                &good,
                &Claims {
                    iss: "other".to_owned(),
                    ..claims(1000)
                },
                &signer,
            ),
            "x".repeat(MAX_TOKEN_BYTES + 1),
            String::new(),
        ];
        for token in refused {
            assert_eq!(verifier.verify(&token).unwrap_err(), TokenError::Invalid);
        }
        assert!(
            verifier
                .verify(&sign(&good, &claims(1000), &signer))
                .is_ok()
        );
    }
}
