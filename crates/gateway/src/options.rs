//! What the binary tells a gateway beside the common configuration.

use std::{net::SocketAddr, time::Duration};

use doran_platform::{http::Health, presence::Terms};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::Upstreams;

pub struct Options {
    pub upstreams: Upstreams,
    /// Probes of the other roles in this process; the gateway adds its own.
    pub health: Health,
    pub prometheus: PrometheusHandle,
    /// Origins under which this gateway's own page is opened.
    pub own_origins: Vec<String>,
    pub timing: Timing,
    /// Where this gateway listens; without it other gateways cannot pass requests on to it.
    pub address: Option<SocketAddr>,
}

impl Options {
    pub fn new(upstreams: Upstreams, health: Health, prometheus: PrometheusHandle) -> Self {
        Self {
            upstreams,
            health,
            prometheus,
            own_origins: Vec::new(),
            timing: Timing::default(),
            address: None,
        }
    }
}

/// Origins of a page that is opened on the machine it is served from.
pub fn local_origins(port: u16) -> Vec<String> {
    ["localhost", "127.0.0.1"]
        .map(|host| format!("http://{host}:{port}"))
        .into()
}

/// How long a gateway waits for what.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// A socket must have logged in by then.
    pub authenticate: Duration,
    /// A quiet socket is pinged so often, and given up after twice that time.
    pub ping: Duration,
    /// Every room with subscribers is compared with the log so often.
    pub verify: Duration,
    /// A room without subscribers is followed for so long.
    pub linger: Duration,
    /// A request waits so long for Redis to count it.
    pub redis: Duration,
    /// People are said to be here so often.
    pub beat: Duration,
    /// Whose presence has ended is looked for so often.
    pub sweep: Duration,
    /// How long it holds that somebody is here.
    pub presence: Terms,
    /// Without contact to the log for so long, frames are refused.
    pub refuse_after: Duration,
    /// Without contact to the log for so long, sockets are closed.
    pub close_after: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            authenticate: Duration::from_secs(10),
            ping: Duration::from_secs(25),
            verify: Duration::from_secs(5),
            linger: Duration::from_secs(30),
            redis: Duration::from_millis(50),
            beat: Duration::from_secs(15),
            sweep: Duration::from_secs(2),
            presence: Terms {
                life: Duration::from_secs(45),
                grace: Duration::from_secs(5),
            },
            refuse_after: Duration::from_secs(5),
            close_after: Duration::from_secs(15),
        }
    }
}
