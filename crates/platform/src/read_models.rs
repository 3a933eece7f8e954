//! The read models of a service, as they are inside the binary.

use doran_projection::{FolderError, ReadModel};
use rust_embed::RustEmbed;

/// Reads every folder of `projections/<service>`, which `F` embeds.
pub fn read_models<F: RustEmbed>(service: &str) -> Result<Vec<ReadModel>, FolderError> {
    let files = F::iter().filter_map(|path| {
        let file = F::get(&path)?;
        Some((format!("{service}/{path}"), file.data))
    });
    ReadModel::all_below(service, files)
}
