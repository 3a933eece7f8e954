//! What each route takes and answers, in the terms of `OpenAPI` 3.1, read from the types of its
//! handler: nothing is said twice, and a type that cannot be described does not compile.
//!
//! The document itself is `docs/api/openapi.json`, which a test of the binary writes and compares.

mod answers;
mod components;
mod operation;
mod routes;
mod sketch;
mod takes;

pub use answers::Answers;
pub use components::components;
pub use operation::{Operation, Schemas};
pub use routes::{Methods, Routes, delete, get, patch, post, put};
pub use sketch::Sketch;
pub use takes::{Described, Takes};
