//! Calling a webhook: to an address that was checked, signed, and never for long.

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use doran_platform::secret::HashingKey;
use reqwest::{
    Client, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use sqlx::types::Uuid;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    address::{RefuseUrl, check_url, is_callable},
    answer::{BadAnswer, Form, MAX_BYTES, Pieces, Said, whole},
    deltas::Deltas,
};

const SIGNATURE: &str = "doran-signature";
const DELIVERY: &str = "doran-delivery";
const CONNECT: Duration = Duration::from_secs(3);
/// Until a bot begins to answer, and between the pieces of its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Until its answer is complete.
const WHOLE: Duration = Duration::from_mins(1);

/// Why a call brought no answer. Never holds what the bot said.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("the URL may not be called: it {0}")]
    Url(#[from] RefuseUrl),
    #[error("the bot cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the bot does not answer in time")]
    TimedOut,
    #[error("the bot answers with status {0}")]
    Status(u16),
    #[error("the bot's answer cannot be posted: {0}")]
    BadAnswer(#[from] BadAnswer),
}

impl CallError {
    /// Whether another try may bring an answer.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut => true,
            Self::Status(status) => *status >= 500 || matches!(status, 408 | 425 | 429),
            Self::Url(_) | Self::BadAnswer(_) => false,
        }
    }

    /// As metrics name it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Url(_) => "url_refused",
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Status(_) => "refused",
            Self::BadAnswer(bad) => bad.name(),
        }
    }
}

/// What is posted.
pub(super) struct Post<'a> {
    pub(super) url: &'a str,
    pub(super) secret: &'a str,
    pub(super) delivery_id: Uuid,
    /// Seconds since 1970, for the signature.
    pub(super) time: i64,
    pub(super) body: Vec<u8>,
}

/// Calls webhooks. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Webhooks {
    client: Client,
    is_dev: bool,
}

impl Webhooks {
    pub(crate) fn new(is_dev: bool) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            // A redirect could lead where nobody may be called.
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Checked { is_dev }))
            .connect_timeout(CONNECT)
            .user_agent(concat!("DoranDoran/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, is_dev })
    }

    /// Posts, and reads the answer; none if the bot has nothing to say.
    pub(super) async fn call(
        &self,
        post: Post<'_>,
        deltas: &mut Deltas,
    ) -> Result<Option<Said>, CallError> {
        let url = check_url(post.url, self.is_dev)?;
        let deadline = Instant::now() + WHOLE;
        let response = timeout(PATIENCE, self.send(url, post)).await;
        let response = response.map_err(|_late| CallError::TimedOut)??;
        let status = response.status();
        if !status.is_success() {
            return Err(CallError::Status(status.as_u16()));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let Some(content_type) = content_type else {
            return whole_answer(response, deadline).await;
        };
        match Form::of(content_type) {
            Ok(Form::Whole) => whole_answer(response, deadline).await,
            Ok(form) => in_pieces(response, deadline, form, deltas).await,
            // A bot with nothing to say need not say so in JSON.
            Err(_) if response.content_length() == Some(0) => Ok(None),
            Err(bad) => Err(bad.into()),
        }
    }

    async fn send(&self, url: Url, post: Post<'_>) -> Result<Response, CallError> {
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(DELIVERY, post.delivery_id.to_string())
            .header(SIGNATURE, sign(post.secret, post.time, &post.body))
            .body(post.body);
        request.send().await.map_err(failed)
    }
}

/// `t=<unix>,v1=<hex HMAC-SHA-256 of "<t>.<body>">`; the secret's text is the key.
fn sign(secret: &str, time: i64, body: &[u8]) -> String {
    let mut signed = format!("{time}.").into_bytes();
    signed.extend_from_slice(body);
    let key = HashingKey::new(secret.as_bytes());
    format!("t={time},v1={}", key.hex(&signed))
}

async fn whole_answer(
    mut response: Response,
    deadline: Instant,
) -> Result<Option<Said>, CallError> {
    let mut body = Vec::new();
    while let Some(piece) = next(&mut response, deadline).await? {
        if body.len() + piece.len() > MAX_BYTES {
            return Err(BadAnswer::TooLarge.into());
        }
        body.extend_from_slice(&piece);
    }
    Ok(whole(&body)?)
}

async fn in_pieces(
    mut response: Response,
    deadline: Instant,
    form: Form,
    deltas: &mut Deltas,
) -> Result<Option<Said>, CallError> {
    let mut pieces = Pieces::new(form);
    while let Some(piece) = next(&mut response, deadline).await? {
        let text = pieces.take(&piece)?;
        if !text.is_empty() {
            deltas.tell(text).await;
        }
    }
    Ok(pieces.finish()?)
}

async fn next(
    response: &mut Response,
    deadline: Instant,
) -> Result<Option<bytes::Bytes>, CallError> {
    let soon = deadline.min(Instant::now() + PATIENCE);
    let piece = timeout_at(soon, response.chunk()).await;
    piece.map_err(|_late| CallError::TimedOut)?.map_err(failed)
}

/// Without the URL, which may hold what is secret.
fn failed(error: reqwest::Error) -> CallError {
    if error.is_timeout() {
        CallError::TimedOut
    } else {
        CallError::Unreachable(error.without_url())
    }
}

/// Resolves names to addresses that may be called. The one that is called is one of them: nothing
/// is looked up again.
struct Checked {
    is_dev: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the name leads to no address that may be called")]
struct NoAddress;

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let is_dev = self.is_dev;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found = found.filter(|address| is_callable(address.ip(), is_dev));
            let addresses: Vec<SocketAddr> = found.collect();
            if addresses.is_empty() {
                return Err(Box::<dyn Error + Send + Sync>::from(NoAddress));
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_time_and_body() {
        // Computed with `printf '1700000000.{}' | openssl dgst -sha256 -hmac secret`.
        assert_eq!(
            sign("secret", 1_700_000_000, b"{}"),
            "t=1700000000,v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
        );
    }

    #[tokio::test]
    async fn a_name_that_leads_into_a_network_is_not_called() {
        let resolve = |is_dev| {
            let name = "localhost".parse().unwrap();
            Checked { is_dev }.resolve(name)
        };
        assert!(resolve(false).await.is_err());
        assert!(resolve(true).await.is_ok());
    }
}
