//! Questions to the read models and for the bytes of files, one file each.

pub(crate) mod access;
pub(crate) mod bookmark_row;
pub(crate) mod count_bookmarks;
pub(crate) mod get_file;
pub(crate) mod get_thumbnail;
pub(crate) mod health;
pub(crate) mod list_bookmarks;
mod range;
mod serve;
