//! Calling a service, wherever it runs.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, DefaultBodyLimit},
    http::{
        HeaderValue, Request, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::Response,
};
use doran_contract::{Answer, ErrorCode};
use doran_eventstore::Position;
use doran_platform::http::{MAX_JSON_BYTES, MIN_POSITION, Probe, Refusal, SharedBody};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;
use tokio::time::timeout;
use tower::ServiceExt;

use super::{Service, hop, instances::Instances, patience::answer_within, payload::BrokenOff};

/// What an answer to the gateway's own question may weigh: a page of the longest messages.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Where a service is.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// In this process, as its own routes, without [`doran_platform::http::edge`].
    InProcess(Router),
    /// In other processes: base addresses such as `http://10.0.0.7:8083`.
    Http(Vec<Uri>),
    /// Nowhere in this installation.
    Absent,
}

/// Where each service is.
#[derive(Clone, Debug)]
pub struct Upstreams {
    pub auth: Upstream,
    pub users: Upstream,
    pub chat: Upstream,
    pub store: Upstream,
    pub batch: Upstream,
}

pub(crate) struct Services {
    auth: Backend,
    users: Backend,
    chat: Backend,
    store: Backend,
    batch: Backend,
}

enum Backend {
    InProcess(Router),
    Instances(Arc<Instances>),
    Absent,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("no instance of the service is configured")]
    Absent,
    #[error("the request cannot be put")]
    Malformed(#[from] axum::http::Error),
    #[error("the service does not answer")]
    Away(#[source] tower::BoxError),
    #[error("the service got the request and did not answer")]
    FateUnknown(#[source] tower::BoxError),
    #[error("the service did not answer in time")]
    Late,
    #[error("the service has not answered others and is left alone")]
    LeftAlone(Duration),
    #[error(transparent)]
    BrokenOff(#[from] BrokenOff),
}

/// What a service answered to the gateway's own question, if not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refused {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

impl Services {
    pub(crate) fn new(upstreams: Upstreams) -> Self {
        Self {
            auth: Backend::new(Service::Auth, upstreams.auth),
            users: Backend::new(Service::Users, upstreams.users),
            chat: Backend::new(Service::Chat, upstreams.chat),
            store: Backend::new(Service::Store, upstreams.store),
            batch: Backend::new(Service::Batch, upstreams.batch),
        }
    }

    pub(super) async fn call(
        &self,
        service: Service,
        request: Request<Body>,
    ) -> Result<Response, CallError> {
        match self.backend(service) {
            Backend::InProcess(routes) => {
                let (parts, body) = request.into_parts();
                let body = SharedBody::new(body);
                let request = Request::from_parts(parts, Body::new(body.clone()));
                match answer_within(Some(&body), routes.clone().oneshot(request)).await? {
                    Ok(response) => Ok(response),
                    Err(never) => match never {},
                }
            }
            Backend::Instances(instances) => instances.call(request).await,
            Backend::Absent => Err(CallError::Absent),
        }
    }

    /// Asks on a user's behalf for the `data` of an answer.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        token: &str,
        patience: Duration,
    ) -> Result<T, Refused> {
        self.ask(service, question(path, token, None), patience)
            .await
    }

    /// As [`Services::get`], for an answer that is not older than a position.
    pub(crate) async fn get_after<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        (token, position): (&str, &Position),
        patience: Duration,
    ) -> Result<T, Refused> {
        let question = question(path, token, Some(position));
        self.ask(service, question, patience).await
    }

    /// Asks what whoever is at `peer` could ask without a token.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        (body, peer): (&Value, SocketAddr),
        patience: Duration,
    ) -> Result<T, Refused> {
        self.ask(service, demand(path, body, peer), patience).await
    }

    /// Ends the session of a token.
    pub(crate) async fn log_out(
        &self,
        (token, peer): (&str, SocketAddr),
        patience: Duration,
    ) -> Result<(), Refused> {
        let farewell = || {
            let mut request = demand("/api/auth/logout", &Value::Null, peer)?;
            request.headers_mut().insert(AUTHORIZATION, bearer(token)?);
            Ok(request)
        };
        let IgnoredAny = self.ask(Service::Auth, farewell(), patience).await?;
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        service: Service,
        question: Result<Request<Body>, CallError>,
        patience: Duration,
    ) -> Result<T, Refused> {
        let asked = async {
            let response = self.call(service, question?).await?;
            read(response).await
        };
        match timeout(patience, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(Refused::unavailable()),
        }
    }

    /// Whether the services in other processes answer. The gateway is of use without some of them.
    pub(crate) fn probes(&self) -> Vec<Probe> {
        let backends = Service::ALL.map(|service| (service, self.backend(service)));
        let remote = backends
            .into_iter()
            .filter_map(|(service, backend)| match backend {
                Backend::Instances(instances) => Some((service, Arc::clone(instances))),
                Backend::InProcess(_) | Backend::Absent => None,
            });
        let probe = |(service, instances): (Service, Arc<Instances>)| {
            Probe::optional(service.name(), move || answers(Arc::clone(&instances)))
        };
        remote.map(probe).collect()
    }

    fn backend(&self, service: Service) -> &Backend {
        match service {
            Service::Auth => &self.auth,
            Service::Users => &self.users,
            Service::Chat => &self.chat,
            Service::Store => &self.store,
            Service::Batch => &self.batch,
        }
    }
}

impl Backend {
    fn new(service: Service, upstream: Upstream) -> Self {
        match upstream {
            Upstream::InProcess(routes) => Self::InProcess(complete(routes)),
            Upstream::Http(bases) => {
                Self::Instances(Arc::new(Instances::new(service.name(), bases)))
            }
            Upstream::Absent => Self::Absent,
        }
    }
}

async fn answers(instances: Arc<Instances>) -> Result<(), String> {
    let question = Request::get("/health/live").body(Body::empty());
    let question = question.map_err(|error| error.to_string())?;
    let answer = instances.call(question).await;
    let answer = answer.map_err(|error| error.to_string())?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(format!("answers {}", answer.status()))
    }
}

/// What the edge gives a service that listens on a port of its own.
fn complete(routes: Router) -> Router {
    routes
        .fallback(async || Refusal::not_found("route"))
        .method_not_allowed_fallback(async || {
            let message = "this route does not take that method";
            Refusal::new(ErrorCode::MethodNotAllowed, message)
        })
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
}

fn question(
    path: &str,
    token: &str,
    position: Option<&Position>,
) -> Result<Request<Body>, CallError> {
    let mut request = Request::get(path).header(AUTHORIZATION, bearer(token)?);
    if let Some(position) = position {
        request = request.header(MIN_POSITION, position.to_string());
    }
    Ok(request.body(Body::empty())?)
}

fn bearer(token: &str) -> Result<HeaderValue, CallError> {
    let bearer = HeaderValue::try_from(format!("Bearer {token}"));
    Ok(bearer.map_err(axum::http::Error::from)?)
}

fn demand(path: &str, body: &Value, peer: SocketAddr) -> Result<Request<Body>, CallError> {
    let mut request = Request::post(path)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))?;
    hop::inward(request.headers_mut(), peer.ip());
    request.extensions_mut().insert(ConnectInfo(peer));
    Ok(request)
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Refused> {
    let is_success = response.status().is_success();
    let body = to_bytes(response.into_body(), MAX_ANSWER_BYTES)
        .await
        .map_err(|error| CallError::Away(error.into()))?;
    if is_success {
        let answer: Result<Answer<T>, _> = serde_json::from_slice(&body);
        let data = answer.ok().and_then(|answer| answer.data);
        return data.ok_or_else(Refused::unreadable);
    }
    Err(serde_json::from_slice::<Refusing>(&body)
        .ok()
        .and_then(|answer| {
            Some(Refused {
                code: answer.error_code?,
                message: answer.message?,
            })
        })
        .unwrap_or_else(Refused::unreadable))
}

/// The part of a refusal that a socket passes on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusing {
    message: Option<String>,
    error_code: Option<ErrorCode>,
}

impl Refused {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    fn unavailable() -> Self {
        Self::new(
            ErrorCode::Unavailable,
            "the service does not answer, try again",
        )
    }

    fn unreadable() -> Self {
        tracing::error!("a service's answer cannot be read");
        Self::new(ErrorCode::Internal, "something went wrong here")
    }
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        tracing::warn!(error = %error, "a service was asked in vain");
        Self::unavailable()
    }
}
