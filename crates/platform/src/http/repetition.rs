//! A command that comes again under the same `Idempotency-Key` is answered as it was the first time.
//!
//! The log recognises what it has: it keeps a repetition from happening twice. This keeps the answer,
//! also of a command that changed nothing, and refuses another request under the same key.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, Request, State},
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION, TRANSFER_ENCODING},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use doran_contract::UserId;
use uuid::Uuid;

use super::{
    Actor, CommandHeaders, IDEMPOTENCY_KEY, POSITION, Refusal,
    body::{is_json, read},
};
use crate::{Platform, first_answers::FirstAnswer};

/// A larger answer is not kept: a repetition of it is left to the log.
const MAX_BYTES: usize = 64 * 1024;
/// Headers that belong to an answer; the others belong to the connection.
const KEPT: [HeaderName; 4] = [
    CONTENT_TYPE,
    ETAG,
    LOCATION,
    HeaderName::from_static(POSITION),
];

/// A command that can be told from others.
struct Keyed {
    actor: UserId,
    command: Uuid,
    fingerprint: String,
}

/// Middleware of the routes of a service. What has no key, no actor or no JSON passes.
pub(crate) async fn repetition(
    State(platform): State<Platform>,
    request: Request,
    next: Next,
) -> Response {
    if !is_keyed_command(&request) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let Some((actor, command)) = identify(&platform, &mut parts).await else {
        // The handler says what is missing.
        return next.run(Request::from_parts(parts, body)).await;
    };
    let raw = match read(Request::from_parts(parts.clone(), body)).await {
        Ok(raw) => raw,
        Err(refusal) => return refusal.into_response(),
    };
    let keyed = Keyed {
        actor,
        command,
        fingerprint: fingerprint(&platform, actor, &parts, &raw),
    };
    match platform.first_answers.find(actor, command).await {
        Ok(Some(first)) if first.fingerprint == keyed.fingerprint => return first.into_response(),
        Ok(Some(_)) => return Refusal::other_request().into_response(),
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(%error, "whether a command is a repetition is the log's to say");
        }
    }
    let response = next.run(Request::from_parts(parts, raw.into())).await;
    if response.status().is_success() {
        return keep(&platform, keyed, response).await;
    }
    response
}

fn is_keyed_command(request: &Request) -> bool {
    let headers = request.headers();
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0");
    !matches!(*request.method(), Method::GET | Method::HEAD)
        && headers.contains_key(IDEMPOTENCY_KEY)
        && (!has_body || is_json(request))
}

async fn identify(platform: &Platform, parts: &mut Parts) -> Option<(UserId, Uuid)> {
    let actor = Actor::from_request_parts(parts, platform).await.ok()?;
    let headers = CommandHeaders::from_request_parts(parts, &()).await.ok()?;
    let actor = actor.user_id;
    Some((actor, headers.idempotent_id(Some(actor))?))
}

/// Of the whole request: some commands have their arguments in the query.
fn fingerprint(platform: &Platform, actor: UserId, parts: &Parts, raw: &[u8]) -> String {
    let query = parts.uri.query().unwrap_or_default();
    let request = [query.as_bytes(), b"\n", raw].concat();
    platform.blinder.fingerprint(Some(actor), &request)
}

/// Keeps the answer before it goes out, so that no repetition is quicker.
async fn keep(platform: &Platform, keyed: Keyed, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return Refusal::internal(&error).into_response(),
    };
    if let Some(answer) = first_answer(&keyed, &parts, &bytes) {
        let kept = platform
            .first_answers
            .keep(keyed.actor, keyed.command, &answer);
        if let Err(error) = kept.await {
            tracing::warn!(%error, "a repetition of this command will be answered with what is so then");
        }
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// None if it is too large to be kept.
fn first_answer(
    keyed: &Keyed,
    parts: &axum::http::response::Parts,
    bytes: &Bytes,
) -> Option<FirstAnswer> {
    let headers = KEPT.into_iter().filter_map(|name| {
        let value = parts.headers.get(&name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let body = std::str::from_utf8(bytes).ok()?;
    (body.len() <= MAX_BYTES).then(|| FirstAnswer {
        fingerprint: keyed.fingerprint.clone(),
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: body.to_owned(),
    })
}

impl IntoResponse for FirstAnswer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
