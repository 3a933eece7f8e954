//! HTTP as it comes in: the page, what operators ask, and everything under `/api`, which goes to
//! the service it belongs to.

mod about;
mod documents;
mod forward;
mod headers;
mod hop;
mod instances;
mod origin;
mod page;
mod routes;
mod service;
mod upstream;

pub(crate) use origin::Origins;
pub(crate) use routes::routes;
pub(crate) use service::Service;
pub(crate) use upstream::{Refused, Services};
pub use upstream::{Upstream, Upstreams};
