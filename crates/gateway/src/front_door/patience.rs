//! How long an answer is waited for.

use std::time::Duration;

use doran_platform::http::SharedBody;
use tokio::time::{Instant, sleep_until};

use super::{payload::BrokenOff, upstream::CallError};

/// From the last piece of the request that went its way to the answer's headers.
pub(super) const ANSWER: Duration = Duration::from_secs(15);

/// Waits for an answer while the request is still being sent, and as long as that takes. A service
/// that waits for the rest of its request itself is not the one that is late.
pub(super) async fn answer_within<F: Future>(
    sent: Option<&SharedBody>,
    answer: F,
) -> Result<F::Output, CallError> {
    let began = Instant::now();
    let mut answer = std::pin::pin!(answer);
    loop {
        let moved = sent.map_or(began, SharedBody::moved_at).max(began);
        tokio::select! {
            answer = answer.as_mut() => return Ok(answer),
            () = sleep_until(moved + ANSWER) => {}
        }
        if sent.map_or(began, SharedBody::moved_at) > moved {
            continue;
        }
        if sent.is_some_and(SharedBody::is_awaited) {
            return Err(BrokenOff.into());
        }
        return Err(CallError::Late);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::{Body, to_bytes};
    use futures_util::{StreamExt, stream};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_never_comes_is_given_up() {
        let never = std::future::pending::<()>();
        let began = Instant::now();
        assert!(matches!(
            answer_within(None, never).await,
            Err(CallError::Late)
        ));
        assert_eq!(began.elapsed(), ANSWER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_who_falls_silent_is_not_the_services_fault() {
        let silent = || {
            SharedBody::new(Body::from_stream(
                stream::pending::<Result<&str, Infallible>>(),
            ))
        };
        let shared = silent();
        let reading = to_bytes(Body::new(shared.clone()), 1000);
        let given_up = answer_within(Some(&shared), reading).await;
        assert!(matches!(given_up, Err(CallError::BrokenOff(_))));
        let never = std::future::pending::<()>();
        let unread = answer_within(Some(&silent()), never).await;
        assert!(matches!(unread, Err(CallError::Late)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_may_take_long_while_it_moves() {
        let pieces = stream::iter(0..10).then(|_| async {
            tokio::time::sleep(ANSWER / 2).await;
            Ok::<_, std::io::Error>("piece")
        });
        let shared = SharedBody::new(Body::from_stream(pieces));
        let reading = to_bytes(Body::new(shared.clone()), 1000);
        let read = answer_within(Some(&shared), reading).await.unwrap();
        assert_eq!(read.unwrap().len(), 50);
    }
}
