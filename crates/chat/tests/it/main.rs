//! The chat service against real servers, by HTTP and over NATS.
#![cfg(test)]

mod bots;
mod changes;
mod endpoints;
mod erasure;
mod history;
mod members;
mod messages;
mod outages;
mod policies;
mod presence;
mod repetition;
mod role_matrix;
mod room_life;
mod rooms;
mod search;
mod sync;
mod unread;
mod webhook;
mod world;
