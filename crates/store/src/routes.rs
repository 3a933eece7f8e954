//! The URLs of the store service.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, post},
};

use crate::{
    commands::{
        remove_bookmarks::{remove_bookmark, remove_bookmarks},
        remove_file::remove_file,
        save_bookmark::save_bookmark,
        upload_files::{most_bytes, upload_files},
    },
    queries::{
        count_bookmarks::count_bookmarks, get_file::get_file, get_thumbnail::get_thumbnail,
        health::health, list_bookmarks::list_bookmarks,
    },
    state::Service,
};

pub(crate) fn routes(service: Service) -> Router {
    let most_bytes = usize::try_from(most_bytes(&service)).unwrap_or(usize::MAX);
    Router::new()
        .route("/api/store/files", post(upload_files))
        // A request brings several files, and the service counts each.
        .layer(DefaultBodyLimit::max(most_bytes))
        .route("/api/store/health", get(health))
        .route("/api/store/files/{id}", get(get_file).delete(remove_file))
        .route("/api/store/files/{id}/thumbnail", get(get_thumbnail))
        .route(
            "/api/store/bookmarks",
            get(list_bookmarks)
                .post(save_bookmark)
                .delete(remove_bookmarks),
        )
        .route("/api/store/bookmarks/count", get(count_bookmarks))
        .route("/api/store/bookmarks/{id}", delete(remove_bookmark))
        .with_state(service)
}
