//! The binary as its users run it: real servers, real processes.
#![cfg(test)]

mod command;
mod events;
mod help;
mod streams;
