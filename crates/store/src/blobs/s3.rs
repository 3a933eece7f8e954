//! Pieces as objects of a bucket in an S3-compatible store.

use std::time::Duration;

use async_trait::async_trait;
use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode},
    response::Response,
};
use bytes::Bytes;
use doran_platform::FileConfig;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use tokio::time::timeout;

use super::{BlobError, Blobs, DEADLINE, PART_BYTES};

/// How long a signed address is good for; it never leaves the process.
const SIGNED_FOR: Duration = Duration::from_mins(1);
/// A sealed piece is little more than what was sealed.
const MOST_BYTES: usize = 2 * PART_BYTES;

pub(super) struct S3Blobs {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    bucket: Bucket,
    credentials: Credentials,
}

#[derive(Debug, thiserror::Error)]
#[error("the file store answered {0}")]
struct Refused(StatusCode);

impl S3Blobs {
    pub(super) fn new(endpoint: &str, config: &FileConfig) -> Result<Self, BlobError> {
        let (Some(bucket), Some(key), Some(secret)) = (
            config.s3_bucket.clone(),
            config.s3_access_key.clone(),
            config.s3_secret_key.clone(),
        ) else {
            return Err(BlobError::Settings);
        };
        let endpoint = endpoint.parse().map_err(|_error| BlobError::Settings)?;
        let region = config.s3_region.clone();
        let bucket = Bucket::new(endpoint, UrlStyle::Path, bucket, region);
        let connector = HttpsConnectorBuilder::new().with_native_roots();
        let connector = connector.map_err(BlobError::unavailable)?;
        let connector = connector.https_or_http().enable_http1().build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            bucket: bucket.map_err(|_error| BlobError::Settings)?,
            credentials: Credentials::new(key, secret),
        })
    }

    /// What is answered; none where there is no such object.
    async fn call<'a>(
        &self,
        method: Method,
        action: impl S3Action<'a>,
        body: Body,
    ) -> Result<Option<Bytes>, BlobError> {
        let address = action.sign(SIGNED_FOR);
        let request = Request::builder().method(method).uri(address.as_str());
        let request = request.body(body).map_err(BlobError::unavailable)?;
        let answering = async {
            let answer = self.client.request(request).await;
            read(answer.map_err(BlobError::unavailable)?.map(Body::new)).await
        };
        let answered = timeout(DEADLINE, answering).await;
        answered.map_err(BlobError::unavailable)?
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), BlobError> {
        let action = self.bucket.put_object(Some(&self.credentials), name);
        match self.call(Method::PUT, action, bytes.into()).await? {
            Some(_) => Ok(()),
            None => Err(BlobError::unavailable(Refused(StatusCode::NOT_FOUND))),
        }
    }

    async fn get(&self, name: &str) -> Result<Option<Bytes>, BlobError> {
        let action = self.bucket.get_object(Some(&self.credentials), name);
        self.call(Method::GET, action, Body::empty()).await
    }

    async fn delete(&self, name: &str) -> Result<(), BlobError> {
        let action = self.bucket.delete_object(Some(&self.credentials), name);
        let deleted = self.call(Method::DELETE, action, Body::empty()).await;
        deleted.map(|_answer| ())
    }
}

async fn read(answer: Response) -> Result<Option<Bytes>, BlobError> {
    let status = answer.status();
    if status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    if !status.is_success() {
        return Err(BlobError::unavailable(Refused(status)));
    }
    let bytes = to_bytes(answer.into_body(), MOST_BYTES).await;
    bytes.map(Some).map_err(BlobError::unavailable)
}
