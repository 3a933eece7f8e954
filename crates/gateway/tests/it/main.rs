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
mod resume;
mod sending;
mod stomp;
mod stomp_client;
mod tickets;
mod world;
