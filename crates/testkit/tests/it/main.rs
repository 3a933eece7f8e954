//! The fixtures themselves, against real servers, and the rules of the repository.

#![cfg(test)]

mod equivalence;
mod event_names;
mod nats;
mod postgres;
mod redis;
mod repository;
