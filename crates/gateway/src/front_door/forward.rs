//! Passing a request on to the service it belongs to.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderName,
        header::{AUTHORIZATION, CONTENT_LENGTH, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use doran_contract::ErrorCode;
use doran_platform::http::{MAX_JSON_BYTES, Refusal, RequestId};

use super::{Service, hop, upstream::CallError};
use crate::{
    gateway::Gateway,
    limits::{Group, Subject, Verdict},
};

pub(super) const RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
pub(super) const RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
pub(super) const RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

pub(super) async fn forward(State(gateway): State<Gateway>, request: Request) -> Response {
    let Some(service) = Service::of(request.uri().path()) else {
        return Refusal::not_found("service").into_response();
    };
    let client = gateway
        .proxies
        .client(request.headers(), request.extensions());
    let verdict = match subject(&gateway, &request, client) {
        Some(subject) => {
            let group = Group::of(service, request.uri().path());
            Some(gateway.limits.check(group, subject).await)
        }
        None => None,
    };
    if let Some(refused) = verdict.as_ref().and_then(refuse) {
        return with_limits(refused, verdict.as_ref());
    }
    if is_too_large(service, request.headers()) {
        let refused = Refusal::new(ErrorCode::TooLarge, "the body is larger than 1 MiB");
        return with_limits(refused.into_response(), verdict.as_ref());
    }
    let answer = match gateway
        .services
        .call(service, inward(request, client))
        .await
    {
        Ok(mut response) => {
            hop::outward(response.headers_mut());
            response
        }
        Err(error) => refusal(service, &error).into_response(),
    };
    with_limits(answer, verdict.as_ref())
}

/// Whether a service would refuse it anyhow. Files are the store's business.
fn is_too_large(service: Service, headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let most = u64::try_from(MAX_JSON_BYTES).unwrap_or(u64::MAX);
    service != Service::Store && length.is_some_and(|bytes| bytes > most)
}

/// The request as the service gets it: its own line, headers and body, and of what was found out
/// about it only who sent it and under which id.
fn inward(request: Request, client: IpAddr) -> Request {
    let (parts, body) = request.into_parts();
    let mut inward = Request::new(body);
    *inward.method_mut() = parts.method;
    *inward.uri_mut() = parts.uri;
    *inward.headers_mut() = parts.headers;
    hop::inward(inward.headers_mut(), client);
    if let Some(id) = parts.extensions.get::<RequestId>() {
        inward.extensions_mut().insert(id.clone());
    }
    if let Some(info) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
        inward.extensions_mut().insert(*info);
    }
    inward
}

/// Who the request is counted for; none if it is not counted.
fn subject(gateway: &Gateway, request: &Request, client: IpAddr) -> Option<Subject> {
    if gateway.limits.are_off() {
        return None;
    }
    let verified = token(request.headers()).map(|token| gateway.platform.verifier.verify(token));
    Some(match verified {
        Some(Ok(claims)) => Subject::User(claims.sub),
        Some(Err(_)) | None => Subject::Address(client),
    })
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn refuse(verdict: &Verdict) -> Option<Response> {
    let after = verdict.retry_after?;
    let refusal = Refusal::new(ErrorCode::RateLimited, "too many requests, wait a moment");
    let mut response = refusal.into_response();
    response
        .headers_mut()
        .insert(RETRY_AFTER, whole_seconds(after).into());
    Some(response)
}

/// At least one.
fn whole_seconds(wait: Duration) -> u64 {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    seconds.try_into().unwrap_or(u64::MAX)
}

fn with_limits(mut response: Response, verdict: Option<&Verdict>) -> Response {
    if let Some(verdict) = verdict {
        let headers = response.headers_mut();
        headers.insert(RATELIMIT_LIMIT, verdict.limit.into());
        headers.insert(RATELIMIT_REMAINING, verdict.remaining.into());
        headers.insert(RATELIMIT_RESET, verdict.reset_s().into());
    }
    response
}

fn refusal(service: Service, error: &CallError) -> Refusal {
    match error {
        CallError::Absent => Refusal::new(
            ErrorCode::Unavailable,
            format!("the {} service is not running here", service.name()),
        ),
        CallError::Malformed(_) => Refusal::internal(error),
        CallError::Away(_) => Refusal::unavailable("the service", error),
        CallError::FateUnknown(_) | CallError::Late => {
            tracing::warn!(%error, service = service.name(), "no answer");
            Refusal::new(
                ErrorCode::FateUnknown,
                "the service did not answer; try again with the same key",
            )
        }
        CallError::LeftAlone(left) => {
            let message = format!("the {} service does not answer, try again", service.name());
            Refusal::new(ErrorCode::Unavailable, message).retry_after(whole_seconds(*left))
        }
        CallError::BrokenOff(broken) => Refusal::new(ErrorCode::BadRequest, broken.to_string()),
    }
}
