//! The URLs of the chat service.

use axum::{
    Router,
    routing::{delete, get, post},
};

use crate::{
    commands::{
        add_members::add_members, change_room::change_room, create_room::create_room,
        join_room::join_room, leave_room::leave_room, move_read_marker::move_read_marker,
        remove_member::remove_member, send_message::send_message,
    },
    queries::{
        get_room::get_room, health::health, history::history, list_members::list_members,
        list_rooms::list_rooms, public_rooms::public_rooms, read_marker::read_marker,
        search::search,
    },
    state::Service,
};

pub(crate) fn routes(service: Service) -> Router {
    Router::new()
        .route("/api/chat/health", get(health))
        .route("/api/chat/search", get(search))
        .route("/api/chat/rooms", get(list_rooms).post(create_room))
        .route("/api/chat/rooms/public", get(public_rooms))
        .route("/api/chat/rooms/{id}", get(get_room).patch(change_room))
        .route("/api/chat/rooms/{id}/join", post(join_room))
        .route("/api/chat/rooms/{id}/leave", post(leave_room))
        .route(
            "/api/chat/rooms/{id}/members",
            get(list_members).post(add_members),
        )
        .route("/api/chat/rooms/{id}/members/{user}", delete(remove_member))
        .route(
            "/api/chat/rooms/{id}/messages",
            get(history).post(send_message),
        )
        .route(
            "/api/chat/rooms/{id}/read",
            get(read_marker).put(move_read_marker),
        )
        .with_state(service)
}
