//! `/{server}/{session}/{transport}`: the requests that a session is made of.

use std::time::Duration;

use axum::{
    RequestExt,
    body::to_bytes,
    extract::{Path, Request, State, WebSocketUpgrade},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use super::{
    answer::{method_not_allowed, not_found, preflight, readable, with_cookie},
    mount::{Host, Mount, Visitor},
    receive::{Style, receive},
    send::{Form, MAX_BODY_BYTES, send},
    websocket,
};

/// What the body of a request may take to come.
const BODY: Duration = Duration::from_secs(10);

enum Transport {
    WebSocket,
    Receive(Style),
    Send(Form),
}

/// What a transport is called, and by which method it is asked for.
fn transport(name: &str, query: Option<&str>) -> Option<(Transport, Method)> {
    Some(match name {
        "websocket" => (Transport::WebSocket, Method::GET),
        "xhr" => (Transport::Receive(Style::Polling), Method::POST),
        "xhr_streaming" => (Transport::Receive(Style::Streaming), Method::POST),
        "eventsource" => (Transport::Receive(Style::EventSource), Method::GET),
        "htmlfile" => (
            Transport::Receive(Style::HtmlFile(callback(query))),
            Method::GET,
        ),
        "jsonp" => (
            Transport::Receive(Style::Jsonp(callback(query))),
            Method::GET,
        ),
        "xhr_send" => (Transport::Send(Form::Json), Method::POST),
        "jsonp_send" => (Transport::Send(Form::Jsonp), Method::POST),
        _ => return None,
    })
}

pub(super) async fn answer<H: Host>(
    State(mount): State<Mount<H>>,
    Path((server, session, name)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let is_part = |part: &str| !part.is_empty() && !part.contains('.');
    let found = transport(&name, request.uri().query());
    let Some((transport, method)) = found.filter(|_| is_part(&server) && is_part(&session)) else {
        return not_found();
    };
    if transport.is_old() && !mount.settings().old_transports {
        return not_found();
    }
    let headers = request.headers().clone();
    if !mount.host().admits(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if *request.method() == Method::OPTIONS {
        let allowed = if method == Method::POST {
            "OPTIONS, POST"
        } else {
            "OPTIONS, GET"
        };
        return readable(preflight(&headers, allowed), &headers);
    }
    if *request.method() != method {
        return method_not_allowed(&method);
    }
    if let Transport::WebSocket = transport {
        return open(mount, request).await;
    }
    let request = match mount.elsewhere(&session, request).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let response = match transport {
        Transport::WebSocket => not_found(),
        Transport::Receive(style) => {
            receive(&mount, &session, &visitor(&mount, &request), style).await
        }
        Transport::Send(form) => take(&mount, &session, form, request).await,
    };
    finish(&mount, response, &headers)
}

impl Transport {
    fn is_old(&self) -> bool {
        match self {
            Self::Receive(Style::HtmlFile(_) | Style::Jsonp(_)) | Self::Send(Form::Jsonp) => true,
            Self::Receive(Style::Polling | Style::Streaming | Style::EventSource)
            | Self::Send(Form::Json)
            | Self::WebSocket => false,
        }
    }
}

async fn open<H: Host>(mount: Mount<H>, mut request: Request) -> Response {
    if !mount.settings().websocket {
        return not_found();
    }
    let visitor = visitor(&mount, &request);
    match request.extract_parts::<WebSocketUpgrade>().await {
        Ok(upgrade) => websocket::open(mount, visitor, upgrade),
        Err(_) => (StatusCode::BAD_REQUEST, "Not a valid websocket request").into_response(),
    }
}

async fn take<H: Host>(mount: &Mount<H>, session: &str, form: Form, request: Request) -> Response {
    let Some(session) = mount.find(session) else {
        return not_found();
    };
    let (parts, body) = request.into_parts();
    match timeout(BODY, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(body)) => send(&session, form, &parts.headers, &body).await,
        Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

fn finish<H: Host>(mount: &Mount<H>, response: Response, request: &HeaderMap) -> Response {
    let response = readable(response, request);
    if mount.settings().cookie {
        with_cookie(response, request)
    } else {
        response
    }
}

fn visitor<H: Host>(mount: &Mount<H>, request: &Request) -> Visitor {
    Visitor {
        address: mount.host().client(request),
        query: request.uri().query().map(str::to_owned),
    }
}

/// The name in a page's script by which it is to be called.
fn callback(query: Option<&str>) -> Option<String> {
    let pairs = query.unwrap_or_default().split('&');
    let value = pairs.into_iter().find_map(|pair| {
        pair.strip_prefix("c=")
            .or_else(|| pair.strip_prefix("callback="))
    })?;
    Some(super::send::decode_form(value))
}
