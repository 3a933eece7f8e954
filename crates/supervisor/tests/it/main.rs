//! `./dev` as a person uses it, with real servers and a stand-in for `doran`.

#![cfg(test)]

mod fixture;
mod readme;
mod up;
