//! Taking a value out of a KV bucket so that its bytes are gone from the files, too.
//!
//! A KV delete or purge only hides a value: its bytes stay in the stream's files until those are
//! compacted. JetStream overwrites a single message with random bytes when it is deleted by its
//! sequence. The buckets keep one value a key, so there is no older one to find.

use async_nats::jetstream::{
    kv,
    stream::{DeleteMessageError, LastRawMessageError, LastRawMessageErrorKind},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum OverwriteError {
    #[error("the value cannot be looked up")]
    Find(#[from] LastRawMessageError),
    #[error("the value cannot be deleted")]
    Delete(#[from] DeleteMessageError),
}

/// Overwrites the value of `key`. That there is none is as good: somebody else did it.
pub(crate) async fn overwrite(bucket: &kv::Store, key: &str) -> Result<(), OverwriteError> {
    let subject = format!("{}{key}", bucket.prefix);
    // Asks the leader: a replica that is behind must not make a value survive.
    let sequence = match bucket
        .stream
        .get_last_raw_message_by_subject(&subject)
        .await
    {
        Ok(message) => message.sequence,
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    match bucket.stream.delete_message(sequence).await {
        Ok(_) => Ok(()),
        Err(error) => match bucket
            .stream
            .get_last_raw_message_by_subject(&subject)
            .await
        {
            Err(gone) if gone.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(()),
            Ok(_) | Err(_) => Err(error.into()),
        },
    }
}
