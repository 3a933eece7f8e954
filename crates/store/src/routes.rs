//! The URLs of the store service.

use doran_platform::http::{Routes, delete, get, post};

use crate::{
    commands::{
        remove_bookmarks::{remove_bookmark, remove_bookmarks},
        remove_file::remove_file,
        save_bookmark::save_bookmark,
        upload_files::upload_files,
    },
    queries::{
        count_bookmarks::count_bookmarks, get_file::get_file, get_thumbnail::get_thumbnail,
        health::health, list_bookmarks::list_bookmarks,
    },
    state::Service,
};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new()
        .route(
            "/api/store/files",
            post(upload_files).takes("multipart/form-data").creates(),
        )
        .route("/api/store/health", get(health))
        .route(
            "/api/store/files/{id}",
            get(get_file)
                .gives("*/*")
                .also(&[206, 304])
                .refuses(&[416])
                .delete(remove_file),
        )
        .route(
            "/api/store/files/{id}/thumbnail",
            get(get_thumbnail).gives("image/*").also(&[304]),
        )
        .route(
            "/api/store/bookmarks",
            get(list_bookmarks)
                .post(save_bookmark)
                .creates()
                .refuses(&[404])
                .delete(remove_bookmarks)
                .refuses(&[404]),
        )
        .route("/api/store/bookmarks/count", get(count_bookmarks))
        .route("/api/store/bookmarks/{id}", delete(remove_bookmark))
}
