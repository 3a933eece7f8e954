//! The runner and the folds against real servers, over a small shop.
#![cfg(test)]

mod apply;
mod check;
mod columns;
mod halts;
mod idle;
mod memory;
mod parked;
mod policy;
mod rebuild;
mod runners;
mod servers;
mod setup;
mod shop;
