//! Several gateways behind one address: whichever gets a request finds the one that has its session,
//! and passes the request on to it.
//!
//! Who has a session listens for its name on NATS, so that asking for one that nobody has is answered
//! at once: there is nothing to keep, and nothing to clean up after a gateway that is gone.

use std::{
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use async_nats::{
    Client, Message, Request as Question, Subscriber, client::RequestErrorKind, connection::State,
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderName, HeaderValue, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use doran_contract::subject;
use futures_util::StreamExt;
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::timeout;

use super::answer::readable;
use crate::front_door::hop;

/// On requests that were passed on, so that they are not passed on again.
const PASSED_ON: HeaderName = HeaderName::from_static("doran-passed-on");
const CONNECT: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Peers {
    nats: Client,
    http: HttpClient<HttpConnector, Body>,
    /// Where the others reach this one.
    own_url: Bytes,
}

/// Answers whoever asks for a session. Given up with the session.
pub(super) struct Claim {
    nats: Client,
    questions: Subscriber,
    own_url: Bytes,
}

impl Peers {
    pub(crate) fn new(nats: &Client, url: Option<&str>, listening: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let own_url = url.map_or_else(|| reached_at(nats, listening), str::to_owned);
        Self {
            nats: nats.clone(),
            http: HttpClient::builder(TokioExecutor::new()).build(connector),
            own_url: own_url.into(),
        }
    }

    /// Says from now on that the session is here. None while NATS is away: then it is found here only.
    pub(super) async fn claim(&self, session: &str) -> Option<Claim> {
        if self.nats.connection_state() != State::Connected {
            return None;
        }
        let claimed = timeout(PATIENCE, self.subscribe(session)).await;
        let claim = claimed.ok().flatten();
        if claim.is_none() {
            tracing::warn!("other gateways cannot be told of a session");
        }
        claim
    }

    /// The server is known to have the subscription by what it brings: a flush would only tell that
    /// it was sent, and the next request can be at another gateway before it has arrived.
    async fn subscribe(&self, session: &str) -> Option<Claim> {
        let subject = subject::sockjs(session);
        let mut claim = Claim {
            nats: self.nats.clone(),
            questions: self.nats.subscribe(subject.clone()).await.ok()?,
            own_url: self.own_url.clone(),
        };
        self.nats.publish(subject, Bytes::new()).await.ok()?;
        let first = claim.questions.next().await?;
        claim.answer(first).await;
        Some(claim)
    }

    /// The request, unless another gateway has the session and has answered.
    pub(super) async fn answer(
        &self,
        session: &str,
        request: Request,
    ) -> Result<Request, Response> {
        if request.headers().contains_key(&PASSED_ON) {
            return Ok(request);
        }
        match self.owner(session).await {
            Some(owner) => Err(self.pass_on(&owner, request).await),
            None => Ok(request),
        }
    }

    async fn owner(&self, session: &str) -> Option<Uri> {
        if self.nats.connection_state() != State::Connected {
            return None;
        }
        let question = Question::new()
            .payload(Bytes::new())
            .timeout(Some(PATIENCE));
        let reply = self.nats.send_request(subject::sockjs(session), question);
        match reply.await {
            Ok(reply) => Uri::from_maybe_shared(reply.payload).ok(),
            Err(error) => {
                if error.kind() != RequestErrorKind::NoResponders {
                    tracing::warn!(%error, "it cannot be asked who has a session");
                }
                None
            }
        }
    }

    async fn pass_on(&self, owner: &Uri, request: Request) -> Response {
        let origin = request.headers().clone();
        match self.ask(owner, request).await {
            Ok(mut response) => {
                hop::outward(response.headers_mut());
                response
            }
            Err(error) => {
                tracing::warn!(%error, %owner, "the gateway that has a session does not answer");
                readable(StatusCode::SERVICE_UNAVAILABLE.into_response(), &origin)
            }
        }
    }

    async fn ask(&self, owner: &Uri, request: Request) -> Result<Response, tower::BoxError> {
        let (parts, body) = request.into_parts();
        let mut uri = owner.clone().into_parts();
        uri.path_and_query = parts.uri.path_and_query().cloned();
        let mut inward = Request::new(body);
        *inward.method_mut() = parts.method;
        *inward.uri_mut() = Uri::from_parts(uri)?;
        *inward.headers_mut() = parts.headers;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |info| info.0.ip());
        let headers = inward.headers_mut();
        hop::inward(headers, peer);
        headers.insert(PASSED_ON, HeaderValue::from_static("1"));
        let response = self.http.request(inward).await?;
        Ok(response.map(Body::new))
    }
}

impl Claim {
    /// Answers for as long as it is polled.
    pub(super) async fn hold(claim: Option<Self>) {
        let Some(mut claim) = claim else {
            return pending().await;
        };
        while let Some(question) = claim.questions.next().await {
            claim.answer(question).await;
        }
        pending::<()>().await;
    }

    async fn answer(&self, question: Message) {
        let Some(reply) = question.reply else {
            return;
        };
        if let Err(error) = self.nats.publish(reply, self.own_url.clone()).await {
            tracing::warn!(%error, "another gateway cannot be told that a session is here");
        }
    }
}

/// A gateway that listens everywhere is reached where NATS sees it.
fn reached_at(nats: &Client, listening: SocketAddr) -> String {
    let seen = nats.server_info().client_ip.parse().ok();
    let ip = if listening.ip().is_unspecified() {
        seen.unwrap_or(listening.ip())
    } else {
        listening.ip()
    };
    format!("http://{}", SocketAddr::new(ip, listening.port()))
}
