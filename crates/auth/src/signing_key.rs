//! The key that signs access tokens, as its file has it now: a rotation replaces the file.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use doran_platform::{
    Platform,
    access_token::{Signer, SigningKeyError},
};
use tokio::time::sleep;

/// How long after a rotation tokens may still be signed with the key before it.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(crate) struct SigningKey {
    signer: Arc<ArcSwap<Signer>>,
    path: PathBuf,
}

impl SigningKey {
    /// Uses the key, makes it known, and follows its file until the process stops.
    pub(crate) async fn start(
        signer: Signer,
        path: PathBuf,
        platform: &Platform,
    ) -> Result<Self, async_nats::Error> {
        signer.publish(&platform.js, &platform.verifier).await?;
        let key = Self {
            signer: Arc::new(ArcSwap::from_pointee(signer)),
            path,
        };
        let (this, followed) = (key.clone(), platform.clone());
        let stopping = platform.lifecycle.stopping().clone();
        platform.lifecycle.spawn(async move {
            stopping.run_until_cancelled(this.follow(&followed)).await;
        });
        Ok(key)
    }

    pub(crate) fn current(&self) -> Arc<Signer> {
        self.signer.load_full()
    }

    async fn follow(&self, platform: &Platform) {
        loop {
            sleep(LOOK_AGAIN).await;
            if let Err(error) = self.look(platform).await {
                tracing::warn!(
                    error,
                    "the signing key's file cannot be used; the last key stays"
                );
            }
        }
    }

    async fn look(
        &self,
        platform: &Platform,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let path = self.path.clone();
        let opened = tokio::task::spawn_blocking(move || Signer::open(&path)).await;
        let signer: Result<Signer, SigningKeyError> = opened?;
        let signer = signer?;
        if signer.key_id() != self.current().key_id() {
            signer.publish(&platform.js, &platform.verifier).await?;
            tracing::info!(
                key_id = signer.key_id(),
                "tokens are signed with another key from now on"
            );
            self.signer.store(Arc::new(signer));
        }
        Ok(())
    }
}
