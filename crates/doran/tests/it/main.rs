//! The binary as its users run it: real servers, real processes.
#![cfg(test)]

mod access;
mod backup;
mod bench;
mod catalogue;
mod chat;
mod command;
mod erasure;
mod events;
mod golden;
mod help;
mod jobs;
mod operators;
mod policies;
mod process;
mod streams;
mod system;
