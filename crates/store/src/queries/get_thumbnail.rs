//! `GET /api/store/files/{id}/thumbnail`: a picture made small.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use doran_contract::FileId;
use doran_platform::http::{Actor, Id, Refusal, UpToDate};
use image::ImageFormat;

use super::{
    access::may_read,
    serve::{self, Disposition, is_known},
};
use crate::{
    blobs::Parts,
    file::{Error, find},
    state::Service,
};

pub(crate) async fn get_thumbnail(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Id(id): Id<FileId>,
    request: HeaderMap,
) -> Result<Response, Refusal> {
    let found = find(&service, id).await?;
    let is_picture = found.stored.width.is_some();
    if !is_picture || !may_read(&service, actor.user_id, &found.stored).await? {
        return Err(Error::NotFound.into());
    }
    let tag = format!("\"{}-thumbnail\"", found.stored.blob_id);
    if is_known(&request, &tag) {
        let headers = serve::headers(("image/jpeg", &tag), Disposition::Inline, "thumbnail");
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let parts = Parts::of(&service.blobs, found.stored.blob_id);
    let bytes = parts.thumbnail(&found.key).await?;
    let format = image::guess_format(&bytes).unwrap_or(ImageFormat::Jpeg);
    let media_type = (format.to_mime_type(), tag.as_str());
    let headers = serve::headers(media_type, Disposition::Inline, "thumbnail");
    Ok((headers, bytes).into_response())
}
