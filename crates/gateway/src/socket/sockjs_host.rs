//! STOMP on sessions of SockJS.

use std::net::{IpAddr, SocketAddr};

use axum::{extract::Request, http::HeaderMap};
use futures_util::{SinkExt, TryStreamExt};

use super::{
    closing::End,
    connection::{Opening, Protocol, run},
    upgrade::ticket,
};
use crate::{
    gateway::Gateway,
    sockjs::{Gone, Host, Mount, Peers, Pipe, Settings, Visitor},
};

/// `address` is where this gateway listens, if others may pass requests on to it.
pub(super) fn mount(gateway: &Gateway, address: Option<SocketAddr>) -> Mount<Gateway> {
    let platform = &gateway.platform;
    let settings = Settings {
        old_transports: platform.config.sockjs_old_transports,
        ..Settings::default()
    };
    let mount = Mount::new(gateway.clone(), settings, &platform.lifecycle);
    match address {
        Some(address) => {
            let url = platform.config.gateway_url.as_deref();
            mount.among(Peers::new(&platform.nats, url, address))
        }
        None => mount,
    }
}

impl Host for Gateway {
    fn admits(&self, request: &HeaderMap) -> bool {
        self.origins.admit(request)
    }

    fn client(&self, request: &Request) -> IpAddr {
        self.proxies.client(request.headers(), request.extensions())
    }

    fn embedders(&self) -> String {
        self.origins.list()
    }

    async fn serve(&self, pipe: Pipe, visitor: Visitor) {
        let opening = Opening {
            ticket: visitor.query.as_deref().and_then(ticket),
            peer: (visitor.address, 0).into(),
        };
        let socket = pipe.map_err(End::from).sink_map_err(End::from);
        metrics::gauge!("gateway_sockets").increment(1.0);
        run(self.clone(), socket, Protocol::Stomp, opening).await;
        metrics::gauge!("gateway_sockets").decrement(1.0);
    }
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}
