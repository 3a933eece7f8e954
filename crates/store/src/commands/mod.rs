//! What people do with bookmarks and files, one file each.

pub(crate) mod remove_bookmarks;
pub(crate) mod remove_file;
pub(crate) mod save_bookmark;
pub(crate) mod upload_files;

/// Who writes the events of this service.
pub(crate) const SOURCE: &str = "store";
