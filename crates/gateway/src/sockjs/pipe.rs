//! A session as its host sees it: messages come and go as on a WebSocket.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::extract::ws::Message;
use futures_util::{Sink, SinkExt, Stream};
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

/// Messages that may wait in one direction.
const WAITING: usize = 16;

/// The client is gone.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the client is gone")]
pub struct Gone;

/// The host's end of a session.
pub struct Pipe {
    incoming: mpsc::Receiver<Message>,
    outgoing: PollSender<Message>,
}

/// The other end: what requests of the client put in, and take out.
pub(super) struct FarEnd {
    pub(super) incoming: mpsc::Sender<Message>,
    pub(super) outgoing: mpsc::Receiver<Message>,
}

impl Pipe {
    pub(super) fn new() -> (Self, FarEnd) {
        let (incoming_sender, incoming) = mpsc::channel(WAITING);
        let (outgoing_sender, outgoing) = mpsc::channel(WAITING);
        let pipe = Self {
            incoming,
            outgoing: PollSender::new(outgoing_sender),
        };
        let far = FarEnd {
            incoming: incoming_sender,
            outgoing,
        };
        (pipe, far)
    }
}

impl Stream for Pipe {
    type Item = Result<Message, Gone>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_recv(cx).map(|next| next.map(Ok))
    }
}

impl Sink<Message> for Pipe {
    type Error = Gone;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.outgoing.poll_ready_unpin(cx).map_err(|_gone| Gone)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Gone> {
        self.outgoing
            .start_send_unpin(message)
            .map_err(|_gone| Gone)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.outgoing.poll_flush_unpin(cx).map_err(|_gone| Gone)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.outgoing.poll_close_unpin(cx).map_err(|_gone| Gone)
    }
}
