//! HTTP as it comes in: the page, what operators ask, and everything under `/api`, which goes to
//! the service it belongs to.

mod about;
mod breaker;
mod budget;
mod client_address;
mod documents;
mod forward;
mod headers;
pub(crate) mod hop;
mod instance;
mod instances;
mod operations;
mod origin;
mod page;
mod patience;
mod payload;
mod routes;
mod service;
mod upstream;

pub(crate) use client_address::TrustedProxies;
pub(crate) use origin::Origins;
pub(crate) use routes::{described, routes};
pub(crate) use service::Service;
pub(crate) use upstream::{Refused, Services};
pub use upstream::{Upstream, Upstreams};
