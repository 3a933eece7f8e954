//! A place where SockJS is served.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use doran_platform::Lifecycle;
use tokio::time::sleep;

use super::{
    answer::{method_not_allowed, not_found, preflight, readable},
    encode::Farewell,
    iframe::{iframe, is_iframe},
    info::{greeting, info},
    peers::{Claim, Peers},
    pipe::Pipe,
    session::Session,
    sessions::{Entry, Sessions, TooMany},
    transport,
};

/// Whom sessions are for.
pub trait Host: Clone + Send + Sync + 'static {
    /// Whether what comes from this origin is served.
    fn admits(&self, request: &HeaderMap) -> bool;

    /// Where a request came from.
    fn client(&self, request: &Request) -> IpAddr;

    /// The origins whose pages may hold `/iframe.html`, as a `Content-Security-Policy` lists them.
    fn embedders(&self) -> String;

    /// Runs one session to its end.
    fn serve(&self, pipe: Pipe, visitor: Visitor) -> impl Future<Output = ()> + Send;
}

/// What is known of a client when it opens a session.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub address: IpAddr,
    pub query: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub websocket: bool,
    /// Whether each answer sets the cookie that load balancers look for.
    pub cookie: bool,
    /// `htmlfile` and `jsonp`, which put the server's answers into pages as scripts.
    pub old_transports: bool,
    /// A streaming answer ends after so many bytes, because browsers keep all of it.
    pub response_bytes: usize,
    /// A session that nobody reads lives so long.
    pub disconnect: Duration,
    /// A client hears something at least so often.
    pub heartbeat: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            websocket: true,
            cookie: false,
            old_transports: false,
            response_bytes: 128 * 1024,
            disconnect: Duration::from_secs(5),
            heartbeat: Duration::from_secs(25),
        }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Mount<H>(Arc<Shared<H>>);

struct Shared<H> {
    host: H,
    settings: Settings,
    lifecycle: Lifecycle,
    sessions: Sessions,
    peers: Option<Peers>,
}

impl<H: Host> Mount<H> {
    pub fn new(host: H, settings: Settings, lifecycle: &Lifecycle) -> Self {
        Self(Arc::new(Shared {
            host,
            settings,
            lifecycle: lifecycle.clone(),
            sessions: Sessions::default(),
            peers: None,
        }))
    }

    /// One of several gateways, of which any may get a request.
    pub(crate) fn among(self, peers: Peers) -> Self {
        let shared = &self.0;
        Self(Arc::new(Shared {
            host: shared.host.clone(),
            settings: shared.settings,
            lifecycle: shared.lifecycle.clone(),
            sessions: shared.sessions.clone(),
            peers: Some(peers),
        }))
    }

    /// Everything under `prefix`; what is at the prefix itself is the host's.
    pub fn routes<S: Clone + Send + Sync + 'static>(self, prefix: &str) -> Router<S> {
        Router::new()
            .route(&format!("{prefix}/"), get(async || greeting()))
            .route(&format!("{prefix}/info"), any(answer_info::<H>))
            .route(&format!("{prefix}/{{file}}"), any(answer_file::<H>))
            .route(
                &format!("{prefix}/{{server}}/{{session}}/{{transport}}"),
                any(transport::answer::<H>),
            )
            .with_state(self)
    }

    pub(super) fn host(&self) -> &H {
        &self.0.host
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(super) fn lifecycle(&self) -> &Lifecycle {
        &self.0.lifecycle
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.0.sessions.get(id)
    }

    /// The request, unless its session is another gateway's, which then has answered it.
    pub(super) async fn elsewhere(&self, id: &str, request: Request) -> Result<Request, Response> {
        match &self.0.peers {
            Some(peers) if self.find(id).is_none() => peers.answer(id, request).await,
            Some(_) | None => Ok(request),
        }
    }

    /// The session of that id, begun if there is none.
    pub(super) async fn find_or_begin(
        &self,
        id: &str,
        visitor: &Visitor,
    ) -> Result<Arc<Session>, TooMany> {
        if let Some(known) = self.find(id) {
            return Ok(known);
        }
        let claim = match &self.0.peers {
            Some(peers) => peers.claim(id).await,
            None => None,
        };
        let (pipe, far) = Pipe::new();
        let new = || Arc::new(Session::new(far, self.settings().heartbeat));
        let address = visitor.address;
        let (session, entry) = self.0.sessions.get_or_open(id, address, new)?;
        if let Some(entry) = entry {
            let (mount, session) = (self.clone(), Arc::clone(&session));
            let visitor = visitor.clone();
            self.lifecycle().spawn(async move {
                tokio::select! {
                    () = mount.run(session, pipe, visitor, entry) => {}
                    () = Claim::hold(claim) => {}
                }
            });
        }
        Ok(session)
    }

    async fn run(self, session: Arc<Session>, pipe: Pipe, visitor: Visitor, entry: Entry) {
        let disconnect = self.settings().disconnect;
        let mut serving = Box::pin(self.host().serve(pipe, visitor));
        tokio::select! {
            () = &mut serving => {
                session.end(Farewell::go_away());
                // Clients that ask meanwhile are told why it is over.
                let stopping = self.lifecycle().stopping();
                stopping.run_until_cancelled(sleep(disconnect)).await;
            }
            () = session.unread_for(disconnect) => {
                session.abandon();
                serving.await;
            }
        }
        drop(entry);
    }
}

async fn answer_info<H: Host>(State(mount): State<Mount<H>>, request: Request) -> Response {
    let headers = request.headers();
    if !mount.host().admits(headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let response = match *request.method() {
        Method::GET => info(mount.settings()),
        Method::OPTIONS => preflight(headers, "OPTIONS, GET"),
        _ => return method_not_allowed(&Method::GET),
    };
    readable(response, headers)
}

async fn answer_file<H: Host>(
    State(mount): State<Mount<H>>,
    Path(file): Path<String>,
    request: Request,
) -> Response {
    match *request.method() {
        Method::GET if is_iframe(&file) => iframe(request.headers(), &mount.host().embedders()),
        _ => not_found(),
    }
}
