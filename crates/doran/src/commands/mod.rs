//! The commands, one file each: its flags, and what it does.

mod all;
mod auth;
mod batch;
mod bench;
mod chat;
mod doctor;
mod events;
mod gateway;
mod jobs;
mod keys;
mod moment;
mod notice;
mod policies;
mod projections;
mod store;
mod streams;
mod user;
mod users;

use anyhow::Result;
use futures_util::future::LocalBoxFuture;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    All(all::All),
    Auth(auth::Auth),
    User(user::User),
    Chat(chat::Chat),
    Store(store::Store),
    Batch(batch::Batch),
    Gateway(gateway::Gateway),
    #[command(subcommand)]
    Streams(streams::Streams),
    #[command(subcommand)]
    Events(events::Events),
    #[command(subcommand)]
    Projections(projections::Projections),
    #[command(subcommand)]
    Policies(policies::Policies),
    #[command(subcommand)]
    Users(users::Users),
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    #[command(subcommand)]
    Keys(keys::Keys),
    Notice(notice::Notice),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Bench(bench::Bench),
}

impl Command {
    /// What is logged unless somebody says so: tools speak by their output.
    pub(crate) fn log_level(&self) -> &'static str {
        match self {
            Self::All(_)
            | Self::Auth(_)
            | Self::User(_)
            | Self::Chat(_)
            | Self::Store(_)
            | Self::Batch(_)
            | Self::Gateway(_) => "info",
            Self::Streams(_)
            | Self::Events(_)
            | Self::Projections(_)
            | Self::Policies(_)
            | Self::Users(_)
            | Self::Jobs(_)
            | Self::Keys(_)
            | Self::Notice(_)
            | Self::Doctor(_)
            | Self::Bench(_) => "warn",
        }
    }

    pub(crate) fn run(self) -> LocalBoxFuture<'static, Result<()>> {
        match self {
            Self::All(all) => Box::pin(all.run()),
            Self::Auth(auth) => Box::pin(auth.run()),
            Self::User(user) => Box::pin(user.run()),
            Self::Chat(chat) => Box::pin(chat.run()),
            Self::Store(store) => Box::pin(store.run()),
            Self::Batch(batch) => Box::pin(batch.run()),
            Self::Gateway(gateway) => Box::pin(gateway.run()),
            Self::Streams(streams) => Box::pin(streams.run()),
            Self::Events(events) => Box::pin(events.run()),
            Self::Projections(projections) => Box::pin(projections.run()),
            Self::Policies(policies) => Box::pin(policies.run()),
            Self::Users(users) => Box::pin(users.run()),
            Self::Jobs(jobs) => Box::pin(jobs.run()),
            Self::Keys(keys) => Box::pin(keys.run()),
            Self::Notice(notice) => Box::pin(notice.run()),
            Self::Doctor(doctor) => Box::pin(doctor.run()),
            Self::Bench(bench) => Box::pin(bench.run()),
        }
    }
}
