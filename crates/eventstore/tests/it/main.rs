//! The event store against a real nats-server.

#![cfg(test)]

mod account;
mod claims;
mod conformance;
mod cqrs;
mod execute;
mod faults;
mod fixture;
mod follow;
mod forgetful_replica;
mod full_replica;
mod lane;
mod read;
mod snapshot;
mod stream_files;
mod topology;
