//! The auth service against real servers, by HTTP.
#![cfg(test)]

mod forged_tokens;
mod log_in;
mod log_out;
mod outages;
mod policies;
mod refresh;
mod rotation;
mod sessions;
mod throttling;
mod tickets;
mod world;
