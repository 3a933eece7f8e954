//! `GET` and `HEAD /api/store/files/{id}`: the bytes of a file, or a range of them.

use std::ops::Range;

use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_RANGE, IF_RANGE, RANGE},
    },
    response::{IntoResponse, Response},
};
use doran_contract::FileId;
use doran_platform::http::{Actor, Id, Refusal, UpToDate};
use futures_util::TryStreamExt;

use super::{
    access::may_read,
    range::{Wanted, wanted},
    serve::{self, Disposition, etag, is_known, unsatisfiable},
};
use crate::{
    blobs::Parts,
    file::{Error, Found, find},
    state::Service,
    upload::is_shown,
};

pub(crate) async fn get_file(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Id(id): Id<FileId>,
    method: Method,
    request: HeaderMap,
) -> Result<Response, Refusal> {
    let found = find(&service, id).await?;
    if !may_read(&service, actor.user_id, &found.stored).await? {
        return Err(Error::NotFound.into());
    }
    let (size, tag) = (found.stored.size, etag(found.stored.blob_id));
    let disposition = if is_shown(&found.stored.media_type) {
        Disposition::Inline
    } else {
        Disposition::Attachment
    };
    let name = found.name()?;
    let mut headers = serve::headers((&found.stored.media_type, &tag), disposition, &name);
    if is_known(&request, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let text = |header| request.get(header).and_then(|value| value.to_str().ok());
    let is_same = text(IF_RANGE).is_none_or(|known| known.trim() == tag);
    let header = text(RANGE).filter(|_| is_same);
    let (status, range) = match wanted(header, size) {
        Wanted::All => (StatusCode::OK, 0..size),
        Wanted::Part(range) => {
            let last = range.end - 1;
            insert(&mut headers, format!("bytes {}-{last}/{size}", range.start));
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Wanted::Nothing => {
            let mut refused = unsatisfiable().into_response();
            insert(refused.headers_mut(), format!("bytes */{size}"));
            return Ok(refused);
        }
    };
    headers.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        stream(&service, found, range)
    };
    Ok((status, headers, body).into_response())
}

fn stream(service: &Service, found: Found, range: Range<u64>) -> Body {
    let parts = Parts::of(&service.blobs, found.stored.blob_id);
    let bytes = parts.read(found.key, range).inspect_err(|error| {
        tracing::error!(%error, "a file breaks off");
    });
    Body::from_stream(bytes)
}

fn insert(headers: &mut HeaderMap, range: String) {
    if let Ok(range) = HeaderValue::try_from(range) {
        headers.insert(CONTENT_RANGE, range);
    }
}
