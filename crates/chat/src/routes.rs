//! The URLs of the chat service.

use doran_platform::http::{Routes, delete, get, patch, post, put};

use crate::{
    commands::{
        add_members::add_members,
        archive_room::archive_room,
        change_bot::change_bot,
        change_message::{
            add_reaction, delete_message, edit_message, pin_message, remove_reaction, unpin_message,
        },
        change_role::change_role,
        change_room::change_room,
        create_room::create_room,
        delete_room::delete_room,
        invite::{accept_invite, create_invite},
        join_room::join_room,
        leave_room::leave_room,
        move_read_marker::move_read_marker,
        register_bot::register_bot,
        remove_bot::remove_bot,
        remove_member::{remove_member, unban},
        send_message::send_message,
        unarchive_room::unarchive_room,
    },
    queries::{
        get_room::get_room,
        health::health,
        history::history,
        list_bots::{get_bot, list_bots},
        list_members::list_members,
        list_rooms::list_rooms,
        presence::presence,
        public_bots::public_bots,
        public_rooms::public_rooms,
        read_marker::read_marker,
        search::search,
        sync::sync,
    },
    state::Service,
};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new()
        .route("/api/chat/health", get(health))
        .route("/api/chat/search", get(search))
        .route(
            "/api/chat/rooms",
            get(list_rooms).post(create_room).creates(),
        )
        .route("/api/chat/rooms/public", get(public_rooms))
        .route(
            "/api/chat/rooms/{id}",
            get(get_room).patch(change_room).delete(delete_room),
        )
        .route("/api/chat/rooms/{id}/archive", post(archive_room))
        .route("/api/chat/rooms/{id}/unarchive", post(unarchive_room))
        .route(
            "/api/chat/rooms/{id}/invites",
            post(create_invite).creates(),
        )
        .route("/api/chat/invites/{code}/accept", post(accept_invite))
        .route("/api/chat/sync", get(sync))
        .route("/api/chat/presence", get(presence))
        .route(
            "/api/chat/bots",
            get(list_bots).post(register_bot).creates(),
        )
        .route("/api/chat/bots/public", get(public_bots))
        .route(
            "/api/chat/bots/{id}",
            get(get_bot).patch(change_bot).delete(remove_bot),
        )
        .route("/api/chat/rooms/{id}/join", post(join_room))
        .route("/api/chat/rooms/{id}/leave", post(leave_room))
        .route(
            "/api/chat/rooms/{id}/members",
            get(list_members).post(add_members).creates(),
        )
        .route(
            "/api/chat/rooms/{id}/members/{user}",
            patch(change_role).delete(remove_member),
        )
        .route("/api/chat/rooms/{id}/bans/{user}", delete(unban))
        .route(
            "/api/chat/rooms/{id}/messages",
            get(history).post(send_message).creates(),
        )
        .route(
            "/api/chat/rooms/{id}/messages/{message}",
            patch(edit_message).delete(delete_message),
        )
        .route(
            "/api/chat/rooms/{id}/messages/{message}/reactions/{emoji}",
            put(add_reaction)
                .refuses(&[422])
                .delete(remove_reaction)
                .refuses(&[422]),
        )
        .route(
            "/api/chat/rooms/{id}/messages/{message}/pin",
            put(pin_message).delete(unpin_message),
        )
        .route(
            "/api/chat/rooms/{id}/read",
            get(read_marker).put(move_read_marker),
        )
}
