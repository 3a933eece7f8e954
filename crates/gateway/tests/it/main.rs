//! The gateway on a port of its own, against real servers, with a foreign WebSocket client.

#![cfg(test)]

mod attacks;
mod changes;
mod client;
mod faults;
mod front_door;
mod instances;
mod limits;
mod live;
mod log_in;
mod notices;
mod presence;
mod protocol;
mod raw;
mod resume;
mod sending;
mod sockjs;
mod sockjs_client;
mod stomp;
mod stomp_client;
mod tickets;
mod world;
