//! The chat service against real servers, by HTTP and over NATS.
#![cfg(test)]

mod endpoints;
mod history;
mod members;
mod messages;
mod outages;
mod policies;
mod rooms;
mod search;
mod unread;
mod world;
