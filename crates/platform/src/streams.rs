//! The stream files of `streams/`, as they are inside the binary.

use doran_eventstore::topology::{Topology, TopologyError};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../streams"]
struct Files;

/// Every stream, lane and bucket that the system wants.
pub fn topology() -> Result<Topology, TopologyError> {
    // The language of the events lies beside the streams.
    let is_stream = |path: &str| !path.starts_with("schemas/") && !path.starts_with("golden/");
    let files: Vec<_> = Files::iter()
        .filter(|path| is_stream(path))
        .filter_map(|path| Files::get(&path).map(|file| (path.to_string(), file.data)))
        .collect();
    Topology::parse(
        files
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_ref())),
    )
}
