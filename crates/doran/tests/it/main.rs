//! The binary as its users run it: real servers, real processes.
#![cfg(test)]

mod access;
mod backup;
mod bench;
mod catalogue;
mod chat;
mod cluster;
mod command;
mod compose;
mod distributed;
mod erasure;
mod events;
mod files;
mod full_store;
mod golden;
mod help;
mod jobs;
mod metrics;
mod openapi;
mod operators;
mod policies;
mod process;
mod streams;
mod system;
mod talker;
mod traces;
