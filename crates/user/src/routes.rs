//! The URLs of the user service.

use doran_platform::http::{Routes, get, patch, post, put};

use crate::{
    commands::{
        change_password::change_password,
        change_profile::{patch_profile, replace_profile},
        change_role::change_role,
        change_settings::change_settings,
        change_status::change_status,
        delete_user::delete_user,
        execute_reset::execute_reset,
        register::register,
        request_reset::request_reset,
    },
    queries::{
        audit::audit, check_email::check_email, export_user::export_user,
        get_settings::get_settings, get_user::get_user, get_user_by_email::get_user_by_email,
        health::health, list_users::list_users, search_users::search_users,
    },
    state::Service,
};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new()
        .route(
            "/api/users",
            get(list_users).post(register).creates().refuses(&[404]),
        )
        .route(
            "/api/users/",
            get(list_users).post(register).creates().refuses(&[404]),
        )
        .route("/api/users/health", get(health))
        .route("/api/users/audit", get(audit))
        .route("/api/users/search", get(search_users))
        .route("/api/users/check-email/{email}", get(check_email))
        .route("/api/users/email/{email}", get(get_user_by_email))
        .route(
            "/api/users/{id}",
            get(get_user)
                .patch(patch_profile)
                .put(replace_profile)
                .delete(delete_user),
        )
        .route(
            "/api/users/{id}/export",
            get(export_user).gives("application/zip"),
        )
        .route("/api/users/{id}/password", put(change_password))
        .route(
            "/api/users/{id}/settings",
            get(get_settings).put(change_settings),
        )
        .route("/api/users/{id}/status", patch(change_status))
        // These paths are auth's, the aggregate is this service's.
        .route(
            "/api/auth/password/reset/request",
            post(request_reset).accepts(),
        )
        .route(
            "/api/auth/password/reset/execute",
            post(execute_reset).refuses(&[401]),
        )
        .route("/api/auth/users/{id}/role", put(change_role))
}
