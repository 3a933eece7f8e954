//! The store service over HTTP, against real servers.
#![cfg(test)]

mod attacks;
mod bookmarks;
mod collect;
mod erasure;
mod files;
mod quota;
mod readers;
mod s3;
mod world;
