//! Passing a request on to the service it belongs to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{
        Extensions, HeaderMap,
        header::{AUTHORIZATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use doran_contract::ErrorCode;
use doran_platform::http::{Refusal, RequestId};

use super::{Service, hop, upstream::CallError};
use crate::{
    gateway::Gateway,
    limits::{Group, Subject, Verdict},
};

pub(super) async fn forward(State(gateway): State<Gateway>, request: Request) -> Response {
    let Some(service) = Service::of(request.uri().path()) else {
        return Refusal::not_found("service").into_response();
    };
    let verdict = match subject(&gateway, &request) {
        Some(subject) => {
            let group = Group::of(service, request.uri().path());
            Some(gateway.limits.check(group, subject).await)
        }
        None => None,
    };
    if let Some(refused) = verdict.as_ref().and_then(refuse) {
        return with_limits(refused, verdict.as_ref());
    }
    let answer = match gateway.services.call(service, inward(request)).await {
        Ok(mut response) => {
            hop::outward(response.headers_mut());
            response
        }
        Err(error) => refusal(service, &error).into_response(),
    };
    with_limits(answer, verdict.as_ref())
}

/// The address that a request came from.
fn peer(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip())
}

/// The request as the service gets it: its own line, headers and body, and of what was found out
/// about it only who sent it and under which id.
fn inward(request: Request) -> Request {
    let (parts, body) = request.into_parts();
    let mut inward = Request::new(body);
    *inward.method_mut() = parts.method;
    *inward.uri_mut() = parts.uri;
    *inward.headers_mut() = parts.headers;
    hop::inward(inward.headers_mut(), peer(&parts.extensions));
    if let Some(id) = parts.extensions.get::<RequestId>() {
        inward.extensions_mut().insert(id.clone());
    }
    if let Some(info) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
        inward.extensions_mut().insert(*info);
    }
    inward
}

/// Who the request is counted for; none if it is not counted.
fn subject(gateway: &Gateway, request: &Request) -> Option<Subject> {
    if gateway.limits.are_off() {
        return None;
    }
    let verified = token(request.headers()).map(|token| gateway.platform.verifier.verify(token));
    Some(match verified {
        Some(Ok(claims)) => Subject::User(claims.sub),
        Some(Err(_)) | None => Subject::Address(peer(request.extensions())),
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
    let seconds = after.as_millis().div_ceil(1000).max(1);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    Some(response)
}

fn with_limits(mut response: Response, verdict: Option<&Verdict>) -> Response {
    if let Some(verdict) = verdict {
        let headers = response.headers_mut();
        headers.insert("ratelimit-limit", verdict.limit.into());
        headers.insert("ratelimit-remaining", verdict.remaining.into());
        headers.insert("ratelimit-reset", verdict.reset_s().into());
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
        CallError::FateUnknown(source) => {
            tracing::warn!(error = %source, service = service.name(), "no answer in time");
            Refusal::new(
                ErrorCode::FateUnknown,
                "the service did not answer; try again with the same key",
            )
        }
    }
}
