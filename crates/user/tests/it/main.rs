//! The user service against real servers, by HTTP.
#![cfg(test)]

mod administer;
mod audit;
mod deletion;
mod export;
mod password;
mod profile;
mod read_models;
mod register;
mod reset;
mod search;
mod world;
