//! The batch service against real servers, by HTTP and by the clock.
#![cfg(test)]

mod inactive;
mod reports;
mod runs;
mod schedules;
mod world;
