//! The user service against real servers, by HTTP.
#![cfg(test)]

mod administer;
mod read_models;
mod register;
mod search;
mod world;
